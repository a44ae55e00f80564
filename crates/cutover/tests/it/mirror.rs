//! Which exchanges are copied, what there is room for, and what two replies come to.

use crate::scene::Scene;
use cutover::core::compare::{Body, Reply};
use cutover::mirror::{Doubt, Ended, Mirrored, Shadow, ShadowCounts, Shed, Skipped};
use cutover::{Cause, RequestView};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The migration `profile` with these lines of its own.
pub(crate) fn config(more: &str, routes: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:8080\"]\n[backends.monolith]\naddresses = [\"127.0.0.1:9001\"]\n\
         [backends.profile-service]\naddresses = [\"127.0.0.1:9002\"]\n[migrations.profile]\n\
         old = \"monolith\"\nnew = \"profile-service\"\nowner = \"team\"\nexpires = 2099-01-01\n\
         key = [{{ header = \"x-user-id\" }}]\nroutes = {routes}\n{more}\n"
    )
}

pub(crate) const ROUTES: &str = "[{ path = \"/api/profile/{id}\" }]";

pub(crate) fn scene(more: &str) -> Scene {
    with_routes(more, ROUTES)
}

fn with_routes(more: &str, routes: &str) -> Scene {
    let scene = Scene::empty();
    scene.reload(&config(more, routes));
    scene
}

pub(crate) fn shadow(scene: &Scene) -> Arc<Shadow> {
    Arc::clone(scene.engine.current().shadow_of("profile").expect("it is there"))
}

pub(crate) fn counts(scene: &Scene) -> ShadowCounts {
    shadow(scene).counts()
}

