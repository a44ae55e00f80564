//! The hooks when all is well, and what a plugin can and cannot see.

use crate::rig::{ask, failure, faulty, now, options};
use cutover_core::fallback::Failure;
use cutover_wasm::{Place, PluginAction, SplitVerdict};
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

fn place() -> Place {
    faulty().install(options()).expect("it installs")
}

fn split(place: &Place, headers: &[(&str, &str)]) -> SplitVerdict {
    ask(headers, |call| place.split(call, now())).expect("it answers")
}

#[test]
fn a_manifest_is_what_was_declared() {
    let place = place();
    let manifest = place.manifest();
    assert_eq!(manifest.reads.len(), 6);
    assert_eq!(*manifest.writes, ["x-served-by", "x-added", "x-removed"]);
    assert_eq!(*manifest.reasons, ["first".into(), "second".into()]);
}

#[test]
fn a_split_plugin_chooses_by_bucket_and_share() {
    let place = place();
    assert_eq!(split(&place, &[]).backend, 1);
    let nobody = ask(&[], |call| {
        let none = cutover_wasm::CallView { bucket: None, ..*call };
        place.split(&none, now())
    });
    assert_eq!(nobody.expect("it answers").backend, 0, "no key: a bucket beyond every share");
}

#[test]
fn what_is_not_declared_is_not_visible() {
    let place = place();
    let probe = ("x-fault", "secret");
    let leak = [probe, ("authorization", "hunter2"), ("cookie", "other=hunter2"), ("x", "hunter2")];
    assert_eq!(split(&place, &leak).backend, 0);
    // The same search finds what is declared.
    assert_eq!(split(&place, &[probe, ("x-side", "hunter2")]).backend, 1);
    assert_eq!(split(&place, &[probe, ("cookie", "sid=hunter2")]).backend, 1);
    // `size`, the path and q: nothing else is there.
    let size = split(&place, &[("x-fault", "size"), ("x-secret", "hunter2")]).deadline;
    let expected = "size".len() + "/api/profile/7".len() + "two".len();
    assert_eq!(size, Some(Duration::from_millis(expected as u64)));
}

#[test]
fn a_cut_value_is_marked() {
    let place = place();
    let probe = ("x-fault", "truncated");
    let long = "x".repeat(cutover_wasm::MAX_VALUE_BYTES);
    assert_eq!(split(&place, &[probe, ("x-side", &long)]).backend, 0);
    assert_eq!(split(&place, &[probe, ("x-side", &format!("{long}x"))]).backend, 1);
}

#[test]
fn edits_of_a_request_are_made_in_order() {
    let place = place();
    let mut headers = HeaderMap::new();
    headers.insert("x-added", HeaderValue::from_static("zero"));
    headers.insert("x-removed", HeaderValue::from_static("gone"));
    ask(&[], |call| place.on_request(call, 1, &mut headers, now())).expect("it answers");
    let added: Vec<_> = headers.get_all("x-added").iter().collect();
    assert_eq!(added, ["zero", "one"]);
    assert_eq!(headers["x-served-by"], "new");
    assert!(!headers.contains_key("x-removed"));
}

#[test]
fn a_failed_call_has_edited_nothing() {
    for fault in ["panic", "index", "bytes", "big", "many"] {
        let place = place();
        let mut headers = HeaderMap::new();
        headers.insert("x-removed", HeaderValue::from_static("kept"));
        let before = headers.clone();
        ask(&[("x-fault", fault)], |call| place.on_request(call, 1, &mut headers, now()))
            .expect_err("a fault");
        assert_eq!(headers, before, "{fault}");
    }
}

#[test]
fn a_reply_can_be_read_and_edited() {
    let place = place();
    let mut reply = HeaderMap::new();
    reply.append("x-echo", HeaderValue::from_static("a, b"));
    reply.append("x-echo", HeaderValue::from_static("c"));
    // A request header of that name is another thing.
    ask(&[("x-echo", "request")], |call| place.on_response(call, 1, 207, &mut reply, now()))
        .expect("it answers");
    assert_eq!(reply["x-served-by"], "207");
    assert_eq!(reply["x-added"], "a, b|c");
}

#[test]
fn a_fallback_plugin_judges_the_failure() {
    let place = place();
    let judge = |headers: &[(&str, &str)], failed: &Failure| {
        ask(headers, |call| place.on_failure(call, failed, 1, now())).expect("it answers")
    };
    assert_eq!(judge(&[], &failure()), PluginAction::Retry(0));
    let unsafe_method = Failure { safe: false, ..failure() };
    assert_eq!(judge(&[], &unsafe_method), PluginAction::Propagate);
    assert_eq!(judge(&[("x-fault", "respond")], &failure()), PluginAction::Respond(502));
}
