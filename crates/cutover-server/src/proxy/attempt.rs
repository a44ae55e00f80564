//! Attempts: which peer is next, and what becomes of one that failed.
//!
//! Three kinds of "again", in this order. Another address of the same backend, if there was no connection: nothing was
//! sent, so this is for every method. The same backend once more, if a kept connection turned out to be dead, which is
//! no fault of the backend's: for safe requests, and for others if it is certain that nobody began to process them. The
//! other side, if the engine says so. Pingora retries whenever an error has `retry` set, also after a reply has begun,
//! so every error that leaves here has it set on purpose.

use super::context::{Attempt, Context};
use super::traced;
use crate::head_guard::uploads;
use crate::plane::Plane;
use crate::upstream::address::EJECT_AFTER;
use crate::upstream::first_read::FirstRead;
use cutover::core::fallback::is_safe;
use cutover::{Action, Cause, Side};
use http::StatusCode;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result, RetryType};
use std::io;
use std::time::Duration;

/// Dead kept connections one attempt shrugs off.
const MAX_STALE: u8 = 2;

/// The least time an attempt on `old` has for its reply's first byte, and for each pause in its body.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// The peer of the present attempt. Never decides: it follows the exchange.
pub(super) fn peer(
    plane: &Plane,
    session: &mut Session,
    ctx: &mut Context,
) -> Result<Box<HttpPeer>> {
    loop {
        let (Some(exchange), Some(serving)) = (&ctx.exchange, &ctx.serving) else {
            return Error::e_explain(ErrorType::InternalError, "no exchange");
        };
        let pool = serving.backends().pool(exchange.backend());
        let clock = plane.engine().clock();
        // Pingora has one limit for the reply's header and for pauses in its body. Where pauses are to be expected the
        // deadline for falling back must not end the reply.
        // Nobody answers after `old`: what little time is left when it is asked must not cut its reply short.
        let least = if exchange.side() == Some(Side::Old) { LAST_CHANCE } else { Duration::ZERO };
        let left = exchange.time_left().filter(|_| !ctx.facts.event_stream);
        let left = left.map(|left| left.max(least));
        ctx.attempt.hurried = left.is_some_and(|left| left < pool.connect_timeout());
        let chosen = pool.peer(&ctx.attempt.tried, || clock.now(), left, ctx.facts.websocket);
        if let Some((mut peer, flight)) = chosen {
            traced::attempts(&mut ctx.trace, exchange, flight.address().text());
            ctx.attempt.flight = Some(flight);
            // A body may be asked for by `100 Continue`, which must not be kept back.
            let waits = ctx.facts.websocket && !ctx.facts.has_body;
            ctx.attempt.first_read = waits.then(|| FirstRead::of(&mut peer)).flatten();
            return Ok(peer);
        }
        if !judge(session, ctx, Cause::Connect, None) {
            return Err(Error::explain(ErrorType::ConnectNoRoute, "no address known").into_up());
        }
    }
}

/// There is a connection.
pub(super) fn connected(ctx: &Context, reused: bool) {
    if let (false, Some(flight)) = (reused, &ctx.attempt.flight) {
        flight.address().connected();
    }
    if let Some(first_read) = &ctx.attempt.first_read {
        first_read.hold();
    }
    if let (Some(exchange), Some(serving)) = (&ctx.exchange, &ctx.serving) {
        uploads::connected(serving.backends().pool(exchange.backend()).timeout());
    }
}

/// The request's header is out; now its body, or the end of an empty one.
pub(super) fn sending_body(ctx: &mut Context, end: bool) {
    ctx.attempt.body_begun = true;
    if let (true, Some(first_read)) = (end, &ctx.attempt.first_read) {
        first_read.release();
    }
}

/// There is none.
pub(super) fn not_connected(
    plane: &Plane,
    session: &Session,
    ctx: &mut Context,
    mut error: Box<Error>,
) -> Box<Error> {
    // An address that was given less time than it is meant to have has proved nothing.
    let unproven = ctx.attempt.hurried && is_timeout(&error);
    if let Some(flight) = ctx.attempt.flight.take() {
        let address = flight.address();
        traced::failed(&mut ctx.trace, Cause::Connect);
        ctx.attempt.tried.add(address.socket());
        let now = plane.engine().clock().now();
        let failures = if unproven { 0 } else { address.connect_failed(now) };
        if failures == 1 || failures == EJECT_AFTER {
            tracing::warn!(address = address.text(), failures, %error, "no connection to a backend");
        }
    }
    let elsewhere = has_another_address(ctx) || judge(session, ctx, Cause::Connect, None);
    error.set_retry(elsewhere);
    error
}

/// A connection broke, a time limit passed, or a filter of ours stopped the attempt.
pub(super) fn broken(
    session: &Session,
    ctx: &mut Context,
    mut error: Box<Error>,
    reused: bool,
) -> Box<Error> {
    let retry = if std::mem::take(&mut ctx.retry) {
        true
    } else if *error.esource() == ErrorSource::Upstream && !session.was_upgraded() {
        may_be_sent_again(session, ctx, &error, reused) || judge(session, ctx, cause(&error), None)
    } else {
        false
    };
    error.set_retry(retry);
    error
}

