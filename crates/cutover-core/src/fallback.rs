//! Fallback: what may be done when an attempt fails. The policy and the judgement; budgets and
//! breakers, which have state, belong to the engine.

use crate::{BackendId, Percent};
use http::{Method, StatusCode};
use std::time::Duration;

/// When a read whose `new` side failed is answered by `old`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackPolicy {
    /// Causes that count; empty switches fallback off.
    pub on: Causes,
    /// Total time for all attempts of one request.
    pub deadline: Duration,
    /// Share of the migration's requests that may fall back over 10 s (floor: 20 requests) before
    /// the breaker opens.
    pub budget: Percent,
}

impl Default for FallbackPolicy {
    fn default() -> Self {
        Self {
            on: Causes::ALL,
            deadline: Duration::from_secs(2),
            budget: Percent::from_thousandths(10_000),
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// No connection: refused, unreachable, TLS failed, no healthy address.
    Connect,
    /// The connection broke before the reply's header was complete.
    Reset,
    /// A time limit passed.
    Timeout,
    /// The reply's status is a 5xx.
    Status,
    /// The breaker is open; no attempt was made.
    CircuitOpen,
}

impl Cause {
    /// The name used in configuration, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Status => "5xx",
            Self::CircuitOpen => "circuit-open",
        }
    }
}

/// A set of causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes(u8);

impl Causes {
    /// connect, reset, timeout and 5xx.
    pub const ALL: Self = Self(0b1111);

    /// With one more cause.
    #[must_use]
    pub fn with(self, cause: Cause) -> Self {
        Self(self.0 | 1 << cause as u8)
    }

    /// Is the cause in the set? An open circuit always is.
    pub fn contains(self, cause: Cause) -> bool {
        cause == Cause::CircuitOpen || self.0 & (1 << cause as u8) != 0
    }

    /// No cause at all?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// Where.
    pub backend: BackendId,
    /// 1 for the first attempt.
    pub attempt: u8,
    /// The status, if there was one.
    pub status: Option<StatusCode>,
    /// Time since the request arrived.
    pub elapsed: Duration,
    /// Time until its deadline.
    pub left: Duration,
    /// The method is safe (RFC 9110, 9.2.1) and the route is not declared `write`.
    pub safe: bool,
    /// The body, if any, can be sent again whole.
    pub replayable: bool,
    /// A part of the reply has reached the client.
    pub response_started: bool,
}

impl Failure {
    /// May this request be sent again at all, whatever a policy or plugin wishes?
    pub fn may_retry(&self) -> bool {
        self.safe && self.replayable && !self.response_started && !self.left.is_zero()
    }
}

/// What becomes of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client gets the failure.
    Propagate,
    /// The request goes to this backend.
    Retry(BackendId),
    /// The client gets this status.
    Respond(StatusCode),
}

impl FallbackPolicy {
    /// The native rule: a read that failed on `new` for a declared cause goes to `old` once.
    pub fn judge(&self, failed: &Failure, old: BackendId) -> Action {
        if failed.backend != old && self.on.contains(failed.cause) && failed.may_retry() {
            Action::Retry(old)
        } else {
            Action::Propagate
        }
    }
}

/// Is the method safe: GET, HEAD, OPTIONS or TRACE (RFC 9110, 9.2.1)?
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

#[cfg(test)]
mod tests;
