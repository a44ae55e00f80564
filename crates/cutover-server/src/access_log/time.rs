//! The time of a line, down to the second: as text, worked out once a second and not once a line.

use crate::digits::two;

/// `2026-11-30T22:13:13.`
type Text = [u8; 20];

/// The last second that was asked for.
#[derive(Debug)]
pub(super) struct Second {
    unix: u64,
    text: Text,
}

impl Second {
    /// The first second of 1970.
    pub(super) const BEGIN: Self = Self { unix: 0, text: *b"1970-01-01T00:00:00." };

    /// RFC 3339 in UTC, up to and with the point before the fraction.
    pub(super) fn text(&mut self, unix: u64) -> &Text {
        if unix != self.unix {
            *self = Self { unix, text: text(unix) };
        }
        &self.text
    }
}

impl Default for Second {
    fn default() -> Self {
        Self::BEGIN
    }
}

fn text(unix: u64) -> Text {
    let (days, second) = (unix / 86_400, unix % 86_400);
    let (year, month, day) = date(days);
    let mut text = Second::BEGIN.text;
    let parts = [year / 100, year, month, day, second / 3_600, second / 60 % 60, second % 60];
    for (at, part) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(parts) {
        text[at..at + 2].copy_from_slice(&two(part));
    }
    text
}

/// Year, month and day of a day since 1970. Days are counted from 0000-03-01, so that leap days end a year (Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_what_the_calendar_says() {
        let mut second = Second::default();
        let mut text = |unix| String::from_utf8(second.text(unix).to_vec()).expect("digits");
        assert_eq!(text(0), "1970-01-01T00:00:00.");
        assert_eq!(text(951_782_399), "2000-02-28T23:59:59.");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.", "asked once more");
        assert_eq!(text(1_795_357_687), "2026-11-22T14:28:07.");
        assert_eq!(text(951_782_399), "2000-02-28T23:59:59.", "an earlier one");
        assert_eq!(text(4_107_542_400), "2100-03-01T00:00:00.", "no leap day before it");
    }
}
