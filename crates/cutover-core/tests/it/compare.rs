//! Comparisons against the published cases of others, and what they allocate.

use crate::fixtures::{fixture, vendored};
use cutover_core::compare::{Body, Comparison, Document, Pointer, Reply, RuleSpec, Rules, compare};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pact matches here and cutover does not. By design: it has no eyes for XML, whose differences in
/// layout and order it tells as differences of bytes.
const STRICTER: &[&str] = &[
    "response/body/array in different order xml",
    "response/body/deeply nested objects xml",
    "response/body/keys out of order match xml",
    "response/body/matches xml",
    "response/body/unexpected index with missing value xml",
    "response/body/unexpected index with non-empty value xml",
    "response/body/unexpected key with empty value xml",
    "response/body/unexpected key with non-empty value xml",
    "request/body/matches xml",
];

/// Why a case of Pact's says nothing about comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NotApplicable {
    /// It is about Pact's matchers by type and by regular expression. Two replies of two running
    /// systems have no template to fit; what may vary is ignored, or has a tolerance.
    Matchers,
}

#[test]
fn pact_specification() {
    let root = vendored().join("pact");
    // Methods, paths and queries of requests are not compared: there is one request.
    let folders =
        ["response/status", "response/headers", "response/body", "request/headers", "request/body"];
    let (mut agreed, mut stricter, mut left_out) = (0, Vec::new(), BTreeMap::new());
    for folder in folders {
        let mut files: Vec<_> = std::fs::read_dir(root.join(folder)).expect("a folder").collect();
        files.sort_by_key(|file| file.as_ref().map(std::fs::DirEntry::path).ok());
        for file in files {
            let path = file.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("text");
            let case: Value =
                serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
            let name = path.file_stem().expect("a name").to_string_lossy();
            let name = format!("{folder}/{name}");
            if !case["expected"]["matchingRules"].is_null() {
                *left_out.entry(NotApplicable::Matchers).or_insert(0) += 1;
                continue;
            }
            let theirs = case["match"].as_bool().expect("a verdict");
            match (theirs, pact(&case, folder.starts_with("request"))) {
                (true, false) => stricter.push(name),
                (theirs, ours) => {
                    assert_eq!(ours, theirs, "{name}: {}", case["comment"]);
                    agreed += 1;
                }
            }
        }
    }
    assert_eq!(stricter, STRICTER);
    assert_eq!((agreed, left_out), (111, BTreeMap::from([(NotApplicable::Matchers, 39)])));
}

/// Do the two sides match under the rules that say what Pact takes for granted: headers and, in
/// replies, members that were not expected do not count.
fn pact(case: &Value, strict_body: bool) -> bool {
    let (expected, actual) = (&case["expected"], &case["actual"]);
    let (old, new) = (Side::new(expected), Side::new(actual));
    let mut spec = RuleSpec::default();
    let unexpected = new.headers.keys().filter(|name| !old.headers.contains_key(*name));
    spec.ignore.extend(unexpected.map(|name| format!("header:{name}")));
    match expected.get("body") {
        None => spec.ignore.push(String::new()),
        Some(body) if !strict_body => {
            unexpected_members(body, &actual["body"], &mut String::new(), &mut spec.ignore);
        }
        Some(_) => {}
    }
    let rules = Rules::compile(&spec).unwrap_or_else(|findings| panic!("{findings:?}"));
    compare(&old.reply(), &new.reply(), &rules) == Comparison::Match
}

fn unexpected_members(old: &Value, new: &Value, at: &mut String, ignore: &mut Vec<String>) {
    let length = at.len();
    let mut below = |name: &str, old: Option<&Value>, new: &Value| {
        *at += &format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        match old {
            Some(old) => unexpected_members(old, new, at, ignore),
            None => ignore.push(at.clone()),
        }
        at.truncate(length);
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            new.iter().for_each(|(name, value)| below(name, old.get(name), value));
        }
        (Value::Array(old), Value::Array(new)) => {
            let pairs = old.iter().zip(new).enumerate();
            pairs.for_each(|(index, (old, new))| below(&index.to_string(), Some(old), new));
        }
        _ => {}
    }
}

