//! What is counted on the path of a request: arrays of atomics, indexed by small enums.

use super::Times;
use super::histogram::{CALL_BOUNDS_US, Histogram, Quantiles, REQUEST_BOUNDS_US};
use crate::{Cause, Outcome, Role, Side};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// How an exchange ended, as a label.
pub(crate) const CODE_CLASSES: [&str; 7] = ["1xx", "2xx", "3xx", "4xx", "5xx", "broken", "gone"];

/// Where they stand in [`CODE_CLASSES`].
const SERVER_ERRORS: usize = 4;
const BROKEN: usize = 5;
const GONE: usize = 6;

fn code_class(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Replied(status) => usize::from(status.as_u16() / 100).clamp(1, 5) - 1,
        Outcome::Broken => BROKEN,
        Outcome::ClientGone => GONE,
    }
}

/// Who answered an exchange of a migration: the combinations of side and role that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answerer {
    Old,
    New,
    Fallback,
    Breaker,
}

impl Answerer {
    pub(crate) const ALL: [Self; 4] = [Self::Old, Self::New, Self::Fallback, Self::Breaker];

    pub(crate) fn of(side: Side, role: Role) -> Self {
        match (role, side) {
            (Role::Served, Side::Old) => Self::Old,
            (Role::Served, Side::New) => Self::New,
            (Role::Fallback, _) => Self::Fallback,
            (Role::Breaker, _) => Self::Breaker,
        }
    }

    /// The side, and as what it answered.
    pub(crate) fn who(self) -> (Side, Role) {
        match self {
            Self::Old => (Side::Old, Role::Served),
            Self::New => (Side::New, Role::Served),
            Self::Fallback => (Side::Old, Role::Fallback),
            Self::Breaker => (Side::Old, Role::Breaker),
        }
    }

    /// The labels `side` and `role`.
    pub(crate) fn labels(self) -> (&'static str, &'static str) {
        let (side, role) = self.who();
        (side.name(), role.name())
    }
}

/// Causes in the order of their counters.
pub(crate) const CAUSES: [Cause; 5] =
    [Cause::Connect, Cause::Reset, Cause::Timeout, Cause::Status, Cause::CircuitOpen];

/// Exchanges by [`CODE_CLASSES`].
type Ends = [AtomicU64; CODE_CLASSES.len()];

/// One migration.
#[derive(Debug)]
pub(crate) struct MigrationMeter {
    /// By who answered; then those that are no evidence, and reads that are.
    requests: [[Ends; 2]; 4],
    pub(crate) durations: [Histogram; 4],
    /// By side, then cause.
    pub(crate) failed_attempts: [[AtomicU64; CAUSES.len()]; 2],
    pub(crate) fallbacks: [AtomicU64; CAUSES.len()],
    pub(crate) breaker_opened: AtomicU64,
    /// By side: from the beginning of a judged read to its reply's header, first attempts only.
    pub(crate) replied: [Times; 2],
    /// Exchanges whose present attempt is on `new`, WebSockets aside: those end when their users leave.
    pub(crate) open_on_new: AtomicU64,
}

impl Default for MigrationMeter {
    fn default() -> Self {
        Self {
            requests: Default::default(),
            durations: std::array::from_fn(|_| Histogram::new(REQUEST_BOUNDS_US)),
            failed_attempts: Default::default(),
            fallbacks: Default::default(),
            breaker_opened: AtomicU64::new(0),
            replied: Default::default(),
            open_on_new: AtomicU64::new(0),
        }
    }
}

impl MigrationMeter {
    /// `evidence`: it is a read that gates judge by.
    pub(crate) fn finished(
        &self,
        answerer: Answerer,
        outcome: Outcome,
        took: Duration,
        evidence: bool,
    ) {
        bump(&self.requests[answerer as usize][usize::from(evidence)][code_class(outcome)]);
        self.durations[answerer as usize].record(took);
    }

    pub(crate) fn attempt_failed(&self, side: Side, cause: Cause) {
        bump(&self.failed_attempts[side as usize][cause as usize]);
    }

