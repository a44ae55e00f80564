//! The end of an exchange: replies that cutover makes itself, the outcome, and the line in the access log.

use super::attempt::{has_begun, is_timeout};
use super::context::{Context, host};
use super::forward::debug_headers;
use super::receive::Refusal;
use super::{grpc, traced};
use crate::access_log::{Decided, Record};
use crate::problem::{CONTENT_TYPE, Problem, ReplyId, SERVER};
use crate::trace::{Trace, named_by};
use cutover::{Exchange, Outcome};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH};
use http::{Method, StatusCode, Version};
use pingora::http::ResponseHeader;
use pingora::proxy::{FailToProxy, Session};
use pingora::{Error, ErrorSource, ErrorType, Result};
use std::io;
use std::time::Duration;

/// Answers a request that is not forwarded.
pub(super) async fn refuse(
    session: &mut Session,
    ctx: &mut Context,
    refusal: &Refusal,
) -> Result<()> {
    ctx.refused = Some(refusal.name());
    write(session, ctx, refusal.status(), &refusal.detail()).await
}

/// Answers an exchange whose last attempt failed, unless a reply has begun or the client is gone.
pub(super) async fn fail(session: &mut Session, ctx: &mut Context, error: &Error) -> FailToProxy {
    let (status, why) = match ctx.answer {
        Some(answer) => answer,
        None => verdict(error),
    };
    ctx.refused = Some(why);
    let gone =
        *error.esource() == ErrorSource::Downstream && is_dead(error) && !is_malformed(error);
    let error_code = if gone { 0 } else { status.as_u16() };
    if !gone && !has_begun(session) {
        // Pingora closes the connection after an error; say so.
        session.set_keepalive(None);
        if let Err(error) = write(session, ctx, status, detail(why)).await {
            tracing::debug!(%error, "the client left before it was told");
        }
    }
    FailToProxy { error_code, can_reuse_downstream: false }
}

/// Status and name of an error.
fn verdict(error: &Error) -> (StatusCode, &'static str) {
    let bad_header = matches!(error.etype(), ErrorType::InvalidHTTPHeader);
    match error.esource() {
        ErrorSource::Upstream if is_timeout(error) => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
        ErrorSource::Upstream if is_no_connection(error) => (StatusCode::BAD_GATEWAY, "connect"),
        ErrorSource::Upstream if bad_header => (StatusCode::BAD_GATEWAY, "bad-reply"),
        ErrorSource::Upstream => (StatusCode::BAD_GATEWAY, "reset"),
        ErrorSource::Downstream if is_timeout(error) => (StatusCode::REQUEST_TIMEOUT, "slow-body"),
        ErrorSource::Downstream => (StatusCode::BAD_REQUEST, "bad-request"),
        ErrorSource::Internal | ErrorSource::Unset => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

/// What a name in the log means, for the client.
fn detail(why: &str) -> &'static str {
    match why {
        "timeout" => "the backend did not answer in time",
        "connect" => "no connection to the backend",
        "reset" => "the backend broke the connection before its reply was complete",
        "bad-reply" => "the backend's reply is not HTTP",
        "slow-body" => "the rest of the request's body did not arrive in time",
        "bad-request" => "the request cannot be forwarded: its header or body is malformed",
        "plugin" => "a plugin that guards this route failed, and refuses then",
        "fallback-plugin" => {
            "the backend failed, and the migration's fallback plugin answers for it"
        }
        _ => "something went wrong inside cutover; its log has this id",
    }
}

fn is_no_connection(error: &Error) -> bool {
    matches!(
        error.etype(),
        ErrorType::ConnectRefused
            | ErrorType::ConnectNoRoute
            | ErrorType::ConnectError
            | ErrorType::SocketError
            | ErrorType::TLSHandshakeFailure
            | ErrorType::InvalidCert
            | ErrorType::HandshakeError
    )
}

fn is_dead(error: &Error) -> bool {
    matches!(
        error.etype(),
        ErrorType::WriteError
            | ErrorType::WriteTimedout
            | ErrorType::ReadError
            | ErrorType::ConnectionClosed
            | ErrorType::H2Error
    )
}

/// The head guard found a body that cannot be read on; its client is there, and can be told.
fn is_malformed(error: &Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidData)
}

/// Writes a reply of our own, in the words of whoever asks.
async fn write(
    session: &mut Session,
    ctx: &mut Context,
    status: StatusCode,
    detail: &str,
) -> Result<()> {
    let asked = session.req_header();
    if asked.version == Version::HTTP_2 && grpc::is_call(&asked.headers) {
        let why = format!("{detail}; id {}", ctx.id());
        let mut head = grpc::trailers_only(status, &why)?;
        sign(&mut head, ctx)?;
        grpc::write(session, head)?;
    } else {
        write_problem(session, ctx, status, detail).await?;
    }
    ctx.answered = Some(status);
    Ok(())
}