struct Side {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Side {
    fn new(message: &Value) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in message["headers"].as_object().into_iter().flatten() {
            let name: HeaderName = name.parse().expect("a name");
            let value = value.as_str().expect("text").parse::<HeaderValue>().expect("a value");
            headers.insert(name, value);
        }
        let body = match &message["body"] {
            // No body, or an empty one.
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            body @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                // Cases that leave the type out mean JSON.
                headers
                    .entry("content-type")
                    .or_insert(HeaderValue::from_static("application/json"));
                body.to_string()
            }
        };
        let status = message["status"].as_u64().unwrap_or(200);
        let status = StatusCode::from_u16(status as u16).expect("a status");
        Self { status, headers, body }
    }

    fn reply(&self) -> Reply<'_> {
        let body = Body::Whole(self.body.as_bytes());
        Reply { status: self.status, headers: &self.headers, body }
    }
}

#[test]
fn json_patch_tests() {
    let (mut compared, mut pointers) = (0, 0);
    for file in ["json-patch/tests.json", "json-patch/spec_tests.json"] {
        let cases: Vec<Value> = serde_json::from_str(&fixture(file)).expect("JSON");
        for case in &cases {
            let steps = case["patch"].as_array().expect("a patch");
            for step in steps {
                if let Some(path) = step["path"].as_str() {
                    let read = Pointer::parse(path);
                    assert_eq!(read.is_ok(), path.is_empty() || path.starts_with('/'), "{path}");
                    pointers += 1;
                }
            }
            // Equality is what the operation `test` is about; the others change documents.
            let only_tests =
                steps.iter().all(|step| step["op"] == "test" && step.get("value").is_some());
            if only_tests && !steps.is_empty() {
                let passes = steps.iter().all(|step| passes(&case["doc"], step));
                assert_eq!(passes, case["error"].is_null(), "{case}");
                compared += 1;
            }
        }
    }
    assert_eq!((compared, pointers), (15, 101));
}

/// Has the document this value at this place?
fn passes(document: &Value, step: &Value) -> bool {
    let path = step["path"].as_str().expect("a path");
    let text = document.to_string();
    let ours = Document::parse(text.as_bytes()).expect("JSON");
    let mut other = document.clone();
    let place = other.pointer_mut(path);
    let is_in = Pointer::parse(path).is_ok_and(|pointer| pointer.is_in(&ours));
    assert_eq!(is_in, place.is_some(), "{path} in {document}");
    let Some(place) = place else { return false };
    *place = step["value"].clone();
    let side = |document: &Value| Side::new(&serde_json::json!({ "body": document }));
    let (old, new) = (side(document), side(&other));
    compare(&old.reply(), &new.reply(), &Rules::default()) == Comparison::Match
}

fn of_json(body: &str) -> Side {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Side { status: StatusCode::OK, headers, body: body.to_owned() }
}

#[test]
fn equal_replies_cost_no_memory() {
    let (old, new) = (of_json(r#"{"a":[1,2,3]}"#), of_json(r#"{"a":[1,2,3]}"#));
    let rules = Rules::default();
    let counted = allocation_counter::measure(|| {
        assert_eq!(compare(&old.reply(), &new.reply(), &rules), Comparison::Match);
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn memory_is_bounded_by_the_bodies() {
    let spec = RuleSpec { unordered: vec![String::new()], ..RuleSpec::default() };
    for rules in [Rules::default(), Rules::compile(&spec).expect("rules")] {
        for (what, old, new) in [
            (
                "few values",
                format!("[{:?}]", "a".repeat(100_000)),
                format!("[{:?}]", "b".repeat(100_000)),
            ),
            (
                "many values",
                format!("[{}1]", "1,".repeat(50_000)),
                format!("[{}1]", "2,".repeat(50_000)),
            ),
            ("nesting", "[".repeat(100_000), "[[".repeat(50_000) + " "),
            (
                "empty objects",
                format!("[{}1]", "{},".repeat(33_000)),
                format!("[{}2]", "{},".repeat(33_000)),
            ),
        ] {
            let bytes = (old.len() + new.len()) as u64;
            let (old, new) = (of_json(&old), of_json(&new));
            let counted = allocation_counter::measure(|| {
                assert_ne!(
                    compare(&old.reply(), &new.reply(), &rules),
                    Comparison::Match,
                    "{what}"
                );
            });
            // A byte of `[1,1,1]` is half a value: its 28 bytes, and those of lists without order.
            assert!(counted.bytes_max < bytes * 60, "{what}: {counted:?} for {bytes}");
        }
    }
}
