//! The three gateways against real sockets: the split is sticky, and a dead `new` costs no read.

use axum::Router;
use axum::routing::get;
use cutover_examples::{embed_axum, embed_hyper, embed_pingora, setup};
use cutover_test::Upstream;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use tokio::net::TcpListener;

const USERS: usize = 200;

/// Both sides, and the configuration between them.
struct Sides {
    old: Upstream,
    new: Upstream,
    config: String,
}

async fn sides() -> Sides {
    let (old, new) = (Upstream::named("old").await, Upstream::named("new").await);
    let (old_at, new_at) = (old.address(), new.address());
    let config = format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
[backends.monolith]
addresses = ["{old_at}"]
[backends.profile-service]
addresses = ["{new_at}"]
connect-timeout = "500ms"
[[routes]]
path = "/{{*rest}}"
backend = "monolith"
[migrations.profile]
old = "monolith"
new = "profile-service"
owner = "identity team"
expires = 2099-01-01
data = "shared"
key = [{{ header = "x-user-id" }}]
routes = [{{ path = "/api/profile/{{id}}", methods = ["GET"] }}]
read-percent = 50
[migrations.profile.headers.response]
set = {{ x-served-by = "new" }}
"#
    );
    Sides { old, new, config }
}

type Http = Client<HttpConnector, Empty<Bytes>>;

/// Who answers each user, asked once each.
async fn answers(client: &Http, gateway: SocketAddr) -> Vec<String> {
    let mut answers = Vec::with_capacity(USERS);
    for user in 0..USERS {
        let request = Request::get(format!("http://{gateway}/api/profile/{user}"))
            .header("x-user-id", format!("user-{user}"))
            .body(Empty::new())
            .expect("a valid request");
        let reply = client.request(request).await.expect("a reply");
        assert_eq!(reply.status(), StatusCode::OK, "user {user}");
        let edited = reply.headers().contains_key("x-served-by");
        let body = reply.into_body().collect().await.expect("a body").to_bytes();
        let answer = String::from_utf8(body.to_vec()).expect("text");
        assert_eq!(edited, answer == "new", "only what new serves is edited");
        answers.push(answer);
    }
    answers
}

/// Split, stickiness, and the death of `new`, with all its connections.
async fn story(gateway: SocketAddr, sides: Sides) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let first = answers(&client, gateway).await;
    let on_new = first.iter().filter(|answer| *answer == "new").count();
    assert!((70..=130).contains(&on_new), "{on_new} of {USERS} users on new at 50 %");
    assert_eq!(answers(&client, gateway).await, first, "nobody changes sides");
    sides.new.kill().await;
    let after = answers(&client, gateway).await;
    assert!(after.iter().all(|answer| answer == "old"), "everybody falls back: {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hyper_gateway() {
    let sides = sides().await;
    let engine = setup::engine(&sides.config, ".").expect("a valid configuration");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = listener.local_addr().expect("bound");
    let serving = tokio::spawn(embed_hyper::serve(listener, embed_hyper::Gateway::new(engine)));
    story(gateway, sides).await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_layer() {
    let sides = sides().await;
    let engine = setup::engine(&sides.config, ".").expect("a valid configuration");
    let router =
        Router::new().fallback(get(async || "old")).layer(embed_axum::MigrateLayer::new(engine));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = listener.local_addr().expect("bound");
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    assert_ne!(gateway, sides.old.address());
    story(gateway, sides).await;
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pingora_proxy() {
    let sides = sides().await;
    let engine = setup::engine(&sides.config, ".").expect("a valid configuration");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving =
        tokio::spawn(embed_pingora::serve(listener, embed_pingora::Gateway::new(engine), stopped));
    story(gateway, sides).await;
    stop.send_replace(true);
    serving.abort();
}
