//! What both sides did over time, for charts.

use super::AdminState;
use super::migrations::{aside, unknown};
use super::reply::{json, problem};
use crate::server::Shared;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cutover::Installed;
use cutover::core::evidence::{Answer, Gate};
use cutover::series::{Answers, Percentiles, Point};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A day is kept.
const LONGEST_S: u64 = 86_400;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    #[serde(default = "an_hour")]
    seconds: u64,
}

fn an_hour() -> u64 {
    3_600
}

pub(super) async fn show(
    State(state): State<AdminState>,
    Path(name): Path<String>,
    span: Result<Query<Span>, QueryRejection>,
) -> Response {
    let span = match span {
        Ok(Query(Span { seconds })) if (1..=LONGEST_S).contains(&seconds) => seconds,
        _ => {
            let detail = format!("It takes seconds=NUMBER, 1 to {LONGEST_S}.");
            return problem(StatusCode::BAD_REQUEST, "Malformed request", detail);
        }
    };
    aside(move || {
        let views = state.server.conductor.glance();
        let Some(view) = views.iter().find(|view| *view.name == *name) else {
            return unknown(&name);
        };
        let drawn = state.server.series.of(&name, Duration::from_secs(span));
        let (step, points) = drawn.unwrap_or((cutover::series::FINE, Vec::new()));
        let limit = |gate: Gate| {
            view.gates.iter().find(|answer| answer.gate == gate).map(Answer::threshold)
        };
        let limits = json!({
            "errors": limit(Gate::Errors),
            "mismatch": limit(Gate::Mismatch),
            "latencyMs": view.slow.map(ms),
        });
        json(&shown(&name, step, &points, &limits))
    })
    .await
}

fn shown(name: &str, step: Duration, points: &[Point], limits: &Value) -> Value {
    let each = |of: &dyn Fn(&Point) -> Value| points.iter().map(of).collect::<Value>();
    let percent = |percent: cutover::core::Percent| f64::from(percent.thousandths()) / 1_000.0;
    json!({
        "name": name,
        "stepMs": step.as_millis() as u64,
        "t": each(&|point| point.end_ms.into()),
        "share": each(&|point| point.share().into()),
        "readPercent": each(&|point| percent(point.read_percent).into()),
        "mirrorPercent": each(&|point| percent(point.mirror_percent).into()),
        "old": side(points, |point| &point.old),
        "new": side(points, |point| &point.new),
        "newCopies": side(points, |point| &point.copies),
        "fallbacks": each(&|point| point.fallbacks.into()),
        "compared": each(&|point| point.compared.into()),
        "mismatched": each(&|point| point.mismatched.into()),
        "limits": limits,
    })
}

/// What both sides of a migration did in the last minute; null as long as nobody has looked.
pub(super) fn lately(server: &Shared, current: &Installed, name: &str) -> Value {
    let now_ms = server.engine.clock().unix_ms();
    let Some((over, point)) = server.series.lately(current, name, now_ms) else {
        return Value::Null;
    };
    let side = |answers: &Answers| {
        json!({
            "requests": answers.requests,
            "errors": answers.errors,
            "p50Ms": answers.times.map(|times| ms(times.p50)),
            "p99Ms": answers.times.map(|times| ms(times.p99)),
        })
    };
    json!({
        "overMs": over.as_millis() as u64,
        "old": side(&point.old),
        "new": side(&point.new),
        "newCopies": side(&point.copies),
        "fallbacks": point.fallbacks,
    })
}

/// What one side did, by step.
fn side(points: &[Point], side: impl Fn(&Point) -> &Answers) -> Value {
    let counts =
        |of: fn(&Answers) -> u64| -> Value { points.iter().map(|point| of(side(point))).collect() };
    let times = |of: fn(&Percentiles) -> Duration| -> Value {
        points.iter().map(|point| side(point).times.as_ref().map(|times| ms(of(times)))).collect()
    };
    json!({
        "requests": counts(|answers| answers.requests),
        "errors": counts(|answers| answers.errors),
        "p50Ms": times(|times| times.p50),
        "p95Ms": times(|times| times.p95),
        "p99Ms": times(|times| times.p99),
    })
}

/// Milliseconds, to a microsecond.
pub(super) fn ms(span: Duration) -> f64 {
    span.as_micros() as f64 / 1e3
}
