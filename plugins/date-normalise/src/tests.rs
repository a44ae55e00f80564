//! What becomes the same, and what must not.

use super::DateNormalise;
use cutover_plugin::testing::{Place, Request};
use cutover_plugin::{Backend, Comparable};

const CONFIG: &str = r#"{"fields": ["at", "seen"], "offset": "+01:00"}"#;

fn place(config: &str) -> Place<DateNormalise> {
    Place::configure(config).expect("a good configuration")
}

/// What is compared in place of this body.
fn compared(body: &str) -> String {
    let request = Request::get("/").reply_header("content-type", "application/json");
    match place(CONFIG).make_comparable(&request, (Backend::NEW, 200), body) {
        Comparable::Unchanged => body.to_owned(),
        Comparable::Body(body) => String::from_utf8(body).expect("text"),
        Comparable::Cannot(why) => panic!("{why}"),
    }
}

#[test]
fn one_moment_is_written_in_one_way() {
    let wanted = r#"{"at":"2026-11-27T16:39:46Z"}"#;
    for written in [
        r#""2026-11-27T16:39:46Z""#,
        r#""2026-11-27t16:39:46.999z""#,
        r#""2026-11-27T17:39:46+01:00""#,
        r#""2026-11-27T11:09:46.5-05:30""#,
        r#""2026-11-27 17:39:46""#,
        r#""2026-11-27 17:39:46.123456""#,
        "1795797586",
        "1795797586.75",
        "1795797586750",
        r#""1795797586""#,
    ] {
        assert_eq!(compared(&format!("{{\"at\":{written}}}")), wanted, "{written}");
    }
}

#[test]
fn days_are_counted_as_the_calendar_has_them() {
    for (count, wanted) in [
        ("0", "1970-01-01T00:00:00Z"),
        ("-1", "1969-12-31T23:59:59Z"),
        ("-1.5", "1969-12-31T23:59:58Z"),
        ("951782400", "2000-02-29T00:00:00Z"),
        ("-2203977600", "1900-02-28T00:00:00Z"),
        ("-2203891200", "1900-03-01T00:00:00Z"),
        ("4107542400", "2100-03-01T00:00:00Z"),
        ("-62167219200", "0000-01-01T00:00:00Z"),
    ] {
        assert_eq!(compared(&format!("{{\"at\":{count}}}")), format!("{{\"at\":\"{wanted}\"}}"));
        let back = format!("{{\"at\":\"{wanted}\"}}");
        assert_eq!(compared(&back), back, "there and back");
    }
}

#[test]
fn what_is_no_date_is_left_to_be_compared() {
    for body in [
        r#"{"at":"2026-02-29T00:00:00Z"}"#,
        r#"{"at":"2026-13-01T00:00:00Z"}"#,
        r#"{"at":"2026-11-27T24:00:00Z"}"#,
        r#"{"at":"2026-11-27T16:39:46+1"}"#,
        r#"{"at":"2026-11-27T16:39:46."}"#,
        r#"{"at":"2026-11-27"}"#,
        r#"{"at":"soon"}"#,
        r#"{"at":""}"#,
        r#"{"at":null}"#,
        r#"{"at":true}"#,
        r#"{"at":1.5e9}"#,
        r#"{"at":99999999999999999999}"#,
        r#"{"at":-9223372036854775808.5}"#,
        r#"{"at":{"id":1795797586}}"#,
        r#"{"id":1795797586}"#,
        r#"["at",1795797586]"#,
        "1795797586",
        "\"at",
        "{\"at\":\"",
        "}]{,:",
    ] {
        assert_eq!(compared(body), body);
    }
}

#[test]
fn every_other_byte_stays() {
    let body = r#" {"n": 12345678901234567890.10, "a\u0074": 1, "s": "\"at\":1",
        "list": [{"seen": [1, "x", 2 ], "b": 1}], "at" : 3 }"#;
    let wanted = r#" {"n": 12345678901234567890.10, "a\u0074": "1970-01-01T00:00:01Z", "s": "\"at\":1",
        "list": [{"seen": ["1970-01-01T00:00:01Z", "x", "1970-01-01T00:00:02Z" ], "b": 1}], "at" : "1970-01-01T00:00:03Z" }"#;
    assert_eq!(compared(body), wanted);
}

#[test]
fn another_kind_of_body_is_none_of_its_business() {
    let request = Request::get("/").reply_header("content-type", "text/csv");
    let answer = place(CONFIG).make_comparable(&request, (Backend::OLD, 200), "{\"at\":1}");
    assert_eq!(answer, Comparable::Unchanged);
}

#[test]
fn a_wrong_configuration_says_what_is_wrong() {
    for (config, part) in [
        ("{}", "fields"),
        (r#"{"fields": []}"#, "`fields` is empty"),
        (r#"{"fields": ["at"], "offset": "CET"}"#, "like `+01:00`"),
        (r#"{"fields": ["at"], "offset": "+25:00"}"#, "like `+01:00`"),
        (r#"{"fields": ["at"], "zone": "Z"}"#, "unknown field `zone`"),
    ] {
        let error = Place::<DateNormalise>::configure(config).err().unwrap_or_default();
        assert!(error.contains(part), "{config}: {error}");
    }
}
