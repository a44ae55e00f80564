//! What holds for all replies.

use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json as value};

/// Small documents of few names, so that two of them often have something in common.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0..4i32).prop_map(|n| value!(n)),
        "[ab~/*]{0,2}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[ab*]|id", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn spec() -> impl Strategy<Value = RuleSpec> {
    let path = || prop::sample::select(vec!["", "/a", "/b", "/*", "/a/b", "/*/a", "/a/*", "/0"]);
    let own = |paths: Vec<&str>| paths.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let some =
        || prop::collection::vec(path().prop_filter("some body is left", |p| !p.is_empty()), 0..3);
    (some(), prop::collection::vec(path(), 0..3), any::<bool>()).prop_map(
        move |(ignore, unordered, null_is_missing)| RuleSpec {
            ignore: own(ignore),
            unordered: own(unordered),
            null_is_missing,
            ..RuleSpec::default()
        },
    )
}

/// The same, told plainly: what is ignored and null taken out, lists without order sorted.
fn plain(value: &Value, path: &mut Vec<String>, spec: &RuleSpec) -> Option<Value> {
    let is = |patterns: &[String]| {
        patterns.iter().any(|pattern| {
            let steps: Vec<&str> = pattern.split('/').skip(1).collect();
            steps.len() == path.len()
                && steps.iter().zip(&*path).all(|(step, name)| *step == "*" || step == name)
        })
    };
    if is(&spec.ignore) {
        return None;
    }
    let unordered = is(&spec.unordered);
    Some(match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, member) in members {
                path.push(name.clone());
                let plain = plain(member, path, spec);
                path.pop();
                kept.extend(
                    plain
                        .filter(|plain| !spec.null_is_missing || !plain.is_null())
                        .map(|plain| (name.clone(), plain)),
                );
            }
            Value::Object(kept)
        }
        Value::Array(elements) => {
            let mut kept = Vec::new();
            for (index, element) in elements.iter().enumerate() {
                path.push(if unordered { "somewhere".to_owned() } else { index.to_string() });
                match plain(element, path, spec) {
                    Some(plain) => kept.push(plain),
                    // Where places count, an element that is ignored still has one.
                    None if !unordered => kept.push(value!("ignored")),
                    None => {}
                }
                path.pop();
            }
            if unordered {
                kept.sort_by_key(Value::to_string);
            }
            Value::Array(kept)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    })
}

fn of(old: &Value, new: &Value, rules: &Rules) -> Comparison {
    compared(old.to_string().as_bytes(), new.to_string().as_bytes(), rules)
}

/// Kind and path of each difference, in a fixed order.
fn kinds(comparison: &Comparison) -> Vec<(Kind, String)> {
    let mut kinds: Vec<_> = match comparison {
        Comparison::Match => Vec::new(),
        Comparison::Differs(found) => {
            found.iter().map(|found| (found.kind, found.place.path())).collect()
        }
        Comparison::Failed { .. } => panic!("nothing failed"),
    };
    kinds.sort();
    kinds
}

fn documents() -> impl Strategy<Value = (Value, Value)> {
    // Often the same, or nearly.
    (document(), document(), 0..4u8).prop_map(|(a, b, same)| match same {
        0 => (a.clone(), a),
        1 => (value!({"a": a, "b": b}), value!({"a": a, "b": a})),
        2 => (value!([a, b]), value!([b, a])),
        _ => (a, b),
    })
}