/// Is a request of this user copied?
pub(crate) fn pick(
    scene: &Scene,
    method: &Method,
    sent: &[(&'static str, &str)],
) -> Option<Mirrored> {
    scene.request_with(method, sent, |exchange, view| {
        exchange.expect("a route matches").mirror(view)
    })
}

pub(crate) fn reply<'a>(status: u16, headers: &'a HeaderMap, body: &'a str) -> Reply<'a> {
    let status = StatusCode::from_u16(status).expect("a status");
    Reply { status, headers, body: Body::Whole(body.as_bytes()) }
}

pub(crate) fn json() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    [(http::header::CONTENT_TYPE, json)].into_iter().collect()
}

/// Comparisons that came to this.
pub(crate) fn result(scene: &Scene, name: &str) -> u64 {
    let series = format!("cutover_comparisons_total{{migration=\"profile\",result=\"{name}\"}}");
    scene.metric(&series) as u64
}

/// A copy that has ended well, compared with what the other side said.
fn compare(scene: &Scene, served: (u16, &str), copied: (u16, &str)) -> Option<Doubt> {
    let mut mirrored = pick(scene, &Method::GET, &[("x-user-id", "a")]).expect("picked");
    mirrored.sent();
    mirrored.ended(Ended::Replied(StatusCode::OK));
    let headers = json();
    let replies = [served, copied].map(|(status, body)| reply(status, &headers, body));
    mirrored.compare(&replies[0], &replies[1], "id-1")
}

#[test]
fn only_reads_that_end_by_themselves_are_copied() {
    let always = "read-percent = 0\nmirror-percent = 100";
    let plain = scene(always);
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        assert!(pick(&plain, &method, &[]).is_some(), "{method}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::TRACE] {
        assert!(pick(&plain, &method, &[]).is_none(), "{method}");
    }
    assert!(pick(&plain, &Method::GET, &[("accept", "a/b, Text/Event-Stream")]).is_none());
    assert!(pick(&plain, &Method::GET, &[("upgrade", "h2c")]).is_none());
    let websocket = plain.request_with(&Method::GET, &[], |exchange, view| {
        let view = RequestView { websocket: true, ..*view };
        exchange.expect("a route matches").mirror(&view)
    });
    assert!(websocket.is_none());
    let path = "path = \"/api/profile/{id}\"";
    let declared =
        with_routes(always, &format!("[{{ {path}, methods = [\"POST\"], mirror = true }}]"));
    assert!(pick(&declared, &Method::POST, &[]).is_some());
    for never in ["write = true", "mirror = false"] {
        let scene = with_routes(always, &format!("[{{ {path}, {never} }}]"));
        assert!(pick(&scene, &Method::GET, &[]).is_none(), "{never}");
    }
}

#[test]
fn nothing_is_copied_where_nothing_is_judged() {
    for more in [
        "mirror-percent = 100",
        "read-percent = 0",
        "read-percent = 0\nmirror-percent = 100\ndisabled = true",
    ] {
        let scene = scene(more);
        assert!(pick(&scene, &Method::GET, &[]).is_none(), "{more}");
        assert_eq!(counts(&scene), ShadowCounts::default(), "{more}");
    }
}

/// What `old` answers because `new` failed says nothing about either side's reply to this request.
#[test]
fn a_second_attempt_is_not_copied() {
    let scene = scene("read-percent = 100\nmirror-percent = 100");
    let picked = scene.request(&Method::GET, Some("a"), |exchange, view| {
        let mut exchange = exchange.expect("a route matches");
        exchange.failed(view, Cause::Reset, None, true, false);
        exchange.mirror(view)
    });
    assert!(picked.is_none());
}

#[test]
fn a_share_of_requests_or_always_the_same_users() {
    let users: Vec<String> = (0..1_000).map(|user| format!("user-{user}")).collect();
    let picked = |scene: &Scene| -> BTreeSet<&str> {
        let is = |user: &&str| pick(scene, &Method::GET, &[("x-user-id", user)]).is_some();
        users.iter().map(String::as_str).filter(is).collect()
    };
    let by_request = scene("read-percent = 0\nmirror-percent = 30");
    let (first, second) = (picked(&by_request), picked(&by_request));
    assert!((230..=370).contains(&first.len()), "{}", first.len());
    assert_ne!(first, second);
    let by_user = scene("read-percent = 30\nmirror-percent = 30\nmirror.sample = \"user\"");
    let (first, second) = (picked(&by_user), picked(&by_user));
    assert!((230..=370).contains(&first.len()), "{}", first.len());
    assert_eq!(first, second);
    // The same share, and other users: a third of a third are in both by chance.
    let reads_new = |user: &&&str| {
        let sent = [("x-user-id", **user)];
        by_user.request_with(&Method::GET, &sent, |exchange, _| {
            exchange.expect("a route matches").side() == Some(cutover::Side::New)
        })
    };
    let both = first.iter().filter(reads_new).count();
    assert!((40..=150).contains(&both), "{both} of {}", first.len());
    assert!(pick(&by_user, &Method::GET, &[]).is_none(), "a stranger is no user");
}

#[test]
fn what_there_is_no_room_for_is_dropped_and_counted() {
    let limits = "mirror = { concurrency = 2, max-memory = \"1KiB\", max-body = \"1KiB\" }";
    let tight = scene(&format!("read-percent = 0\nmirror-percent = 100\n{limits}"));
    assert!(pick(&tight, &Method::GET, &[]).is_none(), "a copy's headers take 4 KiB");
    let limits = "mirror = { concurrency = 2, max-memory = \"9KiB\", max-body = \"1KiB\" }";
    let scene = scene(&format!("read-percent = 0\nmirror-percent = 100\n{limits}"));
    let first = pick(&scene, &Method::GET, &[]).expect("there is room");
    let mut second = pick(&scene, &Method::GET, &[]).expect("there is room");
    assert!(pick(&scene, &Method::GET, &[]).is_none());
    assert!(second.grow(1024) && !second.grow(1));
    let shadow = shadow(&scene);
    assert_eq!((shadow.in_flight(), shadow.memory()), (2, 9 * 1024));
    first.shed(Shed::Oversize);
    drop(second);
    assert_eq!((shadow.in_flight(), shadow.memory()), (0, 0));
    assert_eq!((counts(&scene).picked, counts(&scene).shed), (3, 3));
    let mut text = String::new();
    scene.engine.metrics().encode(&mut text).expect("text");
    for reason in ["concurrency", "oversize", "incomplete"] {
        let line = format!("shadow_dropped_total{{migration=\"profile\",reason=\"{reason}\"}} 1");
        assert!(text.contains(&line), "{reason}: {text}");
    }
    let line = "shadow_dropped_total{migration=\"profile\",reason=\"memory\"} 0";
    assert!(text.contains(line), "{text}");
    drop(tight);
}

#[test]
fn a_difference_counts_when_it_is_there_twice() {
    let scene = scene("read-percent = 0\nmirror-percent = 100\ncompare.show = [\"/a\"]");
    assert!(compare(&scene, (200, r#"{"a":1}"#), (200, r#"{"a":1}"#)).is_none());
    assert_eq!((counts(&scene).compared, counts(&scene).mismatched), (1, 0));
    let (headers, ones) = (json(), (200, r#"{"a":1,"b":1}"#));
    let mut once = compare(&scene, ones, (200, r#"{"a":1,"b":2}"#)).expect("it differs");
    assert_eq!(counts(&scene).compared, 1, "not yet");
    let same = reply(200, &headers, ones.1);
    assert!(once.settle(&same, &same));
    assert_eq!((counts(&scene).compared, counts(&scene).mismatched), (2, 0));
    drop(once);
    let mut twice = compare(&scene, ones, (200, r#"{"a":2,"b":2}"#)).expect("it differs");
    let failed = reply(503, &headers, "");
    assert!(!twice.settle(&same, &failed), "nothing is known yet");
    assert!(twice.settle(&same, &reply(200, &headers, r#"{"a":3,"b":1}"#)));
    assert_eq!((counts(&scene).compared, counts(&scene).mismatched), (3, 1));
    let found = shadow(&scene).differences();
    let [(key, group)] = found.as_slice() else { panic!("one field: {found:?}") };
    assert_eq!((&*key.route, &*key.path), ("GET /api/profile/{id}", "/a"));
    assert_eq!((&*group.example.exchange, group.example.new.to_string()), ("id-1", "3".to_owned()));
    assert_eq!(shadow(&scene).compared_classes()[0].compared, 3);
}

#[test]
fn what_is_not_comparable_is_skipped_with_its_reason() {
    let scene = scene("read-percent = 0\nmirror-percent = 100");
    let result = |name: &str| result(&scene, name);
    for (served, copied, name) in [
        (304, 200, "skipped-conditional"),
        (200, 412, "skipped-conditional"),
        (206, 200, "skipped-range"),
        (200, 416, "skipped-range"),
        (500, 200, "skipped-failed"),
        (200, 500, "skipped-failed"),
    ] {
        let before = result(name);
        assert!(compare(&scene, (served, "1"), (copied, "1")).is_none());
        assert_eq!(result(name), before + 1, "{served} {copied}");
    }
    pick(&scene, &Method::GET, &[]).expect("picked").skip(Skipped::ClientGone);
    assert_eq!(result("skipped-client-gone"), 1);
    // Both agree that nothing changed; that one of them does not know it at all is a difference.
    assert!(compare(&scene, (304, ""), (304, "")).is_none());
    let unknown = compare(&scene, (304, ""), (404, ""));
    assert!(unknown.is_some());
    drop(unknown);
    assert_eq!((result("match"), result("unresolved")), (1, 1));
}

#[test]
fn a_flood_of_differences_leaves_out_what_matches_too() {
    let scene = scene("read-percent = 0\nmirror-percent = 100\nmirror.concurrency = 1000");
    let doubts: Vec<Doubt> =
        (0..300).filter_map(|_| compare(&scene, (200, "1"), (200, "2"))).collect();
    assert_eq!(doubts.len(), 256);
    assert!(compare(&scene, (200, "1"), (200, "1")).is_none());
    assert_eq!(counts(&scene).compared, 0);
    drop(doubts);
    assert!(compare(&scene, (200, "1"), (200, "1")).is_none());
    assert_eq!(counts(&scene).compared, 1);
}

#[test]
fn evidence_that_begins_anew_forgets_what_is_under_way() {
    let scene = scene("read-percent = 0\nmirror-percent = 100");
    let mut doubt = compare(&scene, (200, "1"), (200, "2")).expect("it differs");
    compare(&scene, (200, "1"), (200, "1"));
    let headers = json();
    let before = counts(&scene);
    shadow(&scene).restart();
    assert!(shadow(&scene).compared_classes().is_empty());
    assert!(doubt.settle(&reply(200, &headers, "1"), &reply(200, &headers, "2")));
    assert_eq!(counts(&scene), before);
    assert!(shadow(&scene).differences().is_empty());
}

#[test]
fn what_is_known_survives_a_reload() {
    let more = "read-percent = 0\nmirror-percent = 100";
    let scene = scene(more);
    compare(&scene, (200, "1"), (200, "1"));
    scene.reload(&config(&format!("{more}\ncompare.ignore = [\"/a\"]"), ROUTES));
    assert!(compare(&scene, (200, r#"{"a":1}"#), (200, r#"{"a":2}"#)).is_none());
    assert_eq!(counts(&scene).compared, 2);
}

#[test]
fn where_old_disagrees_with_itself_is_suggested() {
    let scene = scene("read-percent = 0\nmirror-percent = 100\ncompare.noise = 100");
    let headers = json();
    for turn in 0..60 {
        let mirrored = pick(&scene, &Method::GET, &[]).expect("picked");
        assert!(mirrored.wants_noise());
        let body = format!("{{\"nonce\":{turn}}}");
        mirrored.noise(&reply(200, &headers, "{\"nonce\":-1}"), &reply(200, &headers, &body));
        drop(mirrored);
        let mut doubt = compare(&scene, (200, r#"{"nonce":-2}"#), (200, r#"{"nonce":-3}"#))
            .expect("it differs");
        assert!(
            doubt.settle(&reply(200, &headers, "{\"nonce\":-2}"), &reply(200, &headers, &body))
        );
    }
    let suggested = shadow(&scene).suggestions();
    let rules: Vec<_> = suggested.iter().map(|one| (one.list, one.rule.as_str())).collect();
    assert_eq!(rules, [("ignore", "/nonce")]);
    assert_eq!(counts(&scene).mismatched, 60, "suggested, not applied");
}

/// The answer no is on the path of every request.
#[test]
fn the_answer_no_allocates_nothing() {
    let scene = scene("read-percent = 0\nmirror-percent = 1\nmirror.sample = \"user\"");
    scene.request(&Method::GET, Some("user-1"), |exchange, view| {
        let exchange = exchange.expect("a route matches");
        assert!(exchange.mirror(view).is_none());
        let counted = allocation_counter::measure(|| assert!(exchange.mirror(view).is_none()));
        assert_eq!(counted.count_total, 0, "{counted:?}");
    });
}
