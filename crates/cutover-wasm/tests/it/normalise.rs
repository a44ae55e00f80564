//! Replies made comparable: what a plugin gets to see of them, and what it may make of them.

use crate::rig::{ask, dist, faulty, host, normalise, now, options};
use cutover_wasm::{
    CallView, Component, Fault, HookSet, KeptView, Normalised, Place, PlaceOptions, ReplyView,
};
use http::{HeaderMap, HeaderValue};

fn place(component: &Component, config: &str) -> Place {
    let hooks = HookSet { normalise: true, ..HookSet::default() };
    let options = PlaceOptions { hooks, config: config.into(), ..options() };
    component.install(options).expect("it installs")
}

/// A request with this header `x-fault`, kept.
fn kept(place: &Place, fault: &str) -> KeptView {
    ask(&[("x-fault", fault), ("x-secret", "hunter2")], |call| place.keep(call))
}

fn text(answer: Result<Normalised, Fault>) -> String {
    match answer.expect("it answers") {
        Normalised::Body(body) => String::from_utf8(body).expect("text"),
        other @ (Normalised::Unchanged | Normalised::Cannot(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_reply_comes_with_its_request_long_after_it() {
    let place = place(faulty(), "{}");
    let request = kept(&place, "tell");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.append("x-echo", HeaderValue::from_static("a"));
    headers.append("x-echo", HeaderValue::from_static("b"));
    let reply = |headers| ReplyView { backend: 0, status: 203, headers, body: b"12345" };
    let bucket = ask(&[], |call| call.bucket.expect("it has a key").number());
    let told = text(place.normalise(&request, &reply(&headers), 1024, now()));
    let path = "Some(\"/api/profile/7\")";
    let wanted = format!(
        "Method::Get {bucket} 100000 {path} Some(\"a\\nb\") 0 203 text/plain; charset=utf-8 5"
    );
    assert_eq!(told, wanted);
    // The other reply's headers are its own, and none are left of the first.
    let told = text(place.normalise(&request, &reply(&HeaderMap::new()), 1024, now()));
    assert_eq!(told, format!("Method::Get {bucket} 100000 {path} None 0 203  5"));
}

#[test]
fn only_what_is_declared_is_kept() {
    let place = place(faulty(), "{}");
    let request = kept(&place, "x");
    let held = format!("{request:?}");
    let bytes = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
    assert!(held.contains(&bytes("/api/profile/7")), "{held}");
    assert!(!held.contains(&bytes("hunter2")), "{held}");
    assert!((1..2_048).contains(&request.held_bytes()), "{}", request.held_bytes());
}

#[test]
fn every_answer_reaches_the_caller() {
    let place = place(faulty(), "{}");
    let answer = |fault: &str| ask(&[("x-fault", fault)], |call| normalise(&place, call, "a1b2"));
    assert_eq!(answer(""), Ok(Normalised::Body(b"ab".to_vec())));
    assert_eq!(answer("same"), Ok(Normalised::Unchanged));
    let Ok(Normalised::Cannot(why)) = answer("cannot") else { panic!("it cannot") };
    assert!(why.starts_with("on purpose on purpose") && why.len() <= 512, "{why}");
    assert!(answer("new").is_err(), "the body came from new");
    assert_eq!(place.counts().live, 0, "the instance that failed is gone");
    assert_eq!(answer(""), Ok(Normalised::Body(b"ab".to_vec())));
}

#[test]
fn a_body_may_be_as_large_as_its_cap_and_no_larger() {
    let place = place(faulty(), "{}");
    let request = kept(&place, "double");
    // More than other answers may have.
    let body = vec![b'x'; cutover_wasm::MAX_LIFTED_BYTES];
    let headers = &HeaderMap::new();
    let reply = ReplyView { backend: 1, status: 200, headers, body: &body[..body.len() / 2 + 8] };
    let doubled = 2 * reply.body.len();
    let ask = |cap_bytes| place.normalise(&request, &reply, cap_bytes, now());
    assert_eq!(ask(doubled), Ok(Normalised::Body(vec![b'x'; doubled])));
    let refused = ask(doubled - 1).expect_err("too large");
    assert_eq!(refused, Fault::BadAnswer("the body it made is larger than bodies may be"));
    let refused = ask(0).expect_err("so large that it is not even looked at");
    assert!(matches!(refused, Fault::Trap(_)), "{refused}");
    assert!(refused.to_string().contains("fuel"), "{refused}");
}

#[test]
fn a_place_beside_the_path_has_one_instance_for_callers_one_after_the_other() {
    let host = host();
    let component = host.compile(&dist("test_faulty.wasm")).expect("it compiles");
    let place = place(&component, "{}");
    for _ in 0..8 {
        std::thread::scope(|scope| {
            scope.spawn(|| ask(&[], |call: &CallView<'_>| normalise(&place, call, "a1")).map(drop));
        });
    }
    assert_eq!((place.counts().calls, place.counts().live), (8, 1));
}

#[test]
fn two_spellings_of_one_moment_become_one() {
    let host = host();
    let component = host.compile(&dist("date_normalise.wasm")).expect("it compiles");
    assert_eq!(component.hooks().to_string(), "normalise");
    let place = place(&component, r#"{"fields":["at"]}"#);
    let request = ask(&[], |call| place.keep(call));
    assert_eq!(request.held_bytes(), 0, "it declares nothing, so that nothing is kept");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let compared = |body: &[u8]| {
        let reply = ReplyView { backend: 0, status: 200, headers: &headers, body };
        text(place.normalise(&request, &reply, 1024, now()))
    };
    let wanted = r#"{"id":7,"at":"2026-11-27T16:39:46Z"}"#;
    assert_eq!(compared(br#"{"id":7,"at":1795797586}"#), wanted);
    assert_eq!(compared(br#"{"id":7,"at":"2026-11-27 16:39:46"}"#), wanted);
}
