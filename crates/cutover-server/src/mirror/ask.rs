//! One request of the mirror's own to one backend, with a limit on everything.

use super::{Capture, Client, Whole};
use crate::upstream::{InFlight, Pool, Tried};
use bytes::Bytes;
use cutover::mirror::{Ended, Hold, MirrorLimits, Skipped};
use http::header::{CONTENT_LENGTH, HOST};
use http::{Uri, Version};
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::http::client::HttpSession;
use pingora::upstreams::peer::{HttpPeer, Peer as _};
use pingora::{Error, ErrorType, Result};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Dead kept connections that one request shrugs off. Copies only read, so that they can always be sent again.
const MAX_STALE: u8 = 2;

/// What became of a request.
pub(super) struct Answer {
    pub(super) ended: Ended,
    /// Time to the header of the reply.
    pub(super) header_after: Option<Duration>,
    pub(super) reply: Result<Whole, Skipped>,
}

/// What is asked.
pub(super) struct Question<'q> {
    pub(super) pool: &'q Pool,
    pub(super) header: &'q RequestHeader,
    pub(super) body: &'q Bytes,
    pub(super) limits: &'q MirrorLimits,
}

/// Asks, and reads the reply as far as the limits allow.
pub(super) async fn ask(client: &Client, question: Question<'_>, hold: Hold) -> Answer {
    let began = client.clock.now();
    let deadline = Instant::now() + question.limits.timeout;
    let connector = client.connector.get_or_init(|| async { Connector::new(None) }).await;
    let opened = timeout_at(deadline, open(client, connector, &question)).await;
    let no_reply = |ended| Answer { ended, header_after: None, reply: Err(Skipped::NoCopy) };
    let mut open = match opened {
        Ok(Ok(open)) => open,
        Ok(Err(ended)) => return no_reply(ended),
        Err(_) => return no_reply(Ended::Timeout),
    };
    let header_after = Some(client.clock.now().saturating_duration_since(began));
    let Some(head) = open.session.response_header() else { return no_reply(Ended::Broken) };
    let mut capture = Capture::new(head, *question.limits, hold);
    let status = capture.status();
    let read = timeout_at(deadline, read_body(&mut open.session, &mut capture));
    let ended = match read.await {
        Ok(Ok(true)) => {
            let idle = open.peer.idle_timeout();
            connector.release_http_session(open.session, &*open.peer, idle).await;
            let ended = Ended::Replied(status);
            return Answer { ended, header_after, reply: capture.finish() };
        }
        // It answers, only with more than is read.
        Ok(Ok(false)) => Ended::Replied(status),
        Ok(Err(error)) => failure(&error),
        // A user would still be waiting: a header alone is no success.
        Err(_) => Ended::Timeout,
    };
    // Nobody reads what still comes.
    open.session.shutdown().await;
    let why = if ended == Ended::Replied(status) { Skipped::TooLong } else { Skipped::NoCopy };
    Answer { ended, header_after, reply: Err(capture.finish().err().unwrap_or(why)) }
}

/// A request whose reply has begun.
struct Open {
    session: HttpSession,
    peer: Box<HttpPeer>,
    /// Counts it at its address.
    _flight: InFlight,
}

async fn open(
    client: &Client,
    connector: &Connector,
    question: &Question<'_>,
) -> std::result::Result<Open, Ended> {
    let (mut tried, mut stale) = (Tried::default(), 0);
    loop {
        let now = || client.clock.now();
        let left = Some(question.limits.timeout);
        let chosen = question.pool.peer(&tried, now, left, false);
        let (peer, flight) = chosen.ok_or(Ended::Connect)?;
        let (mut session, reused) = match connector.get_http_session(&*peer).await {
            Ok(connected) => connected,
            Err(error) => {
                tracing::debug!(address = flight.address().text(), %error, "no connection for a copy");
                tried.add(flight.address().socket());
                if question.pool.has_more_than(&tried) {
                    continue;
                }
                return Err(Ended::Connect);
            }
        };
        session.set_read_timeout(peer.options.read_timeout);
        session.set_write_timeout(peer.options.write_timeout);
        match exchange(&mut session, &peer, question).await {
            Ok(()) => return Ok(Open { session, peer, _flight: flight }),
            Err(error) if reused && stale < MAX_STALE && !is_timeout(&error) => stale += 1,
            Err(error) => {
                tracing::debug!(address = flight.address().text(), %error, "a copy has no reply");
                session.shutdown().await;
                return Err(failure(&error));
            }
        }
    }
}

/// Sends the request and reads the header of its reply.
async fn exchange(
    session: &mut HttpSession,
    peer: &HttpPeer,
    question: &Question<'_>,
) -> Result<()> {
    let mut head = Box::new(question.header.clone());
    let empty = question.body.is_empty();
    if !empty || head.headers.contains_key(CONTENT_LENGTH) {
        head.insert_header(CONTENT_LENGTH, question.body.len())?;
    }
    let written = match session {
        HttpSession::H2(h2) => {
            to_http2(&mut head, peer.is_tls())?;
            h2.write_request_header(head, empty)?;
            if empty { Ok(()) } else { h2.write_request_body(question.body.clone(), true).await }
        }
        HttpSession::H1(_) | HttpSession::Custom(()) => {
            head.set_version(Version::HTTP_11);
            session.write_request_header(head).await?;
            write_body(session, question.body).await
        }
    };
    // Who answers before the body is whole may close its side: the reply may still be there.
    loop {
        let read = session.read_response_header().await;
        match (read, &written) {
            (Ok(()), _) => {}
            (Err(_), Err(error)) => return Err(Error::explain(error.etype().clone(), "no reply")),
            (Err(error), Ok(())) => return Err(error),
        }
        let informational = session.response_header().is_some_and(|r| r.status.is_informational());
        if !informational {
            return Ok(());
        }
        if !matches!(session, HttpSession::H1(_)) {
            return Error::e_explain(
                ErrorType::InvalidHTTPHeader,
                "no reply but an informational one",
            );
        }
    }
}

async fn write_body(session: &mut HttpSession, body: &Bytes) -> Result<()> {
    if !body.is_empty() {
        session.write_request_body(body.clone(), true).await?;
    }
    session.finish_request_body().await
}

/// `:authority` and `:scheme` instead of `Host`.
fn to_http2(head: &mut RequestHeader, tls: bool) -> Result<()> {
    let wrong = || Error::explain(ErrorType::InvalidHTTPHeader, "no authority for HTTP/2");
    let host = head.remove_header(&HOST).ok_or_else(wrong)?;
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let uri = Uri::builder()
        .scheme(if tls { "https" } else { "http" })
        .authority(host.as_bytes())
        .path_and_query(target)
        .build()
        .map_err(|_| wrong())?;
    head.set_uri(uri);
    head.set_version(Version::HTTP_2);
    Ok(())
}

/// Reads the body. `false`: there is more of it than is read.
async fn read_body(session: &mut HttpSession, capture: &mut Capture) -> Result<bool> {
    while let Some(part) = session.read_response_body().await? {
        if !capture.push(&part) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn failure(error: &Error) -> Ended {
    if is_timeout(error) { Ended::Timeout } else { Ended::Broken }
}

fn is_timeout(error: &Error) -> bool {
    matches!(error.etype(), ErrorType::ReadTimedout | ErrorType::WriteTimedout)
}
