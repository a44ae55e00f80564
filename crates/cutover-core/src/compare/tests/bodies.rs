//! Bodies by their structure, by their bytes and by their digest.

use super::*;

#[test]
fn differences_of_structure() {
    let default = Rules::default();
    for (old, new, expected) in [
        (r#"{"a":1,"b":[1,2]}"#, r#"{ "b": [1, 2], "a": 1 }"#, ""),
        (r#"{"a":1}"#, r#"{"a":2}"#, "value /a"),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, "type /a"),
        (r#"{"a":true}"#, r#"{"a":false}"#, "value /a"),
        (r#"{"a":true}"#, r#"{"a":null}"#, "type /a"),
        (r#"{"a":{}}"#, r#"{"a":[]}"#, "type /a"),
        (r#"{"a":null}"#, r#"{}"#, "missing /a"),
        (r#"{}"#, r#"{"a":null}"#, "extra /a"),
        (r#"{"a":1,"b":2}"#, r#"{"b":3,"c":4}"#, "missing /a\nvalue /b\nextra /c"),
        ("[1,2,3]", "[1,2]", "length"),
        ("[1,2,3]", "[3,1,2]", "order"),
        ("[1,2,2]", "[1,1,2]", "value /1"),
        ("[1,2,3]", "[1,3,4]", "value /1\nvalue /2"),
        (r#"[{"a":1,"b":2},{"a":3}]"#, r#"[{"a":3},{"b":2,"a":1}]"#, "order"),
        (r#"{"x":[[1,2],[3]]}"#, r#"{"x":[[2,1],[3]]}"#, "order /x/0"),
        (r#"[{"a":1},{"a":2}]"#, r#"[{"a":1},{"a":5}]"#, "value /1/a"),
        ("1", "2", "value"),
        (r#""é""#, r#""\u00e9""#, ""),
        (r#"{"a/b":1,"m~n":2}"#, r#"{"a/b":2,"m~n":3}"#, "value /a~1b\nvalue /m~0n"),
    ] {
        assert_eq!(told(old, new, &default), expected, "{old} against {new}");
    }
}

#[test]
fn numbers_do_not_round() {
    let default = Rules::default();
    let (old, new) = ("[12345678901234567890123]", "[12345678901234567890124]");
    assert_eq!(told(old, new, &default), "value /0");
    assert_eq!(told("[0.1000000000000000055]", "[0.1]", &default), "value /0");
    let by_value = rules(&RuleSpec { number: Numbers::Value, ..RuleSpec::default() });
    assert_eq!(told(old, new, &by_value), "value /0");
    assert_eq!(told("[1.0, 100]", "[1, 1e2]", &by_value), "");
    assert_eq!(told("[1.0]", "[1]", &default), "value /0");
}

#[test]
fn members_of_the_same_name_are_compared_in_their_order() {
    let default = Rules::default();
    assert_eq!(told(r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#, &default), "");
    assert_eq!(told(r#"{"a":1,"a":2}"#, r#"{"a":2}"#, &default), "value /a\nmissing /a");
    assert_eq!(told(r#"{"a":1}"#, r#"{"a":1,"a":1}"#, &default), "extra /a");
}

#[test]
fn paths_name_fields_and_no_ids() {
    let comparison = compared(
        br#"{"users":{"user-4711":{"name":"a"}},"items":[{"x":1}],"2024-01-02":1,"a@b.example":1}"#,
        br#"{"users":{"user-4711":{"name":"b"}},"items":[{"x":2}],"2024-01-02":2,"a@b.example":2}"#,
        &Rules::default(),
    );
    let Comparison::Differs(differences) = comparison else { panic!("{comparison:?}") };
    let paths: Vec<String> = differences.iter().map(|found| found.place.path()).collect();
    assert_eq!(paths, ["/users/*/name", "/items/*/x", "/*", "/*"]);
    let printed = format!("{differences:?}");
    for private in ["4711", "2024-01-02", "example"] {
        assert!(!printed.contains(private), "{printed}");
    }
}

#[test]
fn what_stood_there_is_not_printed() {
    let comparison = compared(br#"{"a":"secret"}"#, br#"{"a":"geheim"}"#, &Rules::default());
    let printed = format!("{comparison:?}");
    assert!(printed.contains("a string"), "{printed}");
    assert!(!printed.contains("secret") && !printed.contains("geheim"), "{printed}");
}

#[test]
fn what_is_not_json_is_told_and_compared_whole() {
    let default = Rules::default();
    for (old, new, expected) in [
        ("{", "{}", Whole::Unreadable { old: Some(Unreadable::Malformed { at: 1 }), new: None }),
        ("[]", "[1", Whole::Unreadable { old: None, new: Some(Unreadable::Malformed { at: 2 }) }),
        ("1", "1 2", Whole::Unreadable { old: None, new: Some(Unreadable::Malformed { at: 2 }) }),
        (
            "{,",
            "nope",
            Whole::Unreadable {
                old: Some(Unreadable::Malformed { at: 1 }),
                new: Some(Unreadable::Malformed { at: 0 }),
            },
        ),
    ] {
        let Comparison::Differs(found) = compared(old.as_bytes(), new.as_bytes(), &default) else {
            panic!("{old} matches {new}");
        };
        let kinds: Vec<_> = found.iter().map(|found| (found.kind, found.whole)).collect();
        assert_eq!(kinds, [(Kind::Digest, Some(expected))], "{old} against {new}");
    }
    // The same bytes are the same reply, whatever they are.
    assert_eq!(compared(b"{", b"{", &default), Comparison::Match);
}

#[test]
fn an_empty_body_is_a_missing_body() {
    let default = Rules::default();
    assert_eq!(told("", "", &default), "");
    assert_eq!(told("", "{}", &default), "extra");
    assert_eq!(told("{}", "", &default), "missing");
}

#[test]
fn other_bodies_are_compared_by_their_bytes() {
    let headers = HeaderMap::new();
    let reply =
        |body: &'static str| Reply { body: Body::Whole(body.as_bytes()), ..json(&headers, "") };
    let against = |old, new| lines(&compare(&reply(old), &reply(new), &Rules::default()));
    assert_eq!(against("one", "one"), "");
    assert_eq!(against("one", "two"), "digest");
    // Without a content type nothing says that this is JSON.
    assert_eq!(against(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), "digest");
}

#[test]
fn content_types_that_say_json() {
    for (content_type, is_json) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/problem+json", true),
        ("application/vnd.api+JSON;v=1", true),
        ("text/json", true),
        ("application/jsonl", false),
        ("text/plain", false),
        ("json", false),
        ("", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", content_type.parse().expect("a value"));
        let (old, new) = (json(&headers, r#"{"a":1,"b":2}"#), json(&headers, r#"{"b":2,"a":1}"#));
        let matches = compare(&old, &new, &Rules::default()) == Comparison::Match;
        assert_eq!(matches, is_json, "{content_type}");
    }
}

#[test]
fn bodies_beyond_the_cap_are_compared_by_digest() {
    let captured = |cap: usize, chunks: &[&[u8]]| {
        let mut capture = BodyCapture::new(cap);
        chunks.iter().for_each(|chunk| capture.push(chunk));
        capture.finish()
    };
    let headers = json_headers();
    let against = |old: &CapturedBody, new: &CapturedBody| {
        let reply = |body| Reply { status: StatusCode::OK, headers: &headers, body };
        compare(&reply(old.body()), &reply(new.body()), &Rules::default())
    };
    let whole = captured(6, &[b"[1,", b"2]"]);
    assert!(matches!(&whole, CapturedBody::Whole(bytes) if bytes == b"[1,2]"));
    let beyond = captured(4, &[b"[1,", b"2]"]);
    assert!(matches!(beyond, CapturedBody::Digest(BodyDigest { len: 5, .. })));
    // Cut anywhere, kept or not: the same bytes.
    for chunks in [&[&b"[1,2]"[..]][..], &[b"[", b"1,2", b"]"], &[b"[1,2", b"]", b""]] {
        for cap in 0..8 {
            let other = captured(cap, chunks);
            assert_eq!(against(&beyond, &other), Comparison::Match, "{chunks:?} at {cap}");
        }
    }
    let Comparison::Differs(found) = against(&beyond, &captured(4, &[b"[1, 2]"])) else {
        panic!("other bytes match");
    };
    let found: Vec<_> = found.iter().map(|found| (found.kind, found.whole)).collect();
    assert_eq!(found, [(Kind::Digest, Some(Whole::BeyondCap))]);
}

#[test]
fn encoded_bodies_are_compared_by_their_bytes() {
    let mut headers = json_headers();
    headers.insert("content-encoding", http::HeaderValue::from_static("gzip"));
    let (old, new) = (json(&headers, "[1]"), json(&headers, "[ 1 ]"));
    let Comparison::Differs(found) = compare(&old, &new, &Rules::default()) else {
        panic!("other bytes match");
    };
    assert!(found.iter().all(|found| found.whole == Some(Whole::Encoded)));
    headers.insert("content-encoding", http::HeaderValue::from_static("identity"));
    let (old, new) = (json(&headers, "[1]"), json(&headers, "[ 1 ]"));
    assert_eq!(compare(&old, &new, &Rules::default()), Comparison::Match);
}

#[test]
fn statuses() {
    let headers = json_headers();
    let reply = |status: u16, body: &'static str| Reply {
        status: StatusCode::from_u16(status).expect("a status"),
        ..json(&headers, body)
    };
    let class = rules(&RuleSpec { status: Statuses::Class, ..RuleSpec::default() });
    for (old, new, exact, by_class) in [
        (200, 200, "value /a", "value /a"),
        // One cause, one difference.
        (200, 404, "status", "status"),
        (200, 201, "status", "value /a"),
        (502, 200, "failed: old true, new false", "failed: old true, new false"),
        (404, 500, "failed: old false, new true", "failed: old false, new true"),
        (503, 503, "failed: old true, new true", "failed: old true, new true"),
    ] {
        let (old, new) = (reply(old, r#"{"a":1}"#), reply(new, r#"{"a":2}"#));
        assert_eq!(lines(&compare(&old, &new, &Rules::default())), exact);
        assert_eq!(lines(&compare(&old, &new, &class)), by_class);
    }
}
