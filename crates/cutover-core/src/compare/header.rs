//! Headers of two replies: which count, and when two values are the same.
//!
//! Everything counts that is not named in [`NEVER`] or [`PRESENCE`], or by a rule. What is named
//! there belongs to the connection, to the moment or to the implementation, and differs between two
//! replies of one and the same system.

use super::difference::{Difference, Found, Kind, Place, Seen};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::collections::BTreeSet;

/// Not compared by default.
pub const NEVER: &[&str] = &[
    // Of one connection, or of one message on it (RFC 9110, 7.6.1; RFC 9112).
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "alt-svc",
    // Follow from the body, which is compared itself, or from what the two sides negotiate.
    "content-length",
    "content-encoding",
    "content-md5",
    "content-digest",
    "repr-digest",
    "digest",
    "accept-ranges",
    // Of the moment.
    "age",
    "date",
    "expires",
    "retry-after",
    // Of who answers, not of what is answered.
    "nel",
    "report-to",
    "server",
    "server-timing",
    "via",
    "x-aspnet-version",
    "x-cache",
    "x-cache-hits",
    "x-envoy-upstream-service-time",
    "x-powered-by",
    "x-response-time",
    "x-runtime",
    "x-served-by",
    "x-timer",
    "x-varnish",
    // Of this one request: ids and traces.
    "cf-ray",
    "request-id",
    "traceparent",
    "tracestate",
    "x-amz-cf-id",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-cutover-reason",
    "x-cutover-side",
    "x-request-id",
    "x-trace-id",
    // Counters, which the second request itself moves.
    "ratelimit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-rate-limit-remaining",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// Only whether it is there: its value is opaque, and each implementation makes its own.
pub const PRESENCE: &[&str] = &["etag", "last-modified"];

/// Lists whose order says nothing and whose words know no case.
const SETS: &[&str] = &[
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "vary",
];

/// Which headers count.
#[derive(Clone, Debug, Default)]
pub(super) struct HeaderRules {
    /// Named by a rule not to be compared.
    pub(super) ignored: BTreeSet<Box<str>>,
    /// Named by a rule to be compared although by default they are not, or are for presence only.
    pub(super) compared: BTreeSet<Box<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Never,
    Presence,
    Value,
}

impl HeaderRules {
    fn treatment(&self, name: &str) -> Treatment {
        if self.ignored.contains(name) {
            Treatment::Never
        } else if self.compared.contains(name) {
            Treatment::Value
        } else if NEVER.contains(&name) {
            Treatment::Never
        } else if PRESENCE.contains(&name) {
            Treatment::Presence
        } else {
            Treatment::Value
        }
    }

    /// Adds what differs, ordered by name.
    pub(super) fn compare(&self, old: &HeaderMap, new: &HeaderMap, found: &mut Found) {
        let here = old.keys().filter(|name| self.differs(name, old, new));
        let only_there = new.keys().filter(|name| !old.contains_key(*name));
        let mut names: Vec<&HeaderName> =
            here.chain(only_there.filter(|name| self.differs(name, old, new))).collect();
        names.sort_unstable_by_key(|name| name.as_str());
        for name in names {
            found.add(|| Difference {
                place: Place::Header(name.clone()),
                kind: Kind::Header,
                old: seen(old, name),
                new: seen(new, name),
                whole: None,
            });
        }
    }

    fn differs(&self, name: &HeaderName, old: &HeaderMap, new: &HeaderMap) -> bool {
        let treatment = self.treatment(name.as_str());
        // Most headers are equal byte for byte: then nothing is normalised.
        treatment != Treatment::Never
            && !old.get_all(name).iter().eq(new.get_all(name).iter())
            && !(named_by_connection(old, name) || named_by_connection(new, name))
            && match (old.contains_key(name), new.contains_key(name)) {
                (true, true) if treatment == Treatment::Value => {
                    normal(old, name) != normal(new, name)
                }
                (is_old, is_new) => is_old != is_new,
            }
    }
}

fn seen(headers: &HeaderMap, name: &HeaderName) -> Seen {
    if headers.contains_key(name) { Seen::text(&joined(headers, name)) } else { Seen::NOTHING }
}

/// `Connection: close, x-hop` makes `x-hop` a matter of that connection.
fn named_by_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    let lines = headers.get_all(header::CONNECTION).iter();
    let mut words = lines.flat_map(|line| line.as_bytes().split(|&b| b == b','));
    words.any(|word| word.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
}

/// All values under a name, as one list (RFC 9110, 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    String::from_utf8_lossy(&values.collect::<Vec<_>>().join(&b", "[..])).into_owned()
}

fn normal(headers: &HeaderMap, name: &HeaderName) -> String {
    if *name == header::SET_COOKIE {
        return cookies(headers);
    }
    let text = joined(headers, name);
    let mut items = split_unquoted(&text, ',');
    if SETS.contains(&name.as_str()) {
        let mut items: Vec<String> = items.iter().map(|item| item.to_ascii_lowercase()).collect();
        items.sort_unstable();
        items.dedup();
        return items.join(",");
    }
    if *name == header::CONTENT_TYPE {
        // Type and parameters know no case; nor do the charsets in use.
        items = split_unquoted(&text, ';');
        return items.join(";").to_ascii_lowercase().replace('"', "");
    }
    items.join(",")
}

/// Names and attributes of the cookies. Their values are sessions and nonces; that one is set, and
/// how it is protected, is what users depend on.
fn cookies(headers: &HeaderMap) -> String {
    let cookie = |line: &HeaderValue| {
        let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
        let mut parts = line.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().split('=').next().unwrap_or_default();
        let moment = |part: &String| part.starts_with("expires=");
        let mut attributes: Vec<String> =
            parts.map(str::to_ascii_lowercase).filter(|part| !moment(part)).collect();
        attributes.sort_unstable();
        format!("{name};{}", attributes.join(";"))
    };
    let mut all: Vec<String> = headers.get_all(header::SET_COOKIE).iter().map(cookie).collect();
    all.sort_unstable();
    all.join("\n")
}

/// The items of a list without the blanks around them; a separator within quotes is none.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            c if c == separator && !quoted => {
                items.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    items.push(text[start..].trim());
    items
}
