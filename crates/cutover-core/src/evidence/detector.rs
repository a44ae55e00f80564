//! The FAIL side: an e-detector, which finds a share of bad observations that has risen above a
//! limit. Good data of long ago cannot hide a new fault.
//!
//! For each r in {1.5, 2, 3, 5, 10, 30} one level is kept: after every observation `L = max(L, 0) +
//! ln(factor)`, where the factor is `r` for a bad one and `(1 - r·p0)/(1 - p0)` for a good one. The
//! alarm is raised when the mean over r of `exp(L)` reaches [`ALARM_AT`]; an r with `r·p0 >= 1`
//! takes no part. Once raised, the alarm stays.
//!
//! # Levels are integers
//! They are kept in units of 2^-48. So a million good observations fed at once leave *exactly* the
//! levels that a million single ones leave, whichever way a second was cut into batches, and a
//! state that was stored goes on as if it had never been away. Factors are rounded down, so that
//! rounding never raises an alarm.
//!
//! # Batches with bad ones
//! In a batch the order of good and bad is not known. It is taken to be: all bad ones, then all
//! good ones, looked at once at the end. Of all orders this gives the lowest levels: batching can
//! delay an alarm to a later batch, never raise one that single observations would not have raised.

use super::mixture::{ln_good, ln_mean_exp};
use super::{Counts, Limit};

/// What the mean must reach.
pub const ALARM_AT: f64 = 10_000.0;

/// Multiples of the limit that the observations are compared with, ascending.
pub(super) const RATIOS: [f64; LEVELS] = [1.5, 2.0, 3.0, 5.0, 10.0, 30.0];
const LEVELS: usize = 6;
/// One natural unit of logarithm.
const ONE: f64 = (1u64 << 48) as f64;
/// Levels end here, far above any alarm: e^64.
const HIGHEST: i128 = 64 << 48;

/// The running state: one level per ratio, and whether the alarm was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Detector {
    limit: Limit,
    levels: [i64; LEVELS],
    alarmed: bool,
}

impl Detector {
    /// A detector that has seen nothing.
    pub const fn new(limit: Limit) -> Self {
        Self { limit, levels: [0; LEVELS], alarmed: false }
    }

    /// A detector as it was stored. Levels that no detector can have are brought back into the
    /// range.
    pub fn from_parts(limit: Limit, levels: [i64; LEVELS], alarmed: bool) -> Self {
        let levels = levels.map(|level| level.clamp(-(HIGHEST as i64), HIGHEST as i64));
        Self { limit, levels, alarmed }
    }

    /// The limit it watches.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// The levels, in units of 2^-48, to be stored.
    pub fn levels(&self) -> [i64; LEVELS] {
        self.levels
    }

    /// Was the alarm raised?
    pub fn alarmed(&self) -> bool {
        self.alarmed
    }

    /// How near the alarm is: the mean of `exp(L)`, to be compared with [`ALARM_AT`].
    pub fn level(&self) -> f64 {
        ln_mean_exp(self.taking_part().map(|at| self.levels[at] as f64 / ONE)).exp()
    }

    /// A batch of observations. Costs the same for one and for a billion. After the alarm nothing
    /// changes any more.
    pub fn record(&mut self, batch: Counts) {
        if self.alarmed || batch.is_empty() {
            return;
        }
        let p0 = self.limit.fraction();
        for at in self.taking_part() {
            let bad = (RATIOS[at].ln() * ONE).floor() as i128;
            let good = (ln_good(RATIOS[at], p0) * ONE).floor() as i128;
            self.levels[at] = after(self.levels[at].into(), batch, bad, good);
        }
        self.alarmed = self.level() >= ALARM_AT;
    }

    /// For another limit, whose levels begin anew. An alarm stays: only a person takes it back.
    #[must_use]
    pub fn with_limit(self, limit: Limit) -> Self {
        if limit == self.limit {
            return self;
        }
        Self { alarmed: self.alarmed, ..Self::new(limit) }
    }

    /// The ratios whose multiple of the limit is still a share: the first few, at least one.
    fn taking_part(&self) -> std::ops::Range<usize> {
        let p0 = self.limit.fraction();
        0..RATIOS.iter().take_while(|ratio| **ratio * p0 < 1.0).count()
    }
}

/// The level after a batch: its bad ones, then its good ones.
fn after(level: i128, batch: Counts, bad: i128, good: i128) -> i64 {
    let mut level = level;
    if batch.bad() > 0 {
        level = level.max(0) + i128::from(batch.bad()) * bad;
    }
    if batch.good() > 0 {
        // The last good one finds what the others left, or 0 if they had worn it down before.
        let others = i128::from(batch.good()) - 1;
        level = (level + others * good).max(0) + good;
    }
    level.min(HIGHEST) as i64
}
