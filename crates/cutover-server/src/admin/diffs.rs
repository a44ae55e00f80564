//! What comparing has found: mismatches by route and field, with an example of each, and rules to consider.

use super::migrations::{aside, unknown};
use super::reply::json;
use super::{AdminState, ignores};
use axum::extract::{Path, State};
use axum::response::Response;
use cutover::View;
use cutover::core::compare::{Group, GroupKey, Suggestion};
use cutover::mirror::Shadow;
use serde_json::{Value, json};

/// The differences since the evidence began.
pub(super) async fn show(State(state): State<AdminState>, Path(name): Path<String>) -> Response {
    // Whoever compares holds the lock of what is shown; that must not hold the control thread.
    aside(move || {
        let current = state.server.engine.current();
        let views = state.server.conductor.glance();
        let view = views.iter().find(|view| *view.name == *name);
        match (current.shadow_of(&name), view) {
            (Some(shadow), Some(view)) => json(&shown(view, shadow)),
            _ => unknown(&name),
        }
    })
    .await
}

fn shown(view: &View, shadow: &Shadow) -> Value {
    let counts = shadow.counts();
    let groups = shadow.differences();
    let suggestions = shadow.suggestions();
    json!({
        "name": view.name,
        "added": ignores::added(view).collect::<Vec<_>>(),
        "copied": counts.picked,
        "shed": counts.shed,
        "compared": counts.compared,
        "mismatched": counts.mismatched,
        "groups": groups.iter().map(|(key, group)| of_group(key, group)).collect::<Vec<_>>(),
        "suggestions": suggestions.iter().map(suggested).collect::<Vec<_>>(),
    })
}

fn of_group(key: &GroupKey, group: &Group) -> Value {
    let example = &group.example;
    json!({
        "route": key.route,
        "field": key.path,
        "kind": key.kind.name(),
        "ignore": ignores::silencing(&key.rule()),
        "count": group.count,
        "firstSeenMs": group.first_seen_ms,
        "lastSeenMs": group.last_seen_ms,
        "example": {
            "exchange": example.exchange,
            "pointer": example.pointer,
            "old": example.old.to_string(),
            "new": example.new.to_string(),
        },
    })
}

fn suggested(suggestion: &Suggestion) -> Value {
    let field = &suggestion.field;
    json!({
        "list": suggestion.list,
        "rule": suggestion.rule,
        "route": field.route,
        "field": field.path,
        "differed": field.raw,
        "ofCompared": field.raw_of,
        "differedWithinOld": field.noise,
        "ofOldTwice": field.noise_of,
    })
}
