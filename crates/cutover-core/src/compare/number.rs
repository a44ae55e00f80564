//! Numbers as text: equal by value without rounding, and equal within a tolerance.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// When two numbers are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// When they are written alike. The default: a client that reads an integer stumbles over
    /// `1.0`.
    #[default]
    Written,
    /// When their value is: `1`, `1.0` and `10e-1`.
    Value,
}

/// A decimal number without exponent's and zeros' freedom: `digits × 10^power`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'t> {
    negative: bool,
    /// Before and after the point; zeros at the outer ends are not significant.
    whole: &'t [u8],
    fraction: &'t [u8],
    power: i64,
}

impl<'t> Decimal<'t> {
    /// Reads a JSON number. `None` if its exponent is beyond all use.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut decimal = Self {
            negative,
            whole: trim_start(whole.as_bytes()),
            fraction: fraction.as_bytes(),
            power: i64::from(exponent) - fraction.len() as i64,
        };
        decimal.trim();
        Some(decimal)
    }

    fn trim(&mut self) {
        if self.whole.is_empty() {
            self.fraction = trim_start(self.fraction);
        }
        let kept = trim_end(self.fraction);
        self.power += (self.fraction.len() - kept.len()) as i64;
        self.fraction = kept;
        if self.fraction.is_empty() {
            let kept = trim_end(self.whole);
            self.power += (self.whole.len() - kept.len()) as i64;
            self.whole = kept;
        }
        if self.whole.is_empty() && self.fraction.is_empty() {
            // There is one zero.
            (self.negative, self.power) = (false, 0);
        }
    }

    /// The significant digits.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + use<'t> {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// Sign and power of ten of the last significant digit.
    pub(super) fn scale(&self) -> (bool, i64) {
        (self.negative, self.power)
    }

    /// The digits as an integer, in units of `10^power`; `None` if it takes more than 128 bits.
    fn units(&self, power: i64) -> Option<i128> {
        let shift = u32::try_from(self.power.checked_sub(power)?).ok()?;
        let mut units = 0i128;
        for digit in self.digits() {
            units = units.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        // Zero has no size, however far away its unit.
        if units != 0 {
            units = units.checked_mul(10i128.checked_pow(shift)?)?;
        }
        Some(if self.negative { -units } else { units })
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scale() == other.scale() && self.digits().cmp(other.digits()) == Ordering::Equal
    }
}

fn trim_start(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|&&digit| digit == b'0').count()..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    &digits[..digits.len() - digits.iter().rev().take_while(|&&digit| digit == b'0').count()]
}

/// Are two JSON numbers the same under this policy?
pub(super) fn same(policy: Numbers, old: &str, new: &str) -> bool {
    old == new
        || policy == Numbers::Value
            && Decimal::parse(old).zip(Decimal::parse(new)).is_some_and(|(old, new)| old == new)
}

/// How far apart two numbers may be: `0.01`, or `1%` of the larger of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Decimal text, not negative.
    amount: Box<str>,
    relative: bool,
}

/// The text of a tolerance is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToleranceError;

impl fmt::Display for ToleranceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a tolerance: write \"0.01\" for a distance, \"1%\" for a share")
    }
}

impl std::error::Error for ToleranceError {}

impl FromStr for Tolerance {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, ToleranceError> {
        let text = text.trim();
        let (amount, relative) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), true),
            None => (text, false),
        };
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
        let digits = |part: &str| {
            (1..=15).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit())
        };
        if digits(whole) && digits(fraction) {
            Ok(Self { amount: amount.into(), relative })
        } else {
            Err(ToleranceError)
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, if self.relative { "%" } else { "" })
    }
}

impl Tolerance {
    /// Is the distance of two JSON numbers at most this? Exact for numbers of up to 38 digits;
    /// numbers that need more are within a tolerance only if they are equal.
    pub(super) fn admits(&self, old: &str, new: &str) -> bool {
        let numbers = Decimal::parse(old).zip(Decimal::parse(new));
        numbers.is_some_and(|(old, new)| old == new || self.spans(&old, &new).unwrap_or(false))
    }

    fn spans(&self, old: &Decimal<'_>, new: &Decimal<'_>) -> Option<bool> {
        let amount = Decimal::parse(&self.amount)?;
        let mut power = old.power.min(new.power);
        if !self.relative {
            power = power.min(amount.power);
        }
        let (old, new) = (old.units(power)?, new.units(power)?);
        let distance = old.checked_sub(new)?.checked_abs()?;
        if !self.relative {
            return Some(distance <= amount.units(power)?);
        }
        // distance <= larger × percent / 100, both sides in units of the percent's last digit.
        let larger = old.checked_abs()?.max(new.checked_abs()?);
        let least = amount.power.min(0);
        let percent = amount.units(least)?;
        let hundred = 10i128.checked_pow(u32::try_from(2 - least).ok()?)?;
        Some(distance.checked_mul(hundred)? <= larger.checked_mul(percent)?)
    }
}
