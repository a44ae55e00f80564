//! Copies of live traffic: which exchanges are copied, what reaches the other side, and that no user notices.

mod compared;
mod normalised;
mod stage;
mod troubled;
mod wire;

use cutover_test::Upstream;
use stage::Stage;

const ALWAYS: &str = "read-percent = 0\nmirror-percent = 100\n";

/// A GET arrives at the other side, marked, with what the client sent; the client has its own side's reply.
#[test]
fn a_read_is_copied_to_the_side_that_does_not_serve_it() {
    let stage = Stage::new("read-percent = 0\nmirror-percent = 100");
    let reply = stage.get("/api/7?q=1", &[("x-user-id", "a"), ("authorization", "Bearer x")]);
    assert_eq!(&reply.body()[..], b"same");
    assert_eq!(reply.headers()["x-cutover-side"], "old");
    stage.settled(|counts| counts.compared == 1);
    let (old, new) = (stage.old().last(), stage.new_side().last());
    assert_eq!((new.method.as_str(), new.uri.to_string()), ("GET", "/api/7?q=1".to_owned()));
    assert_eq!((&*new.header("x-cutover-mirror"), &*old.header("x-cutover-mirror")), ("1", ""));
    for name in ["authorization", "host", "x-user-id", "x-forwarded-for", "forwarded"] {
        assert_eq!(new.header(name), old.header(name), "{name}");
        assert_ne!(new.header(name), "", "{name}");
    }
    let counts = stage.counts();
    assert_eq!((counts.picked, counts.shed, counts.new_replies), (1, 0, 1));
    assert_eq!((counts.new_failures, counts.mismatched, counts.old_replies), (0, 0, 0));
}

/// Once `new` serves, `old` is what is copied to.
#[test]
fn old_is_kept_warm_by_copies_of_what_new_serves() {
    let stage = Stage::new("read-percent = 100\nmirror-percent = 100");
    let reply = stage.get("/api/7", &[("x-user-id", "a")]);
    assert_eq!(reply.headers()["x-cutover-side"], "new");
    stage.settled(|counts| counts.compared == 1);
    assert_eq!(stage.old().last().header("x-cutover-mirror"), "1");
    assert_eq!(stage.new_side().last().header("x-cutover-mirror"), "");
    let counts = stage.counts();
    assert_eq!((counts.old_replies, counts.new_replies), (1, 0));
}

#[test]
fn writes_and_other_routes_are_never_copied_and_a_mark_of_a_client_is_removed() {
    let stage = Stage::new("read-percent = 0\nmirror-percent = 100");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        stage.send(method, "/api/7", &[("x-user-id", "a")], "x");
    }
    stage.get("/elsewhere", &[]);
    stage.get("/elsewhere", &[("x-cutover-mirror", "1"), ("x_cutover_mirror", "1")]);
    let seen = stage.old().last();
    assert_eq!(
        (seen.header("x-cutover-mirror"), seen.header("x_cutover_mirror")),
        Default::default()
    );
    // One that is copied, so that there is an end to wait for.
    stage.get("/api/7", &[("x-cutover-mirror", "1")]);
    stage.settled(|counts| counts.compared == 1);
    assert_eq!(stage.counts().picked, 1);
    assert_eq!(stage.new_side().hits(), 1);
    assert_eq!(stage.old().last().header("x-cutover-mirror"), "");
}

/// The stage's sides answer alike, so that nothing but what a test is about makes them differ.
async fn alike() -> Upstream {
    Upstream::answering(200, "same").await
}
