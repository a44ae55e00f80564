//! What is noted of a request that belongs to a trace. Without `[telemetry]` every function here comes back at once.

use super::context::{Context, Facts, host};
use crate::plane::{Plane, Serving};
use crate::trace::{Asked, CopySpan, Ended, Told, Trace};
use cutover::mirror::Mirrored;
use cutover::{Action, Cause, Exchange};
use http::StatusCode;
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use std::sync::Arc;
use std::time::Instant;

/// The request joins its caller's trace, or begins one.
pub(super) fn begin(
    plane: &Plane,
    serving: &Serving,
    session: &Session,
    facts: Facts,
) -> Option<Trace> {
    let tracer = serving.tracer()?;
    let head = session.req_header();
    let believed = facts.peer.is_some_and(|peer| serving.settings().believes(peer));
    let mut trace = tracer.join(&head.headers, believed, plane.engine().clock());
    if let Some(recording) = trace.recording() {
        recording.asked(Asked {
            method: head.method.clone(),
            host: host(head).unwrap_or_default().to_owned(),
            path: head.uri.path().to_owned(),
            version: head.version,
            tls: facts.tls,
            client: facts.client,
        });
    }
    Some(trace)
}

/// An attempt is about to ask the address.
pub(super) fn attempts(trace: &mut Option<Trace>, exchange: &Exchange, address: &str) {
    if let Some(recording) = trace.as_mut().and_then(Trace::recording) {
        recording.attempts(exchange, address);
    }
}

/// The backend is told the trace.
pub(super) fn tell(head: &mut RequestHeader, ctx: &Context) {
    if let (Some(trace), Some(exchange), Some(serving)) = (&ctx.trace, &ctx.exchange, &ctx.serving)
        && let Some(tracer) = serving.tracer()
    {
        tracer.tell(head, trace.parent(), Told::of(exchange, exchange.side()));
    }
}

/// The backend's reply has begun.
pub(super) fn answered(ctx: &mut Context, status: StatusCode) {
    if let Some(recording) = ctx.trace.as_mut().and_then(Trace::recording) {
        recording.answered(status);
    }
}

/// The present attempt failed. The moment, for [`judged`].
pub(super) fn failed(trace: &mut Option<Trace>, cause: Cause) -> Option<Instant> {
    let recording = trace.as_mut().and_then(Trace::recording)?;
    recording.failed(cause);
    Some(recording.now())
}

/// What becomes of the failure.
pub(super) fn judged(
    trace: &mut Option<Trace>,
    cause: Cause,
    action: Action,
    failed_at: Option<Instant>,
) {
    let recording = trace.as_mut().and_then(Trace::recording);
    let (Some(recording), Some(began)) = (recording, failed_at) else { return };
    let action = match action {
        Action::Retry(_) => "retry",
        Action::Respond(_) => "respond",
        Action::Propagate => "propagate",
    };
    recording.judged(cause, action, began);
}

/// The trace of a copy, if the exchange belongs to one.
pub(super) fn copied(
    plane: &Plane,
    trace: &mut Option<Trace>,
    (exchange, serving): (&Exchange, &Arc<Serving>),
    mirrored: &Mirrored,
) -> Option<CopySpan> {
    let tracer = serving.tracer()?;
    let migration = exchange.migration()?;
    let backend = &exchange.snapshot().backend(mirrored.backend()).name;
    let what = (&*migration.name, &**backend, mirrored);
    Some(CopySpan::begin(trace.as_mut()?, tracer, what, plane.engine().clock()))
}

/// The backend of a copy is told the copy's trace.
pub(super) fn tell_copied(
    head: &mut RequestHeader,
    (exchange, serving): (&Exchange, &Serving),
    mirrored: &Mirrored,
    span: Option<&CopySpan>,
) {
    if let (Some(tracer), Some(span)) = (serving.tracer(), span) {
        tracer.tell(head, span.parent(), Told::of(exchange, Some(mirrored.side())));
    }
}

/// The last thing that is noted.
pub(super) fn finish(ctx: &mut Context, status: Option<StatusCode>) {
    let Context { trace: Some(trace), serving: Some(serving), exchange, refused, .. } = ctx else {
        return;
    };
    if let Some(tracer) = serving.tracer() {
        trace.finish(tracer, &Ended { exchange: exchange.as_ref(), status, refused: *refused });
    }
}
