//! Where migrations stand, what the gates say, what was done, and what going back would cost.

mod shown;

pub(super) use shown::{add_view, health, hex, millis, missing};

use super::AdminState;
use super::mutation::etag;
use super::reply::{json, problem};
use super::series::lately;
use super::status::of_name;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use cutover::View;
use cutover::core::migration::Actor;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

/// Most lines of a history in one answer.
const MOST_LINES: usize = 1_000;

/// One migration, as the person who asks sees it. From now on an approval may name the evidence that is shown.
pub(super) async fn one(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Response {
    let found = with_view(state, actor, name, |state, view| {
        let current = state.server.engine.current();
        let mut value = of_name(&current, &view.name);
        value["lastMinute"] = lately(&state.server, &current, &view.name);
        add_view(&mut value, view);
        value
    });
    found.await
}

/// Is it fine?
pub(super) async fn status(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Response {
    let found = with_view(state, actor, name, |_, view| {
        let progress = view.standing.progress();
        json!({
            "name": view.name,
            "health": health(view),
            "position": progress.position.to_string(),
            "overlays": progress.overlays(),
            "generation": progress.generation.0,
            "trouble": view.trouble,
        })
    });
    found.await
}

/// What the gates say, with their numbers.
pub(super) async fn verdicts(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Response {
    let found = with_view(state, actor, name, |_, view| {
        json!({
            "name": view.name,
            "evidence": hex(&view.seen.evidence.0),
            "epoch": view.standing.progress().epoch.0,
            "gates": shown::gates(view),
        })
    });
    found.await
}

/// What people think of the next move.
pub(super) async fn approvals(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Response {
    let found = with_view(state, actor, name, |_, view| {
        json!({
            "name": view.name,
            "evidence": hex(&view.seen.evidence.0),
            "approvals": shown::opinions(view),
        })
    });
    found.await
}

/// What a rollback would do and lose, before anybody needs it.
pub(super) async fn rollback_cost(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Response {
    with_view(state, actor, name, |_, view| shown::rollback_cost(view)).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    #[serde(default)]
    limit: Option<usize>,
}

/// The last transitions, the newest first.
pub(super) async fn history(
    State(state): State<AdminState>,
    Path(name): Path<String>,
    lines: Result<Query<Lines>, QueryRejection>,
) -> Response {
    let Ok(Query(lines)) = lines else {
        let detail = "It takes limit=NUMBER.";
        return problem(StatusCode::BAD_REQUEST, "Malformed request", detail);
    };
    let limit = lines.limit.unwrap_or(50).min(MOST_LINES);
    let asked = aside(move || {
        let conductor = &state.server.conductor;
        if conductor.view(&name, &Actor::automation()).is_none() {
            return unknown(&name);
        }
        match conductor.recent(limit, Some(&name)) {
            Ok(records) => json(&json!({ "name": name, "records": records })),
            Err(error) => super::orders::store_failed(&error),
        }
    });
    asked.await
}

/// A view, turned into an answer, with the migration's generation as ETag.
async fn with_view(
    state: AdminState,
    actor: Actor,
    name: String,
    show: impl FnOnce(&AdminState, &View) -> Value + Send + 'static,
) -> Response {
    let asked = aside(move || match state.server.conductor.view(&name, &actor) {
        None => unknown(&name),
        Some(view) => {
            let tag = etag(view.standing.generation());
            ([(header::ETAG, tag)], json(&show(&state, &view))).into_response()
        }
    });
    asked.await
}

/// Off the control thread: the conductor may be waiting for a disk.
pub(super) async fn aside(what: impl FnOnce() -> Response + Send + 'static) -> Response {
    let done = tokio::task::spawn_blocking(what).await;
    done.unwrap_or_else(|error| {
        problem(StatusCode::INTERNAL_SERVER_ERROR, "Failed", error.to_string())
    })
}

pub(super) fn unknown(name: &str) -> Response {
    let detail =
        format!("There is no migration {name:?}; GET /admin/v1/migrations lists what there is.");
    problem(StatusCode::NOT_FOUND, "No such migration", detail)
}
