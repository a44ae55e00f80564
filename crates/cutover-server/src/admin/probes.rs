//! Probes, metrics and version.

use super::AdminState;
use super::reply::{json, problem};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process answers.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// The process accepts requests.
pub(super) async fn readyz(State(state): State<AdminState>) -> Response {
    if state.server.is_ready() {
        return "ok\n".into_response();
    }
    problem(StatusCode::SERVICE_UNAVAILABLE, "Not ready", "This process is draining.")
}

pub(super) async fn metrics(State(state): State<AdminState>) -> Response {
    let mut text = String::with_capacity(16 * 1024);
    // Writing to a string cannot fail.
    let _ = state.server.engine.metrics().encode(&mut text);
    // The engine may have ended the text already; the others' series belong before the end.
    if let Some(body) = text.strip_suffix("# EOF\n") {
        text.truncate(body.len());
    }
    state.server.proxy.metrics(&mut text);
    state.server.guard.encode(&mut text);
    text.push_str("# EOF\n");
    ([(header::CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS))], text).into_response()
}

pub(super) async fn version() -> Response {
    json(&serde_json::json!({ "name": "cutover", "version": env!("CARGO_PKG_VERSION") }))
}
