//! Samples are redacted, bounded in number and age, and grouped.

use super::*;
use std::num::NonZeroUsize;

fn settled(old: &str, new: &str) -> Settled {
    let comparison = || compared(old.as_bytes(), new.as_bytes(), &Rules::default());
    let Comparison::Differs(first) = comparison() else { panic!("{old} matches {new}") };
    match Held::new(first, 0).settle(comparison()) {
        Settlement::Settled(settled) => settled,
        other @ (Settlement::Transient | Settlement::Unresolved) => panic!("{other:?}"),
    }
}

fn redaction(clear: &[&str]) -> Redaction {
    let clear: Vec<String> = clear.iter().map(|&path| path.to_owned()).collect();
    Redaction::new(b"a key for tests", &clear).expect("paths")
}

#[test]
fn only_listed_fields_stay_readable() {
    let mut samples = Samples::default();
    let settled = settled(
        r#"{"day":"2024-01-02","mail":"a@example.com","twin":"a@example.com","n":1,"on":true,"list":[1],
            "users":{"user-4711":{"x":1}},"gone":1}"#,
        r#"{"day":"02/01/2024","mail":"b@example.com","twin":"c@example.com","n":"1","on":false,"list":[],
            "users":{"user-4711":{"x":2}},"gone":null}"#,
    );
    samples.record("GET /a", "exchange-1", &settled, &redaction(&["/day", "/gone"]), 1);
    let of = |path: &str| {
        let found = samples.iter().find(|(key, _)| key.path == path);
        found.unwrap_or_else(|| panic!("no {path}")).1.example.clone()
    };
    assert_eq!(of("/day").old, Redacted::Clear("2024-01-02".to_owned()));
    assert_eq!(of("/day").new, Redacted::Clear("02/01/2024".to_owned()));
    assert_eq!(of("/gone").new.to_string(), "null");
    assert_eq!(of("/list").old.to_string(), "an array of 1");
    // The same value has the same digest, of another type another.
    assert_eq!(of("/mail").old, of("/twin").old);
    assert_ne!(of("/mail").new, of("/twin").new);
    let (
        Redacted::Digest { of: "number", digest: a },
        Redacted::Digest { of: "string", digest: b },
    ) = (of("/n").old, of("/n").new)
    else {
        panic!("{:?}", of("/n"));
    };
    assert_ne!(a, b);
    assert!(of("/users/*/x").pointer.starts_with("/users/#"), "{:?}", of("/users/*/x"));
    let printed = format!("{samples:?}{:?}", redaction(&["/day"]));
    for private in ["example.com", "4711", "a key for tests"] {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
    // Under another key everything is a stranger.
    let other = Redaction::new(b"another key", &[]).expect("no paths");
    let mut strangers = Samples::default();
    strangers.record("GET /a", "exchange-1", &settled, &other, 1);
    let mail = strangers.iter().find(|(key, _)| key.path == "/mail").expect("mail").1;
    assert_ne!(mail.example.old, of("/mail").old);
}

#[test]
fn wrong_paths_of_fields_are_findings() {
    let findings = Redaction::new(b"key", &["day".to_owned()]).expect_err("not a pointer");
    assert_eq!(findings[0].to_string(), "clear: `day`: a pointer begins with `/`: write /day");
}

#[test]
fn groups_count_mismatches_and_keep_the_latest_example() {
    let mut samples = Samples::default();
    let redaction = redaction(&["/items"]);
    // Two elements with the same difference are one mismatch.
    let twice = settled(r#"{"items":[{"p":1},{"p":1}]}"#, r#"{"items":[{"p":2},{"p":3}]}"#);
    samples.record("GET /a", "x1", &twice, &redaction, 10);
    samples.record("GET /b", "x2", &twice, &redaction, 20);
    let once = settled(r#"{"items":[{"p":1},{"p":1}]}"#, r#"{"items":[{"p":1},{"p":4}]}"#);
    samples.record("GET /a", "x3", &once, &redaction, 30);
    assert_eq!(samples.len(), 2);
    let (key, group) = samples.by_count()[0];
    assert_eq!(
        (key.route.as_str(), key.path.as_str(), key.kind),
        ("GET /a", "/items/*/p", Kind::Value)
    );
    assert_eq!((group.count, group.first_seen_ms, group.last_seen_ms), (2, 10, 30));
    assert_eq!(
        (group.example.exchange.as_str(), group.example.pointer.as_str()),
        ("x3", "/items/1/p")
    );
    assert_eq!(group.example.new, Redacted::Clear("4".to_owned()));
}

#[test]
fn number_and_age_are_bounded() {
    let limits = SampleLimits { groups: NonZeroUsize::new(2).expect("not 0"), age_ms: 100 };
    let mut samples = Samples::new(limits);
    let redaction = redaction(&[]);
    let one = settled(r#"{"a":1}"#, r#"{"a":2}"#);
    samples.record("GET /1", "x", &one, &redaction, 0);
    samples.record("GET /2", "x", &one, &redaction, 1);
    samples.record("GET /1", "x", &one, &redaction, 2);
    // The one that was not seen the longest goes.
    samples.record("GET /3", "x", &one, &redaction, 3);
    let routes =
        |samples: &Samples| samples.iter().map(|(key, _)| key.route.clone()).collect::<Vec<_>>();
    assert_eq!(routes(&samples), ["GET /1", "GET /3"]);
    assert_eq!(samples.evicted(), 1);
    samples.expire(102);
    assert_eq!(routes(&samples), ["GET /1", "GET /3"]);
    samples.expire(103);
    assert_eq!(routes(&samples), ["GET /3"]);
    samples.clear();
    assert!(samples.is_empty());
}

#[test]
fn statuses_headers_and_whole_bodies_are_samples_too() {
    let mut headers = HeaderMap::new();
    headers.insert("x-mail", http::HeaderValue::from_static("a@example.com"));
    let bare = HeaderMap::new();
    let not_found = Reply { status: StatusCode::NOT_FOUND, ..json(&bare, "") };
    let pairs = [(json(&headers, "one"), json(&bare, "two")), (json(&bare, ""), not_found)];
    let mut samples = Samples::default();
    for (old, new) in &pairs {
        let Comparison::Differs(first) = compare(old, new, &Rules::default()) else { panic!() };
        let again = compare(old, new, &Rules::default());
        let Settlement::Settled(settled) = Held::new(first, 0).settle(again) else { panic!() };
        samples.record("GET /a", "x", &settled, &redaction(&[]), 1);
    }
    let told: Vec<String> = samples
        .iter()
        .map(|(key, group)| format!("{} {} {}", key.kind.name(), key.path, group.example.pointer))
        .collect();
    assert_eq!(told, ["digest  ", "header header:x-mail header:x-mail", "status status status"]);
    let status = samples.iter().find(|(key, _)| key.kind == Kind::Status).expect("a status").1;
    assert_eq!(status.example.new.to_string(), "status 404");
    assert!(!format!("{samples:?}").contains("example.com"));
}
