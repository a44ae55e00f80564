//! What is refused, and in which words.

use super::{asking, path};
use crate::route::{RouteError, RouteSpec, RouteTable};

#[test]
fn bad_paths_are_refused_in_clear_words() {
    let nine = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}";
    let long = "/a".repeat(129);
    for (pattern, words) in [
        ("", "begins with `/`"),
        ("a/b", "begins with `/`"),
        ("/a/{id", "unbalanced braces in `{id`"),
        ("/a/id}", "unbalanced braces in `id}`"),
        ("/a/{{id}}", "unbalanced braces"),
        ("/a/{}", "`{}` has no name"),
        ("/a/{*}", "`{*}` has no name"),
        ("/a/{id}.json", "a parameter is a whole segment, so `{id}.json` cannot be one"),
        ("/a/v{id}", "whole segment"),
        ("/a/}id{", "whole segment"),
        ("/a/{x}{y}", "whole segment"),
        ("/a/{a b}", "characters other than"),
        ("/a/{x*}", "characters other than"),
        ("/{id}/x/{id}", "two parameters are called `id`"),
        ("/{id}/x/{*id}", "two parameters are called `id`"),
        ("/{*rest}/x", "`{*rest}` takes all that is left"),
        ("/{*rest}/", "`{*rest}` takes all that is left"),
        (nine, "more than 8 parameters"),
        (long.as_str(), "more than 128 segments"),
        ("/a/../b", "normal form"),
        ("/a/%70", "normal form"),
        ("/a/%2F", "normal form"),
        ("/a?b=1", "query predicates"),
        ("/a b", "a character that paths do not have"),
    ] {
        match RouteTable::builder().insert(path(pattern)) {
            Err(error @ RouteError::Path(_)) => {
                let text = error.to_string();
                assert!(text.contains(words), "{pattern}: {text}");
                assert!(text.contains(pattern), "{pattern}: {text}");
            }
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

#[test]
fn unusual_paths_are_accepted() {
    for pattern in
        ["/", "//", "/{*rest}", "/a//", "/%C3%A9/{x-1}", "/é", "/.well-known/{_}", "/a:b"]
    {
        assert!(RouteTable::builder().insert(path(pattern)).is_ok(), "{pattern}");
    }
}

#[test]
fn bad_hosts_are_refused_in_clear_words() {
    let long = format!("{}com", "a.".repeat(130));
    for (host, words) in [
        ("*", "leave the host out"),
        ("", "not a host name"),
        ("*.", "only be the first label"),
        ("a..b", "not a host name"),
        ("-a.b", "not a host name"),
        ("a b", "not a host name"),
        ("bücher.example", "xn--"),
        ("example.com:80", "no port"),
        ("a.*.com", "only be the first label"),
        ("*a.com", "only be the first label"),
        ("*.*.com", "only be the first label"),
        ("[::1", "IPv6"),
        ("[::1]:80", "IPv6"),
        ("[1.2.3.4]", "IPv6"),
        (long.as_str(), "253"),
    ] {
        let spec = RouteSpec { host: Some(host.into()), ..path("/") };
        match RouteTable::builder().insert(spec) {
            Err(error @ RouteError::Host(_)) => {
                assert!(error.to_string().contains(words), "{host}: {error}");
            }
            other => panic!("{host}: {other:?}"),
        }
    }
}

/// Pairs of predicates of one path: do they conflict?
#[test]
fn equal_rank_conflicts_unless_both_cannot_hold() {
    for (a, b, conflict) in [
        ("", "", true),
        ("", "GET", false),
        ("GET", "GET", true),
        ("GET", "HEAD", false),
        ("GET HEAD", "HEAD PUT", true),
        ("GET", "x-a", true),
        ("GET", "x-a=1", true),
        ("x-a", "x-a", true),
        ("x-a", "x-a=1", true),
        ("x-a=1", "x-a=2", false),
        ("x-a=1", "x-a=1", true),
        ("x-a=1", "x-b=1", true),
        ("x-a=1", "?x-a=2", true),
        ("?v=1", "?v=2", false),
        ("?v=1", "?w=2", true),
        ("GET, x-a", "PUT, x-a", false),
        ("GET, x-a=1", "GET, x-a=2", false),
        ("GET, x-a=1", "GET, x-b=2", true),
        ("GET, x-a=1", "x-a=1, x-b=2", true),
        ("GET, x-a=1", "x-a=2, x-b=2", false),
        ("GET, x-a=1", "x-a=1", false),
        ("x-a=1, x-b=1", "x-a=1, x-b=2", false),
        ("PURGE", "PURGE", true),
        ("PURGE", "BREW", false),
    ] {
        for (first, second) in [(a, b), (b, a)] {
            let mut builder = RouteTable::builder();
            let id = builder.insert(asking("/x/{id}", first)).expect("the first has no equal");
            let second = builder.insert(asking("/x/{other}", second));
            let expected = conflict.then_some(Err(RouteError::Conflict(id)));
            assert_eq!(second.is_err(), conflict, "`{a}` and `{b}`");
            assert!(expected.is_none_or(|expected| second == expected), "`{a}` and `{b}`");
        }
    }
}

#[test]
fn other_patterns_and_hosts_do_not_conflict() {
    let mut builder = RouteTable::builder();
    for pattern in ["/a/{x}", "/a/{*x}", "/a/x", "/a/", "/a", "/{x}/x", "/{*x}", "/", "/{x}/{y}"] {
        builder.insert(path(pattern)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    }
    for host in ["a.example", "*.a.example", "*.example", "[::1]"] {
        let spec = RouteSpec { host: Some(host.into()), ..path("/a/{x}") };
        builder.insert(spec).unwrap_or_else(|error| panic!("{host}: {error}"));
    }
    // Names of parameters, and spellings of one host, make no difference.
    assert!(
        matches!(builder.insert(path("/a/{y}")), Err(RouteError::Conflict(id)) if id.index() == 0)
    );
    let spec = RouteSpec { host: Some("A.Example.".into()), ..path("/a/{y}") };
    assert!(matches!(builder.insert(spec), Err(RouteError::Conflict(id)) if id.index() == 9));
    let spec = RouteSpec { host: Some("[0:0::1]".into()), ..path("/a/{y}") };
    assert!(matches!(builder.insert(spec), Err(RouteError::Conflict(id)) if id.index() == 12));
}

#[test]
fn a_refused_route_leaves_the_table_usable() {
    let mut builder = RouteTable::builder();
    builder.insert(path("/a/b/c")).expect("valid");
    builder.insert(path("/a/b/c")).expect_err("has an equal");
    builder.insert(path("/a/{b")).expect_err("unbalanced");
    builder.insert(asking("/a/x/y", "x-a, x-a=1")).expect_err("asks twice for one header");
    let id = builder.insert(path("/a/{b}")).expect("valid");
    let table = builder.finish();
    assert_eq!((id.index(), table.len()), (1, 2));
    assert_eq!(super::get(&table, "/a/b/c").map(|found| found.0), Some(0));
    assert_eq!(super::get(&table, "/a/x"), Some((1, vec![("b".to_owned(), "x")])));
    assert_eq!(super::get(&table, "/a/x/y"), None);
}
