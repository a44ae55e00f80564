//! Bodies made to hurt: deep, wide, and built to make lists expensive.

use super::*;
use std::time::Duration;

/// On a stack that is small beside a worker's: recursion is bounded, or this dies.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(test);
    thread.expect("a thread").join().expect("it neither panics nor overflows");
}

fn nested(depth: usize, inner: &str) -> String {
    format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn depth_is_bounded() {
    on_a_small_stack(|| {
        let spec = RuleSpec {
            unordered: (0..MAX_DEPTH).map(|depth| "/*".repeat(depth)).collect(),
            ..RuleSpec::default()
        };
        for rules in [Rules::default(), rules(&spec)] {
            let (old, new) = (nested(MAX_DEPTH, "1"), nested(MAX_DEPTH, "2"));
            let expected = format!("value {}", "/0".repeat(MAX_DEPTH));
            assert_eq!(told(&old, &new, &rules), expected);
            for depth in [MAX_DEPTH + 1, 100_000] {
                let (old, new) = (nested(depth, "1"), nested(depth, "2"));
                let Comparison::Differs(found) = compared(old.as_bytes(), new.as_bytes(), &rules)
                else {
                    panic!("they differ");
                };
                let deep = Some(Unreadable::TooDeep);
                let whole = Some(Whole::Unreadable { old: deep, new: deep });
                assert!(found.iter().all(|found| found.whole == whole));
            }
        }
    });
}

#[test]
fn the_number_of_values_is_bounded() {
    let body = format!("[{}1]", "1,".repeat(MAX_VALUES));
    assert_eq!(Document::parse(body.as_bytes()).err(), Some(Unreadable::TooLarge));
    let body = format!("[{}1]", "1,".repeat(MAX_VALUES - 2));
    assert!(Document::parse(body.as_bytes()).is_ok());
}

#[test]
fn the_number_of_differences_is_bounded() {
    let body = |digit: &str| format!("[{}0]", format!("{digit},").repeat(1_000));
    let Comparison::Differs(found) =
        compared(body("1").as_bytes(), body("2").as_bytes(), &Rules::default())
    else {
        panic!("they differ");
    };
    assert_eq!((found.iter().count(), found.count()), (MAX_DIFFERENCES, 1_000));
    // An order that is another takes them all back.
    let list = |range: Vec<usize>| {
        let texts: Vec<String> = range.iter().map(ToString::to_string).collect();
        format!("[{}]", texts.join(","))
    };
    let (old, new) = (list((0..500).collect()), list((0..500).rev().collect()));
    assert_eq!(told(&old, &new, &Rules::default()), "order");
}

#[test]
fn work_is_bounded() {
    // All of them might belong to each of the others.
    let spec =
        RuleSpec { times: vec![("/*/at".to_owned(), Duration::from_secs(0))], ..unordered(&[""]) };
    let body = |from: usize| {
        let elements: Vec<String> =
            (0..5_000).map(|n| format!("{{\"at\":{}}}", from + n)).collect();
        format!("[{}]", elements.join(","))
    };
    let Comparison::Differs(found) =
        compared(body(0).as_bytes(), body(10_000).as_bytes(), &rules(&spec))
    else {
        panic!("they differ");
    };
    let found: Vec<_> = found.iter().map(|found| (found.kind, found.whole)).collect();
    assert_eq!(found, [(Kind::Digest, Some(Whole::TooMuchWork))]);
    // A list in another order that is too dear to be told as such keeps its differences.
    let spec =
        RuleSpec { times: vec![("/*/at".to_owned(), Duration::ZERO)], ..RuleSpec::default() };
    let Comparison::Differs(found) =
        compared(body(0).as_bytes(), body(10_000).as_bytes(), &rules(&spec))
    else {
        panic!("they differ");
    };
    assert_eq!(found.count(), 5_000);
}

#[test]
fn names_without_end_are_cut() {
    let name = "n".repeat(100_000);
    let body = |value: u8| format!("{{\"{name}\":{value}}}");
    let Comparison::Differs(found) =
        compared(body(1).as_bytes(), body(2).as_bytes(), &Rules::default())
    else {
        panic!("they differ");
    };
    let Some(Place::Body(place)) = found.iter().next().map(|found| &found.place) else { panic!() };
    assert_eq!(place.path(), "/*");
    assert!(place.pointer().len() < 300);
}

#[test]
fn the_grammar_has_corners() {
    for (text, reads) in [
        ("0", true),
        ("-0", true),
        ("-0.0e-0", true),
        ("1E+2", true),
        ("01", false),
        ("-", false),
        ("+1", false),
        ("1.", false),
        (".1", false),
        ("1e", false),
        ("1e+", false),
        ("- 1", false),
        ("NaN", false),
        ("tru", false),
        ("truex", false),
        ("True", false),
        (r#""\u0000""#, true),
        (r#""\ud83d\ude00""#, true),
        (r#""\uD83D\uDE00""#, true),
        (r#""\ud83d""#, false),
        (r#""\ud83d\n""#, false),
        (r#""\ud83d\u0041""#, false),
        (r#""\ude00""#, false),
        (r#""\u12g4""#, false),
        (r#""\u123"#, false),
        (r#""\u+123""#, false),
        (r#""\x""#, false),
        (r#""\"#, false),
        (r#"""#, false),
        ("\"\n\"", false),
        ("\"\u{7f}\"", true),
        ("\u{feff}1", false),
        ("[1,]", false),
        ("[,1]", false),
        ("[1 2]", false),
        ("[", false),
        ("]", false),
        ("[1}", false),
        ("{\"a\":1,}", false),
        ("{\"a\"}", false),
        ("{\"a\" : 1 }", true),
        ("{a:1}", false),
        ("{1:1}", false),
        ("{\"a\":1]", false),
        ("\t\r\n []\n", true),
        ("\u{a0}[]", false),
        ("[] // no", false),
        ("", false),
        (" ", false),
    ] {
        assert_eq!(Document::parse(text.as_bytes()).is_ok(), reads, "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(text).is_ok(), reads, "{text:?}");
    }
    let document = Document::parse(br#""\ud83d\ude00\"\\\/\b\f\n\r\t\u00E9""#).expect("JSON");
    assert_eq!(document.text(document.root()), "\u{1f600}\"\\/\u{8}\u{c}\n\r\t\u{e9}");
    let error = Document::parse(b"[\"\xff\"]").err();
    assert_eq!(error, Some(Unreadable::Malformed { at: 2 }));
}
