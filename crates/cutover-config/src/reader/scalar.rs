//! Single values: what each may look like, and what to say if it does not.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value of any other type is always the same mistake"
)]

use super::Item;
use crate::keys::{Kind, Section};
use crate::units::{Date, UnitError, parse_duration, parse_size};
use cutover_core::Percent;
use cutover_core::evidence::Tolerance;
use std::net::SocketAddr;
use std::time::Duration;
use toml::de::DeValue;

/// A value that is not made of others.
pub(crate) trait Scalar: Sized {
    /// Reads it; what is wrong is a finding.
    fn read(item: &Item<'_>) -> Option<Self>;

    /// Reads the default of a key.
    fn from_default(text: &str) -> Option<Self>;
}

impl Scalar for String {
    fn read(item: &Item<'_>) -> Option<Self> {
        match item.value {
            DeValue::String(text) if text.trim().is_empty() => {
                item.error("must not be empty", "write something, or remove the key");
                None
            }
            DeValue::String(text) => Some(text.to_string()),
            _ => wrong(item),
        }
    }

    fn from_default(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// A place in a reply; empty, it is the whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) String);

impl Scalar for Pattern {
    fn read(item: &Item<'_>) -> Option<Self> {
        match item.value {
            DeValue::String(text) => Some(Self(text.to_string())),
            _ => wrong(item),
        }
    }

    fn from_default(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

impl Scalar for bool {
    fn read(item: &Item<'_>) -> Option<Self> {
        match item.value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => wrong(item),
        }
    }

    fn from_default(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A whole number, within the bounds of its key.
impl Scalar for u64 {
    fn read(item: &Item<'_>) -> Option<Self> {
        let DeValue::Integer(number) = item.value else { return wrong(item) };
        let Kind::Count(least, most) = *item.kind else { return wrong(item) };
        let value = Self::from_str_radix(number.as_str(), number.radix()).ok();
        let value = value.filter(|value| (least..=most).contains(value));
        if value.is_none() {
            item.error(format_args!("{number} is not between {least} and {most}"), "");
        }
        value
    }

    fn from_default(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for Duration {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = match item.value {
            DeValue::String(text) => text,
            DeValue::Integer(number) => {
                let what = format!("{number} has no unit");
                item.error(what, format_args!("write \"{number}s\" or \"{number}ms\""));
                return None;
            }
            _ => return wrong(item),
        };
        match parse_duration(text) {
            Ok(duration) if duration.is_zero() && !matches!(item.kind, Kind::Wait) => {
                item.error("must be more than nothing", "write a duration like \"250ms\"");
                None
            }
            Ok(duration) => Some(duration),
            Err(error) => {
                unit_error(item, text, error, "a duration", "\"250ms\", \"2s\" or \"1h\"", "s");
                None
            }
        }
    }

    fn from_default(text: &str) -> Option<Self> {
        parse_duration(text).ok()
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Scalar for Size {
    fn read(item: &Item<'_>) -> Option<Self> {
        match item.value {
            DeValue::String(text) => match parse_size(text) {
                Ok(bytes) => Some(Self(bytes)),
                Err(error) => {
                    unit_error(item, text, error, "a size", "\"64KiB\" or \"1MiB\"", "B");
                    None
                }
            },
            DeValue::Integer(number) => {
                let bytes = u64::from_str_radix(number.as_str(), number.radix()).ok();
                if bytes.is_none() {
                    item.error(
                        format_args!("{number} is not a size"),
                        "write \"64KiB\" or \"1MiB\"",
                    );
                }
                bytes.map(Self)
            }
            _ => wrong(item),
        }
    }

    fn from_default(text: &str) -> Option<Self> {
        parse_size(text).ok().map(Self)
    }
}

fn unit_error(
    item: &Item<'_>,
    text: &str,
    error: UnitError,
    noun: &str,
    examples: &str,
    unit: &str,
) {
    match error {
        UnitError::Spelling => {
            item.error(format_args!("{text:?} is not {noun}"), format_args!("write {examples}"));
        }
        UnitError::NoUnit => item.error(
            format_args!("{text:?} has no unit"),
            format_args!("write \"{}{unit}\", or like {examples}", text.trim()),
        ),
        UnitError::TooLarge => {
            item.error(format_args!("{text:?} is too large"), format_args!("write {examples}"));
        }
    }
}

impl Scalar for Percent {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = match item.value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => return wrong(item),
        };
        let negative = text.trim_start().strip_prefix('-').map(str::parse::<Self>);
        let result = match negative {
            Some(Ok(_)) => Err(cutover_core::percent::PercentError::OutOfRange),
            _ => text.parse(),
        };
        match result {
            Ok(percent) => Some(percent),
            Err(error) => {
                let what = format!("{text} is not a percent that can be used: {error}");
                item.error(what, "write 5, 2.5 or \"0.125%\"");
                None
            }
        }
    }

    fn from_default(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A factor, exact to its thousandths.
impl Scalar for Tolerance {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text = match item.value {
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => return wrong(item),
        };
        let factor = tolerance(&text);
        if factor.is_none() {
            let what = format!("{text} is not a factor from 1 to 100 with three decimals at most");
            item.error(what, "write 1.10 for ten percent more");
        }
        factor
    }

    fn from_default(text: &str) -> Option<Self> {
        tolerance(text)
    }
}

fn tolerance(text: &str) -> Option<Tolerance> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let fraction: u32 = format!("{decimals:0<3}").parse().ok()?;
    Tolerance::from_thousandths(whole.checked_mul(1_000)?.checked_add(fraction)?)
}

impl Scalar for Date {
    fn read(item: &Item<'_>) -> Option<Self> {
        let text;
        let found = match item.value {
            DeValue::Datetime(found) => *found,
            DeValue::String(quoted) => {
                text = quoted;
                match text.parse::<toml::value::Datetime>() {
                    Ok(_) => {
                        item.error("a date stands without quotes", format_args!("write {text}"));
                    }
                    Err(_) => {
                        item.error(
                            format_args!("{text:?} is not a date"),
                            "write it like 2027-03-01, without quotes",
                        );
                    }
                }
                return None;
            }
            _ => return wrong(item),
        };
        match (found.date, found.time) {
            (Some(date), None) => Some(Self { year: date.year, month: date.month, day: date.day }),
            _ => {
                item.error("must be a day alone, without a time", "write it like 2027-03-01");
                None
            }
        }
    }

    fn from_default(_: &str) -> Option<Self> {
        None
    }
}

impl Scalar for SocketAddr {
    fn read(item: &Item<'_>) -> Option<Self> {
        let DeValue::String(text) = item.value else { return wrong(item) };
        let found = text.parse().ok();
        if found.is_none() {
            let (what, help) = socket_error(text);
            item.error(what, help);
        }
        found
    }

    fn from_default(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// What is wrong with an address to listen on.
fn socket_error(text: &str) -> (String, String) {
    let port_out = || text.rsplit_once(':').filter(|(_, port)| is_number(port));
    if text.parse::<std::net::IpAddr>().is_ok() {
        let bracketed = if text.contains(':') { format!("[{text}]") } else { text.to_owned() };
        (format!("{text:?} has no port"), format!("write \"{bracketed}:8080\""))
    } else if let Some(port) = text.strip_prefix(':').filter(|port| is_number(port)) {
        let help = format!("write \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for every interface");
        (format!("{text:?} has no address"), help)
    } else if let Some((host, port)) = port_out().filter(|(_, port)| port.parse::<u16>().is_err()) {
        let what = format!("port {port} is out of range");
        (what, format!("write \"{host}:8080\"; a port is at most 65535"))
    } else if let Some((_, port)) = text.strip_prefix("localhost").and_then(|_| port_out()) {
        let help = format!("write \"127.0.0.1:{port}\" or \"[::1]:{port}\"");
        (format!("{text:?} is a name, not an address"), help)
    } else {
        let help = "write \"127.0.0.1:8080\", or \"0.0.0.0:8080\" for every interface";
        (format!("{text:?} is not an address to listen on"), help.to_owned())
    }
}

pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn wrong<T>(item: &Item<'_>) -> Option<T> {
    item.wrong_type();
    None
}

impl Kind {
    /// The words of a kind that is one word.
    pub(crate) fn words(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Word(words) => Some(words),
            Self::Either(kinds) => kinds.iter().find_map(Self::words),
            _ => None,
        }
    }

    /// May a table with these keys stand here?
    pub(crate) fn leads_to(&self, section: &'static Section) -> bool {
        match self {
            Self::Table(own) | Self::Named(own) => std::ptr::eq(*own, section),
            Self::Either(kinds) => kinds.iter().any(|kind| kind.leads_to(section)),
            _ => false,
        }
    }

    /// What a value must be, in a person's words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Pattern => "a path like \"/items/*/etag\" or \"header:date\"".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Count(least, most) => format!("a whole number from {least} to {most}"),
            Self::Ratio => "a factor like 1.10".to_owned(),
            Self::Duration | Self::Wait => "a duration like \"250ms\"".to_owned(),
            Self::Percent => "a percent like 5 or \"0.5%\"".to_owned(),
            Self::Size => "a size like \"1MiB\"".to_owned(),
            Self::Date => "a date like 2027-03-01".to_owned(),
            Self::Socket => "an address like \"127.0.0.1:8080\"".to_owned(),
            Self::Word(words) => {
                let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
                one_of(&quoted)
            }
            Self::List(inner) => match inner {
                Self::Text => "a list of texts".to_owned(),
                Self::Table(_) => "a list of tables".to_owned(),
                _ => format!("a list, each {}", inner.describe()),
            },
            Self::Table(_) | Self::Free => "a table".to_owned(),
            Self::Named(_) => "a table of named tables".to_owned(),
            Self::Texts => "a table of texts".to_owned(),
            Self::Predicates => "a table of texts or `true`".to_owned(),
            Self::Either(kinds) => one_of(&kinds.iter().map(Self::describe).collect::<Vec<_>>()),
        }
    }
}

/// `a, b or c`.
fn one_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
