//! What both sides did in the last minute: whoever was woken asks what is wrong now, not what was in three weeks.

use super::{row, table_heading, text, thousands};
use serde_json::Value;

/// The last minute of one migration, as a table; nothing if it is not known.
pub(super) fn lines(migration: &Value) -> Vec<String> {
    let lately = &migration["lastMinute"];
    let Some(over_ms) = lately["overMs"].as_u64() else { return Vec::new() };
    let heading = match over_ms / 1_000 {
        60.. => "IN THE LAST MINUTE".to_owned(),
        seconds => format!("IN THE LAST {seconds} S"),
    };
    let mut lines = vec![table_heading(&heading)];
    for side in ["old", "new"] {
        lines.push(row(&format!("{side} ({})", text(migration, side)), &lately[side]));
    }
    // What has not happened is left out.
    let copies = &lately["newCopies"];
    if copies["requests"].as_u64().is_some_and(|requests| requests > 0) {
        lines.push(row("new, asked by copies", copies));
    }
    if let Some(fallbacks) = lately["fallbacks"].as_u64().filter(|fallbacks| *fallbacks > 0) {
        let fallbacks = thousands(fallbacks);
        lines.push(format!("  of old's, {fallbacks} after new had failed"));
    }
    lines
}
