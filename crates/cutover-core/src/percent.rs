//! Percents, salts and buckets: the arithmetic that decides which users belong to a cohort.
//!
//! A bucket is `murmur3_x86_32(salt ‖ 0x00 ‖ key, seed 0)` scaled to `0..100_000` by a 64-bit product (flagd's
//! `fractional` arithmetic, version 2). A user is in the cohort iff `bucket < percent * 1_000`, so growing a percent
//! only adds users and shrinking it only removes some.

use std::fmt;
use std::str::FromStr;

/// A share of users: thousandths of a percent, `0..=100_000`. An integer, so that it is `Eq` and never rounds.
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
    /// The bucket as a number, `0..100_000`.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// What keeps the cohorts of two migrations independent. Stored with its murmur3 state already advanced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt(Box<[u8]>);

impl Salt {
    /// A salt from its text; by default a migration's name.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// The bucket of a user, by the raw bytes of the key.
    pub fn bucket(&self, key: &[u8]) -> Bucket {
        let hash = murmur3_x86_32(&[&self.0, &[0], key]);
        Bucket(((u64::from(hash) * 100_000) >> 32) as u32)
    }
}

/// murmur3_x86_32, seed 0, over the concatenation of `parts` (Austin Appleby, public domain).
pub fn murmur3_x86_32(parts: &[&[u8]]) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mut hash: u32 = 0;
    let mut length: u32 = 0;
    let (mut pending, mut filled) = (0u32, 0u32);
    for byte in parts.iter().flat_map(|part| part.iter()) {
        pending |= u32::from(*byte) << (8 * filled);
        filled += 1;
        length = length.wrapping_add(1);
        if filled == 4 {
            hash ^= pending.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
            hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
            (pending, filled) = (0, 0);
        }
    }
    hash ^= pending.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    hash ^= length;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
