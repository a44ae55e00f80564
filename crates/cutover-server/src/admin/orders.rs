//! Orders of people: a verb on a migration becomes a command, and is carried out, planned or refused.

mod verb;

pub use verb::{APPROVAL, VERBS, Verb};

use super::AdminState;
use super::migrations::{aside, hex, millis, missing, unknown};
use super::mutation::{Mutation, etag};
use super::reply::{json, problem, with_missing};
use crate::explain::pairs;
use axum::body::Bytes;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use cutover::core::migration::{Actor, Order, Plan, Refusal};
use cutover::store::StoreError;
use cutover::{Done, Generation, OrderError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use verb::Told;

/// `POST /admin/v1/migrations/{id}:VERB`
pub(super) async fn by_verb(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(call): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let found = call.rsplit_once(':').map(|(name, verb)| (name, find(verb)));
    let Some((name, verb)) = found else {
        // A migration itself is only looked at; the router cannot know that.
        let mut reply = super::reply::no_such_method().await;
        reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return reply;
    };
    let Some(verb) = verb else {
        let names: Vec<_> = VERBS.iter().map(|verb| verb.name).collect();
        let detail = format!("The verbs of a migration are {}.", names.join(", "));
        return problem(StatusCode::NOT_FOUND, "No such verb", detail);
    };
    let name = name.to_owned();
    asked(state, actor, name, verb, (query, headers, body)).await
}

fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// `POST /admin/v1/migrations/{id}/approvals`
pub(super) async fn approve(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    asked(state, actor, name, &APPROVAL, (query, headers, body)).await
}

async fn asked(
    state: AdminState,
    actor: Actor,
    name: String,
    verb: &'static Verb,
    (query, headers, body): (Option<String>, HeaderMap, Bytes),
) -> Response {
    let told = match told(verb, query.as_deref(), &body) {
        Ok(told) => told,
        Err(detail) => return problem(StatusCode::BAD_REQUEST, "Malformed request", detail),
    };
    let mutation = match Mutation::of(&headers) {
        Ok(mutation) => mutation,
        Err(refused) => return *refused,
    };
    let (replies, only_if) = (state.replies.clone(), mutation.only_if);
    let same = format!("{actor} {name} {} {only_if:?} {told:?}", verb.name);
    let doing = aside(move || carry_out(&state, actor, &name, verb, &told, only_if));
    mutation.once(&replies, same, doing).await
}

/// The body's members, and `reason` and `dryRun` of the query.
fn told(verb: &Verb, query: Option<&str>, body: &[u8]) -> Result<Told, String> {
    let mut members: Map<String, Value> = match body {
        [] => Map::new(),
        body => serde_json::from_slice(body)
            .map_err(|error| format!("The body is no JSON object: {error}."))?,
    };
    for (name, value) in pairs(query.unwrap_or_default()) {
        let value = match &*name {
            "reason" => Value::String(value),
            "dryRun" => Value::Bool(!matches!(&*value, "false" | "0")),
            _ => {
                return Err(format!("{name:?} does not belong into the query, but into the body."));
            }
        };
        members.entry(name).or_insert(value);
    }
    let known = |name: &str| matches!(name, "reason" | "dryRun") || verb.takes.contains(&name);
    if let Some(name) = members.keys().find(|name| !known(name)) {
        let takes = [&["reason", "dryRun"], verb.takes].concat().join(", ");
        return Err(format!("{name:?} is nothing that {} takes; it takes {takes}.", verb.name));
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| format!("{error}."))
}

fn carry_out(
    state: &AdminState,
    actor: Actor,
    name: &str,
    verb: &Verb,
    told: &Told,
    seen: Option<Generation>,
) -> Response {
    let conductor = &state.server.conductor;
    let Some(view) = conductor.view(name, &actor) else { return unknown(name) };
    let command = match told.command(verb, &view) {
        Ok(command) => command,
        Err(detail) => return problem(StatusCode::UNPROCESSABLE_ENTITY, "Not understood", detail),
    };
    let why = told.reason.as_deref().unwrap_or_default().trim().into();
    let order = Order { command, by: actor, why, seen };
    if told.dry_run == Some(true) {
        return match conductor.plan(name, &order) {
            Ok(plan) => planned(name, &plan, view.standing.generation()),
            Err(error) => refused(&error),
        };
    }
    match conductor.order(name, &order) {
        Ok(done) => carried_out(&done),
        Err(error) => refused(&error),
    }
}

fn planned(name: &str, plan: &Plan, generation: Generation) -> Response {
    let actions: Vec<String> = plan.actions.iter().map(ToString::to_string).collect();
    let body = json!({
        "dryRun": true,
        "migration": name,
        "generation": generation.0,
        "missing": missing(&plan.missing),
        "actions": actions,
        "warnings": plan.warnings,
        "toEverybodyMs": millis(plan.durations.to_everybody),
        "backMs": millis(plan.durations.back),
        "text": plan.to_string(),
    });
    ([(header::ETAG, etag(generation))], json(&body)).into_response()
}

fn carried_out(done: &Done) -> Response {
    let entry = &done.entry;
    let body = json!({
        "dryRun": false,
        "migration": entry.migration,
        "from": entry.from.to_string(),
        "to": entry.to.to_string(),
        "generation": entry.generation.0,
        "evidence": hex(&entry.evidence.0),
        "by": entry.by.to_string(),
        "atMs": entry.at.millis(),
        "receipt": done.receipt.to_string(),
        "tookMicros": u64::try_from(done.took.as_micros()).unwrap_or(u64::MAX),
        "warnings": done.warnings,
    });
    ([(header::ETAG, etag(entry.generation))], json(&body)).into_response()
}

fn refused(error: &OrderError) -> Response {
    let refusal = match error {
        OrderError::Refused(refusal) => refusal,
        OrderError::Store(error) => return store_failed(error),
        OrderError::Unknown { .. } | _ => {
            return problem(StatusCode::NOT_FOUND, "No such migration", error.to_string());
        }
    };
    let (status, title) = match refusal {
        Refusal::NoReason => (StatusCode::BAD_REQUEST, "A reason is needed"),
        Refusal::NotAllowed { .. } => (StatusCode::FORBIDDEN, "Not with this role"),
        Refusal::NoGeneration { .. } => {
            (StatusCode::PRECONDITION_REQUIRED, "The generation is needed")
        }
        Refusal::Stale { .. } => (StatusCode::PRECONDITION_FAILED, "Generation has moved"),
        Refusal::NotBuilt(_)
        | Refusal::TooSlow { .. }
        | Refusal::Unconfirmed { .. }
        | Refusal::Rule(_)
        | Refusal::UnknownEvidence => (StatusCode::UNPROCESSABLE_ENTITY, "Refused"),
        Refusal::Missing(blockers) => {
            let title = "Not yet";
            return with_missing(title, refusal.to_string(), missing(blockers));
        }
        Refusal::AlreadySo(_)
        | Refusal::NotHere { .. }
        | Refusal::NotFrom { .. }
        | Refusal::NotUp { .. }
        | Refusal::NotDown { .. }
        | Refusal::NothingFollows
        | Refusal::TooManyOpinions
        | _ => (StatusCode::CONFLICT, "Not from here"),
    };
    problem(status, title, refusal.to_string())
}

/// What could not be written has not happened.
pub(super) fn store_failed(error: &StoreError) -> Response {
    let title = "The store refuses";
    problem(StatusCode::SERVICE_UNAVAILABLE, title, error.to_string())
}
