//! What is changed on the way to the backend and on the way back. Runs once per attempt, on a fresh copy each time.

use super::context::{Context, Facts, host};
use super::receive::with_path;
use super::sink::{RequestSink, ResponseSink};
use super::traced;
use crate::forwarded::{self, Origin};
use crate::plane::Serving;
use cutover::{Refused, Role};
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, StatusCode, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

const SIDE: HeaderName = HeaderName::from_static("x-cutover-side");
const REASON: HeaderName = HeaderName::from_static("x-cutover-reason");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Edits the request. Pingora has taken hop-by-hop fields and those named in `Connection` out of it.
pub(super) fn request(
    session: &Session,
    head: &mut RequestHeader,
    ctx: &mut Context,
) -> Result<()> {
    ctx.attempt.body_begun = false;
    traced::tell(head, ctx);
    let Context { facts, exchange: Some(exchange), serving: Some(serving), answer, .. } = ctx
    else {
        return Ok(());
    };
    let path = exchange.request_path(head.uri.path());
    if path != head.uri.path() {
        let uri = with_path(&head.uri, &path)
            .ok_or_else(|| Error::explain(ErrorType::InternalError, "edited path is no path"))?;
        head.set_uri(uri);
    }
    let received = session.req_header();
    say_who_asks(head, received, *facts, serving)?;
    if let Some(host) = serving.backends().pool(exchange.backend()).host() {
        head.insert_header(HOST, host.clone())?;
    }
    exchange
        .edit_request(&facts.view(received), &mut RequestSink(head))
        .map_err(|refused| refuse(answer, &refused))
}

/// The forwarding headers.
pub(super) fn say_who_asks(
    head: &mut RequestHeader,
    received: &RequestHeader,
    facts: Facts,
    serving: &Serving,
) -> Result<()> {
    let Some(peer) = facts.peer else { return Ok(()) };
    let believed = forwarded::is_trusted(&serving.settings().trusted_proxies, peer);
    let origin = Origin { peer, tls: facts.tls, host: host(received).unwrap_or_default() };
    forwarded::apply(origin, believed, &received.headers, &mut RequestSink(head));
    Ok(())
}

/// Edits the reply. Informational replies pass through.
pub(super) fn response(
    session: &mut Session,
    head: &mut ResponseHeader,
    ctx: &mut Context,
) -> Result<()> {
    if head.status.is_informational() {
        return Ok(());
    }
    if let Some(upload) = &mut ctx.upload {
        upload.status = head.status.as_u16();
    }
    strip_hop_by_hop(head);
    if session.req_header().version == Version::HTTP_10 {
        end_with_connection(session, head);
    }
    let Context { facts, exchange: Some(exchange), serving: Some(serving), answer, .. } = ctx
    else {
        return Ok(());
    };
    exchange
        .edit_response(&facts.view(session.req_header()), head.status, &mut ResponseSink(head))
        .map_err(|refused| refuse(answer, &refused))?;
    if serving.settings().debug_headers {
        debug_headers(exchange, head)?;
    }
    Ok(())
}

/// `x-cutover-side` and `x-cutover-reason`.
pub(super) fn debug_headers(exchange: &cutover::Exchange, head: &mut ResponseHeader) -> Result<()> {
    if let Some(side) = exchange.side() {
        head.insert_header(SIDE, HeaderValue::from_static(side.name()))?;
    }
    let reason = match exchange.role() {
        Role::Served => exchange.decision().reason.name(),
        role @ (Role::Fallback | Role::Breaker) => role.name(),
    };
    head.insert_header(REASON, HeaderValue::from_static(reason))
}

fn refuse(answer: &mut Option<(StatusCode, &'static str)>, refused: &Refused) -> Box<Error> {
    let status = refused.status();
    *answer = Some((status, refused.reason()));
    Error::explain(ErrorType::HTTPStatus(status.as_u16()), refused.reason()).into_in()
}

/// HTTP/1.0 knows no chunks (RFC 9112, 7.1), but Pingora puts replies of unknown length into them for everybody.
fn end_with_connection(session: &mut Session, head: &mut ResponseHeader) {
    if head.headers.contains_key(TRANSFER_ENCODING) {
        head.remove_header(&TRANSFER_ENCODING);
        session.set_keepalive(None);
    }
}

/// Pingora does this for requests only. `Connection` itself it writes anew.
fn strip_hop_by_hop(head: &mut ResponseHeader) {
    if head.headers.contains_key(CONNECTION) {
        let is_usual = |token: &[u8]| {
            [&b"close"[..], b"keep-alive", b"upgrade"].iter().any(|t| token.eq_ignore_ascii_case(t))
        };
        let fields = head.headers.get_all(CONNECTION).iter();
        let named: Vec<HeaderName> = fields
            .flat_map(|field| field.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|token| !token.is_empty() && !is_usual(token))
            .filter_map(|token| HeaderName::from_bytes(token).ok())
            .filter(|name| !is_framing(name))
            .collect();
        for name in &named {
            head.remove_header(name);
        }
        head.remove_header(&CONNECTION);
        head.remove_header(&KEEP_ALIVE);
    }
    if head.headers.contains_key(PROXY_CONNECTION) {
        head.remove_header(&PROXY_CONNECTION);
    }
    if head.headers.contains_key(UPGRADE) {
        head.remove_header(&UPGRADE);
    }
}

/// Fields that say where the body ends are not for `Connection` to take away.
fn is_framing(name: &HeaderName) -> bool {
    *name == http::header::CONTENT_LENGTH || *name == TRANSFER_ENCODING
}