    pub(crate) fn fell_back(&self, cause: Cause) {
        bump(&self.fallbacks[cause as usize]);
    }

    /// Exchanges by how they ended, in the order of [`CODE_CLASSES`].
    pub(crate) fn ends(&self, answerer: Answerer) -> [u64; CODE_CLASSES.len()] {
        let [others, evidence] = self.requests[answerer as usize].each_ref().map(loaded);
        std::array::from_fn(|class| others[class] + evidence[class])
    }

    /// Exchanges, and those of them that ended in a 5xx or without a whole reply.
    pub(crate) fn answered(&self, answerer: Answerer) -> (u64, u64) {
        let ends = self.ends(answerer);
        (ends.iter().sum(), failed(&ends))
    }

    /// The same of reads that are evidence. Clients that left are none.
    pub(crate) fn judged(&self, answerer: Answerer) -> (u64, u64) {
        let ends = loaded(&self.requests[answerer as usize][1]);
        (ends[..GONE].iter().sum(), failed(&ends))
    }

    pub(crate) fn quantiles(&self, answerer: Answerer) -> Quantiles {
        self.durations[answerer as usize].read().quantiles()
    }

    /// By side and cause.
    pub(crate) fn failed_attempts(&self) -> impl Iterator<Item = (Side, Cause, u64)> {
        [Side::Old, Side::New].into_iter().flat_map(|side| {
            let counts = CAUSES.iter().zip(&self.failed_attempts[side as usize]);
            counts.map(move |(cause, count)| (side, *cause, count.load(Relaxed)))
        })
    }
}

fn loaded(ends: &Ends) -> [u64; CODE_CLASSES.len()] {
    ends.each_ref().map(|count| count.load(Relaxed))
}

fn failed(ends: &[u64; CODE_CLASSES.len()]) -> u64 {
    ends[SERVER_ERRORS] + ends[BROKEN]
}

/// Routes of no migration that lead to one backend.
#[derive(Debug)]
pub(crate) struct RouteMeter {
    pub(crate) requests: Ends,
    pub(crate) duration: Histogram,
}

impl Default for RouteMeter {
    fn default() -> Self {
        Self { requests: Default::default(), duration: Histogram::new(REQUEST_BOUNDS_US) }
    }
}

impl RouteMeter {
    pub(crate) fn finished(&self, outcome: Outcome, took: Duration) {
        bump(&self.requests[code_class(outcome)]);
        self.duration.record(took);
    }
}

/// A function of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
pub(crate) enum Hook {
    Split,
    OnRequest,
    OnResponse,
    OnFailure,
    Normalise,
}

#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
impl Hook {
    /// As in [`HOOKS`].
    pub(crate) fn name(self) -> &'static str {
        HOOKS[self as usize]
    }
}

pub(crate) const HOOKS: [&str; 5] =
    ["split", "on-request", "on-response", "on-failure", "normalise"];

/// Kinds of faults, in the order of their counters; a kind that is not here counts as the last.
pub(crate) const FAULTS: [&str; 7] =
    ["trap", "deadline", "memory", "bad-answer", "start", "quarantined", "other"];

/// One plugin as one migration uses it.
#[derive(Debug)]
pub(crate) struct PluginMeter {
    pub(crate) calls: [AtomicU64; HOOKS.len()],
    pub(crate) faults: [AtomicU64; FAULTS.len()],
    /// By hook.
    pub(crate) durations: [Histogram; HOOKS.len()],
}

impl Default for PluginMeter {
    fn default() -> Self {
        Self {
            calls: Default::default(),
            faults: Default::default(),
            durations: std::array::from_fn(|_| Histogram::new(CALL_BOUNDS_US)),
        }
    }
}

#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
impl PluginMeter {
    pub(crate) fn called(&self, hook: Hook, took: Duration) {
        bump(&self.calls[hook as usize]);
        self.durations[hook as usize].record(took);
    }

    pub(crate) fn failed(&self, kind: &str) {
        let at = FAULTS.iter().position(|known| *known == kind).unwrap_or(FAULTS.len() - 1);
        bump(&self.faults[at]);
    }
}
