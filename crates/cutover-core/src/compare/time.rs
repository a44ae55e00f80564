//! Times in replies: RFC 3339 in any zone, or seconds, milli-, micro- or nanoseconds since 1970.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nanoseconds since 1970 of a string in the format of RFC 3339.
pub(super) fn of_text(text: &str) -> Option<i128> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp_nanos)
}

/// Nanoseconds since 1970 of a JSON number. Its unit is told from the number of its digits: up to
/// eleven are seconds (the year 5138), then milli-, micro-, nanoseconds.
pub(super) fn of_number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit());
    if !all_digits || whole.is_empty() || whole.len() > 20 {
        return None;
    }
    let unit_digits = match whole.len() {
        ..=11 => 9,
        12..=14 => 6,
        15..=17 => 3,
        _ => 0,
    };
    let mut nanos = whole.parse::<i128>().ok()?;
    let mut fraction = fraction.bytes();
    for _ in 0..unit_digits {
        let digit = fraction.next().map_or(0, |digit| i128::from(digit - b'0'));
        nanos = nanos * 10 + digit;
    }
    Some(if negative { -nanos } else { nanos })
}
