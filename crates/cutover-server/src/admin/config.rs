//! The configuration in force: shown, and reloaded.

use super::AdminState;
use super::doorkeeper;
use super::idempotency::{MAX_KEY, Turn};
use super::reply::{json, problem, refused_config};
use crate::reload::{ReloadError, Reloaded, Reloader, Request, Trigger};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::response::{IntoResponse as _, Response};
use cutover::Generation;
use cutover::config::{Config, parse_toml_value};
use cutover::core::migration::{Actor, Role};
use http::{HeaderMap, HeaderValue, StatusCode, header};
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
        return refused;
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
    let only_if = match expected(&headers) {
        Ok(only_if) => only_if,
        Err(detail) => return problem(StatusCode::BAD_REQUEST, "Malformed If-Match", detail),
    };
    let dry_run = asked.dry_run.unwrap_or(false);
    let by = Some(actor.to_string());
    let request = Request { trigger: Trigger::Api, by, reason, dry_run, only_if };
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default().to_owned());
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
        let detail = format!("It is 1 to {MAX_KEY} visible characters.");
        return problem(StatusCode::BAD_REQUEST, "Malformed Idempotency-Key", detail);
    }
    run(state, request, key).await
}

async fn run(state: AdminState, request: Request, key: Option<String>) -> Response {
    let reloader = Arc::clone(&state.server.reloader);
    let Some(key) = key else { return do_reload(reloader, request).await };
    let asked =
        format!("{:?} {} {} {:?}", request.by, request.reason, request.dry_run, request.only_if);
    let answered = match state.replies.begin(key, asked) {
        Turn::Other => {
            let detail = "This Idempotency-Key came with another request before.";
            return problem(StatusCode::CONFLICT, "Key used twice", detail);
        }
        Turn::Again(repeated) => repeated.answer().await,
        Turn::First(promise) => {
            // A task of its own: who else waits for the answer gets it, also if this client leaves.
            let done = async move { promise.keep(do_reload(reloader, request).await).await };
            tokio::spawn(done).await.ok()
        }
    };
    answered.unwrap_or_else(|| {
        let detail = "The reload broke off; the process's log says why.";
        problem(StatusCode::INTERNAL_SERVER_ERROR, "Failed", detail)
    })
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

/// `If-Match: "7"` is generation 7; `*` is any.
fn expected(headers: &HeaderMap) -> Result<Option<Generation>, String> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number = text.trim_matches('"').parse();
    number.map(|number| Some(Generation(number))).map_err(|_| {
        "Give the generation that GET /admin/v1/config answers as ETag, in quotes.".to_owned()
    })
}

fn etag(generation: Generation) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{generation}\"")).expect("digits and quotes are visible")
}
