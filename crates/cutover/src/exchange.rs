//! One request, top to bottom: begin, edit, (fail, edit again,) finish.
//!
//! # Rules of the hot path
//! - One snapshot load per request, held to its end: an exchange never sees two generations.
//! - No lock, no allocation, no string formatting and no type of the configuration between begin and finish. What may
//!   allocate: values that edits put into a header map, a changed path, an exchange that is picked to be copied, and the
//!   cold ends (refusals, failures).
//! - Nothing here waits. The clock is read twice, and once more per failure, plugin call and reply of a judged read.
//! - The decision is made once. A failed attempt changes who answers, never what was decided.

mod stand;
mod timeline;

pub(crate) use timeline::Timing;
pub use timeline::{PluginCall, Timeline};

use crate::engine::{Installed, Running};
use crate::metrics::Answerer;
use crate::plugin::{Asked, Guarded, Wish};
use crate::refused::Refused;
use crate::{
    Action, BackendId, Cause, Decision, Generation, HeaderSink, Migration, RequestView, Side,
    Snapshot,
};
use cutover_core::decide::Unwatched;
use cutover_core::edit::Edits;
use cutover_core::fallback::Failure;
use cutover_core::route::{Match, Params};
use cutover_core::{PlaceId, Reason};
use http::StatusCode;
use stand::Stand;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Attempts one request may take, whatever a plugin wishes.
const MAX_ATTEMPTS: u8 = 3;

/// One request with its decision, attempts, outcome and timings. Owned and `Send`: keep it in the request's context.
///
/// Pass the same [`RequestView`] to every method that takes one. Dropped without [`Exchange::finish`], it counts as
/// [`Outcome::ClientGone`].
#[derive(Debug)]
pub struct Exchange {
    installed: Arc<Installed>,
    matched: Match,
    decision: Decision,
    stand: Stand,
    attempt: u8,
    began: Instant,
    finished: bool,
    /// It is counted as open on `new`.
    open_on_new: bool,
    /// Of an exchange that is timed.
    timeline: Option<Box<Timeline>>,
}

