//! Reads `[plugins.NAME]`.

use crate::json;
use crate::place::At;
use crate::reader::{Item, Reader, Size};
use crate::settings::Isolation;
use cutover_core::decide::OnError;
use serde_json::Value;
use std::time::Duration;

/// `[plugins.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginDocument {
    pub(crate) name: At<String>,
    pub(crate) component: String,
    pub(crate) config: serde_json::Map<String, Value>,
    pub(crate) on_error: OnError,
    pub(crate) deadline: Duration,
    pub(crate) normalise_deadline: Duration,
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
    let normalise_deadline = reader.get_or_default::<Duration>("normalise-deadline");
    if normalise_deadline.value > Duration::from_secs(1) {
        let what = "a call may take 1s at most: meanwhile nothing else is compared";
        let help = "write normalise-deadline = \"50ms\"";
        reader.error("normalise-deadline", normalise_deadline.span, what, help);
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
        normalise_deadline: normalise_deadline.value,
        memory: memory.value.0,
        isolation: reader.choice("isolation", &[Isolation::Worker, Isolation::Request]),
    }
}

fn config(item: &Item<'_>) -> serde_json::Map<String, Value> {
    if !item.is_table() {
        item.wrong_type();
        return serde_json::Map::new();
    }
    let value = json::json(item.value, &|number| {
        item.error(format_args!("{number} {}", json::UNSAYABLE), json::UNSAYABLE_HELP);
    });
    let Value::Object(table) = value else { return serde_json::Map::new() };
    table
}
