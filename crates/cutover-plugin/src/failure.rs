//! A failed attempt, and what becomes of it.

use crate::Backend;

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// No connection could be made.
    Connect,
    /// The connection broke before the reply was whole.
    Reset,
    /// The deadline passed.
    Timeout,
    /// The reply had a status that counts as a failure.
    Status,
    /// The circuit breaker is open, so nothing was sent.
    CircuitOpen,
}

/// One failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How it failed.
    pub cause: Cause,
    /// The backend that failed.
    pub backend: Backend,
    /// Which attempt it was, from 1.
    pub attempt: u8,
    /// The status of the failed reply, if there was one.
    pub status: Option<u16>,
    /// Milliseconds since the exchange began.
    pub elapsed_ms: u32,
    /// Milliseconds left of its deadline.
    pub left_ms: u32,
    /// The method may be repeated without harm.
    pub idempotent: bool,
    /// The whole body, if any, is still at hand.
    pub replayable: bool,
    /// The client has already been sent part of a reply.
    pub response_started: bool,
}

impl Failure {
    /// Would the host honour a retry? It ignores one that could do something twice.
    pub const fn can_retry(&self) -> bool {
        self.idempotent && self.replayable && !self.response_started
    }
}

/// What becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// The client gets the failure as it is.
    Propagate,
    /// The request goes to this backend, if [`Failure::can_retry`].
    Retry(Backend),
    /// The client gets this status and a body of cutover's own.
    Respond(u16),
}
