//! What does not count in comparisons: rules of the configuration, and those that people have added.

use super::AdminState;
use super::migrations::{aside, unknown};
use super::reply::json;
use axum::extract::{Path, State};
use axum::response::Response;
use cutover::View;
use cutover::core::compare::IgnoreRule;
use cutover::core::migration::AddedRule;
use serde_json::{Value, json};

pub(super) async fn show(State(state): State<AdminState>, Path(name): Path<String>) -> Response {
    aside(move || {
        let views = state.server.conductor.glance();
        match views.iter().find(|view| *view.name == *name) {
            Some(view) => json(&json!({ "name": name, "rules": rules(view) })),
            None => unknown(&name),
        }
    })
    .await
}

/// A rule that the configuration has as well is its.
fn rules(view: &View) -> Vec<Value> {
    let configured =
        view.course.rules.ignores().map(
            |rule| json!({ "list": rule.list().name(), "rule": rule.text(), "source": "config" }),
        );
    configured.chain(added(view)).collect()
}

/// What people have added, and the configuration does not have.
pub(super) fn added(view: &View) -> impl Iterator<Item = Value> {
    let added = view.standing.progress().added.iter();
    added.filter(|added| !view.course.rules.has(&added.rule)).map(one)
}

fn one(added: &AddedRule) -> Value {
    let AddedRule { rule, mark } = added;
    json!({
        "list": rule.list().name(),
        "rule": rule.text(),
        "source": "added",
        "by": mark.by.to_string(),
        "reason": mark.why,
        "atMs": mark.at.millis(),
    })
}

/// The rule that would silence a field, as `:ignore` takes it; or why there is none.
pub(super) fn silencing(rule: &Result<IgnoreRule, impl std::fmt::Display>) -> Value {
    match rule {
        Ok(rule) => json!({ "list": rule.list().name(), "rule": rule.text() }),
        Err(finding) => json!({ "none": finding.to_string() }),
    }
}
