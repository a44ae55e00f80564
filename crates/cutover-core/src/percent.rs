//! Percents, salts and buckets: the arithmetic that decides which users belong to a cohort.
//!
//! A bucket is `murmur3_x86_32(salt ‖ 0x00 ‖ key, seed 0)` scaled to `0..100_000` by a 64-bit
//! product (flagd's
//! `fractional` arithmetic, version 2). A user is in the cohort iff `bucket < percent * 1_000`, so
//! growing a percent only adds users and shrinking it only removes some. [`Bucketing`] has other
//! arithmetics, for users who were split by another system before. Golden vectors:
//! `docs/golden-vectors.md`.

mod murmur3;

pub use murmur3::murmur3_x86_32;

use murmur3::Murmur3;
use std::fmt;
use std::str::FromStr;

/// A share of users: thousandths of a percent, `0..=100_000`. An integer, so that it is `Eq` and
/// never rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// Nobody.
    pub const ZERO: Self = Self(0);
    /// Everybody.
    pub const FULL: Self = Self(100_000);

    /// From thousandths of a percent; values above 100 % are clamped.
    pub const fn from_thousandths(thousandths: u32) -> Self {
        Self(if thousandths > 100_000 { 100_000 } else { thousandths })
    }

    /// Thousandths of a percent, `0..=100_000`.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// Does a user in this bucket belong to the share?
    pub const fn admits(self, bucket: Bucket) -> bool {
        bucket.0 < self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000, self.0 % 1_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{rest:03}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}

/// A text that is not a percent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PercentError {
    /// Not a decimal number with an optional `%` sign.
    NotANumber,
    /// More than three decimal places.
    TooFine,
    /// Below 0 or above 100.
    OutOfRange,
}

impl fmt::Display for PercentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not a percent; write it like \"5%\" or \"0.125%\"",
            Self::TooFine => "a percent has at most three decimal places",
            Self::OutOfRange => "a percent lies between 0 and 100",
        })
    }
}

impl std::error::Error for PercentError {}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let text = text.trim();
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) || text.ends_with('.') {
            return Err(PercentError::NotANumber);
        }
        if decimals.len() > 3 {
            return Err(PercentError::TooFine);
        }
        let whole: u32 = whole.parse().map_err(|_| PercentError::OutOfRange)?;
        let fraction: u32 =
            format!("{decimals:0<3}").parse().map_err(|_| PercentError::NotANumber)?;
        let thousandths = whole.checked_mul(1_000).and_then(|w| w.checked_add(fraction));
        thousandths.filter(|&t| t <= 100_000).map(Self).ok_or(PercentError::OutOfRange)
    }
}

/// A user's place under a migration's salt, `0..100_000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(u32);

impl Bucket {
    /// From its number; `None` from 100 000 on. Buckets of users come from [`Salt::bucket`]; this
    /// is for tests and tools that name one.
    pub const fn new(number: u32) -> Option<Self> {
        if number < 100_000 { Some(Self(number)) } else { None }
    }

    /// The bucket as a number, `0..100_000`.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The arithmetic from salt and key to a bucket. Each is monotone: a growing percent only adds
/// users. Changing it reshuffles everybody, so it belongs to the state of a migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bucketing {
    /// `(murmur3(salt ‖ 0x00 ‖ key) * 100_000) >> 32`. The zero keeps salt `a` with key `bc` apart
    /// from `ab` with `c`.
    #[default]
    Cutover1,
    /// `(murmur3(salt ‖ key) * 100_000) >> 32`: who is below 5 % here gets the first variant of
    /// flagd's `fractional` (version 2) with weights 5 and 95. The salt is the flag's key or the
    /// seed that the flag concatenates.
    FlagdV2,
    /// `murmur3(salt ‖ ":" ‖ key) % 100 + 1 <= percent`: Unleash's flexible rollout, the salt being
    /// the group id. It knows whole percents only; a fraction counts as the whole percent below.
    Unleash,
}

impl Bucketing {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Cutover1, Self::FlagdV2, Self::Unleash];

    /// The name used in the configuration and in the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cutover1 => "cutover-1",
            Self::FlagdV2 => "flagd-v2",
            Self::Unleash => "unleash",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucketing| bucketing.name() == name)
    }

    /// What stands between salt and key.
    const fn separator(self) -> &'static [u8] {
        match self {
            Self::Cutover1 => b"\0",
            Self::FlagdV2 => b"",
            Self::Unleash => b":",
        }
    }

    #[inline]
    const fn bucket(self, hash: u32) -> Bucket {
        Bucket(match self {
            Self::Cutover1 | Self::FlagdV2 => ((hash as u64 * 100_000) >> 32) as u32,
            // The last bucket of the user's percent, so that a fraction of a percent admits nobody
            // too many.
            Self::Unleash => (hash % 100 + 1) * 1_000 - 1,
        })
    }
}

/// What keeps the cohorts of two migrations independent, and the arithmetic in which it does.
/// Stored with its hash already advanced, so that a bucket costs the hash of the key only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt {
    text: Box<str>,
    bucketing: Bucketing,
    advanced: Murmur3,
}

impl Salt {
    /// A salt from its text; by default a migration's name.
    pub fn new(text: &str) -> Self {
        Self::with_bucketing(text, Bucketing::default())
    }

    /// A salt for another arithmetic.
    pub fn with_bucketing(text: &str, bucketing: Bucketing) -> Self {
        let advanced = Murmur3::default().then(text.as_bytes()).then(bucketing.separator());
        Self { text: text.into(), bucketing, advanced }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its arithmetic.
    pub fn bucketing(&self) -> Bucketing {
        self.bucketing
    }

    /// The bucket of a user, by the raw bytes of the key.
    #[inline]
    pub fn bucket(&self, key: &[u8]) -> Bucket {
        self.bucketing.bucket(self.advanced.then(key).finish())
    }
}

#[cfg(test)]
mod tests;
