//! Replies of both sides, held against each other.

use super::stage::Stage;
use crate::world::World;
use cutover_test::{Upstream, text};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

fn json(body: &'static str) -> Response<cutover_test::Body> {
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
}
