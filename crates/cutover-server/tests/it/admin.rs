//! The admin API.

use crate::process::{Process, Setup};
use cutover_server::admin::{ENDPOINTS, VERBS, document};
use cutover_test::{Client, Upstream};
use serde_json::Value;

async fn running() -> (Process, Setup, Upstream) {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    let process = Process::start(&setup.file, &["--no-watch"]);
    (process, setup, upstream)
}

fn json(reply: &http::Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_else(|_| panic!("{:?}", reply.body()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_described_endpoint_exists_and_answers_as_described() {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    let migration = "[backends.c]\naddresses = [\"127.0.0.1:1\"]\n\
                     [migrations.profile]\nold = \"b\"\nnew = \"c\"\nowner = \"team\"\n\
                     expires = 2099-01-01\ndata = \"shared\"\nkey = [{ header = \"x-user-id\" }]\n\
                     routes = [{ path = \"/api/{rest}\", methods = [\"GET\"] }]\n";
    setup.write("", upstream.address(), migration);
    let process = Process::start(&setup.file, &["--no-watch"]);
    let client = Client::http1(process.admin);
    let served = json(&client.get("/admin/v1/openapi.json", &[]).await);
    assert_eq!(served, document());
    for endpoint in ENDPOINTS {
        if endpoint.path == "/admin/v1/events" {
            // It does not end; a test of its own reads from it.
            continue;
        }
        let path = endpoint.path.replace("{id}", "profile");
        let reply = client.send(&endpoint.method.to_uppercase(), &path, &[], "").await;
        let status = reply.status().as_u16();
        // The migration is there: what is not there is the endpoint.
        let missing = endpoint.path.contains("{id}") && matches!(status, 404 | 405);
        assert!(!missing, "{} {}: {status}", endpoint.method, endpoint.path);
        assert!(
            endpoint.statuses.contains(&status),
            "{} {}: {status}",
            endpoint.method,
            endpoint.path
        );
    }
    let unknown = client.get("/admin/v2", &[]).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    let wrong = client.send("DELETE", "/admin/v1/config", &[], "").await;
    assert_eq!(wrong.status(), 405);
}

/// Verbs share one route, so the router cannot tell which there are.
#[test]
fn every_verb_is_described_with_what_it_takes() {
    let document = document();
    for verb in VERBS {
        let path = format!("/admin/v1/migrations/{{id}}:{}", verb.name);
        let schema =
            &document["paths"][&path]["post"]["requestBody"]["content"]["application/json"];
        let properties = &schema["schema"]["properties"];
        for member in verb.takes.iter().chain(&["reason", "dryRun"]) {
            assert!(properties[member].is_object(), "{path} {member}");
        }
    }
    let described = ENDPOINTS.iter().filter(|endpoint| endpoint.path.contains("{id}:"));
    assert_eq!(described.count(), VERBS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_answer() {
    let (process, _setup, _upstream) = running().await;
    let client = Client::http1(process.admin);
    assert_eq!(client.get("/livez", &[]).await.body(), "ok\n");
    assert_eq!(client.get("/readyz", &[]).await.body(), "ok\n");
    Client::http1(process.data).get("/", &[]).await;
    let metrics = client.get("/metrics", &[]).await;
    let text = std::str::from_utf8(metrics.body()).expect("text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(text.matches("# EOF").count(), 1);
    let old = [("accept", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")];
    let classic = client.get("/metrics", &old).await;
    assert_eq!(classic.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let classic = String::from_utf8_lossy(classic.body()).into_owned();
    assert!(!classic.contains("# EOF") && !classic.contains("# UNIT"), "{classic}");
    assert!(classic.contains("# TYPE cutover_config_reloads_total counter\n"), "{classic}");
    let new = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
    assert!(client.get("/metrics", &new).await.body().ends_with(b"# EOF\n"));
    for name in
        ["cutover_open_connections", "cutover_heads_refused_total", "cutover_config_generation"]
    {
        assert!(text.contains(name), "{name} is missing: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_are_kept_out() {
    let (process, _setup, _upstream) = running().await;
    let client = Client::http1(process.admin);
    let rebound = client.get("/livez", &[("host", "evil.example")]).await;
    assert_eq!(rebound.status(), 421);
    let local = client.get("/livez", &[("host", "localhost:1")]).await;
    assert_eq!(local.status(), 200);
    let reload = "/admin/v1/config:reload?reason=x";
    let foreign = client.send("POST", reload, &[("origin", "https://evil.example")], "").await;
    assert_eq!(foreign.status(), 403);
    let other_port = client.send("POST", reload, &[("origin", "http://127.0.0.1:1")], "").await;
    assert_eq!(other_port.status(), 403);
    let own = format!("http://{}", process.admin);
    let own = client.send("POST", reload, &[("origin", &own)], "").await;
    assert_eq!(own.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn decide_explains_by_query_and_by_body() {
    let (process, _setup, _upstream) = running().await;
    let client = Client::http1(process.admin);
    let path = "/admin/v1/decide?method=GET&path=/api/x%3Fy=z&header=x-user-id:%201";
    let by_query = json(&client.get(path, &[]).await);
    assert_eq!(by_query["backend"], "b", "{by_query}");
    let body = r#"{"path": "/api/x?y=z", "headers": {"x-user-id": "1"}}"#;
    let by_body = json(&client.send("POST", "/admin/v1/decide", &[], body).await);
    assert_eq!(by_query, by_body);
    let bad = client.send("POST", "/admin/v1/decide", &[], "{}").await;
    assert_eq!(bad.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_shown_with_its_generation() {
    let (process, _setup, upstream) = running().await;
    let reply = Client::http1(process.admin).get("/admin/v1/config", &[]).await;
    assert_eq!(reply.headers()["etag"], "\"1\"");
    let shown = json(&reply);
    assert_eq!(shown["generation"], 1);
    let backend = upstream.address().to_string();
    assert_eq!(shown["config"]["backends"]["b"]["addresses"][0], backend, "{shown}");
    // Everything in force is there, defaults too, and the text is one that could be loaded.
    assert_eq!(shown["config"]["server"]["max-header-bytes"], "64KiB", "{shown}");
    assert!(shown["toml"].as_str().is_some_and(|toml| toml.contains("[backends.b]")), "{shown}");
}

/// A secret is shown by where it is, and only by that.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_shown() {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    std::fs::write(setup.folder.path().join("qa.secret"), "never-to-be-seen-again")
        .expect("written");
    let migration = "[migrations.profile]\nold = \"b\"\nnew = \"c\"\nowner = \"team\"\n\
                     expires = 2099-01-01\nkey = [{ header = \"x-user-id\" }]\n\
                     routes = [{ path = \"/api/{id}\" }]\nqa-header = \"x-qa\"\n\
                     qa-secret = { file = \"qa.secret\" }\n\
                     [migrations.profile.headers.request]\n\
                     set = { authorization = \"Bearer never-to-be-seen\", x-team = \"shown\" }\n\
                     [backends.c]\naddresses = [\"127.0.0.1:9\"]\n";
    setup.write("", upstream.address(), migration);
    let process = Process::start(&setup.file, &["--no-watch"]);
    let reply = Client::http1(process.admin).get("/admin/v1/config", &[]).await;
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    assert!(text.contains("qa.secret") && text.contains("shown"), "{text}");
    assert!(!text.contains("never-to-be-seen"), "{text}");
}
