//! Reads `[plugins.NAME]`.

use crate::place::At;
use crate::reader::{Item, Reader, Size};
use crate::settings::Isolation;
use cutover_core::decide::OnError;
use serde_json::Value;
use std::time::Duration;
use toml::de::DeValue;

/// `[plugins.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginDocument {
    pub(crate) name: At<String>,
    pub(crate) component: String,
    pub(crate) config: serde_json::Map<String, Value>,
    pub(crate) on_error: OnError,
    pub(crate) deadline: Duration,
    pub(crate) memory: u64,
    pub(crate) isolation: Isolation,
}

pub(super) fn read(name: At<String>, reader: &Reader<'_>) -> PluginDocument {
    let component: Option<At<String>> = reader.require("component");
    let config = reader.item("config").map(|item| config(&item)).unwrap_or_default();
    let deadline = reader.get_or_default::<Duration>("deadline");
    if deadline.value > Duration::from_secs(1) {
        let what = "a call may take 1s at most: meanwhile its worker serves nobody else";
        reader.error("deadline", deadline.span, what, "write deadline = \"1ms\"");
    }
    let memory = reader.get_or_default::<Size>("memory");
    if !(64 << 10..=1 << 30).contains(&memory.value.0) {
        let what = "memory must be between 64KiB and 1GiB";
        reader.error("memory", memory.span, what, "write memory = \"16MiB\"");
    }
    PluginDocument {
        name,
        component: component.map(|at| at.value).unwrap_or_default(),
        config,
        on_error: reader.choice("on-error", &[OnError::Old, OnError::Reject, OnError::Percent]),
        deadline: deadline.value,
        memory: memory.value.0,
        isolation: reader.choice("isolation", &[Isolation::Worker, Isolation::Request]),
    }
}

fn config(item: &Item<'_>) -> serde_json::Map<String, Value> {
    if !item.is_table() {
        item.wrong_type();
        return serde_json::Map::new();
    }
    let Value::Object(table) = json(item.value, item) else { return serde_json::Map::new() };
    table
}

/// A TOML value as JSON. Dates become texts; what JSON cannot say is a finding.
fn json(value: &DeValue<'_>, item: &Item<'_>) -> Value {
    let number_error = |text: &str| {
        item.error(format_args!("{text} cannot be said in JSON"), "use another number, or a text");
        Value::Null
    };
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => number_error(&number.to_string()),
        },
        DeValue::Float(number) => {
            let parsed: Option<f64> = number.as_str().parse().ok();
            match parsed.and_then(serde_json::Number::from_f64) {
                Some(number) => Value::Number(number),
                None => number_error(number.as_str()),
            }
        }
        DeValue::Array(array) => {
            array.iter().map(|value| json(value.get_ref(), item)).collect::<Vec<_>>().into()
        }
        DeValue::Table(table) => {
            let entries = table
                .iter()
                .map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref(), item)));
            Value::Object(entries.collect())
        }
    }
}
