//! From a request's header to a decision: connection limits, normal form of the path, host, and the engine.

use super::context::{Asked, Context, Facts, host};
use super::{mirrored, traced};
use crate::forwarded;
use crate::head_guard::Refusal as Head;
use crate::plane::{Plane, ProxySettings, Serving};
use crate::trace::Trace;
use crate::upstream::WEBSOCKET_IDLE;
use cutover::core::path::{PathError, normalise};
use cutover::{Exchange, Refused};
use http::header::{ACCEPT, CONNECTION, HOST, UPGRADE};
use http::{StatusCode, Uri, Version};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use std::borrow::Cow;
use std::sync::Arc;

/// Why a request is not forwarded.
#[derive(Debug)]
pub(super) enum Refusal {
    /// More header fields than are allowed, over HTTP/2.
    Fields,
    /// Its path has no normal form.
    Path(PathError),
    /// Its path is not UTF-8, or not a path.
    Target,
    /// No host, or one that is not text.
    Host,
    /// The engine says no.
    Engine(Refused),
    /// Nothing is installed.
    NotReady,
}

impl Refusal {
    /// What the client gets.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Fields => Head::TooManyFields.status(),
            Self::Path(_) | Self::Target | Self::Host => StatusCode::BAD_REQUEST,
            Self::Engine(refused) => refused.status(),
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The name in the log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Fields => Head::TooManyFields.name(),
            Self::Path(_) | Self::Target => "bad-path",
            Self::Host => "bad-host",
            Self::Engine(refused) => refused.reason(),
            Self::NotReady => "not-ready",
        }
    }

    /// What is wrong, for a person.
    pub(super) fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Fields => Head::TooManyFields.detail().into(),
            Self::Path(PathError::NotAbsolute) => "the path must begin with /".into(),
            Self::Path(PathError::EncodedSlash) => {
                "the path holds an encoded slash or a backslash, which servers read differently"
                    .into()
            }
            Self::Path(PathError::Nul) => "the path holds a NUL".into(),
            Self::Path(PathError::BadEscape) => "the path holds a % without two hex digits".into(),
            Self::Path(_) => "the path has no normal form".into(),
            Self::Target => "the request target is not a path in UTF-8".into(),
            Self::Host => "the request needs one Host header, in ASCII".into(),
            Self::Engine(refused) => refused.to_string().into(),
            Self::NotReady => "no configuration is in force yet".into(),
        }
    }
}

/// Decides. On success the context holds the exchange; its generation in any case, for the access log.
pub(super) fn begin(
    plane: &Plane,
    session: &mut Session,
    ctx: &mut Context,
) -> Result<(), Refusal> {
    ctx.serving = plane.newest();
    let settings = ctx.serving.as_ref().map_or(plane.settings(), |serving| serving.settings());
    limit(session, settings);
    ctx.facts = facts(plane, session, settings);
    if ctx.facts.websocket {
        session.set_read_timeout(Some(WEBSOCKET_IDLE));
    }
    let head = session.req_header();
    // The bytes of a header are bounded by `h2`, which has no bound for the number of fields.
    if head.version == Version::HTTP_2 && head.headers.len() > settings.max_headers {
        return Err(Refusal::Fields);
    }
    if head.version == Version::HTTP_2 && ctx.facts.has_body {
        ctx.upload = Some(Box::new(Asked {
            method: head.method.clone(),
            host: host(head).unwrap_or_default().to_owned(),
            path: head.uri.path().to_owned(),
            status: 0,
        }));
    }
    let serving = ctx.serving.as_ref().ok_or(Refusal::NotReady)?;
    let doubles = serving.lookalikes().among(&session.req_header().headers);
    if !doubles.is_empty() {
        for name in &doubles {
            session.req_header_mut().remove_header(name);
        }
        plane.lookalikes_removed(doubles.len());
    }
    let peer = ctx.facts.peer;
    mirrored::unmark(session, || peer.is_some_and(|peer| serving.settings().believes(peer)));
    ctx.trace = traced::begin(plane, serving, session, ctx.facts);
    let timed = ctx.trace.as_ref().is_some_and(Trace::is_recorded);
    ctx.exchange = Some(decide(serving, session, ctx.facts, timed)?);
    Ok(())
}

/// Begins on the generation that `serving` is, whatever is installed meanwhile: its backends are at hand.
fn decide(
    serving: &Serving,
    session: &mut Session,
    facts: Facts,
    timed: bool,
) -> Result<Exchange, Refusal> {
    to_normal_form(session.req_header_mut())?;
    let head = session.req_header();
    check_host(head)?;
    let (installed, view) = (Arc::clone(serving.installed()), facts.view(head));
    let begun = if timed { installed.begin_timed(&view) } else { installed.begin(&view) };
    begun.map_err(Refusal::Engine)
}

/// Pingora's own keep-alive has no limit, and then the next header has none either.
fn limit(session: &mut Session, settings: &ProxySettings) {
    if session.get_keepalive() == Some(0) {
        session.set_keepalive(Some(settings.idle_timeout.as_secs().max(1)));
    }
    session.set_read_timeout(Some(settings.idle_timeout));
    session.set_write_timeout(Some(settings.idle_timeout));
    // HTTP/1.0 knows no replies before the reply (RFC 9110, 15.2).
    let old = session.req_header().version == Version::HTTP_10;
    session.set_ignore_info_resp(old);
    // Pingora reads one `Connection` field.
    let closes = session.req_header().headers.get_all(CONNECTION).iter().skip(1).any(|field| {
        let mut tokens = field.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        tokens.any(|token| token.eq_ignore_ascii_case(b"close"))
    });
    if closes {
        session.set_keepalive(None);
    }
}

fn facts(plane: &Plane, session: &mut Session, settings: &ProxySettings) -> Facts {
    let has_body = !session.is_body_empty();
    let peer = session.client_addr().and_then(|address| address.as_inet()).map(|inet| inet.ip());
    let head = session.req_header();
    Facts {
        began_ms: plane.engine().clock().unix_ms(),
        peer,
        client: peer.map(|peer| forwarded::client(&settings.trusted_proxies, peer, &head.headers)),
        tls: session.digest().is_some_and(|digest| digest.ssl_digest.is_some()),
        has_body,
        websocket: head.version == Version::HTTP_11
            && head
                .headers
                .get(UPGRADE)
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket")),
        event_stream: head
            .headers
            .get(ACCEPT)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")),
    }
}

/// What is matched is what is forwarded: the path in normal form, the target in origin form.
fn to_normal_form(head: &mut RequestHeader) -> Result<(), Refusal> {
    if !head.raw_path_is_utf8() {
        return Err(Refusal::Target);
    }
    let rewritten = match normalise(head.uri.path()).map_err(Refusal::Path)? {
        Cow::Owned(path) => Some(with_path(&head.uri, &path).ok_or(Refusal::Target)?),
        // `GET http://host/path`: Pingora keeps the bytes beside the URI, which has the path alone.
        Cow::Borrowed(_) => (head.raw_path().first() != Some(&b'/')).then(|| head.uri.clone()),
    };
    if let Some(uri) = rewritten {
        head.set_uri(uri);
    }
    Ok(())
}

/// The same URI with another path.
pub(super) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

fn check_host(head: &RequestHeader) -> Result<(), Refusal> {
    let present = head.uri.authority().is_some() || head.headers.contains_key(HOST);
    let required = head.version != Version::HTTP_10;
    match host(head) {
        Some(_) => Ok(()),
        None if !present && !required => Ok(()),
        None => Err(Refusal::Host),
    }
}
