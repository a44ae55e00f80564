//! How a migration moves, as `status` shows it: what holds it, each gate with its evidence, what comes next, and what
//! happened last.

use super::list;
use crate::admin_api::text;
use crate::paragraph::{labelled, printable};
use serde_json::Value;

pub(super) fn lines(migration: &Value) -> Vec<String> {
    if migration["generation"].is_null() {
        // A proxy of a version that does not say.
        return Vec::new();
    }
    let mut lines = vec![labelled("  ", &where_it_stands(migration))];
    for held in list(&migration["held"]).iter().filter_map(Value::as_str) {
        lines.push(labelled("  held: ", &printable(held)));
    }
    let trouble = text(migration, "trouble");
    if !trouble.is_empty() {
        lines.push(labelled("  store: ", &trouble));
    }
    match migration["addedRules"].as_u64() {
        Some(count) if count > 0 => {
            let what = format!("{count} left out by people; diff shows them, compare keeps them");
            lines.push(labelled("  rules: ", &what));
        }
        Some(_) | None => {}
    }
    lines.extend(list(&migration["gates"]).iter().map(gate));
    lines.extend(list(&migration["approvals"]).iter().map(|opinion| approval(migration, opinion)));
    lines.extend(next(migration));
    lines.extend(list(&migration["history"]).iter().map(|record| last(migration, record)));
    lines
}

/// `generation 12, mirror 10%, step 2 of 5, here for 12m of 1h at least`
fn where_it_stands(migration: &Value) -> String {
    let mut parts = vec![
        format!("generation {}", text(migration, "generation")),
        format!("mirror {}", text(migration, "mirrorPercent")),
    ];
    // What an approval names.
    let evidence: String = text(migration, "evidence").chars().take(12).collect();
    parts.push(format!("evidence {evidence}"));
    let step = &migration["step"];
    if step["at"].as_u64().is_some_and(|at| at > 0) {
        parts.push(format!("step {} of {}", step["at"], step["of"]));
    }
    let here = since(migration, &migration["enteredMs"]);
    match step["dwellMs"].as_u64() {
        Some(dwell) if dwell > 0 => {
            parts.push(format!("here for {here} of {} at least", span(dwell)))
        }
        Some(_) | None => parts.push(format!("here for {here}")),
    }
    if let Some(drill) = migration["drill"]["outcome"].as_str() {
        parts.push(format!("drill {drill} {} ago", since(migration, &migration["drill"]["atMs"])));
    }
    parts.join(", ")
}

fn gate(gate: &Value) -> String {
    let verdict = text(gate, "verdict");
    let watched = if gate["required"] == true { "" } else { " (not required)" };
    labelled(&format!("  {verdict:<13}"), &format!("{}{watched}", printable(&text(gate, "text"))))
}

fn approval(migration: &Value, opinion: &Value) -> String {
    let (word, by, to) = match opinion["approves"] == true {
        true => ("approved", text(opinion, "by"), text(opinion, "to")),
        false => ("rejected", text(opinion, "by"), text(opinion, "to")),
    };
    let ago = since(migration, &opinion["atMs"]);
    let why = text(opinion, "reason");
    labelled(&format!("  {word}: "), &printable(&format!("{to} by {by}, {ago} ago: {why}")))
}

/// What it waits for, and the command that comes next. What is held and what the gates say stands above already.
fn next(migration: &Value) -> Vec<String> {
    let next = &migration["next"];
    let (missing, command) = (list(&next["missing"]), text(next, "command"));
    let above = ["gate", "rolled-back", "failed", "paused", "frozen"];
    let is_above = |one: &&Value| above.contains(&text(one, "name").as_str());
    let gates = missing.iter().filter(|one| one["name"] == "gate").count();
    let mut lines = Vec::new();
    if !missing.is_empty() {
        let gates = match gates {
            0 => String::new(),
            1 => " 1 required gate, above".to_owned(),
            many => format!(" {many} required gates, above"),
        };
        lines.push(format!("  missing for {}:{gates}", text(next, "to")));
    }
    let rest = missing.iter().filter(|one| !is_above(one));
    lines.extend(rest.map(|one| labelled("    - ", &printable(&text(one, "text")))));
    let because = printable(&text(next, "because"));
    lines.push(match (command.is_empty(), missing.is_empty()) {
        (false, _) => labelled("  next: ", &format!("cutover {command} --reason '…'\n({because})")),
        (true, true) => labelled("  next: ", &because),
        (true, false) => "  next: wait for what is missing".to_owned(),
    });
    lines
}

fn last(migration: &Value, record: &Value) -> String {
    let ago = since(migration, &record["at_ms"]);
    let (by, event) = (text(record, "by"), text(record, "event"));
    let (from, to) = (text(&record["from"], "text"), text(&record["to"], "text"));
    let why = text(record, "why");
    let what = format!("{from} -> {to}, {event} by {by}: {why}");
    labelled(&format!("  {ago} ago: "), &printable(&what))
}

fn since(migration: &Value, at: &Value) -> String {
    let ms = |value: &Value| value.as_u64().unwrap_or_default();
    span(ms(&migration["nowMs"]).saturating_sub(ms(at)))
}

/// In one unit, or in two where the first is small.
fn span(ms: u64) -> String {
    let s = ms / 1_000;
    match s {
        0..120 => format!("{s}s"),
        120..7_200 => format!("{}m", s / 60),
        7_200..172_800 => format!("{}h", s / 3_600),
        _ => format!("{}d", s / 86_400),
    }
}
