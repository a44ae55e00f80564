//! The JSON Schema (draft 2020-12) that editors complete and check `cutover.toml` with, made from the vocabulary.

use crate::keys::{Key, Kind, Presence, ROOT, Section};
use serde_json::{Map, Value, json};

/// Durations such as `250ms` or `1h30m`.
const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us|µs))+$";
/// Percents such as `5%`.
const PERCENT: &str = r"^\s*[0-9]+(\.[0-9]{1,3})?\s*%?\s*$";
/// Sizes such as `1MiB`.
const SIZE: &str = r"^[0-9]+(\.[0-9]+)?\s*(GiB|MiB|KiB|GB|MB|kB|B)$";

/// The schema of the whole file.
pub fn schema() -> Value {
    let mut schema = section(&ROOT);
    let head = [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("$id", json!("https://cutover-proxy.github.io/cutover.schema.json")),
        ("title", json!("cutover.toml")),
    ];
    for (name, value) in head {
        schema[name] = value;
    }
    schema
}

/// The schema as text, the way it is committed.
pub fn schema_text() -> String {
    let text = serde_json::to_string_pretty(&schema()).expect("a schema is JSON");
    format!("{text}\n")
}

fn section(section: &Section) -> Value {
    let properties: Map<String, Value> =
        section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = section
        .keys
        .iter()
        .filter(|key| matches!(key.presence, Presence::Required(_)))
        .map(|key| key.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": section.meaning,
        "additionalProperties": false,
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = kind(&key.kind);
    let meaning = match key.presence {
        Presence::Optional(absent) => format!("{} Absent: {absent}.", key.meaning),
        Presence::Default(_) | Presence::Required(_) => key.meaning.to_owned(),
    };
    schema["description"] = json!(meaning);
    if let Presence::Default(text) = key.presence {
        schema["default"] = default(&key.kind, text);
    }
    schema
}

/// A default as JSON: the texts of the vocabulary are bare.
fn default(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Flag | Kind::Count(..) | Kind::Ratio | Kind::List(_) | Kind::Free => {
            serde_json::from_str(text).expect("a test prints the schema")
        }
        Kind::Either(kinds) if text == "false" => {
            debug_assert!(kinds.iter().any(|kind| matches!(kind, Kind::Flag)));
            json!(false)
        }
        Kind::Text
        | Kind::Pattern
        | Kind::Duration
        | Kind::Wait
        | Kind::Percent
        | Kind::Size
        | Kind::Date
        | Kind::Socket
        | Kind::Word(_)
        | Kind::Table(_)
        | Kind::Named(_)
        | Kind::Texts
        | Kind::Predicates
        | Kind::Either(_) => json!(text),
    }
}

fn kind(kind_: &Kind) -> Value {
    match kind_ {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Pattern => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Ratio => json!({ "type": "number", "minimum": 1, "maximum": 100 }),
        Kind::Duration | Kind::Wait => json!({ "type": "string", "pattern": DURATION }),
        Kind::Percent => json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 100 },
            { "type": "string", "pattern": PERCENT },
        ] }),
        Kind::Size => json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": SIZE },
        ] }),
        // How editors' TOML support shows a date to a schema differs; the format says what is meant.
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Socket => json!({ "type": "string", "pattern": r"^.+:[0-9]{1,5}$" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::List(inner) => json!({ "type": "array", "items": kind(inner) }),
        Kind::Table(inner) => section(inner),
        Kind::Named(inner) => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9._-]{1,64}$" },
            "additionalProperties": section(inner),
        }),
        Kind::Texts => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Kind::Predicates => json!({
            "type": "object",
            "additionalProperties": { "anyOf": [{ "type": "string" }, { "const": true }] },
        }),
        Kind::Free => json!({ "type": "object" }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(kind).collect::<Vec<_>>() }),
    }
}
