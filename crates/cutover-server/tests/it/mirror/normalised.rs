//! Replies that only a plugin can compare, between real services.

use super::ALWAYS;
use super::stage::{Stage, until};
use crate::world::World;
use bytes::Bytes;
use cutover_test::{Body, Upstream, text};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Response};
use std::path::Path;

/// What `old` says of `/api/7`, and the same in gzip.
const OLD: &str = r#"{"id":7,"born":"2026-11-27 16:39:46","name":"Ann"}"#;
const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaLQ\xb22\xd7QJ\xca/\xcaS\xb2R2202\xd354\xd452W04\xb32\xb6\xb421S\xd2Q\xcaK\xccM\x05J:\xe6\xe5)\xd5\x02\x00*\xd7/\xef2\x00\x00\x00";

fn json(body: impl Into<Bytes>) -> Response<Body> {
    let mut reply = text(200, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// Everything is copied, and a committed component makes replies comparable. The deadline is one that a busy machine
/// keeps.
fn normalised(component: &str, plugin: &str, compare: &str) -> String {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist");
    let file = dist.join(component).canonicalize().expect("it is committed");
    format!(
        "{ALWAYS}compare = {{ recheck = \"1ms\", noise = 0{compare} }}\nplugins = {{ normalise = \"story\" }}\n\
         [plugins.story]\ncomponent = {file:?}\nnormalise-deadline = \"1s\"\nconfig = {plugin}\n"
    )
}

/// `old` writes dates as its database does, `new` as seconds; of 8 they know another name, of 9 another date.
fn two_dates(world: &World) -> (Upstream, Upstream) {
    world.run(async {
        let old = Upstream::start(|request| {
            let packed =
                request.headers().get(ACCEPT_ENCODING).is_some_and(|accepts| accepts == "gzip");
            async move {
                let mut reply = if packed { json(PACKED) } else { json(OLD) };
                if packed {
                    let gzip = HeaderValue::from_static("gzip");
                    reply.headers_mut().insert(CONTENT_ENCODING, gzip);
                }
                reply
            }
        });
        let new = Upstream::start(|request| {
            let (born, name) = match request.uri().path() {
                "/api/8" => (1_795_797_586, "Bob"),
                "/api/9" => (1_795_797_587, "Ann"),
                _ => (1_795_797_586, "Ann"),
            };
            async move { json(format!(r#"{{"name":"{name}","born":{born},"id":7}}"#)) }
        });
        (old.await, new.await)
    })
}

fn compared(stage: &Stage, result: &str) -> u64 {
    stage.metric(&format!("cutover_comparisons_total{{migration=\"profile\",result=\"{result}\"}}"))
}

fn faults(stage: &Stage, kind: &str) -> u64 {
    stage.metric(&format!(
        "cutover_plugin_faults_total{{migration=\"profile\",plugin=\"story\",kind=\"{kind}\"}}"
    ))
}

fn fields(stage: &Stage) -> Vec<String> {
    let mut fields: Vec<_> =
        stage.shadow().differences().iter().map(|(key, _)| key.path.to_string()).collect();
    fields.sort();
    fields
}

#[test]
fn two_spellings_of_one_date_match_and_real_differences_are_still_found() {
    let world = World::new();
    let (old, new) = two_dates(&world);
    let plain = format!("{ALWAYS}compare = {{ recheck = \"1ms\", noise = 0 }}\n");
    let stage = Stage::between(world, old, new, &plain);
    stage.get("/api/7", &[]);
    stage.settled(|counts| counts.mismatched == 1);
    assert_eq!(fields(&stage), ["/born"], "without the plugin");

    let world = World::new();
    let (old, new) = two_dates(&world);
    let more = normalised("date_normalise.wasm", "{ fields = [\"born\"] }", "");
    let stage = Stage::between(world, old, new, &more);
    assert_eq!(&stage.get("/api/7", &[]).body()[..], OLD.as_bytes(), "the user's is untouched");
    stage.settled(|_| compared(&stage, "match") == 1);
    let reply = stage.get("/api/7", &[("accept-encoding", "gzip")]);
    assert_eq!(&reply.body()[..], PACKED);
    stage.settled(|_| compared(&stage, "match") == 2);
    stage.get("/api/8", &[]);
    stage.settled(|counts| counts.mismatched == 1);
    stage.get("/api/9", &[]);
    stage.settled(|counts| counts.mismatched == 2);
    assert_eq!(fields(&stage), ["/born", "/name"]);
    assert_eq!(stage.counts().compared, 4);
    let series =
        "cutover_plugin_calls_total{migration=\"profile\",plugin=\"story\",hook=\"normalise\"}";
    // Each reply once, and both of a difference once more.
    assert_eq!(stage.metric(series), 12);
}

#[test]
fn a_plugin_that_crashes_costs_comparisons_and_no_user_anything() {
    let world = World::new();
    let (old, new) = two_dates(&world);
    let more = normalised("test_faulty.wasm", "{ fault = \"new\" }", "");
    let stage = Stage::between(world, old, new, &more);
    for turn in 1..=20 {
        let reply = stage.get("/api/8", &[]);
        assert_eq!((reply.status(), &reply.body()[..]), (http::StatusCode::OK, OLD.as_bytes()));
        stage.settled(|_| compared(&stage, "skipped-plugin") == turn);
    }
    let counts = stage.counts();
    assert_eq!((counts.compared, counts.mismatched, counts.new_replies), (0, 0, 20));
    let (traps, quarantined) = (faults(&stage, "trap"), faults(&stage, "quarantined"));
    assert!(traps > 0 && quarantined > 0 && traps + quarantined == 20, "{traps} {quarantined}");
    assert_eq!(stage.old().hits(), 20, "nothing was asked again");
    assert_eq!(stage.shadow().memory(), 0);
}

#[test]
fn a_body_beyond_the_cap_is_left_out_whatever_it_says() {
    let world = World::new();
    let large = |_| async { json(format!("\"{}\"", "x".repeat(2048))) };
    let (old, new) =
        world.run(async { (Upstream::start(large).await, Upstream::start(large).await) });
    let more =
        normalised("date_normalise.wasm", "{ fields = [\"born\"] }", ", max-body = \"1KiB\"");
    let stage = Stage::between(world, old, new, &more);
    stage.get("/api/7", &[]);
    until(|| compared(&stage, "skipped-too-long") == 1, || stage.counts());
    assert_eq!(stage.counts().compared, 0);
}
