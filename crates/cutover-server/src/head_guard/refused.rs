//! Requests that are refused because of their raw bytes: who hears of them.

use super::framing::Refusal;
use crate::problem::ReplyId;
use std::net::IpAddr;

/// A request that never became one.
#[derive(Clone, Copy, Debug)]
pub struct RefusedHead<'a> {
    /// Ties the reply to the log.
    pub id: ReplyId,
    /// Why.
    pub refusal: Refusal,
    /// Who sent it.
    pub client: Option<IpAddr>,
    /// Its method, as far as there was one; else empty.
    pub method: &'a str,
    /// Its path without the query, as far as there was one; else empty.
    pub path: &'a str,
}

/// Hears of every refused head. Called on a worker: it must not wait.
pub trait HearRefused: Send + Sync {
    /// One more.
    fn refused(&self, head: &RefusedHead<'_>);
}
