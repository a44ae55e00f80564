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
    /// A value of the last record.
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

/// A body of at least this many bytes. It has as many records whatever is changed: of lists of different lengths nothing
/// but their lengths would be compared.
pub fn body(bytes: usize, change: Change) -> String {
    let mut records = Vec::new();
    let mut unchanged = "{\"page\":1,\"items\":[]}".len();
    while unchanged < bytes {
        let comma = usize::from(!records.is_empty());
        unchanged += record(records.len(), Change::Nothing).len() + comma;
        records.push(record(records.len(), change));
    }
    if change == Change::LastValue
        && let Some(last) = records.len().checked_sub(1)
    {
        records[last] = record(last, Change::EveryRecord);
    }
    format!("{{\"page\":1,\"items\":[{}]}}", records.join(","))
}

fn record(number: usize, change: Change) -> String {
    let price = if change == Change::EveryRecord { "19.95" } else { "18.94" };
    let blank = if change == Change::Nothing { "" } else { " " };
    let id = format!("\"id\":{blank}\"item-{number:08}\"");
    let rest = format!(
        "\"title\":\"A thing of some length\",\"tags\":[\"new\",\"r\\u00e9duit\"],\
         \"price\":{price},\"stock\":{{\"count\":{number},\"open\":true,\"until\":null}}"
    );
    let (first, second) = if change == Change::Order { (rest, id) } else { (id, rest) };
    format!("{{{first},{second}}}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_core::compare::{Comparison, Rules, compare};

    #[test]
    fn what_is_compared_is_what_it_says() {
        let headers = headers();
        for bytes in [1 << 10, 64 << 10] {
            let old = body(bytes, Change::Nothing);
            assert!((bytes..bytes + 256).contains(&old.len()));
            let records = old.matches("item-").count();
            for (name, change) in CHANGES {
                let new = body(bytes, change);
                let found =
                    compare(&reply(&headers, &old), &reply(&headers, &new), &Rules::default());
                let differences = match &found {
                    Comparison::Match => 0,
                    Comparison::Differs(differences) => differences.count(),
                    Comparison::Failed { .. } => panic!("no side failed"),
                };
                let wanted = match change {
                    Change::Nothing | Change::Layout | Change::Order => 0,
                    Change::LastValue => 1,
                    Change::EveryRecord => records,
                };
                assert_eq!(differences, wanted, "{name} of {bytes} bytes");
            }
        }
    }
}
