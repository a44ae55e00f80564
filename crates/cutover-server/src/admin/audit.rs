//! The audit log: read, and held against its hashes.

use super::AdminState;
use super::migrations::aside;
use super::orders::store_failed;
use super::reply::{json, problem};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use cutover::store::StoreError;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

/// Records in one answer.
const MOST: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    #[serde(default)]
    from: Option<u64>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    last: Option<usize>,
    #[serde(default)]
    migration: Option<String>,
}

/// `?from=1&limit=100&migration=profile`, and `next` continues it; or the `last` ones, in the same order.
pub(super) async fn show(
    State(state): State<AdminState>,
    range: Result<Query<Range>, QueryRejection>,
) -> Response {
    let Ok(Query(range)) = range else {
        let detail = "It takes migration=NAME, and from=NUMBER with limit=NUMBER, or last=NUMBER.";
        return problem(StatusCode::BAD_REQUEST, "Malformed request", detail);
    };
    let shown = aside(move || {
        let (from, limit) = (range.from.unwrap_or(1), range.limit.unwrap_or(100).clamp(1, MOST));
        let (conductor, migration) = (&state.server.conductor, range.migration.as_deref());
        let records = match range.last {
            Some(last) => conductor.recent(last.clamp(1, MOST), migration).map(|mut records| {
                records.reverse();
                records
            }),
            None => conductor.audit(from, limit, migration),
        };
        match records {
            Ok(records) => {
                let full = range.last.is_none() && records.len() == limit;
                let next = records.last().filter(|_| full).map(|record| record.seq + 1);
                json(&json!({ "records": records, "next": next }))
            }
            Err(error) => store_failed(&error),
        }
    });
    shown.await
}

/// Is it whole?
pub(super) async fn verify(State(state): State<AdminState>) -> Response {
    let verified = aside(move || match state.server.conductor.verify() {
        Ok(verified) => json(&json!({
            "whole": true,
            "records": verified.head.seq,
            "head": verified.head.to_string(),
            "text": verified.to_string(),
        })),
        Err(error @ StoreError::Broken(_)) => {
            problem(StatusCode::CONFLICT, "The audit log is broken", error.to_string())
        }
        Err(error) => store_failed(&error),
    });
    verified.await
}
