//! Replies of the admin API.

use crate::problem::{CONTENT_TYPE, Problem};
use axum::Json;
use axum::response::{IntoResponse as _, Response};
use cutover::config::Report;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

/// A problem.
pub(super) fn problem(status: StatusCode, title: &str, detail: impl Into<String>) -> Response {
    send(status, &Problem::new(status, title, detail))
}

/// A configuration that is refused, with its findings one by one.
pub(super) fn refused_config(report: &Report) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut problem = Problem::new(status, "Configuration refused", report.to_string());
    let findings = report.findings.iter().filter_map(|finding| serde_json::to_value(finding).ok());
    problem.findings = findings.collect();
    send(status, &problem)
}

/// What stands in the way, one by one.
pub(super) fn with_missing(title: &str, detail: String, missing: Vec<Value>) -> Response {
    let status = StatusCode::CONFLICT;
    send(status, &Problem { missing, ..Problem::new(status, title, detail) })
}

fn send(status: StatusCode, problem: &Problem) -> Response {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))];
    (status, headers, problem.to_body()).into_response()
}

/// JSON that no cache keeps.
pub(super) fn json(body: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

pub(super) async fn no_such_path() -> Response {
    let detail = "GET /admin/v1/openapi.json lists what there is.";
    problem(StatusCode::NOT_FOUND, "No such endpoint", detail)
}

pub(super) async fn no_such_method() -> Response {
    let detail = "GET /admin/v1/openapi.json lists what there is.";
    problem(StatusCode::METHOD_NOT_ALLOWED, "No such method here", detail)
}
