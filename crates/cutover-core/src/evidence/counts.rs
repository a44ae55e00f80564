//! What statistics are fed with: how many observations, and how many of them were bad; and the
//! limit that the share of bad ones is held against.

use crate::Percent;
use std::fmt;
use std::ops::{Add, AddAssign};

/// Observations and the bad ones among them. There are never more bad ones than observations, and
/// sums stay at the largest number instead of beginning again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    n: u64,
    k: u64,
}

impl Counts {
    /// Nothing observed.
    pub const NONE: Self = Self { n: 0, k: 0 };

    /// `n` observations, `k` of them bad. Counters of several workers are read one after the other,
    /// so that `k` may be newer than `n`: more bad ones than observations count as all bad.
    pub const fn new(n: u64, k: u64) -> Self {
        Self { n, k: if k > n { n } else { k } }
    }

    /// How many observations.
    pub const fn n(self) -> u64 {
        self.n
    }

    /// How many of them were bad.
    pub const fn bad(self) -> u64 {
        self.k
    }

    /// How many of them were good.
    pub const fn good(self) -> u64 {
        self.n - self.k
    }

    /// Nothing observed?
    pub const fn is_empty(self) -> bool {
        self.n == 0
    }

    /// The share of bad ones, 0 if nothing was observed.
    pub fn share(self) -> f64 {
        if self.n == 0 { 0.0 } else { self.k as f64 / self.n as f64 }
    }

    /// Is the share of bad ones above the limit? A plain comparison, without any confidence.
    pub fn above(self, limit: Limit) -> bool {
        u128::from(self.k) * Limit::WHOLE > u128::from(self.n) * u128::from(limit.0)
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { n: self.n.saturating_add(other.n), k: self.k.saturating_add(other.k) }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The share of bad observations that is still acceptable: parts per billion, from one up to one
/// half. An integer, so that it is `Eq` and a limit that was stored is the limit that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Limit(u32);

impl Limit {
    const WHOLE: u128 = 1_000_000_000;
    const LARGEST: u32 = 500_000_000;

    /// 0.01 %, for stores that are reconciled.
    pub const ONE_IN_TEN_THOUSAND: Self = Self(100_000);
    /// 0.1 %, for errors, fallbacks and mismatches.
    pub const ONE_IN_A_THOUSAND: Self = Self(1_000_000);
    /// 1 %, what exceeds the 99th percentile.
    pub const ONE_IN_A_HUNDRED: Self = Self(10_000_000);
    /// 2 %, below which the share of slow requests must be shown to be.
    pub const TWO_IN_A_HUNDRED: Self = Self(20_000_000);

    /// From parts per billion; `None` for 0 and for more than one half.
    pub const fn from_billionths(billionths: u32) -> Option<Self> {
        if billionths == 0 || billionths > Self::LARGEST { None } else { Some(Self(billionths)) }
    }

    /// Parts per billion.
    pub const fn billionths(self) -> u32 {
        self.0
    }

    /// As a share of one.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e9
    }
}

/// A percent that cannot be a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// 0 %: no number of good observations shows that there is never a bad one.
    Zero,
    /// More than 50 %.
    AboveHalf,
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => "a limit of 0% can never be shown to hold; the smallest is 0.001%",
            Self::AboveHalf => "a limit is at most 50%",
        })
    }
}

impl std::error::Error for LimitError {}

impl TryFrom<Percent> for Limit {
    type Error = LimitError;

    fn try_from(percent: Percent) -> Result<Self, LimitError> {
        match percent.thousandths() {
            0 => Err(LimitError::Zero),
            more if more > 50_000 => Err(LimitError::AboveHalf),
            thousandths => Ok(Self(thousandths * 10_000)),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000_000, self.0 % 10_000_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{rest:07}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}
