//! Replies of both sides, held against each other.

use super::ALWAYS;
use super::stage::Stage;
use crate::world::World;
use cutover_test::{Upstream, text};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, IF_NONE_MATCH, RANGE};
use http::{HeaderValue, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

fn json(body: impl Into<bytes::Bytes>) -> Response<cutover_test::Body> {
    let mut reply = text(200, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// `new` writes dates in another way: the field is named, and nobody's data is shown.
#[test]
fn a_date_in_another_format_is_found_and_named() {
    let world = World::new();
    let (old, new) = world.run(async {
        let old = |_| async { json(r#"{"id":7,"born":"2001-02-03","name":"Ann"}"#) };
        let new = |_| async { json(r#"{"id":7,"born":"03.02.2001","name":"Ann"}"#) };
        (Upstream::start(old).await, Upstream::start(new).await)
    });
    let stage = Stage::between(
        world,
        old,
        new,
        "read-percent = 0\nmirror-percent = 100\ncompare = { recheck = \"10ms\", noise = 0 }",
    );
    stage.get("/api/7", &[("x-user-id", "a")]);
    stage.settled(|counts| counts.mismatched == 1);
    let found = stage.shadow().differences();
    let [(key, group)] = found.as_slice() else { panic!("one field: {found:?}") };
    assert_eq!((key.route.as_str(), key.path.as_str()), ("GET /api/{*rest}", "/born"));
    assert_eq!((key.kind.name(), group.count), ("value", 1));
    let shown = format!("{found:?}");
    assert!(!shown.contains("2001") && !shown.contains("Ann"), "{shown}");
    let line = stage.proxy.log_line(|line| line["side"] == "old");
    assert_eq!(line["id"], group.example.exchange);
    // Each side was asked twice: the user's request and its copy, and once more.
    assert_eq!((stage.old().hits(), stage.new_side().hits()), (2, 2));
    let classes = stage.shadow().compared_classes();
    assert_eq!((&*classes[0].name, classes[0].compared), ("GET /api/{*rest}", 1));

    let told = stage.admin("/admin/v1/migrations/profile/diffs");
    assert_eq!((&told["mismatched"], &told["groups"][0]["field"]), (&1.into(), &"/born".into()));
    assert_eq!(told["groups"][0]["example"]["exchange"], line["id"]);
    assert!(!told.to_string().contains("2001"), "{told}");
}

fn compared(stage: &Stage, result: &str) -> u64 {
    stage.metric(&format!("cutover_comparisons_total{{migration=\"profile\",result=\"{result}\"}}"))
}

/// `new` lags behind, and has caught up when both are asked again.
#[test]
fn a_difference_that_passes_is_no_mismatch() {
    let world = World::new();
    let asked = Arc::new(AtomicU64::new(0));
    let (old, new) = world.run(async {
        let old = Upstream::start(|_| async { json("{\"stock\":5}") }).await;
        let new = Upstream::start(move |_| {
            let lags = asked.fetch_add(1, SeqCst) == 0;
            async move { json(if lags { "{\"stock\":4}" } else { "{\"stock\":5}" }) }
        });
        (old, new.await)
    });
    let more = format!("{ALWAYS}compare = {{ recheck = \"10ms\", noise = 0 }}");
    let stage = Stage::between(world, old, new, &more);
    stage.get("/api/7", &[]);
    stage.settled(|counts| counts.compared == 1);
    assert_eq!((stage.counts().mismatched, compared(&stage, "transient")), (0, 1));
    assert!(stage.shadow().differences().is_empty());
}

/// A nonce differs between two replies of old: it is suggested, and counts until somebody agrees.
#[test]
fn noise_is_learnt_from_old_alone() {
    let world = World::new();
    let nonce = Arc::new(AtomicU64::new(0));
    let (one, other) = (Arc::clone(&nonce), nonce);
    let side = |nonce: Arc<AtomicU64>| {
        Upstream::start(move |_| {
            let nonce = nonce.fetch_add(1, SeqCst);
            async move { json(format!("{{\"id\":7,\"nonce\":{nonce}}}")) }
        })
    };
    let (old, new) = world.run(async { (side(one).await, side(other).await) });
    let more = format!("{ALWAYS}compare = {{ recheck = \"1ms\", noise = 100 }}");
    let stage = Stage::between(world, old, new, &more);
    for turn in 1..=60 {
        stage.get("/api/7", &[]);
        stage.settled(|counts| counts.compared == turn);
    }
    assert_eq!((stage.counts().mismatched, compared(&stage, "noise")), (60, 60));
    let suggested = stage.shadow().suggestions();
    let rules: Vec<_> = suggested.iter().map(|one| (one.list, one.rule.as_str())).collect();
    assert_eq!(rules, [("ignore", "/nonce")]);
    // Of the user's requests, one more each for noise, and one for asking again.
    assert_eq!((stage.old().hits(), stage.new_side().hits()), (180, 120));
}

/// Two programs that compress in their own way say the same.
#[test]
fn encodings_are_no_difference() {
    let world = World::new();
    // `{"a":1}` in gzip.
    const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabVJT\xb22\xac\x05\x00\xaf\xac\x1bV\x07\x00\x00\x00";
    let side = |unknown: bool| {
        Upstream::start(move |request| {
            let accepts = request.headers().get(ACCEPT_ENCODING).cloned();
            async move {
                let encoded = accepts.is_some_and(|accepts| accepts != "identity");
                let (body, encoding) = match (encoded, unknown) {
                    (false, _) => (&b"{\"a\":1}"[..], None),
                    (true, false) => (PACKED, Some("gzip")),
                    (true, true) => (&b"unreadable"[..], Some("zstd")),
                };
                let mut reply = json(body);
                if let Some(encoding) = encoding {
                    let encoding = HeaderValue::from_static(encoding);
                    reply.headers_mut().insert(CONTENT_ENCODING, encoding);
                }
                reply
            }
        })
    };
    let plain = |_| async { json("{\"a\":1}") };
    let (old, new) = world.run(async { (side(false).await, Upstream::start(plain).await) });
    let more = format!("{ALWAYS}compare = {{ recheck = \"1ms\", noise = 0 }}");
    let stage = Stage::between(world, old, new, &more);
    stage.get("/api/7", &[("accept-encoding", "gzip")]);
    stage.settled(|counts| counts.compared == 1);
    assert_eq!((compared(&stage, "match"), stage.old().hits()), (1, 1));

    // What cannot be read is asked for again without an encoding.
    let world = World::new();
    let (old, new) = world.run(async { (side(true).await, Upstream::start(plain).await) });
    let stage = Stage::between(world, old, new, &more);
    stage.get("/api/7", &[("accept-encoding", "zstd")]);
    stage.settled(|counts| counts.compared == 1);
    assert_eq!((compared(&stage, "transient"), stage.counts().mismatched), (1, 0));
}

/// Each side honours its own validators, and may not know ranges.
#[test]
fn preconditions_and_ranges_of_one_side_are_not_compared() {
    let world = World::new();
    let old = world.run(Upstream::start(|request| {
        let headers = request.headers();
        let status = match (headers.get(IF_NONE_MATCH), headers.get(RANGE)) {
            (Some(tag), _) if tag == "\"old\"" => 304,
            (_, Some(_)) => 206,
            _ => 200,
        };
        async move { text(status, if status == 304 { "" } else { "same" }) }
    }));
    let new = world.run(super::alike());
    let stage = Stage::between(world, old, new, ALWAYS);
    assert_eq!(stage.get("/api/7", &[("if-none-match", "\"old\"")]).status(), 304);
    stage.settled(|_| compared(&stage, "skipped-conditional") == 1);
    assert_eq!(stage.get("/api/7", &[("range", "bytes=0-3")]).status(), 206);
    stage.settled(|_| compared(&stage, "skipped-range") == 1);
    stage.get("/api/7", &[("if-none-match", "\"other\"")]);
    stage.settled(|counts| counts.compared == 1);
    assert_eq!(stage.counts().mismatched, 0);
}

/// Neither has a body; what would be in it is not compared.
#[test]
fn heads_are_compared_without_bodies() {
    let stage = Stage::new(ALWAYS);
    assert_eq!(stage.send("HEAD", "/api/7", &[], "").status(), 200);
    stage.settled(|counts| counts.compared == 1);
    assert_eq!(stage.new_side().last().method, "HEAD");
    assert_eq!((compared(&stage, "match"), stage.new_side().connections()), (1, 1));
    stage.get("/api/7", &[]);
    stage.settled(|counts| counts.compared == 2);
    assert_eq!(stage.new_side().connections(), 1, "the connection was kept");
}

/// A read that fell back was answered by the side that was asked too: there is one reply, not two.
#[test]
fn what_fell_back_is_not_compared() {
    let world = World::new();
    let old = world.run(super::alike());
    let new = world.run(Upstream::answering(503, "no"));
    let stage = Stage::between(world, old, new, "read-percent = 100\nmirror-percent = 100");
    let reply = stage.get("/api/7", &[("x-user-id", "a")]);
    assert_eq!(reply.headers()["x-cutover-reason"], "fallback");
    stage.settled(|counts| counts.old_replies == 1);
    stage.settled(|_| compared(&stage, "skipped-not-whole") == 1);
    assert_eq!((stage.counts().compared, stage.old().hits()), (0, 2));
}

/// More than is kept: both replies stream by, and only their digests are compared. One byte of many makes the difference, and
/// neither it nor the words beside it are kept, even where everything may be shown.
#[test]
fn beyond_the_cap_digests_are_compared_and_nothing_is_kept() {
    const MANY: usize = 200 * 1024;
    let world = World::new();
    let side = |last: &'static str| {
        Upstream::start(move |request| {
            let end = if request.uri().path() == "/api/9" { last } else { "same" };
            async move { json(format!("{{\"name\":\"Ann {}\",\"end\":\"{end}\"}}", "x".repeat(MANY))) }
        })
    };
    let (old, new) = world.run(async { (side("old's").await, side("new's").await) });
    let more = format!(
        "{ALWAYS}compare = {{ recheck = \"1ms\", noise = 0, max-body = \"1KiB\", show = [\"\", \"/end\", \"/name\"] }}"
    );
    let stage = Stage::between(world, old, new, &more);
    for turn in 1..=3 {
        assert!(stage.get("/api/7", &[("x-user-id", "a")]).body().len() > MANY);
        stage.settled(|counts| counts.compared == turn);
    }
    assert_eq!((compared(&stage, "match"), stage.counts().mismatched), (3, 0));
    assert_eq!((stage.old().hits(), stage.new_side().hits()), (3, 3), "nothing was in doubt");

    assert!(stage.get("/api/9", &[("x-user-id", "a")]).body().len() > MANY);
    stage.settled(|counts| counts.compared == 4);
    assert_eq!((compared(&stage, "match"), stage.counts().mismatched), (3, 1));
    let found = stage.shadow().differences();
    let [(key, group)] = found.as_slice() else { panic!("one difference: {found:?}") };
    assert_eq!((key.path.as_str(), key.kind.name(), group.count), ("", "digest", 1));
    let told = stage.admin("/admin/v1/migrations/profile/diffs");
    assert_eq!(told["groups"][0]["kind"], "digest");
    let kept = format!("{found:?}{told}");
    for word in ["Ann", "xxxx", "old's", "new's"] {
        assert!(!kept.contains(word), "{word}: {kept}");
    }
    assert_eq!(stage.shadow().memory(), 0);
}
