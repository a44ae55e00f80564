//! TOML as JSON: the configuration of a plugin, and documents whose meaning another crate knows.

use crate::finding::Report;
use crate::place::{Sink, Span};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

/// A TOML document as a JSON object, for documents that are not configurations, such as the cases of a plugin's tests.
/// Dates become texts. `file` is only its name in findings.
///
/// # Errors
/// It is not TOML, or has numbers that JSON has not: an infinity, or an integer beyond 64 bits.
pub fn parse_toml_value(text: &str, file: &str) -> Result<Value, Report> {
    let sink = Sink::default();
    let report = |sink: Sink| Report { file: file.to_owned(), findings: sink.finish(text) };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let span = error.span().map(Span::from).unwrap_or_default();
            sink.error(span, "", format_args!("this is not TOML: {}", error.message()), "");
            return Err(report(sink));
        }
    };
    let entries = table.get_ref().iter().map(|(name, value)| {
        let span = Span::from(value.span());
        let value = json(value.get_ref(), &|number| {
            let what = format_args!("{number} {UNSAYABLE}");
            sink.error(span, name.get_ref(), what, UNSAYABLE_HELP);
        });
        (name.get_ref().to_string(), value)
    });
    let value = Value::Object(entries.collect());
    if sink.errors() > 0 { Err(report(sink)) } else { Ok(value) }
}

/// What is wrong with a number that JSON has not.
pub(crate) const UNSAYABLE: &str = "cannot be said in JSON";
/// How to mend it.
pub(crate) const UNSAYABLE_HELP: &str = "use another number, or a text";

/// A value as JSON. Dates become texts; `unsayable` is told the numbers that JSON has not.
pub(crate) fn json(value: &DeValue<'_>, unsayable: &dyn Fn(&str)) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => {
                unsayable(&number.to_string());
                Value::Null
            }
        },
        DeValue::Float(number) => {
            let parsed: Option<f64> = number.as_str().parse().ok();
            match parsed.and_then(serde_json::Number::from_f64) {
                Some(number) => Value::Number(number),
                None => {
                    unsayable(number.as_str());
                    Value::Null
                }
            }
        }
        DeValue::Array(array) => {
            array.iter().map(|value| json(value.get_ref(), unsayable)).collect::<Vec<_>>().into()
        }
        DeValue::Table(table) => {
            let entries = table.iter().map(|(name, value)| {
                (name.get_ref().to_string(), json(value.get_ref(), unsayable))
            });
            Value::Object(entries.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_has_its_json() {
        let text =
            "a = \"x\"\nb = [1, 0x1F, 2.5, true]\nc = { d = 2027-03-01 }\n[[case]]\nn = -7\n";
        let wanted = json!({
            "a": "x", "b": [1, 31, 2.5, true], "c": { "d": "2027-03-01" }, "case": [{ "n": -7 }]
        });
        assert_eq!(parse_toml_value(text, "x.toml").expect("good"), wanted);
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        let report = parse_toml_value("a = 1\nb = = 2\n", "x.toml").expect_err("not TOML");
        assert_eq!((report.file.as_str(), report.findings[0].line), ("x.toml", 2));
        let report = parse_toml_value("a = 1\nb = [inf, nan]\n", "x.toml").expect_err("no JSON");
        assert_eq!(report.findings.len(), 2, "{report}");
        assert_eq!(report.findings[0].line, 2);
        assert!(report.findings[0].what.contains("inf cannot be said in JSON"), "{report}");
    }
}
