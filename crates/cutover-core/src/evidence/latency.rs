//! Latency as a share: how many requests of `new` are slower than a bar taken from `old`'s 99th
//! percentile.
//!
//! Two percentiles are never compared with each other. The bar comes from a concurrent control:
//! requests that `old` served meanwhile. It is set once per step and stands still while `new` is
//! counted against it.

use super::Counts;
use super::binomial::ranks_of_p99;
use std::fmt;
use std::ops::{Add, AddAssign};

/// Requests of `old` below which no bar is set.
pub const CONTROL_REQUESTS: u64 = 1_000;

/// How much slower than `old` is acceptable: a factor in thousandths, from 1 up to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tolerance(u32);

impl Tolerance {
    /// A tenth slower.
    pub const TENTH: Self = Self(1_100);

    /// From thousandths; `None` below 1 and above 100.
    pub const fn from_thousandths(thousandths: u32) -> Option<Self> {
        match thousandths {
            1_000..=100_000 => Some(Self(thousandths)),
            _ => None,
        }
    }

    /// The factor in thousandths.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    fn of(self, micros: u64) -> u64 {
        let product = u128::from(micros) * u128::from(self.0) / 1_000;
        u64::try_from(product).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:03}", self.0 % 1_000);
        let decimals = decimals.trim_end_matches('0');
        write!(f, "{}.{decimals:0<2}", self.0 / 1_000)
    }
}

/// Too few requests of `old` to set a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewControl {
    /// Requests of `old` so far.
    pub have: u64,
    /// Requests needed.
    pub need: u64,
}

impl fmt::Display for TooFewControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests on old are too few for its p99; needed: {}", self.have, self.need)
    }
}

impl std::error::Error for TooFewControl {}

/// What a request of `new` is held against. The 99th percentile of `old` lies, with 95 % each,
/// above a lower and below an upper order statistic of the control. PASS counts requests above the
/// lower one, FAIL those above the upper one: either way the error of the control is on the safe
/// side of what is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bar {
    pub(super) slow_us: u64,
    pub(super) very_slow_us: u64,
    pub(super) control: u64,
}

impl Bar {
    /// From the times of a control: values in microseconds, each with how often it occurred.
    pub fn from_control(tolerance: Tolerance, times: &[(u64, u64)]) -> Result<Self, TooFewControl> {
        let control = times.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
        if control < CONTROL_REQUESTS {
            return Err(TooFewControl { have: control, need: CONTROL_REQUESTS });
        }
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let (lower, upper) = ranks_of_p99(control);
        let slow_us = tolerance.of(value_of_rank(&sorted, lower));
        let very_slow_us = tolerance.of(value_of_rank(&sorted, upper));
        Ok(Self { slow_us, very_slow_us, control })
    }

    /// A bar as it was stored.
    pub fn from_parts(slow_us: u64, very_slow_us: u64, control: u64) -> Self {
        Self { slow_us, very_slow_us: very_slow_us.max(slow_us), control }
    }

    /// Above this a request counts for PASS: the tolerance times the lower bound of `old`'s p99.
    pub fn slow_us(&self) -> u64 {
        self.slow_us
    }

    /// Above this a request counts for FAIL: the tolerance times the upper bound of `old`'s p99.
    pub fn very_slow_us(&self) -> u64 {
        self.very_slow_us
    }

    /// Requests of `old` that it was taken from.
    pub fn control(&self) -> u64 {
        self.control
    }
}

/// The smallest value that so many are at most.
fn value_of_rank(sorted: &[(u64, u64)], rank: u64) -> u64 {
    let mut seen = 0u64;
    let found = sorted.iter().find(|(_, count)| {
        seen = seen.saturating_add(*count);
        seen >= rank
    });
    found.or(sorted.last()).map_or(0, |(value, _)| *value)
}

/// Requests of `new`, held against a bar; what a worker counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slowness {
    /// All requests with a time.
    pub n: u64,
    /// Those above [`Bar::slow_us`].
    pub slow: u64,
    /// Those above [`Bar::very_slow_us`].
    pub very_slow: u64,
}

impl Slowness {
    /// One request that took so long.
    pub fn count(&mut self, bar: &Bar, micros: u64) {
        self.n += 1;
        self.slow += u64::from(micros > bar.slow_us);
        self.very_slow += u64::from(micros > bar.very_slow_us);
    }

    pub(super) fn by_pass(self) -> Counts {
        Counts::new(self.n, self.slow)
    }

    pub(super) fn by_fail(self) -> Counts {
        Counts::new(self.n, self.very_slow)
    }
}

impl Add for Slowness {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            n: self.n.saturating_add(other.n),
            slow: self.slow.saturating_add(other.slow),
            very_slow: self.very_slow.saturating_add(other.very_slow),
        }
    }
}

impl AddAssign for Slowness {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
