//! Durations, sizes and dates as people write them, and back.

use cutover_core::migration::Timestamp;
use std::fmt;
use std::time::Duration;

/// Units of a duration, the longest first, in nanoseconds.
const TIMES: [(&str, u128); 6] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
];

/// Longest duration that is accepted: whatever is meant by more, it is not a limit.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Units of a size, in bytes.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Why a text is no duration or size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitError {
    /// Cannot be read.
    Spelling,
    /// A number without a unit.
    NoUnit,
    /// Larger than makes sense.
    TooLarge,
}

/// Reads `250ms`, `1.5s` or `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let mut rest = text.trim();
    let mut nanoseconds: u128 = 0;
    if rest.is_empty() {
        return Err(UnitError::Spelling);
    }
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let unit = if unit == "µs" { "us" } else { unit };
        let &(_, factor) =
            TIMES.iter().find(|(name, _)| *name == unit).ok_or(UnitError::Spelling)?;
        let part = times(number, factor).ok_or(UnitError::TooLarge)?;
        nanoseconds = nanoseconds.checked_add(part).ok_or(UnitError::TooLarge)?;
        rest = next;
    }
    let duration = u64::try_from(nanoseconds / 1_000).map(Duration::from_micros).ok();
    duration.filter(|d| *d <= LONGEST).ok_or(UnitError::TooLarge)
}

/// Writes a duration in as few units as it needs.
pub(crate) fn print_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let mut left = nanoseconds;
    let mut text = String::new();
    for (unit, factor) in TIMES {
        let count = left / factor;
        left %= factor;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text
}

/// Reads `1MiB`, `64KiB`, `100kB` or `512B`.
pub(crate) fn parse_size(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split_number(text.trim())?;
    let unit = unit.trim_start();
    let &(_, factor) = SIZES.iter().find(|(name, _)| *name == unit).ok_or(UnitError::Spelling)?;
    let bytes = times(number, u128::from(factor)).ok_or(UnitError::TooLarge)?;
    u64::try_from(bytes).ok().filter(|b| *b <= 1 << 40).ok_or(UnitError::TooLarge)
}

/// Writes a size in the largest binary unit that divides it.
pub(crate) fn print_size(bytes: u64) -> String {
    let binary = SIZES.iter().filter(|(unit, _)| unit.ends_with("iB") || *unit == "B");
    let mut fitting = binary.filter(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor));
    let (unit, factor) = fitting.next().copied().unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

/// Splits a number, with decimals or without, from what follows it.
fn split_number(text: &str) -> Result<(&str, &str), UnitError> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    match text.split_at(end) {
        (number, _) if number.split('.').any(str::is_empty) => Err(UnitError::Spelling),
        (number, _) if number.matches('.').count() > 1 => Err(UnitError::Spelling),
        (_, "") => Err(UnitError::NoUnit),
        parts => Ok(parts),
    }
}

/// A decimal number times a whole one; what is finer than the unit is cut off.
fn times(number: &str, factor: u128) -> Option<u128> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u128 = whole.parse().ok()?;
    let decimals = decimals.get(..decimals.len().min(9))?;
    let fraction: u128 = decimals.parse().ok()?;
    let scale = 10u128.pow(u32::try_from(decimals.len()).ok()?);
    whole.checked_mul(factor)?.checked_add(fraction.checked_mul(factor)? / scale)
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// Its first moment, UTC; nothing is before 1970.
    pub fn begins(self) -> Timestamp {
        // Counted from a 1st of March: then the day that some years have more is the last of a year.
        let (year, month) = (u64::from(self.year), u64::from(self.month));
        let (year, month) =
            if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400;
        let days = days + (153 * month + 2) / 5 + u64::from(self.day.saturating_sub(1));
        // 719,468 days lie between the 1st of March of year 0 and the beginning of 1970.
        Timestamp::from_millis(days.saturating_sub(719_468) * 86_400_000)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests;
