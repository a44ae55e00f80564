//! Dates as two systems write them, as seconds since 1970.

const DAY_S: i64 = 86_400;

/// Numbers from here on are milliseconds: as seconds this is the year 5138, as milliseconds it is 1973.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// `2026-11-27T16:39:46.5+01:00`, `2026-11-27 16:39:46` at `ahead_s` of UTC, or digits.
pub(crate) fn written(text: &[u8], ahead_s: i64) -> Option<i64> {
    let Some((clock, rest)) = text.split_at_checked(19) else { return counted(text) };
    let number = |from: usize, to: usize| -> Option<i64> {
        clock[from..to].iter().try_fold(0, |sum, byte| digit(*byte).map(|digit| sum * 10 + digit))
    };
    let marks = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")];
    let shaped = marks.iter().all(|(at, mark)| mark.contains(&clock[*at]));
    if !shaped || !b"Tt ".contains(&clock[10]) {
        return counted(text);
    }
    let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let end = fraction.iter().position(|byte| digit(*byte).is_none());
            let end = end.unwrap_or(fraction.len());
            if end == 0 {
                return None;
            }
            &fraction[end..]
        }
        None => rest,
    };
    let ahead_s = if rest.is_empty() { ahead_s } else { offset(rest)? };
    Some(days * DAY_S + hour * 3_600 + minute * 60 + second - ahead_s)
}

/// `1795797586`, `1795797586.25` or `1795797586250`: seconds or milliseconds.
pub(crate) fn counted(number: &[u8]) -> Option<i64> {
    let number = std::str::from_utf8(number).ok()?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (number, "0"),
    };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| digit(byte).is_some());
    if !plain(digits) || !plain(fraction) {
        return None;
    }
    let count: i64 = whole.parse().ok()?;
    if count.unsigned_abs() >= MILLISECONDS_FROM {
        return Some(count.div_euclid(1_000));
    }
    let before = whole.starts_with('-') && fraction.bytes().any(|byte| byte != b'0');
    count.checked_sub(i64::from(before))
}

/// `Z` or `+01:00`, in seconds ahead of UTC.
pub(crate) fn offset(text: &[u8]) -> Option<i64> {
    let (sign, [h1, h2, b':', m1, m2]) = (match text {
        b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    }) else {
        return None;
    };
    let two = |tens: &u8, ones: &u8| Some(digit(*tens)? * 10 + digit(*ones)?);
    let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The one form that all others become; `None` outside the years 0 to 9999.
pub(crate) fn utc(epoch_s: i64) -> Option<String> {
    let (days, second) = (epoch_s.div_euclid(DAY_S), epoch_s.rem_euclid(DAY_S));
    // Eras of 400 years that begin in March, so that a leap day is the last day of a year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    (0..=9_999)
        .contains(&year)
        .then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// Days since 1970 of a day that there is.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let (year, march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * march + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}
