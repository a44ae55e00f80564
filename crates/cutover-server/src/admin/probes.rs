//! Probes, metrics and version.

use super::AdminState;
use super::migrations::aside;
use super::reply::{json, problem};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::collections::HashSet;

const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
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

/// Off the control thread: the conductor may be waiting for a disk.
pub(super) async fn metrics(State(state): State<AdminState>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let classic = accept.is_some_and(prefers_classic);
    aside(move || {
        let text = exposition(&state);
        let (kind, text) =
            if classic { (CLASSIC, in_classic_form(&text)) } else { (OPEN_METRICS, text) };
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
    })
    .await
}

/// Is the classic form wanted more (RFC 9110, 12.5.1)? Whoever says nothing of either, or likes both alike, gets the newer
/// one.
fn prefers_classic(accept: &str) -> bool {
    weight(accept, "text/plain") > weight(accept, "application/openmetrics-text")
}

/// What a media type that is named counts, in thousandths; 0 if it is not named, for a wildcard says nothing of which.
fn weight(accept: &str, wanted: &str) -> u32 {
    let named = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().filter(|name| name.eq_ignore_ascii_case(wanted));
        name.map(|_| {
            let q = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            let q = q.map_or(Ok(1.0), str::parse::<f64>).unwrap_or(0.0);
            (q.clamp(0.0, 1.0) * 1e3) as u32
        })
    });
    named.max().unwrap_or(0)
}

/// The text format that was there before OpenMetrics: counters are named with their suffix, units and the end are not
/// told.
fn in_classic_form(text: &str) -> String {
    let counters: HashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|head| {
            let (name, rest) = line.strip_prefix(head)?.split_once(' ')?;
            counters.contains(name).then(|| format!("{head}{name}_total {rest}"))
        });
        classic.push_str(described.as_deref().unwrap_or(line));
        classic.push('\n');
    }
    classic
}

fn exposition(state: &AdminState) -> String {
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
    text
}

pub(super) async fn version() -> Response {
    json(&serde_json::json!({ "name": "cutover", "version": env!("CARGO_PKG_VERSION") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_is_wanted_more() {
        for (accept, classic) in [
            ("*/*", false),
            ("", false),
            ("text/plain", true),
            (
                "text/plain;version=0.0.4;q=0.3, application/openmetrics-text;version=1.0.0;q=0.5",
                false,
            ),
            ("application/openmetrics-text;q=0.2, text/plain;version=0.0.4;q=0.9", true),
            ("text/plain, application/openmetrics-text", false),
            ("application/openmetrics-text; q=0, text/plain; q=0.1", true),
            ("text/plain;q=none", false),
            (
                "application/vnd.google.protobuf;proto=x, Text/Plain;version=0.0.4;q=0.4,*/*;q=0.1",
                true,
            ),
        ] {
            assert_eq!(prefers_classic(accept), classic, "{accept}");
        }
    }
}
