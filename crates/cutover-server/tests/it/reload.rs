//! Reloading: by file, by signal and by API; what is invalid changes nothing.

use crate::process::{Load, Process, Setup};
use cutover_test::{Client, Upstream, text};
use http::Response;
use serde_json::Value;

/// A route that marks request and reply with a number.
fn marked(number: usize) -> String {
    format!(
        "[routes.edits.headers.request]\nset = {{ x-mark = \"{number}\" }}\n\
         [routes.edits.headers.response]\nset = {{ x-mark = \"{number}\" }}"
    )
}

async fn echoing() -> Upstream {
    Upstream::start(|request| async move {
        let mark = request.headers().get("x-mark").and_then(|mark| mark.to_str().ok());
        text(200, mark.unwrap_or_default().to_owned())
    })
    .await
}

fn mark(reply: &Response<bytes::Bytes>) -> String {
    assert_eq!(reply.status(), 200);
    let of_reply = reply.headers()["x-mark"].to_str().expect("text").to_owned();
    assert_eq!(of_reply.as_bytes(), &reply.body()[..], "one generation for request and reply");
    of_reply
}

async fn post(process: &Process, query: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let client = Client::http1(process.admin);
    let reply = client.send("POST", &format!("/admin/v1/config:reload{query}"), headers, "").await;
    let body = serde_json::from_slice(reply.body()).expect("JSON");
    (reply.status().as_u16(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_reloads_under_load_lose_nothing_and_never_mix() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    setup.write("", upstream.address(), &marked(0));
    let process = Process::start(&setup.file, &["--no-watch"]);
    let load = Load::start(process.data, 8, |reply| drop(mark(reply)));
    for number in 1..=30 {
        if number % 5 == 0 {
            std::fs::write(&setup.file, "[server]\nlisten = 7\n").expect("written");
            assert_eq!(post(&process, "?reason=test", &[]).await.0, 422);
        }
        setup.write("", upstream.address(), &marked(number));
        let (status, body) = post(&process, "?reason=test", &[]).await;
        assert_eq!((status, &body["generation"]), (200, &Value::from(number + 1)), "{body}");
        load.more(20).await;
    }
    assert_eq!(mark(&Client::http1(process.data).get("/", &[]).await), "30");
    assert!(load.end().await >= 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_reloaded_and_an_invalid_one_is_not() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    setup.write("", upstream.address(), &marked(1));
    let process = Process::start(&setup.file, &[]);
    let client = Client::http1(process.data);
    assert_eq!(mark(&client.get("/", &[]).await), "1");
    std::fs::write(&setup.file, "[server\n").expect("written");
    process.wait_for("configuration refused, nothing changed");
    assert_eq!(mark(&client.get("/", &[]).await), "1");
    setup.write("", upstream.address(), &marked(2));
    process.wait_for("configuration reloaded");
    assert_eq!(mark(&client.get("/", &[]).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_that_was_checked_first_is_still_reloaded() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    setup.write("", upstream.address(), &marked(1));
    let process = Process::start(&setup.file, &[]);
    setup.write("", upstream.address(), &marked(2));
    assert_eq!(post(&process, "?reason=look&dryRun=true", &[]).await.0, 200);
    process.wait_for("configuration reloaded");
    assert_eq!(mark(&Client::http1(process.data).get("/", &[]).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_a_process_starts_is_reloaded() {
    let upstream = echoing().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let listen = format!("listen = [\"{}\"]", free.expect("a port"));
    let setup = Setup::new(&listen, upstream.address());
    setup.write(&listen, upstream.address(), &marked(1));
    let mut old = Process::start(&setup.file, &["--no-watch"]);
    let file = setup.file.clone();
    let new = tokio::task::spawn_blocking(move || Process::start(&file, &["--upgrade"]));
    // It has read the configuration by the time it waits for the sockets.
    let waits = setup.folder.path().join("cutover.state/upgrade.sock");
    while !waits.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    setup.write(&listen, upstream.address(), &marked(2));
    old.signal("QUIT");
    let new = new.await.expect("it starts");
    assert_eq!(old.wait(), Some(0));
    new.wait_for("configuration reloaded");
    assert_eq!(mark(&Client::http1(new.data).get("/", &[]).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_reloads() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    setup.write("", upstream.address(), &marked(1));
    let process = Process::start(&setup.file, &["--no-watch"]);
    setup.write("", upstream.address(), &marked(2));
    process.signal("HUP");
    process.wait_for("configuration reloaded");
    assert_eq!(mark(&Client::http1(process.data).get("/", &[]).await), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_change_is_refused_and_said() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    let process = Process::start(&setup.file, &["--no-watch"]);
    setup.write("listen = [\"127.0.0.1:1\"]", upstream.address(), "");
    let (status, body) = post(&process, "?reason=test", &[]).await;
    assert_eq!(status, 422, "{body}");
    let detail = body["detail"].as_str().expect("a detail");
    assert!(detail.contains("server.listen") && detail.contains("--upgrade"), "{detail}");
    let shown = Client::http1(process.admin).get("/admin/v1/config", &[]).await;
    let shown: Value = serde_json::from_slice(shown.body()).expect("JSON");
    assert_eq!(shown["lastReload"]["outcome"], "refused", "{shown}");
    assert_eq!(shown["generation"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_wants_a_reason_and_keeps_generations_apart() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    let process = Process::start(&setup.file, &["--no-watch"]);
    assert_eq!(post(&process, "", &[]).await.0, 400);
    let (status, body) = post(&process, "?reason=look&dryRun=true", &[]).await;
    assert_eq!((status, &body["generation"]), (200, &Value::from(1)));
    assert_eq!(post(&process, "?reason=x", &[("if-match", "\"7\"")]).await.0, 412);
    let keyed = [("if-match", "\"1\""), ("idempotency-key", "k1")];
    let (status, first) = post(&process, "?reason=x", &keyed).await;
    assert_eq!((status, &first["generation"]), (200, &Value::from(2)));
    let (status, again) = post(&process, "?reason=x", &keyed).await;
    assert_eq!((status, again), (200, first));
    assert_eq!(post(&process, "?reason=other", &keyed).await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reloads_with_one_key_at_once_are_one_reload() {
    let upstream = echoing().await;
    let setup = Setup::new("", upstream.address());
    let process = Process::start(&setup.file, &["--no-watch"]);
    for generation in 2..6 {
        let key = format!("key-{generation}");
        let keyed = [("idempotency-key", &*key)];
        let one = || post(&process, "?reason=x", &keyed);
        let (first, second, third) = tokio::join!(one(), one(), one());
        assert_eq!((first.0, &first.1["generation"]), (200, &Value::from(generation)));
        assert_eq!((&second, &third), (&first, &first));
    }
    std::fs::write(&setup.file, "[server\n").expect("written");
    let keyed = [("idempotency-key", "refused")];
    let one = || post(&process, "?reason=x", &keyed);
    let (first, second) = tokio::join!(one(), one());
    assert_eq!((first.0, second.0), (422, 422));
    setup.write("", upstream.address(), "");
    assert_eq!(one().await.0, 200, "mended, it may be tried again");
}
