//! Evidence: what was observed about a migration, and what may be concluded from it.
//!
//! Statistics see counts of good and bad observations and nothing else. Two processes run on them,
//! both valid however often somebody looks. PASS (`mixture.rs`) shows a share to be below its
//! limit: may a person go forward? FAIL (`detector.rs`) finds a share that has risen above it, and
//! latches: must we go back? Beside them stand prudence (three bad ones in an hour) and a hard stop
//! (half of five seconds).
//!
//! # Who calls what, and when
//! - For every request a worker adds to its own plain counters; for its time there is
//!   [`Slowness::count`] and the [`Bar`] in force. Nothing here is called on the path of a request.
//! - Once a second the engine adds the workers' counters to one [`Batch`] and calls
//!   [`Evidence::record`], also with an empty batch: that is the heartbeat. Then it asks
//!   [`Evidence::failed`] and [`Evidence::precautions`]. All of it costs some microseconds, however
//!   many requests there were. Not more often: one look a second finds faults as fast as a look
//!   after every request, with a fifth of its false alarms at 100 requests a second and next to
//!   none at 1,000 (`tests/simulation.rs`).
//! - When a step begins: [`Evidence::begin_step`], and from then on [`Evidence::set_bar`] now and
//!   then with the times of the concurrent control, until it succeeds.
//! - When a person or the API asks: [`Evidence::answer`] or [`Evidence::answers`]. Bounds and waits
//!   are computed then.
//! - On rollback, `retry`, or a change of backends, rules or plugins a new epoch begins:
//!   [`Evidence::new`]. When a percent moves nothing is erased but what was counted against the
//!   latency bar of the last step.
//! - To store it: [`Evidence::words`], 186 numbers, and [`Evidence::from_words`].
//!
//! Times are milliseconds of one clock, Unix time if evidence is to outlive the process.

mod baseline;
mod binomial;
mod counts;
mod coverage;
mod detector;
mod gate;
mod hard_stop;
mod judge;
mod latency;
mod meter;
mod mixture;
pub mod power;
mod sentence;
mod window;
mod words;

pub use baseline::{Baseline, OldNow, Reach};
pub use counts::{Counts, Limit, LimitError};
pub use coverage::{Coverage, RouteClass};
pub use detector::{ALARM_AT, Detector};
pub use gate::{Age, Answer, BaselineNumbers, Gate, Limits, Numbers, Share, Verdict, Why};
pub use hard_stop::{HARD_STOP_REQUESTS, HardStop};
pub use judge::Look;
pub use latency::{Bar, CONTROL_REQUESTS, Slowness, Tolerance, TooFewControl};
pub use meter::Meter;
pub use mixture::{PASS_AT, clean_needed, evidence_below, shown_below, upper_bound};
pub(crate) use sentence::Grouped;
pub use window::{FiveSeconds, Hour, Window};
pub use words::WordsError;

use std::ops::{Add, AddAssign};

/// Counts how often evidence began anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// What was observed since the last batch; workers' batches are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Requests tried on `new`, mirrored ones before the canary; bad: 5xx, timeout, no connection,
    /// and whatever else made `old` answer instead.
    pub errors: Counts,
    /// Requests of the cohort; bad: answered by `old`, as a fallback or because the breaker was
    /// open.
    pub fallbacks: Counts,
    /// Settled comparisons; bad: a mismatch.
    pub mismatches: Counts,
    /// The concurrent control: requests that `old` served; bad: failed.
    pub old: Counts,
    /// Requests picked for mirroring; bad: shed.
    pub copies: Counts,
}

impl Add for Batch {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            fallbacks: self.fallbacks + other.fallbacks,
            mismatches: self.mismatches + other.mismatches,
            old: self.old + other.old,
            copies: self.copies + other.copies,
        }
    }
}

impl AddAssign for Batch {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// All evidence of one migration since its epoch began. Small and `Copy`: record into a copy, store
/// it, use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    epoch: Epoch,
    since_ms: u64,
    limits: Limits,
    heartbeat_ms: Option<u64>,
    errors: Meter,
    fallbacks: Meter,
    mismatches: Meter,
    latency: Meter,
    bar: Option<Bar>,
    /// Requests of the control when a bar was last asked for.
    control_have: u64,
    old: Counts,
    copies: Counts,
    hard_stop: HardStop,
    baseline: Baseline,
}

impl Evidence {
    /// A new epoch, in which nothing was observed yet.
    pub fn new(epoch: Epoch, limits: Limits, now_ms: u64) -> Self {
        let meter = |limit| Meter::new(limit, limit);
        Self {
            epoch,
            since_ms: now_ms,
            limits,
            heartbeat_ms: None,
            errors: meter(limits.errors),
            fallbacks: meter(limits.fallbacks),
            mismatches: meter(limits.mismatch),
            latency: Meter::new(Limit::TWO_IN_A_HUNDRED, Limit::ONE_IN_A_HUNDRED),
            bar: None,
            control_have: 0,
            old: Counts::NONE,
            copies: Counts::NONE,
            hard_stop: HardStop::default(),
            baseline: Baseline::default(),
        }
    }

