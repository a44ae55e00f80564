//! What rules take out, and what is said about rules that are none.

use super::*;

#[test]
fn ignored_paths() {
    for (paths, old, new, expected) in [
        (&["/a"][..], r#"{"a":1,"b":1}"#, r#"{"a":2,"b":2}"#, "value /b"),
        (&["/a"], r#"{"a":1}"#, r#"{}"#, ""),
        (&["/a"], r#"{}"#, r#"{"a":{"b":1}}"#, ""),
        (
            &["/items/*/etag"],
            r#"{"items":[{"etag":1,"x":1}]}"#,
            r#"{"items":[{"x":2}]}"#,
            "value /items/0/x",
        ),
        (&["/items/1"], "{\"items\":[1,2,3]}", "{\"items\":[1,9,3]}", ""),
        (&["/items/1"], "{\"items\":[1,2,3]}", "{\"items\":[9,2,3]}", "value /items/0"),
        (&["/*/b"], r#"{"a":{"b":1},"c":{"b":1}}"#, r#"{"a":{"b":2},"c":{"d":1}}"#, "extra /c/d"),
        (&["/*/b", "/a/*"], r#"{"a":{"x":1},"c":{"b":1}}"#, r#"{"a":{"x":2},"c":{"b":2}}"#, ""),
        (
            &["/a/*/c", "/a/b/d"],
            r#"{"a":{"b":{"c":1,"d":1,"e":1}}}"#,
            r#"{"a":{"b":{"c":2,"d":2,"e":2}}}"#,
            "value /a/b/e",
        ),
        (&[""], "[1]", "{}", ""),
        // A member that is named `*` is not everything.
        (&["/~2"], r#"{"*":1,"b":1}"#, r#"{"*":2,"b":2}"#, "value /b"),
        (&["/a~1b", "/m~0n"], r#"{"a/b":1,"m~n":1}"#, r#"{"a/b":2,"m~n":2}"#, ""),
        (&["/0"], r#"{"0":1}"#, r#"{"0":2}"#, ""),
    ] {
        assert_eq!(told(old, new, &rules(&ignoring(paths))), expected, "{paths:?}: {old}, {new}");
    }
}

#[test]
fn null_as_good_as_missing() {
    let lenient = rules(&RuleSpec { null_is_missing: true, ..RuleSpec::default() });
    for (old, new, expected) in [
        (r#"{"a":null}"#, "{}", ""),
        ("{}", r#"{"a":null}"#, ""),
        (r#"{"a":1}"#, r#"{"a":null}"#, "missing /a"),
        (r#"{"a":null}"#, r#"{"a":1}"#, "extra /a"),
        (r#"{"a":null}"#, r#"{"a":{}}"#, "extra /a"),
        (r#"{"a":null}"#, r#"{"a":null}"#, ""),
        // An element has its place.
        ("[null]", "[1]", "type /0"),
        ("[null]", "[]", "length"),
    ] {
        assert_eq!(told(old, new, &lenient), expected, "{old} against {new}");
    }
}

#[test]
fn lists_without_order() {
    let spec = RuleSpec { null_is_missing: true, ..unordered(&["/tags", "/rows", "/deep/*"]) };
    let rules = rules(&spec);
    for (old, new, expected) in [
        (r#"{"tags":[1,2,3]}"#, r#"{"tags":[3,1,2]}"#, ""),
        (r#"{"tags":[1,1,2]}"#, r#"{"tags":[1,2,2]}"#, "value /tags/1"),
        (r#"{"tags":[1,2,3,4]}"#, r#"{"tags":[4,3]}"#, "missing /tags/0\nmissing /tags/1"),
        (r#"{"tags":[1]}"#, r#"{"tags":[2,1,3]}"#, "extra /tags/0\nextra /tags/2"),
        (r#"{"tags":[]}"#, r#"{"tags":[]}"#, ""),
        (r#"{"tags":[null]}"#, r#"{"tags":[ ]}"#, "missing /tags/0"),
        // One left on each side: what changed in it.
        (
            r#"{"rows":[{"id":1,"v":1},{"id":2,"v":2}]}"#,
            r#"{"rows":[{"v":2,"id":2},{"id":1,"v":3}]}"#,
            "value /rows/0/v",
        ),
        (r#"{"deep":[[1,2],[3,4]]}"#, r#"{"deep":[[2,1],[4,3]]}"#, ""),
    ] {
        assert_eq!(told(old, new, &rules), expected, "{old} against {new}");
    }
}

#[test]
fn lists_without_order_and_with_tolerances() {
    let spec = RuleSpec { unordered: vec!["".to_owned()], ..numbers_within(&[("/*", "0.1")]) };
    let rules = rules(&spec);
    // First come, first served would leave 1.0 alone with 1.2.
    assert_eq!(told("[1.1, 1.0]", "[1.1, 1.2]", &rules), "");
    assert_eq!(told("[1.0, 1.1]", "[1.2, 1.1]", &rules), "");
    assert_eq!(told("[1.0, 1.0]", "[1.1, 1.2]", &rules), "value /1");
}

#[test]
fn lists_by_key() {
    let spec = RuleSpec {
        keyed: vec![("/items".to_owned(), "/id".to_owned())],
        ..ignoring(&["/items/*/etag"])
    };
    let rules = rules(&spec);
    for (old, new, expected) in [
        (
            r#"{"items":[{"id":1,"v":1,"etag":1},{"id":2,"v":2}]}"#,
            r#"{"items":[{"id":2,"v":2},{"id":1,"v":1,"etag":2}]}"#,
            "",
        ),
        (
            r#"{"items":[{"id":1,"v":1},{"id":2,"v":2}]}"#,
            r#"{"items":[{"id":3,"v":1},{"id":2,"v":9}]}"#,
            "missing /items/0\nvalue /items/1/v\nextra /items/0",
        ),
        // A number is not a string.
        (
            r#"{"items":[{"id":1}]}"#,
            r#"{"items":[{"id":"1"}]}"#,
            "missing /items/0\nextra /items/0",
        ),
        // The same key twice: in their order. No key: likewise.
        (
            r#"{"items":[{"id":1,"v":1},{"id":1,"v":2}]}"#,
            r#"{"items":[{"id":1,"v":1}]}"#,
            "missing /items/1",
        ),
        (r#"{"items":[{"v":1},{"v":2}]}"#, r#"{"items":[{"v":1},{"v":3}]}"#, "value /items/1/v"),
        (r#"{"items":[1,2]}"#, r#"{"items":[1,3]}"#, "value /items/1"),
    ] {
        assert_eq!(told(old, new, &rules), expected, "{old} against {new}");
    }
}

#[test]
fn rules_below_lists_without_order() {
    let spec = RuleSpec { null_is_missing: true, number: Numbers::Value, ..unordered(&["/rows"]) };
    let spec = RuleSpec { ignore: vec!["/rows/*/etag".to_owned()], ..spec };
    let rules = rules(&spec);
    let old = r#"{"rows":[{"id":1,"etag":"a","x":null},{"id":2,"etag":"b"}]}"#;
    let new = r#"{"rows":[{"id":2.0,"etag":"c"},{"etag":"d","id":1.0}]}"#;
    assert_eq!(told(old, new, &rules), "");
}

#[test]
fn findings_say_what_is_wrong_and_how_to_mend_it() {
    let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect()
    };
    let spec = RuleSpec {
        ignore: own(&[
            "updated_at",
            "$.items[*].etag",
            "#/a",
            "$['a'][0]",
            "/items/",
            "/",
            "/a~b",
            "headers:Date",
            "Header: Date",
            "header:da te",
            "/fine",
        ]),
        compare: own(&["/a", "header:server"]),
        unordered: own(&["/list", "/tags"]),
        keyed: pairs(&[("/list", "/id"), ("/other", "id")]),
        numbers: pairs(&[("/price", "1 cent"), ("/score", "1%"), ("/score", "2%")]),
        ..RuleSpec::default()
    };
    let findings = Rules::compile(&spec).expect_err("nearly all of it is wrong");
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let expected = [
        "ignore: `updated_at`: a pointer begins with `/`: write /updated_at",
        "ignore: `$.items[*].etag`: a pointer begins with `/`: write /items/*/etag",
        "ignore: `#/a`: a pointer begins with `/`: write /a",
        "ignore: `$['a'][0]`: a pointer begins with `/`: write /a/0",
        "ignore: `/items/`: it ends with `/`, which names a member without a name: \
         write /items, or /items/* for everything below it",
        "ignore: `/`: it ends with `/`, which names a member without a name: \
         write \"\" for the whole body",
        "ignore: `/a~b`: `~` in `a~b` is not followed by 0, 1 or 2: \
         write ~0 for `~`, ~1 for `/`, ~2 for `*`",
        "ignore: `headers:Date`: a header is named as header:NAME: write header:date",
        "ignore: `Header: Date`: a header is named as header:NAME: write header:date",
        "ignore: `header:da te`: `da te` is not the name of a header: \
         write the name as it stands in the reply, without its value",
        "compare: `/a`: only headers can be named here: \
         write header:NAME; all of the body is compared anyway",
        "keyed: `/list`: another rule says something else about the same path: keep one of the two",
        "keyed: `id`: a pointer begins with `/`: write /id",
        "numbers: `1 cent`: not a tolerance: write \"0.01\" for a distance, \"1%\" for a share",
        "numbers: `/score`: another rule says something else about the same path: \
         keep one of the two",
    ];
    assert_eq!(told, expected);
    let last = findings.last().expect("the list is not empty");
    assert_eq!((last.list, last.index), ("numbers", 2));
}

#[test]
fn pointers_of_rfc_6901() {
    // Section 5.
    let body = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
    let document = Document::parse(body.as_bytes()).expect("JSON");
    for (pointer, expected) in [
        ("/foo/0", "bar"),
        ("/foo/1", "baz"),
        ("/", "0"),
        ("/a~1b", "1"),
        ("/c%d", "2"),
        ("/e^f", "3"),
        ("/g|h", "4"),
        ("/i\\j", "5"),
        ("/k\"l", "6"),
        ("/ ", "7"),
        ("/m~0n", "8"),
    ] {
        let pointer = Pointer::parse(pointer).expect("a pointer");
        let at = pointer.find(&document, document.root()).expect("it is there");
        assert_eq!(document.text(at), expected, "{pointer:?}");
    }
    let whole = Pointer::parse("").expect("a pointer").find(&document, document.root());
    assert_eq!(whole, Some(document.root()));
    let foo = Pointer::parse("/foo").expect("a pointer").find(&document, document.root());
    assert_eq!(foo.map(|at| document.count(at)), Some(2));
    for nowhere in
        ["/foo/2", "/foo/-", "/foo/01", "/foo/+1", "/foo/1e0", "/foo/0/x", "/bar", "/~01"]
    {
        let pointer = Pointer::parse(nowhere).expect("a pointer");
        assert!(!pointer.is_in(&document), "{nowhere}");
    }
    for wrong in ["a", "/a~", "/~3", "foo/0"] {
        assert!(Pointer::parse(wrong).is_err(), "{wrong}");
    }
}