/// As what the present backend answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// As decided.
    Served,
    /// `old`, because `new` failed. Not a side change of the user.
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
        mut timeline: Option<Box<Timeline>>,
    ) -> Result<Self, Refused> {
        let clock = installed.clock();
        let began = clock.now();
        let Some(matched) = installed.snapshot().find(request) else {
            return Err(installed.refuse(Refused::NoRoute));
        };
        let mut plugins =
            installed.plugins.asking(Timing { clock, timeline: timeline.as_deref_mut() });
        let decided =
            installed.snapshot().decide_matched(request, &matched, &mut plugins, &mut Unwatched);
        drop(plugins);
        let decision = match decided {
            Ok(decision) => decision,
            Err(refusal) => return Err(installed.refused(refusal)),
        };
        if let Some(timeline) = &mut timeline {
            timeline.decided = clock.now().saturating_duration_since(began);
        }
        let told = timeline.as_deref_mut();
        let stand = installed.stand(request, &matched, &decision, (began, told))?;
        let finished = false;
        let open_on_new = installed.opens_on_new(request, &stand);
        Ok(Self {
            installed,
            matched,
            decision,
            stand,
            attempt: 1,
            began,
            finished,
            open_on_new,
            timeline,
        })
    }

    /// What was decided; it does not change when an attempt fails.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The generation that decided.
    pub fn installed(&self) -> &Arc<Installed> {
        &self.installed
    }

    /// The snapshot that decided.
    pub fn snapshot(&self) -> &Snapshot {
        self.installed.snapshot()
    }

    /// Number of the generation that decided.
    pub fn generation(&self) -> Generation {
        self.installed.generation()
    }

    /// The migration the request belongs to.
    pub fn migration(&self) -> Option<&Migration> {
        self.decision.migration.map(|(id, _)| self.snapshot().migration(id))
    }

    /// Who answers the present attempt.
    pub fn backend(&self) -> BackendId {
        self.stand.backend
    }

    /// The side that answers the present attempt; `None` on a route of no migration.
    pub fn side(&self) -> Option<Side> {
        self.stand.migration.map(|(_, side)| side)
    }

    /// As what the present backend answers.
    pub fn role(&self) -> Role {
        self.stand.role
    }

    /// Number of the present attempt, from 1.
    pub fn attempt(&self) -> u8 {
        self.attempt
    }

    /// The split plugin's own word for why it chose the side, if it gave one.
    pub fn plugin_reason(&self) -> Option<&str> {
        let Reason::Plugin(place, Some(reason)) = self.decision.reason else { return None };
        self.installed.plugin_reason(place, reason)
    }

    /// Time since the exchange began.
    pub fn elapsed(&self) -> Duration {
        self.installed.clock().now().saturating_duration_since(self.began)
    }

    /// When it began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// When its parts happened; `None` unless it was begun with [`Installed::begin_timed`].
    pub fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_deref()
    }

    /// Time the present attempt has until the first byte of its reply; the backend's own limits count besides.
    /// `None` where only those count: writes, routes of no migration, and what `old` serves as decided.
    ///
    /// A read on `new` that may fall back on a timeout gets three quarters of what is left, so that time remains for
    /// `old`: with a deadline of 2 s and a `new` that hangs, `old` is asked after 1.5 s.
    pub fn time_left(&self) -> Option<Duration> {
        let left = self.deadline()?.saturating_sub(self.elapsed());
        let (id, side) = self.stand.migration?;
        let migration = self.snapshot().migration(id);
        let falls_back =
            migration.plugins.fallback.is_some() || migration.fallback.on.contains(Cause::Timeout);
        let kept_for_old = side == Side::New && !self.decision.write && falls_back;
        Some(if kept_for_old { left * 3 / 4 } else { left })
    }

    /// The path to send to the present backend; borrowed if nothing changes.
    pub fn request_path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        self.edits().map_or(Cow::Borrowed(path), |edits| edits.path.apply(path))
    }

    /// Applies the present attempt's edits to the headers of the request: native ones, then those of the rewrite
    /// plugin. Once per attempt, each time on a fresh copy of what the client sent.
    ///
    /// # Errors
    /// If a plugin that guards these headers failed. Answer with the refusal's status, and finish with it.
    pub fn edit_request(
        &mut self,
        request: &RequestView<'_>,
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Refused> {
        if let Some(edits) = self.edits() {
            edits.request.apply(headers);
        }
        let Some((place, side)) = self.rewriter() else { return Ok(()) };
        let mut timeline = self.timeline.take();
        let edited = self.ask(request, |asked| {
            let timing = self.timing(&mut timeline);
            self.installed.plugins.on_request(place, &asked, side, headers, timing)
        });
        self.timeline = timeline;
        edited.map_err(|_| self.installed.refuse(self.installed.plugin_failed(place)))
    }

    /// Applies the edits to the headers of the reply that goes to the client. A backend's reply has come: a probe of
    /// the breaker has its answer here.
    ///
    /// # Errors
    /// If a plugin that guards these headers failed. Answer with the refusal's status, and finish with it.
    pub fn edit_response(
        &mut self,
        request: &RequestView<'_>,
        status: StatusCode,
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Refused> {
        self.settle_probe(Outcome::Replied(status));
        self.time_reply(status);
        if let Some(edits) = self.edits() {
            edits.response.apply(headers);
        }
        let Some((place, side)) = self.rewriter() else { return Ok(()) };
        let mut timeline = self.timeline.take();
        let edited = self.ask(request, |asked| {
            let timing = self.timing(&mut timeline);
            self.installed.plugins.on_response(place, &asked, (side, status), headers, timing)
        });
        self.timeline = timeline;
        edited.map_err(|_| self.installed.refuse(self.installed.plugin_failed(place)))
    }

    /// Notes how long a judged read took until its reply's header. Later attempts carry the time of earlier ones, and an
    /// error that comes fast makes nobody fast.
    fn time_reply(&self, status: StatusCode) {
        let Some((id, side)) = self.stand.migration else { return };
        let first = self.attempt == 1 && self.stand.role == Role::Served;
        let (migration, running) = self.installed.migration(id);
        if first && !self.decision.write && !status.is_server_error() && migration.is_judged() {
            running.meter.replied[side as usize].record(self.elapsed());
        }
    }

    /// The present attempt failed: what becomes of it? On [`Action::Retry`] the exchange has moved on to the next
    /// attempt, and [`Exchange::backend`] says where it goes. Ask for a 5xx of a backend too, before passing it on.
    ///
    /// `replayable`: the body, if there is one, can be sent again whole. `response_started`: the client has got a part
    /// of a reply.
    pub fn failed(
        &mut self,
        request: &RequestView<'_>,
        cause: Cause,
        status: Option<StatusCode>,
        replayable: bool,
        response_started: bool,
    ) -> Action {
        let Some((id, side)) = self.stand.migration else { return Action::Propagate };
        let installed = Arc::clone(&self.installed);
        let (migration, running) = installed.migration(id);
        running.meter.attempt_failed(side, cause);
        if side == Side::Old {
            return Action::Propagate;
        }
        let elapsed = self.elapsed();
        let deadline = self.deadline().unwrap_or(migration.fallback.deadline);
        let failure = Failure {
            cause,
            backend: self.stand.backend,
            attempt: self.attempt,
            status,
            elapsed,
            left: deadline.saturating_sub(elapsed),
            safe: !self.decision.write,
            replayable,
            response_started,
        };
        let mut timeline = self.timeline.take();
        let action = self.judge(request, migration, &failure, self.timing(&mut timeline));
        self.timeline = timeline;
        let fell_back = action == Action::Retry(migration.old);
        if !self.decision.write && (fell_back || migration.fallback.on.contains(cause)) {
            let now = self.began + elapsed;
            let (probe, budget) = (self.stand.probe.take(), migration.fallback.budget);
            let turn = running.breaker.failed(fell_back, probe, budget, now);
            installed.turned(id, turn);
        }
        if let Action::Retry(backend) = action {
            self.attempt += 1;
            self.stand.backend = backend;
            if backend == migration.new && !self.decision.write {
                running.breaker.tries_again(self.began + elapsed);
            }
            if fell_back {
                self.leave_new();
                running.meter.fell_back(cause);
                self.stand.migration = Some((id, Side::Old));
                self.stand.role = Role::Fallback;
            }
        }
        action
    }

    /// Counts the exchange.
    pub fn finish(mut self, outcome: Outcome) {
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.leave_new();
        self.settle_probe(outcome);
        let took = self.elapsed();
        match self.stand.migration {
            Some((id, side)) => {
                let answerer = Answerer::of(side, self.stand.role);
                let (migration, Running { meter, .. }) = self.installed.migration(id);
                let evidence = !self.decision.write && migration.is_judged();
                meter.finished(answerer, outcome, took, evidence);
            }
            None => self.installed.routes[self.stand.backend.index()].finished(outcome, took),
        }
    }

    /// It waits for `new` no more.
    fn leave_new(&mut self) {
        if std::mem::replace(&mut self.open_on_new, false)
            && let Some((id, _)) = self.stand.migration
        {
            self.installed.migration(id).1.meter.open_on_new.fetch_sub(1, Relaxed);
        }
    }

    /// Tells the breaker how its probe went, if this is one.
    fn settle_probe(&mut self, outcome: Outcome) {
        let Some(probe) = self.stand.probe.take() else { return };
        let Some((id, _)) = self.stand.migration else { return };
        let (migration, running) = self.installed.migration(id);
        let (breaker, now) = (&running.breaker, self.installed.clock().now());
        let policy = &migration.fallback;
        let failed = match outcome {
            Outcome::Replied(status) => {
                status.is_server_error() && policy.on.contains(Cause::Status)
            }
            Outcome::Broken => true,
            Outcome::ClientGone => return breaker.probe_abandoned(probe, now),
        };
        let turn = if failed {
            breaker.failed(false, Some(probe), policy.budget, now)
        } else {
            breaker.probe_succeeded(probe)
        };
        self.installed.turned(id, turn);
    }

    /// What becomes of a failed attempt on `new`: the plugin's wish, within what may be done at all, or the native rule.
    fn judge(
        &self,
        request: &RequestView<'_>,
        migration: &Migration,
        failed: &Failure,
        timing: Timing<'_>,
    ) -> Action {
        let may_retry = failed.may_retry() && self.attempt < MAX_ATTEMPTS;
        let wish = match migration.plugins.fallback {
            Some(place) => self.ask(request, |asked| {
                self.installed.plugins.on_failure(place, &asked, failed, Side::New, timing)
            }),
            None => Wish::Native,
        };
        match wish {
            Wish::Native if may_retry => migration.fallback.judge(failed, migration.old),
            Wish::Retry(Side::Old) if may_retry => Action::Retry(migration.old),
            Wish::Retry(Side::New) if may_retry => Action::Retry(migration.new),
            Wish::Respond(status) if !failed.response_started => Action::Respond(status),
            Wish::Native | Wish::Retry(_) | Wish::Respond(_) | Wish::Propagate => Action::Propagate,
        }
    }

    /// Time for all attempts, if there is a limit. Where fallback is switched off there is none: nothing would be won
    /// by giving `new` up early.
    fn deadline(&self) -> Option<Duration> {
        let (id, decided) = self.decision.migration?;
        let migration = self.snapshot().migration(id);
        let policy = &migration.fallback;
        let guarded = !policy.on.is_empty() || migration.plugins.fallback.is_some();
        let falls_back = guarded
            && decided == Side::New
            && !self.decision.write
            && self.stand.role != Role::Breaker;
        match (falls_back.then_some(policy.deadline), self.decision.deadline) {
            (Some(all), Some(wished)) => Some(all.min(wished)),
            (one, other) => one.or(other),
        }
    }

    /// The native edits of the present attempt.
    fn edits(&self) -> Option<&Edits> {
        let Stand { backend, migration, .. } = self.stand;
        self.snapshot().edits(&Decision { backend, migration, ..self.decision })
    }

    /// The native edits of a copy.
    pub(crate) fn edits_of(&self, backend: BackendId, side: Side) -> Option<&Edits> {
        let migration = self.decision.migration.map(|(id, _)| (id, side));
        self.snapshot().edits(&Decision { backend, migration, ..self.decision })
    }

    /// The rewrite plugin edits a copy as it would an attempt on that side. `new` is asked in the phase shadow too,
    /// where it serves nobody yet: what it will get is what is to be tried.
    pub(crate) fn rewrite_copy(
        &self,
        side: Side,
        request: &RequestView<'_>,
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Guarded> {
        let place = match (self.migration(), side) {
            (Some(migration), Side::New) => migration.plugins.rewrite,
            (Some(_), Side::Old) => self.rewriter().map(|(place, _)| place),
            (None, _) => None,
        };
        let Some(place) = place else { return Ok(()) };
        self.ask(request, |asked| {
            let timing = Timing::untold(self.installed.clock());
            self.installed.plugins.on_request(place, &asked, side, headers, timing)
        })
    }

    fn timing<'t>(&'t self, timeline: &'t mut Option<Box<Timeline>>) -> Timing<'t> {
        Timing { clock: self.installed.clock(), timeline: timeline.as_deref_mut() }
    }

    /// The parameters of the path.
    pub(crate) fn params(&self) -> Params<'_> {
        self.snapshot().routes().params(&self.matched)
    }

    /// The rewrite plugin, if one is asked: on both sides, but never where everything goes to `old` and nothing is
    /// asked.
    fn rewriter(&self) -> Option<(PlaceId, Side)> {
        let (id, side) = self.stand.migration?;
        let migration = self.snapshot().migration(id);
        let asked = !migration.disabled
            && !migration.rolled_back
            && migration.phase.serves_reads_from_new();
        migration.plugins.rewrite.filter(|_| asked).map(|place| (place, side))
    }

    pub(crate) fn ask<R>(&self, request: &RequestView<'_>, ask: impl FnOnce(Asked<'_>) -> R) -> R {
        self.installed.ask(request, &self.matched, &self.decision, ask)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.settle(Outcome::ClientGone);
    }
}
