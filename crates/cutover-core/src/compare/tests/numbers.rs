//! Numbers by value, and tolerances of numbers and times.

use super::super::number::{Decimal, Tolerance};
use super::super::time;
use super::*;
use std::time::Duration;

#[test]
fn equal_by_value() {
    for (old, new, equal) in [
        ("1", "1.0", true),
        ("1", "1e0", true),
        ("100", "1e2", true),
        ("0.001", "1E-3", true),
        ("10.010", "1001e-2", true),
        ("0", "-0.0", true),
        ("0e99", "0", true),
        ("1", "-1", false),
        ("1", "10", false),
        ("1e2", "1e3", false),
        ("0.10", "0.01", false),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.50", true),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.6", false),
    ] {
        let (from, to) = (Decimal::parse(old), Decimal::parse(new));
        assert_eq!(from.expect("a number") == to.expect("a number"), equal, "{old} and {new}");
    }
    assert!(Decimal::parse("1e99999999999").is_none());
}

#[test]
fn tolerances_of_numbers() {
    for (tolerance, old, new, within) in [
        ("0.01", "1.00", "1.01", true),
        ("0.01", "1.00", "1.011", false),
        ("0.01", "-1", "-1.01", true),
        ("0.01", "-1", "1", false),
        ("0", "1", "1.0", true),
        ("0.5", "18446744073709551616", "18446744073709551617", false),
        ("1", "18446744073709551616", "18446744073709551617", true),
        ("0.0000001", "0.1", "0.30000000000000004", false),
        ("0.0000001", "0.3", "0.30000000000000004", true),
        ("1%", "100", "99", true),
        ("1%", "99", "100", true),
        ("1%", "100", "98.9", false),
        ("0.5%", "1e300", "1.004e300", true),
        ("0.5%", "1e300", "1.006e300", false),
        ("50%", "0", "0.1", false),
        ("100%", "0", "5", true),
        ("1", "1e300", "2e300", false),
        // More digits than can be reckoned with: only if equal.
        ("1", "1e300", "1000e297", true),
        ("1000000", "1e-50", "1", false),
    ] {
        let by: Tolerance = tolerance.parse().expect("a tolerance");
        assert_eq!(by.admits(old, new), within, "{old} and {new} within {tolerance}");
        assert_eq!(by.admits(new, old), within, "{new} and {old} within {tolerance}");
        assert_eq!(by.to_string(), tolerance);
    }
}

#[test]
fn other_texts_are_no_tolerances() {
    for text in ["", "%", "-1", "1.", ".5", "1e2", "one", "1%%", "1 000", "9999999999999999"] {
        assert!(text.parse::<Tolerance>().is_err(), "{text}");
    }
}

#[test]
fn times_are_read() {
    let base = 1_704_164_645_000_000_000i128;
    for (text, nanos) in [
        ("2024-01-02T03:04:05Z", base),
        ("2024-01-02T03:04:05.000Z", base),
        ("2024-01-02t03:04:05z", base),
        ("2024-01-02T04:04:05+01:00", base),
        ("2024-01-01T22:34:05-04:30", base),
        ("2024-01-02T03:04:05.000000001Z", base + 1),
    ] {
        assert_eq!(time::of_text(text), Some(nanos), "{text}");
    }
    for text in ["2024-01-02", "02/01/2024", "2024-13-02T03:04:05Z", "soon", ""] {
        assert_eq!(time::of_text(text), None, "{text}");
    }
    for (text, nanos) in [
        ("1704164645", base),
        ("1704164645.5", base + 500_000_000),
        ("1704164645000", base),
        ("1704164645000000", base),
        ("1704164645000000000", base),
        ("-1", -1_000_000_000),
        ("0", 0),
    ] {
        assert_eq!(time::of_number(text), Some(nanos), "{text}");
    }
    for text in ["1e9", "123456789012345678901", "-"] {
        assert_eq!(time::of_number(text), None, "{text}");
    }
}

#[test]
fn tolerances_in_bodies() {
    let spec = RuleSpec {
        times: vec![("/*/at".to_owned(), Duration::from_secs(2))],
        ..numbers_within(&[("/price", "0.01"), ("/list/*", "1%")])
    };
    let rules = rules(&spec);
    for (old, new, expected) in [
        (r#"{"price":1.00}"#, r#"{"price":1.01}"#, ""),
        (r#"{"price":1.00}"#, r#"{"price":"1.00"}"#, "type /price"),
        (r#"{"price":1.00}"#, r#"{"price":1.02}"#, "value /price"),
        (r#"{"list":[100,200]}"#, r#"{"list":[101,199]}"#, ""),
        // In another order, and not quite the same.
        (r#"{"list":[100,200]}"#, r#"{"list":[199,101]}"#, "order /list"),
        (r#"{"list":[100,200]}"#, r#"{"list":[100,300]}"#, "value /list/1"),
        (
            r#"{"a":{"at":"2024-01-02T03:04:05Z"}}"#,
            r#"{"a":{"at":"2024-01-02T04:04:06+01:00"}}"#,
            "",
        ),
        (r#"{"a":{"at":"2024-01-02T03:04:05Z"}}"#, r#"{"a":{"at":1704164645}}"#, ""),
        (
            r#"{"a":{"at":"2024-01-02T03:04:05Z"}}"#,
            r#"{"a":{"at":"2024-01-02T03:04:08Z"}}"#,
            "value /a/at",
        ),
        (r#"{"a":{"at":"2024-01-02T03:04:05Z"}}"#, r#"{"a":{"at":"02/01/2024"}}"#, "value /a/at"),
        (r#"{"a":{"at":"soon"}}"#, r#"{"a":{"at":"soon"}}"#, ""),
    ] {
        assert_eq!(told(old, new, &rules), expected, "{old} against {new}");
    }
}
