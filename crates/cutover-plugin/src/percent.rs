//! Percents of users, as exact integers.

use std::fmt;
use std::str::FromStr;

/// A share of users: thousandths of a percent, 0 to 100 000. [`View::in_share`](crate::View::in_share)
/// says whether a user belongs to it.
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

    /// Thousandths of a percent, 0 to 100 000.
    pub const fn thousandths(self) -> u32 {
        self.0
    }
}

/// A text that is not a percent with at most three decimal places, between 0 and 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PercentError;

impl fmt::Display for PercentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write a percent from 0 to 100, with three decimals at most: \"5%\" or \"0.125%\"",
        )
    }
}

impl std::error::Error for PercentError {}

impl FromStr for Percent {
    type Err = PercentError;

    /// Reads `5%`, `0.125%` or `5`, as cutover's own configuration does.
    fn from_str(text: &str) -> Result<Self, PercentError> {
        let text = text.trim();
        let number = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, decimals) = match number.split_once('.') {
            Some((whole, decimals)) if (1..=3).contains(&decimals.len()) => (whole, decimals),
            Some(_) => return Err(PercentError),
            None => (number, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || !digits(whole) || !digits(decimals) {
            return Err(PercentError);
        }
        let padding = 3 - decimals.len();
        let value = whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', padding));
        let thousandths = value.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        if thousandths > 100_000 { Err(PercentError) } else { Ok(Self(thousandths)) }
    }
}
