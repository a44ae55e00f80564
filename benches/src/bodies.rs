//! Pairs of replies to compare: records as an API returns them, of about a given size.

use cutover_core::compare::{Body, Reply};
use http::{HeaderMap, HeaderValue, StatusCode};

/// How new differs from old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Not at all, not in a byte.
    Nothing,
    /// Blanks, so that all of it has to be read, and nothing differs.
    Layout,
    /// Members in another order besides.
    Order,
    /// The last value of the last record.
    LastValue,
    /// A field of every record.
    EveryRecord,
}

/// All of them, with their names.
pub const CHANGES: [(&str, Change); 5] = [
    ("equal", Change::Nothing),
    ("layout", Change::Layout),
    ("order", Change::Order),
    ("last-value", Change::LastValue),
    ("every-record", Change::EveryRecord),
];

/// A body of at least this many bytes.
pub fn body(bytes: usize, change: Change) -> String {
    let mut body = String::from("{\"page\":1,\"items\":[");
    let mut number = 0;
    while body.len() < bytes {
        let last = body.len() + 180 >= bytes;
        let comma = if number == 0 { "" } else { "," };
        let price = match change {
            Change::LastValue if last => "18.95",
            Change::EveryRecord => "19.95",
            Change::Nothing | Change::Layout | Change::Order | Change::LastValue => "18.94",
        };
        let blank = if change == Change::Nothing { "" } else { " " };
        let id = format!("\"id\":{blank}\"item-{number:08}\"");
        let rest = format!(
            "\"title\":\"A thing of some length\",\"tags\":[\"new\",\"r\\u00e9duit\"],\
             \"price\":{price},\"stock\":{{\"count\":{number},\"open\":true,\"until\":null}}"
        );
        let (first, second) = if change == Change::Order { (rest, id) } else { (id, rest) };
        body.push_str(&format!("{comma}{{{first},{second}}}"));
        number += 1;
    }
    body.push_str("]}");
    body
}

/// Headers as replies have them.
pub fn headers() -> HeaderMap {
    let lines = [
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "private, max-age=0"),
        ("date", "Sun, 22 Nov 2026 18:00:00 GMT"),
        ("server", "nginx"),
        ("vary", "accept-encoding"),
        ("x-request-id", "7b7f3c0e"),
    ];
    let line =
        |(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value));
    lines.into_iter().map(line).collect()
}

/// A reply with this body.
pub fn reply<'a>(headers: &'a HeaderMap, body: &'a str) -> Reply<'a> {
    Reply { status: StatusCode::OK, headers, body: Body::Whole(body.as_bytes()) }
}