/// The backend answered. A 5xx is a failure too; one that is not retried goes to the client as it is.
pub(super) fn answered(
    session: &Session,
    response: &ResponseHeader,
    ctx: &mut Context,
) -> Result<()> {
    if !response.status.is_informational() {
        traced::answered(ctx, response.status);
    }
    if !response.status.is_server_error() {
        return Ok(());
    }
    if judge(session, ctx, Cause::Status, Some(response.status)) {
        ctx.retry = true;
        return Err(Error::explain(
            ErrorType::HTTPStatus(response.status.as_u16()),
            "to be retried",
        ));
    }
    match ctx.answer {
        Some((status, why)) => Err(Error::explain(ErrorType::HTTPStatus(status.as_u16()), why)),
        None => Ok(()),
    }
}

/// Tells the engine that the present attempt failed. `true`: the exchange has moved on, try again.
fn judge(session: &Session, ctx: &mut Context, cause: Cause, status: Option<StatusCode>) -> bool {
    let Some(exchange) = &mut ctx.exchange else { return false };
    if std::mem::replace(&mut ctx.attempt.judged, true) {
        return false;
    }
    ctx.failed.get_or_insert(cause);
    let failed_at = traced::failed(&mut ctx.trace, cause);
    let view = ctx.facts.view(session.req_header());
    let replayable = !session.retry_buffer_truncated();
    let action = exchange.failed(&view, cause, status, replayable, has_begun(session));
    traced::judged(&mut ctx.trace, cause, action, failed_at);
    match action {
        Action::Retry(_) => {
            ctx.attempt = Attempt::default();
            true
        }
        Action::Respond(status) => {
            ctx.answer = Some((status, "fallback-plugin"));
            false
        }
        Action::Propagate => false,
    }
}

/// Has a part of the reply reached the client? Informational replies do not count.
pub(super) fn has_begun(session: &Session) -> bool {
    session.response_written().is_some_and(|reply| {
        !reply.status.is_informational() || reply.status == StatusCode::SWITCHING_PROTOCOLS
    })
}

fn has_another_address(ctx: &Context) -> bool {
    let (Some(exchange), Some(serving)) = (&ctx.exchange, &ctx.serving) else { return false };
    let in_time = exchange.time_left().is_none_or(|left| !left.is_zero());
    in_time && serving.backends().pool(exchange.backend()).has_more_than(&ctx.attempt.tried)
}

/// The same request to the same backend once more?
fn may_be_sent_again(session: &Session, ctx: &mut Context, error: &Error, reused: bool) -> bool {
    let Some(exchange) = &ctx.exchange else { return false };
    let safe = is_safe(&session.req_header().method) && !exchange.decision().write;
    let harmless = is_untouched(ctx, error, reused) || (safe && is_stale(error, reused));
    let whole = !session.retry_buffer_truncated() && !has_begun(session);
    let in_time = exchange.time_left().is_none_or(|left| !left.is_zero());
    if !(harmless && whole && in_time && ctx.attempt.stale < MAX_STALE) {
        return false;
    }
    ctx.attempt.stale += 1;
    traced::failed(&mut ctx.trace, cause(error));
    true
}

/// Is it certain that the backend has not begun to process the request (RFC 9110, 9.2.2)?
fn is_untouched(ctx: &Context, error: &Error, reused: bool) -> bool {
    // It says so: REFUSED_STREAM, or GOAWAY and the stream is above the last it will look at (RFC 9113, 8.7). Pingora
    // marks nothing else with these two.
    let refused = matches!(error.etype(), ErrorType::H2Error)
        && matches!(error.retry, RetryType::Decided(true));
    // A kept HTTP/1 connection refused a part of the request's header. Who never got the whole header has no request.
    // Errors of this type that come later are about the body.
    let unwritten =
        matches!(error.etype(), ErrorType::WriteError) && reused && !ctx.attempt.body_begun;
    refused || unwritten
}

/// A kept connection that the backend, or something in between, closed in the moment we used it.
fn is_stale(error: &Error, reused: bool) -> bool {
    if matches!(error.retry, RetryType::Decided(true)) {
        return true;
    }
    let unwritten = matches!(error.etype(), ErrorType::WriteError);
    let io = error.root_cause().downcast_ref::<io::Error>();
    // TLS that ends without a word of goodbye.
    let cut = matches!(error.etype(), ErrorType::ReadError)
        && io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof);
    reused && (matches!(error.retry, RetryType::ReusedOnly) || unwritten || cut)
}

fn cause(error: &Error) -> Cause {
    if is_timeout(error) { Cause::Timeout } else { Cause::Reset }
}

/// Did a time limit pass?
pub(super) fn is_timeout(error: &Error) -> bool {
    matches!(
        error.etype(),
        ErrorType::ReadTimedout
            | ErrorType::WriteTimedout
            | ErrorType::ConnectTimedout
            | ErrorType::TLSHandshakeTimedout
    )
}
