//! Spellings of durations and sizes.

use super::*;

#[test]
fn durations() {
    let cases = [
        ("250ms", Ok(250_000)),
        ("2s", Ok(2_000_000)),
        ("1.5s", Ok(1_500_000)),
        ("1h", Ok(3_600_000_000)),
        ("1h30m", Ok(5_400_000_000)),
        ("7d", Ok(604_800_000_000)),
        ("500us", Ok(500)),
        ("500µs", Ok(500)),
        ("0s", Ok(0)),
        ("30", Err(UnitError::NoUnit)),
        ("", Err(UnitError::Spelling)),
        ("s", Err(UnitError::Spelling)),
        ("-1s", Err(UnitError::Spelling)),
        ("1 s", Err(UnitError::Spelling)),
        ("1.2.3s", Err(UnitError::Spelling)),
        ("999999999999d", Err(UnitError::TooLarge)),
        ("1sec", Err(UnitError::Spelling)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_duration(text), expected.map(Duration::from_micros), "{text}");
    }
}

#[test]
fn sizes() {
    let cases = [
        ("1MiB", Ok(1 << 20)),
        ("64KiB", Ok(65_536)),
        ("100kB", Ok(100_000)),
        ("0.5KiB", Ok(512)),
        ("7B", Ok(7)),
        ("1 MiB", Ok(1 << 20)),
        ("1mb", Err(UnitError::Spelling)),
        ("12", Err(UnitError::NoUnit)),
        ("9999999GiB", Err(UnitError::TooLarge)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_size(text), expected, "{text}");
    }
}

#[test]
fn printed_as_read() {
    for text in ["250ms", "2s", "1h30m", "1d", "500us", "1m30s"] {
        assert_eq!(print_duration(parse_duration(text).expect("is one")), text);
    }
    for text in ["1MiB", "64KiB", "1000B", "3GiB", "0B"] {
        assert_eq!(print_size(parse_size(text).expect("is one")), text);
    }
}

#[test]
fn a_day_begins_at_midnight() {
    let days =
        [(1970, 1, 1), (1999, 12, 31), (2000, 2, 29), (2024, 3, 1), (2100, 3, 1), (9999, 12, 31)];
    for (year, month, day) in days {
        let date = Date { year, month, day };
        assert_eq!(date.begins().to_string(), format!("{date} 00:00:00Z"));
    }
    assert_eq!(Date { year: 0, month: 1, day: 1 }.begins().millis(), 0);
}
