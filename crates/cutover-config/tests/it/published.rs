//! What is published from the vocabulary is current: the JSON Schema and the reference page. `UPDATE_EXPECT=1` rewrites
//! them.

use crate::sample::SAMPLE;
use expect_test::expect_file;
use serde_json::Value;

#[test]
fn the_schema_is_current() {
    expect_file!["../../../../docs/cutover.schema.json"].assert_eq(&cutover_config::schema_text());
}

#[test]
fn the_reference_is_current() {
    expect_file!["../../../../docs/config-reference.md"].assert_eq(&cutover_config::reference());
}

/// The example files and DESIGN's sample hold to the schema: every key is known to it, and every value has its shape.
#[test]
fn the_examples_hold_to_the_schema() {
    let schema = cutover_config::schema();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/configs");
    let mut texts = vec![SAMPLE.to_owned()];
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            texts.push(std::fs::read_to_string(path).expect("readable"));
        }
    }
    for text in texts {
        let table: toml::Table = text.parse().expect("TOML");
        let value = as_json(&toml::Value::Table(table));
        let mut wrong = Vec::new();
        hold(&schema, &value, "", &mut wrong);
        assert_eq!(wrong, Vec::<String>::new());
    }
}

/// A key that the schema does not know is one that the reader refuses, and the other way round.
#[test]
fn schema_and_reader_know_the_same_keys() {
    let schema = cutover_config::schema();
    let mut wrong = Vec::new();
    hold(&schema, &serde_json::json!({ "server": { "colour": 1 } }), "", &mut wrong);
    assert_eq!(wrong, ["server.colour is unknown"]);
    // The reader asserts in debug builds that it asks for every key of a section, and for no other.
    crate::surroundings::loaded(SAMPLE);
}

fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(as_json).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => Value::Object(
            table.iter().map(|(name, value)| (name.clone(), as_json(value))).collect(),
        ),
    }
}

/// The part of JSON Schema that ours uses, patterns aside.
fn hold(schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    if let Some(kinds) = schema["anyOf"].as_array() {
        let holds = |kind: &Value| {
            let mut inner = Vec::new();
            hold(kind, value, place, &mut inner);
            inner.is_empty()
        };
        if !kinds.iter().any(holds) {
            wrong.push(format!("{place} holds to nothing that it may be"));
        }
        return;
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64(),
        Some("number") => value.is_number(),
        _ => schema["const"] == *value,
    };
    if !fits {
        wrong.push(format!("{place} is not a {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        wrong.push(format!("{place} is not one of {}", schema["enum"]));
    }
    for item in value.as_array().into_iter().flatten() {
        hold(&schema["items"], item, place, wrong);
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => wrong.push(format!("{place} is unknown")),
            (Value::Null, Value::Null) => {}
            (Value::Null, any) => hold(any, inner, &place, wrong),
            (known, _) => hold(known, inner, &place, wrong),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().expect("a name")).is_none() {
            wrong.push(format!("{place} lacks {name}"));
        }
    }
}
