//! What one request carries from callback to callback.

use super::mirrored::Copying;
use super::reply;
use crate::head_guard::uploads;
use crate::plane::Serving;
use crate::problem::ReplyId;
use crate::trace::Trace;
use crate::upstream::first_read::FirstRead;
use crate::upstream::{InFlight, Tried};
use cutover::{Cause, Exchange, RequestView};
use http::header::HOST;
use http::{Method, StatusCode};
use pingora::http::RequestHeader;
use std::net::IpAddr;
use std::sync::Arc;

/// One request, from its header to its last byte.
#[derive(Debug, Default)]
pub struct Context {
    pub(super) facts: Facts,
    /// `None` until decided, and for requests that are refused.
    pub(super) exchange: Option<Exchange>,
    /// The server's half of the exchange's generation.
    pub(super) serving: Option<Arc<Serving>>,
    pub(super) attempt: Attempt,
    /// Why the first failed attempt failed.
    pub(super) failed: Option<Cause>,
    /// Status to answer with instead of what Pingora's error suggests, and why.
    pub(super) answer: Option<(StatusCode, &'static str)>,
    /// Why cutover answers itself, or what broke, for the log.
    pub(super) refused: Option<&'static str>,
    /// The client was given a whole reply of ours, of this status; in gRPC's words, of what the status stands for.
    pub(super) answered: Option<StatusCode>,
    /// The next error is a 5xx that the engine wants to be retried.
    pub(super) retry: bool,
    /// For the log of an exchange that is given up without the last callback: an upload over HTTP/2 that stopped.
    pub(super) upload: Option<Box<Asked>>,
    /// `None` without `[telemetry]`.
    pub(super) trace: Option<Trace>,
    /// If it is copied to the other side.
    pub(super) copying: Option<Box<Copying>>,
    id: Option<ReplyId>,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) host: String,
    pub(super) path: String,
    /// Status of the reply, if one has begun.
    pub(super) status: u16,
}

/// The present attempt; replaced whole when the exchange moves on.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    /// Counts it at its address.
    pub(super) flight: Option<InFlight>,
    /// Addresses of its backend that could not be connected to.
    pub(super) tried: Tried,
    /// Times it was sent again because a kept connection turned out to be dead.
    pub(super) stale: u8,
    /// Keeps a WebSocket's `101` back until the request's end is taken.
    pub(super) first_read: Option<Arc<FirstRead>>,
    /// The request's header is out, and its body, or the end of an empty one, has been asked for.
    pub(super) body_begun: bool,
    /// The deadline leaves less time for connecting than the backend is meant to have.
    pub(super) hurried: bool,
    /// The engine has been told that it failed.
    pub(super) judged: bool,
}

/// What is known of a request beside its header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) began_ms: u64,
    pub(super) peer: Option<IpAddr>,
    pub(super) client: Option<IpAddr>,
    pub(super) tls: bool,
    pub(super) has_body: bool,
    pub(super) websocket: bool,
    /// Asks for server-sent events: its reply pauses as long as nothing happens.
    pub(super) event_stream: bool,
}

impl Facts {
    /// The request as deciders and plugins see it.
    pub(super) fn view<'a>(&self, head: &'a RequestHeader) -> RequestView<'a> {
        RequestView {
            method: &head.method,
            host: host(head).unwrap_or_default(),
            path: head.uri.path(),
            query: head.uri.query(),
            headers: &head.headers,
            peer: self.client,
            tls: self.tls,
            has_body: self.has_body,
            websocket: self.websocket,
            now_ms: self.began_ms,
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if uploads::has_stopped() {
            reply::log_stopped(self);
        }
    }
}

impl Context {
    /// Ties replies of our own to the log; made when first needed.
    pub(super) fn id(&mut self) -> ReplyId {
        *self.id.get_or_insert_with(ReplyId::fresh)
    }
}

/// The host asked for: `:authority`, or `Host`. Pingora has refused requests in which they differ.
pub(super) fn host(head: &RequestHeader) -> Option<&str> {
    match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head.headers.get(HOST)?.to_str().ok(),
    }
}
