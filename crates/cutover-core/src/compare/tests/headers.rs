//! Which headers count, and when two values are the same.

use super::*;
use http::{HeaderName, HeaderValue};

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |&(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    lines.iter().map(pair).collect()
}

type Lines = &'static [(&'static str, &'static str)];

fn check(old: Lines, new: Lines, rules: &Rules, expected: &str) {
    let (from, to) = (headers(old), headers(new));
    let (from, to) = (json(&from, "{}"), json(&to, "{}"));
    assert_eq!(lines(&compare(&from, &to, rules)), expected, "{old:?} against {new:?}");
    assert_eq!(lines(&compare(&to, &from, rules)), expected, "{new:?} against {old:?}");
}

#[test]
fn defaults() {
    let default = Rules::default();
    let cases: &[(Lines, Lines, &str)] = &[
        (&[("x-a", "1")], &[("x-a", "1")], ""),
        (&[("x-a", "1")], &[("x-a", "2")], "header header:x-a"),
        (&[("x-a", "1")], &[], "header header:x-a"),
        (&[("x-b", "1"), ("x-a", "1")], &[], "header header:x-a\nheader header:x-b"),
        // Blanks around commas say nothing, wherever the lines are cut; order does.
        (&[("x-a", "1,2")], &[("x-a", "1, 2")], ""),
        (&[("x-a", "1"), ("x-a", "2")], &[("x-a", "1,2")], ""),
        (&[("x-a", "1, 2")], &[("x-a", "2, 1")], "header header:x-a"),
        (&[("x-a", r#""1,2""#)], &[("x-a", r#""1, 2""#)], "header header:x-a"),
        (&[("x-a", r#""\"1,2""#)], &[("x-a", r#""\"1, 2""#)], "header header:x-a"),
        (&[("vary", "Accept, Cookie")], &[("vary", "cookie,accept")], ""),
        (&[("cache-control", "no-store, private")], &[("cache-control", "private,no-store")], ""),
        (
            &[("cache-control", "max-age=60")],
            &[("cache-control", "max-age=600")],
            "header header:cache-control",
        ),
        (
            &[("content-type", "text/html; charset=utf-8")],
            &[("content-type", "Text/HTML;charset=\"UTF-8\"")],
            "",
        ),
        (
            &[("content-type", "text/html")],
            &[("content-type", "text/plain")],
            "header header:content-type",
        ),
        (&[("location", "/a")], &[("location", "http://old.internal/a")], "header header:location"),
        // Of the connection, the moment, the implementation.
        (&[("date", "x"), ("server", "a"), ("x-request-id", "1")], &[], ""),
        (&[("connection", "close, x-hop"), ("x-hop", "1")], &[], ""),
        (&[("etag", "\"a\"")], &[("etag", "\"b\"")], ""),
        (&[("etag", "\"a\"")], &[], "header header:etag"),
        // A cookie's value is a session; how it is protected is not.
        (&[("set-cookie", "sid=1; Path=/")], &[("set-cookie", "sid=2; path=/")], ""),
        (
            &[("set-cookie", "sid=1; Secure; Expires=Thu, 01 Jan 2026 00:00:00 GMT")],
            &[("set-cookie", "sid=1; expires=Fri, 02 Jan 2026 00:00:00 GMT; secure")],
            "",
        ),
        (
            &[("set-cookie", "sid=1; HttpOnly")],
            &[("set-cookie", "sid=1")],
            "header header:set-cookie",
        ),
        (
            &[("set-cookie", "a=1"), ("set-cookie", "b=1")],
            &[("set-cookie", "b=2"), ("set-cookie", "a=2")],
            "",
        ),
        (
            &[("set-cookie", "a=1"), ("set-cookie", "b=1")],
            &[("set-cookie", "a=1")],
            "header header:set-cookie",
        ),
    ];
    for (old, new, expected) in cases {
        check(old, new, &default, expected);
    }
}

#[test]
fn rules_name_headers() {
    let spec = RuleSpec {
        compare: vec!["header:server".to_owned(), "header:ETag".to_owned()],
        ..ignoring(&["header:X-A"])
    };
    let rules = rules(&spec);
    check(&[("x-a", "1")], &[("x-a", "2")], &rules, "");
    check(&[("server", "1")], &[("server", "2")], &rules, "header header:server");
    check(&[("etag", "1")], &[("etag", "2")], &rules, "header header:etag");
}

#[test]
fn names_are_listed_as_they_are_looked_up() {
    for name in NEVER_COMPARED.iter().chain(COMPARED_FOR_PRESENCE) {
        assert_eq!(HeaderName::from_static(name).as_str(), *name);
    }
}
