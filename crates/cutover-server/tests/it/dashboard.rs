//! What stands behind the dashboard: its files, log-ins by cookie, what happened over time, and the stream of samples.

use crate::process::PATIENCE;
use crate::tokens::{Made, RELOAD, Scene, json, proxy};
use cutover_test::{Client, Upstream, send};
use http::Response;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

const MIGRATION: &str = "/admin/v1/migrations/profile";

/// Logs in, and answers with the cookie that a browser would send from then on.
async fn log_in(client: &Client, who: &Made) -> String {
    let reply = login(client, &who.token).await;
    assert_eq!(reply.status(), 200, "{:?}", reply.body());
    let cookie = reply.headers()["set-cookie"].to_str().expect("visible").to_owned();
    let (pair, flags) = cookie.split_once("; ").expect("flags");
    assert_eq!(flags, "Path=/; HttpOnly; SameSite=Strict; Max-Age=43200");
    assert!(!cookie.contains(&who.token), "the cookie is not the token");
    pair.to_owned()
}

async fn login(client: &Client, token: &str) -> Response<bytes::Bytes> {
    let body: &'static str = Box::leak(json!({ "token": token }).to_string().into_boxed_str());
    let kind = [("content-type", "application/json")];
    client.send("POST", "/admin/v1/session", &kind, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_its_parts_need_no_token_and_run_nothing_foreign() {
    let (scene, _) = proxy(&[("ana", "on-call")]).await;
    let client = Client::http1(scene.process.admin);
    let page = client.get("/", &[]).await;
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().expect("visible"))
    );
    let policy = page.headers()["content-security-policy"].to_str().expect("visible");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let text = String::from_utf8_lossy(page.body()).into_owned();
    let mut parts = 0;
    for (at, _) in text.match_indices("\"/assets/") {
        let path = text[at + 1..].split('"').next().expect("an address");
        let part = client.get(path, &[]).await;
        assert_eq!(part.status(), 200, "{path}");
        assert_eq!(part.headers()["content-security-policy"], policy);
        let tag = part.headers()["etag"].to_str().expect("visible").to_owned();
        assert_eq!(client.get(path, &[("if-none-match", &tag)]).await.status(), 304);
        parts += 1;
    }
    assert!(parts >= 2, "a script and a style: {text}");
    assert!(!text.contains(" style=") && !text.contains("<script>"), "nothing inline: {text}");
    for nothing in ["/assets/nothing.js", "/assets/../Cargo.toml", "/assets/%2e%2e/Cargo.toml"] {
        assert_eq!(client.get(nothing, &[]).await.status(), 404, "{nothing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_given_once_is_a_session_until_it_ends() {
    let (scene, made) = proxy(&[("ana", "on-call"), ("ben", "operator")]).await;
    let client = Client::http1(scene.process.admin);
    let (ana, ben) = (&made[0], &made[1]);
    assert_eq!(login(&client, "cut_wrong").await.status(), 401);
    let cookie = log_in(&client, ana).await;
    let with = |cookie: &str| [("cookie", format!("theme=dark; {cookie}"))];
    let cookies = with(&cookie);
    let by_cookie = [("cookie", &*cookies[0].1)];
    let me = json(&client.get("/admin/v1/whoami", &by_cookie).await);
    assert_eq!(me, json!({ "name": "ana", "role": "on-call", "login": true }));

    // A page of another origin can make a browser send the cookie, but not this header.
    let reply = client.send("POST", RELOAD, &by_cookie, "").await;
    assert_eq!(reply.status(), 403);
    assert!(
        json(&reply)["detail"].as_str().is_some_and(|text| text.contains("x-cutover-dashboard"))
    );
    let ours = [by_cookie[0], ("x-cutover-dashboard", "1")];
    assert_eq!(client.send("POST", RELOAD, &ours, "").await.status(), 200);
    let foreign = [ours[0], ours[1], ("origin", "https://evil.example")];
    assert_eq!(client.send("POST", RELOAD, &foreign, "").await.status(), 403);

    // A token that is presented is not helped by a session beside it.
    let both = [by_cookie[0], ("authorization", "Bearer cut_wrong")];
    assert_eq!(client.get("/admin/v1/whoami", &both).await.status(), 401);
    for wrong in ["cutover-session=x", "cutover-session=", &format!("{cookie}; {cookie}")] {
        assert_eq!(client.get("/admin/v1/whoami", &[("cookie", wrong)]).await.status(), 401);
    }

    let second = log_in(&client, ana).await;
    assert_eq!(client.send("DELETE", "/admin/v1/session", &ours, "").await.status(), 204);
    assert_eq!(client.get("/admin/v1/whoami", &by_cookie).await.status(), 401, "logged out");
    let second = [("cookie", second.as_str())];
    assert_eq!(client.get("/admin/v1/whoami", &second).await.status(), 200, "another session");
    scene.reload(&[ben], "", ben).await;
    assert_eq!(client.get("/admin/v1/whoami", &second).await.status(), 401, "the token is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_counted_and_locks_nobody_out() {
    let (scene, made) = proxy(&[("ana", "on-call")]).await;
    let client = Client::http1(scene.process.admin);
    let cookie = log_in(&client, &made[0]).await;
    let mut last = 0;
    for _ in 0..12 {
        last = login(&client, "cut_guess").await.status().as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(client.get("/admin/v1/whoami", &[("cookie", &cookie)]).await.status(), 200);
    log_in(&client, &made[0]).await;
}

/// A canary of everybody whose `new` fails, so that both sides have something to show.
async fn canary(scene: &Scene, new: &Upstream, tokens: &[&Made]) {
    let more = format!(
        "[backends.n]\naddresses = [\"{}\"]\n\
         [migrations.profile]\nold = \"b\"\nnew = \"n\"\nowner = \"team\"\nexpires = 2099-01-01\n\
         gates.rollback = false\nfallback.on = []\nkey = [{{ header = \"x-user-id\" }}]\n\
         allow = [\"ana\"]\nroutes = [{{ path = \"/api/{{id}}\", methods = [\"GET\"] }}]\n\
         read-percent = 0",
        new.address()
    );
    scene.reload(tokens, &more, tokens[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_may_not_do_is_said_and_refused() {
    let (scene, made) = proxy(&[("ana", "on-call"), ("vera", "viewer")]).await;
    let new = Upstream::named("new").await;
    canary(&scene, &new, &[&made[0], &made[1]]).await;
    let client = Client::http1(scene.process.admin);
    let barred = async |who: &Made| {
        let cookie = log_in(&client, who).await;
        (json(&client.get(MIGRATION, &[("cookie", &cookie)]).await)["barred"].clone(), cookie)
    };
    let (vera, cookie) = barred(&made[1]).await;
    let why = vera["rollback"].as_str().expect("a sentence");
    assert_eq!(
        why,
        "vera (viewer) may not rollback here; these roles may: operator, on-call, approver, admin, automation"
    );
    let ours = [("cookie", cookie.as_str()), ("x-cutover-dashboard", "1")];
    let path = format!("{MIGRATION}:rollback");
    let refused = client.send("POST", &path, &ours, r#"{"reason": "x"}"#).await;
    assert_eq!((refused.status().as_u16(), json(&refused)["detail"].as_str()), (403, Some(why)));
    let (ana, _) = barred(&made[0]).await;
    let verbs: Vec<_> = ana.as_object().expect("an object").keys().collect();
    assert_eq!(verbs, ["complete"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_told_by_side_and_step() {
    let (scene, made) = proxy(&[("root", "admin")]).await;
    let new = Upstream::answering(500, "broken").await;
    canary(&scene, &new, &[&made[0]]).await;
    let (users, admin) = (Client::http1(scene.process.data), Client::http1(scene.process.admin));
    let bearer = made[0].bearer();
    let ask = async |path: String| admin.get(&path, &[("authorization", &bearer)]).await;
    // The first look begins the memory; what came before it is not told.
    let series = async || json(&ask(format!("{MIGRATION}/series")).await);
    let sum = |value: &Value| {
        value.as_array().expect("an array").iter().filter_map(Value::as_u64).sum::<u64>()
    };
    let told = tokio::time::timeout(PATIENCE, async {
        loop {
            assert_eq!(users.get("/api/1", &[("x-user-id", "ben")]).await.status(), 200);
            assert_eq!(users.get("/api/1", &[("x-user-id", "ana")]).await.status(), 500);
            let told = series().await;
            if sum(&told["old"]["requests"]) > 10 && sum(&told["new"]["requests"]) > 10 {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let told = told.await.expect("in time");
    let [old, new] = ["old", "new"].map(|side| sum(&told[side]["requests"]));
    assert!(old.abs_diff(new) <= 1, "they asked in turn: {told}");
    assert_eq!((sum(&told["old"]["errors"]), sum(&told["new"]["errors"])), (0, new), "{told}");
    let steps = told["t"].as_array().expect("an array").len();
    for name in ["share", "readPercent", "mirrorPercent", "fallbacks", "compared", "mismatched"] {
        assert_eq!(told[name].as_array().map(Vec::len), Some(steps), "{name}");
    }
    for (side, name) in ["old", "new", "newCopies"].iter().zip(["requests", "p50Ms", "p99Ms"]) {
        assert_eq!(told[side][name].as_array().map(Vec::len), Some(steps), "{side} {name}");
    }
    let times = told["old"]["p99Ms"].as_array().expect("an array");
    assert!(times.iter().any(|ms| ms.as_f64().is_some_and(|ms| ms > 0.0)), "{told}");
    assert_eq!((&told["stepMs"], &told["limits"]["errors"]), (&5_000.into(), &0.001.into()));
    for wrong in ["?seconds=0", "?seconds=86401", "?seconds=x", "?second=5"] {
        assert_eq!(ask(format!("{MIGRATION}/series{wrong}")).await.status(), 400, "{wrong}");
    }
    assert_eq!(ask("/admin/v1/migrations/nobody/series".to_owned()).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_come_at_once_and_listeners_are_bounded() {
    let (scene, made) = proxy(&[("ana", "on-call")]).await;
    let new = Upstream::named("new").await;
    canary(&scene, &new, &[&made[0]]).await;
    let admin = scene.process.admin;
    let request = format!(
        "GET /admin/v1/events?samples=true HTTP/1.1\r\nhost: {admin}\r\nauthorization: {}\r\n\r\n",
        made[0].bearer()
    );
    let told = async |stream: &mut TcpStream, part: &str| {
        let (mut told, mut piece) = (String::new(), [0; 4_096]);
        while !told.contains(part) {
            let read = tokio::time::timeout(PATIENCE, stream.read(&mut piece)).await;
            let read = read.expect("in time").expect("it stays open");
            assert!(read > 0, "{told}");
            told.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        told
    };
    let mut all = Vec::new();
    for _ in 0..64 {
        let mut stream = send(admin, &request).await;
        let sample = told(&mut stream, "\n\n").await;
        assert!(sample.contains("200 OK"), "{sample}");
        all.push(stream);
    }
    let mut late = send(admin, &request).await;
    assert!(told(&mut late, "listen already").await.contains("503"));
    let first = told(&mut all[0], "event: sample").await;
    assert!(!first.is_empty());
    drop(all.pop());
    let again = async {
        loop {
            let mut stream = send(admin, &request).await;
            if told(&mut stream, "\r\n\r\n").await.contains("200 OK") {
                return told(&mut stream, "\"position\":\"canary 0%\"").await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("a place becomes free");
}