async fn write_problem(
    session: &mut Session,
    ctx: &mut Context,
    status: StatusCode,
    detail: &str,
) -> Result<()> {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = Problem::with_id(ctx.id(), status, title, detail).to_body();
    let mut head = ResponseHeader::build(status, Some(6))?;
    head.insert_header(http::header::CONTENT_TYPE, CONTENT_TYPE)?;
    head.insert_header(CACHE_CONTROL, "no-store")?;
    head.insert_header(CONTENT_LENGTH, body.len())?;
    sign(&mut head, ctx)?;
    let bare = session.req_header().method == Method::HEAD;
    session.write_response_header(Box::new(head), bare).await?;
    if !bare {
        session.write_response_body(Some(body.into()), true).await?;
    }
    Ok(())
}

/// Says who answers, and for whom.
fn sign(head: &mut ResponseHeader, ctx: &Context) -> Result<()> {
    head.insert_header(http::header::SERVER, SERVER)?;
    if let (Some(exchange), Some(serving)) = (&ctx.exchange, &ctx.serving)
        && serving.settings().debug_headers
    {
        debug_headers(exchange, head)?;
    }
    Ok(())
}

/// Records the exchange. The last callback of every request.
pub(super) fn finish(session: &Session, ctx: &mut Context, error: Option<&Error>) {
    ctx.upload = None;
    // What we have said in gRPC's words has 200 written on it.
    let status = ctx.answered.or_else(|| session.response_written().map(|reply| reply.status));
    if ctx.serving.as_ref().is_some_and(|serving| serving.log().is_some()) {
        log(session, ctx, status);
    }
    ctx.attempt.flight = None;
    traced::finish(ctx, status);
    if let Some(exchange) = ctx.exchange.take() {
        exchange.finish(outcome(status, ctx.answered.is_some(), error));
    }
}

fn outcome(status: Option<StatusCode>, ours: bool, error: Option<&Error>) -> Outcome {
    match (error, status) {
        (Some(error), _) if *error.esource() == ErrorSource::Downstream => Outcome::ClientGone,
        // A reply of our own says what happened; a backend's reply that broke off does not.
        (Some(_), Some(status)) if ours => Outcome::Replied(status),
        (Some(_), _) | (None, None) => Outcome::Broken,
        (None, Some(status)) => Outcome::Replied(status),
    }
}

fn log(session: &Session, ctx: &mut Context, status: Option<StatusCode>) {
    let head = session.req_header();
    let id = ctx.id();
    let Some(log) = ctx.serving.as_ref().and_then(|serving| serving.log()) else { return };
    log.write(&Record {
        method: head.method.as_str(),
        host: host(head).unwrap_or_default(),
        path: head.uri.path(),
        protocol: protocol(head.version),
        status: status.map_or(0, |status| status.as_u16()),
        bytes_in: session.body_bytes_read() as u64,
        bytes_out: session.body_bytes_sent() as u64,
        trace: ctx.trace.as_ref().map(Trace::id).or_else(|| named_by(&head.headers)),
        ..record(ctx, id)
    });
}

/// The line of an exchange over HTTP/2 that is given up because its upload stopped: no callback will come.
pub(super) fn log_stopped(ctx: &mut Context) {
    let Some(asked) = ctx.upload.take() else { return };
    let id = ctx.id();
    ctx.refused = Some("slow-body");
    traced::finish(ctx, StatusCode::from_u16(asked.status).ok());
    let Some(log) = ctx.serving.as_ref().and_then(|serving| serving.log()) else { return };
    log.write(&Record {
        method: asked.method.as_str(),
        host: &asked.host,
        path: &asked.path,
        protocol: protocol(Version::HTTP_2),
        status: asked.status,
        ..record(ctx, id)
    });
}

/// What the context knows of a line.
fn record(ctx: &Context, id: ReplyId) -> Record<'_> {
    let exchange = ctx.exchange.as_ref();
    let address = ctx.attempt.flight.as_ref().map(|flight| flight.address().text());
    Record {
        began_ms: ctx.facts.began_ms,
        id,
        client: ctx.facts.client,
        method: "",
        host: "",
        path: "",
        protocol: "",
        status: 0,
        bytes_in: 0,
        bytes_out: 0,
        trace: ctx.trace.as_ref().map(Trace::id),
        took: exchange.map_or(Duration::ZERO, Exchange::elapsed),
        attempts: exchange.map_or(0, Exchange::attempt),
        decided: exchange.map(|exchange| decided(exchange, address)),
        failed: ctx.failed.map(|cause| cause.name()),
        refused: ctx.refused,
    }
}

fn decided<'a>(exchange: &'a Exchange, address: Option<&'a str>) -> Decided<'a> {
    let snapshot = exchange.snapshot();
    let decision = exchange.decision();
    Decided {
        migration: decision
            .migration
            .zip(exchange.side())
            .map(|((id, _), side)| (&*snapshot.migration(id).name, side)),
        role: exchange.role(),
        reason: decision.reason,
        cohort: decision.bucket,
        generation: exchange.generation(),
        backend: &snapshot.backend(exchange.backend()).name,
        address,
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}
