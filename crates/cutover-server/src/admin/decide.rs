//! Why would this request go where it goes?

use super::AdminState;
use super::reply::{json, problem};
use crate::explain::Question;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;

/// `?method=GET&host=…&path=/x&header=k:%20v&header=…`
pub(super) async fn by_query(
    State(state): State<AdminState>,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&state, Question::from_query(query.as_deref().unwrap_or_default()))
}

/// `{"method": "GET", "host": "…", "path": "/x", "headers": {"k": "v"}}`
pub(super) async fn by_body(State(state): State<AdminState>, body: Bytes) -> Response {
    let question = serde_json::from_slice::<Question>(&body).map_err(|error| error.to_string());
    answer(&state, question)
}

fn answer(state: &AdminState, question: Result<Question, String>) -> Response {
    match question.and_then(|question| question.ask(&state.server.engine)) {
        Ok(explanation) => json(&explanation),
        Err(detail) => problem(StatusCode::BAD_REQUEST, "Malformed request", detail),
    }
}