proptest! {
    #[test]
    fn a_reply_is_like_itself(document in document(), spec in spec()) {
        let rules = rules(&spec);
        // Written otherwise, so that the bytes differ.
        let (old, new) = (document.to_string(), format!("{document:#} "));
        prop_assert_eq!(compared(old.as_bytes(), new.as_bytes(), &rules), Comparison::Match);
    }

    #[test]
    fn nothing_differs_if_and_only_if_it_is_equal_under_the_rules(
        (old, new) in documents(), spec in spec(),
    ) {
        let rules = rules(&spec);
        let equal = plain(&old, &mut Vec::new(), &spec) == plain(&new, &mut Vec::new(), &spec);
        let comparison = of(&old, &new, &rules);
        prop_assert_eq!(comparison == Comparison::Match, equal, "{:?} {:?}", comparison, spec);
    }

    #[test]
    fn swapped_sides_swap_missing_and_extra((old, new) in documents(), spec in spec()) {
        let rules = rules(&spec);
        let (there, back) = (of(&old, &new, &rules), of(&new, &old, &rules));
        let mut mirrored: Vec<_> =
            kinds(&back).into_iter().map(|(kind, path)| (kind.mirrored(), path)).collect();
        mirrored.sort();
        prop_assert_eq!(kinds(&there), mirrored);
    }

    #[test]
    fn pointers_lead_to_what_differs((old, new) in documents()) {
        let comparison = of(&old, &new, &Rules::default());
        let Comparison::Differs(found) = comparison else { return Ok(()) };
        for found in found.iter() {
            let Place::Body(place) = &found.place else { panic!("no headers here") };
            let in_old = old.pointer(&place.pointer());
            let in_new = new.pointer(&place.pointer());
            match found.kind {
                Kind::Missing => prop_assert!(in_old.is_some() && in_new.is_none()),
                Kind::Extra => prop_assert!(in_old.is_none() && in_new.is_some()),
                Kind::Status | Kind::Header | Kind::Digest => panic!("{found:?}"),
                Kind::Type | Kind::Value | Kind::Order | Kind::Length => {
                    prop_assert!(in_old.is_some() && in_new.is_some() && in_old != in_new);
                }
            }
        }
    }

    #[test]
    fn anything_may_come(
        old in prop::collection::vec(any::<u8>(), 0..64),
        new in prop::collection::vec(any::<u8>(), 0..64),
        spec in spec(),
    ) {
        let rules = rules(&spec);
        let comparison = compared(&old, &new, &rules);
        prop_assert_eq!(&compared(&old, &old, &rules), &Comparison::Match);
        prop_assert!(old != new || comparison == Comparison::Match);
    }

    #[test]
    fn nearly_json_may_come(text in r#"[\[\]{}:,"\\0-9eE+.\-truefalsn udD\u{80}]{0,40}"#) {
        // What the one reader takes the other takes too, but for what `serde_json` refuses beyond
        // the grammar: numbers that a float cannot hold.
        let ours = Document::parse(text.as_bytes());
        let theirs = serde_json::from_str::<Value>(&text);
        match theirs {
            Ok(_) => prop_assert!(ours.is_ok(), "{text}"),
            Err(error) if error.to_string().contains("out of range") => {}
            Err(_) => prop_assert!(ours.is_err(), "{text}"),
        }
    }

    #[test]
    fn any_text_is_a_rule_or_a_finding(text in "[/*~$.\\[\\]a-c:# ]{0,12}") {
        if let Err(findings) = Rules::compile(&ignoring(&[&text])) {
            prop_assert_eq!(findings.len(), 1);
            prop_assert!(!findings[0].what.is_empty() && !findings[0].help.is_empty());
        }
    }

    #[test]
    fn headers_of_any_bytes_may_come(
        sent in prop::collection::vec(("[a-c]|etag|vary|set-cookie|content-type", prop::collection::vec(32u8..255, 0..12)), 0..6),
    ) {
        let mut headers = HeaderMap::new();
        for (name, bytes) in &sent {
            if let (Ok(name), Ok(bytes)) = (name.parse::<http::HeaderName>(), http::HeaderValue::from_bytes(bytes)) {
                headers.append(name, bytes);
            }
        }
        let (bare, full) = (HeaderMap::new(), headers);
        let (bare, full) = (json(&bare, ""), json(&full, ""));
        prop_assert_eq!(compare(&full, &full, &Rules::default()), Comparison::Match);
        let (there, back) = (compare(&full, &bare, &Rules::default()), compare(&bare, &full, &Rules::default()));
        prop_assert_eq!(lines(&there), lines(&back));
    }
}
