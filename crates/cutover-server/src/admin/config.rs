//! The configuration in force: shown, and reloaded.

use super::AdminState;
use super::doorkeeper;
use super::mutation::{Mutation, etag};
use super::reply::{json, problem, refused_config};
use crate::reload::{ReloadError, Reloaded, Reloader, Request, Trigger};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::response::{IntoResponse as _, Response};
use cutover::config::{Config, parse_toml_value};
use cutover::core::migration::{Actor, Role};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn show(State(state): State<AdminState>) -> Response {
    let server = state.server;
    // Waits while a reload prepares, so off the control thread.
    let body = tokio::task::spawn_blocking(move || {
        // In one breath, so that the ETag is that of the text.
        let (toml, config, generation) = server.reloader.with_present(|present| {
            let (toml, config) = effective(present);
            (toml, config, server.engine.current().generation())
        });
        let body = json!({
            "generation": generation.0,
            "file": server.reloader.source().file().display().to_string(),
            "ready": server.is_ready(),
            "lastReload": server.reloader.last(),
            "warnings": server.reloader.warnings(),
            "config": config,
            "toml": toml,
        });
        (generation, body)
    });
    match body.await {
        Ok((generation, body)) => ([(header::ETAG, etag(generation))], json(&body)).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, "Failed", error.to_string()),
    }
}

/// The configuration in force as the file would say it, defaults included. Of secrets it says where they are, and
/// hides those that stand in the file itself.
fn effective(config: &Config) -> (String, Value) {
    let toml = config.shown_toml();
    // What was printed a moment ago can be read, but a status page is no place to end the process.
    let value = parse_toml_value(&toml, "effective.toml").unwrap_or(Value::Null);
    (toml, value)
}

pub(super) async fn schema() -> Response {
    json(&cutover::config::schema())
}

/// Who may put another configuration in force.
const RELOADERS: [Role; 3] = [Role::Operator, Role::OnCall, Role::Admin];

/// What a reload is asked with, in the query or in a JSON body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    dry_run: Option<bool>,
}

pub(super) async fn reload(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = doorkeeper::allow(&actor, &RELOADERS) {
        return *refused;
    }
    let query = query.map(|Query(query)| query).map_err(|error| error.body_text());
    let asked = match query.and_then(|query| merged(query, &body)) {
        Ok(asked) => asked,
        Err(detail) => return problem(StatusCode::BAD_REQUEST, "Malformed request", detail),
    };
    let Some(reason) = asked.reason.filter(|reason| !reason.trim().is_empty()) else {
        let detail = "Say why, with ?reason=… or {\"reason\": \"…\"}: it is kept with the outcome.";
        return problem(StatusCode::BAD_REQUEST, "A reason is needed", detail);
    };
    let mutation = match Mutation::of(&headers) {
        Ok(mutation) => mutation,
        Err(refused) => return *refused,
    };
    let (dry_run, only_if) = (asked.dry_run.unwrap_or(false), mutation.only_if);
    let by = Some(actor.to_string());
    let request = Request { trigger: Trigger::Api, by, reason, dry_run, only_if };
    let same = format!("reload {:?} {} {dry_run} {only_if:?}", request.by, request.reason);
    let doing = do_reload(Arc::clone(&state.server.reloader), request);
    mutation.once(&state.replies, same, doing).await
}

async fn do_reload(reloader: Arc<Reloader>, request: Request) -> Response {
    let dry_run = request.dry_run;
    let done = tokio::task::spawn_blocking(move || reloader.reload(&request)).await;
    match done {
        Ok(Ok(Reloaded { generation, warnings })) => {
            let body =
                json!({ "generation": generation.0, "dryRun": dry_run, "warnings": warnings });
            ([(header::ETAG, etag(generation))], json(&body)).into_response()
        }
        Ok(Err(error)) => refused(&error),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, "Failed", error.to_string()),
    }
}

fn refused(error: &ReloadError) -> Response {
    match error {
        ReloadError::Config(report) => refused_config(report),
        ReloadError::Moved { .. } => {
            problem(StatusCode::PRECONDITION_FAILED, "Generation has moved", error.to_string())
        }
        ReloadError::Install(_) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            problem(status, "Configuration refused", error.to_string())
        }
    }
}

/// The query's fields; a body's win.
fn merged(query: Asked, body: &[u8]) -> Result<Asked, String> {
    if body.is_empty() {
        return Ok(query);
    }
    let body: Asked = serde_json::from_slice(body)
        .map_err(|error| format!("The body is not {{\"reason\", \"dryRun\"}}: {error}."))?;
    Ok(Asked { reason: body.reason.or(query.reason), dry_run: body.dry_run.or(query.dry_run) })
}