    /// Requests that `old` was asked, while nothing is asked of `new`; bad: failed. `about` says what
    /// is observed: of something else the baseline begins anew.
    pub fn record_old(&mut self, about: u64, requests: Counts, now_ms: u64) {
        self.baseline.record(about, requests, now_ms);
    }

    /// Another epoch of this evidence: what was known of `old` alone.
    #[must_use]
    pub fn with_baseline(self, baseline: Baseline) -> Self {
        Self { baseline, ..self }
    }

    /// A batch, also an empty one.
    pub fn record(&mut self, batch: &Batch, now_ms: u64) {
        self.heartbeat_ms = Some(now_ms);
        self.errors.record(batch.errors, batch.errors, now_ms);
        self.fallbacks.record(batch.fallbacks, batch.fallbacks, now_ms);
        self.mismatches.record(batch.mismatches, batch.mismatches, now_ms);
        self.hard_stop.record(batch.errors, now_ms);
        self.old += batch.old;
        self.copies += batch.copies;
    }

    /// Times of `new`, counted against a bar. If that bar is no longer in force, they count for
    /// nothing.
    pub fn record_times(&mut self, bar: &Bar, times: Slowness, now_ms: u64) {
        if self.bar.as_ref() == Some(bar) {
            self.latency.record(times.by_pass(), times.by_fail(), now_ms);
        }
    }

    /// A step begins: the bar is taken down, and the share of slow requests is shown anew. The
    /// detector goes on, and an alarm stays.
    pub fn begin_step(&mut self) {
        self.bar = None;
        self.control_have = 0;
        self.latency.counts = Counts::NONE;
    }

    /// Sets the bar of this step from the times that `old` took since the step began: microseconds,
    /// each with how often it occurred. Once set it stands, whatever comes later.
    pub fn set_bar(&mut self, control: &[(u64, u64)]) -> Result<Bar, TooFewControl> {
        if let Some(bar) = self.bar {
            return Ok(bar);
        }
        let set = Bar::from_control(self.limits.latency, control);
        self.control_have = set.as_ref().map_or_else(|too_few| too_few.have, Bar::control);
        self.bar = set.ok();
        set
    }

    /// Under other limits: what was counted stays true. A detector whose limit has changed begins
    /// anew, and so does latency if its tolerance has; an alarm stays.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        if limits.latency != self.limits.latency {
            self.begin_step();
        }
        Self {
            limits,
            errors: self.errors.with_limit(limits.errors),
            fallbacks: self.fallbacks.with_limit(limits.fallbacks),
            mismatches: self.mismatches.with_limit(limits.mismatch),
            ..self
        }
    }

    /// Gates that say fail. Cheap: to be asked after every batch.
    pub fn failed(&self) -> impl Iterator<Item = Gate> + '_ {
        let stopped = self.hard_stop.tripped().is_some();
        let alarmed = move |(gate, meter): &(Gate, &Meter)| {
            meter.detector().alarmed() || *gate == Gate::Errors && stopped
        };
        self.meters().into_iter().filter(alarmed).map(|(gate, _)| gate)
    }

    /// Gates that call for a pause as a precaution. Cheap: to be asked after every batch.
    pub fn precautions(&self, now_ms: u64) -> impl Iterator<Item = Gate> + '_ {
        let meters = self.meters().into_iter();
        meters.filter(move |(_, meter)| meter.precaution(now_ms).is_some()).map(|(gate, _)| gate)
    }

    fn meters(&self) -> [(Gate, &Meter); 4] {
        [
            (Gate::Errors, &self.errors),
            (Gate::Fallbacks, &self.fallbacks),
            (Gate::Latency, &self.latency),
            (Gate::Mismatch, &self.mismatches),
        ]
    }

    /// What is known of `old` alone.
    pub fn baseline(&self) -> Baseline {
        self.baseline
    }

    /// Which evidence this is.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// When the epoch began.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// What gates hold it against.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The bar in force, for workers to count against.
    pub fn bar(&self) -> Option<Bar> {
        self.bar
    }

    /// The share that a gate is about, if it is about one.
    pub fn meter(&self, gate: Gate) -> Option<&Meter> {
        self.meters().into_iter().find(|(of, _)| *of == gate).map(|(_, meter)| meter)
    }

    /// What the hard stop saw when it tripped, in this epoch.
    pub fn hard_stop(&self) -> Option<Counts> {
        self.hard_stop.tripped()
    }

    /// When somebody who counts was last heard of, with or without observations.
    pub fn heartbeat_ms(&self) -> Option<u64> {
        self.heartbeat_ms
    }

    /// When anything was last observed.
    pub fn observed_ms(&self) -> Option<u64> {
        self.meters().into_iter().filter_map(|(_, meter)| meter.last_ms()).max()
    }

    /// Requests of the concurrent control; bad: failed.
    pub fn old(&self) -> Counts {
        self.old
    }

    /// Requests picked for mirroring; bad: shed.
    pub fn copies(&self) -> Counts {
        self.copies
    }
}

#[cfg(test)]
mod tests;
