//! The server's head guard on raw bytes: however they are cut, the verdict is the same, and what
//! it lets through means the same to the parser behind it.

use crate::guard::body::BodyScan;
use crate::guard::framing::{BodyLength, Head, Limits, Refusal};
use crate::guard::head::HeadScan;

const LIMITS: Limits = Limits { header_bytes: 1024, headers: 10, target_bytes: 256 };
/// Messages looked at in one case.
const MESSAGES: usize = 8;

/// A connection's bytes, read at once and in pieces, are the same messages.
pub fn check(data: &[u8]) {
    let [cut, data @ ..] = data else { return };
    let whole = read(data, data.len().max(1));
    let piece = usize::from(*cut % 16) + 1;
    assert_eq!(read(data, piece), whole, "in pieces of {piece}");
    let mut at = 0;
    for message in &whole.messages {
        compare(&data[at..], &message.head);
        at += message.bytes;
    }
}

/// What the bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    messages: Vec<Message>,
    refusal: Option<Refusal>,
}

#[derive(Debug, PartialEq, Eq)]
struct Message {
    head: Head,
    /// Head and body.
    bytes: usize,
}

/// Reads a connection that arrives in pieces of this size, as the server does: a head is looked at
/// from its beginning each time, a body piece by piece.
fn read(data: &[u8], piece: usize) -> Reading {
    let mut reading = Reading { messages: Vec::new(), refusal: None };
    let mut start = 0;
    while reading.messages.len() < MESSAGES {
        let mut scan = HeadScan::default();
        let head = pieces(start, data.len(), piece)
            .find_map(|end| scan.advance(&data[start..end], &LIMITS).transpose());
        let head = match head {
            None => break,
            Some(Err(refusal)) => {
                reading.refusal = Some(refusal);
                break;
            }
            Some(Ok(head)) => head,
        };
        assert!(head.bytes <= LIMITS.header_bytes && start + head.bytes <= data.len());
        let body = start + head.bytes;
        match read_body(&data[body..], piece, head.body) {
            Ok(None) => break,
            Err(refusal) => {
                reading.refusal = Some(refusal);
                break;
            }
            Ok(Some(length)) => {
                reading.messages.push(Message { head, bytes: head.bytes + length });
                start = body + length;
            }
        }
    }
    reading
}

/// The ends of the pieces in which what follows `start` arrives.
fn pieces(start: usize, end: usize, piece: usize) -> impl Iterator<Item = usize> {
    (start..end).step_by(piece).map(move |begin| (begin + piece).min(end))
}

/// Length of a body if all of it is there.
fn read_body(data: &[u8], piece: usize, length: BodyLength) -> Result<Option<usize>, Refusal> {
    if length == BodyLength::Fixed(0) {
        return Ok(Some(0));
    }
    let mut scan = BodyScan::new(length);
    let mut at = 0;
    while at < data.len() {
        let end = (at + piece).min(data.len());
        let advanced = scan.advance(&data[at..end], &LIMITS)?;
        assert!(advanced.taken <= end - at && (advanced.done || at + advanced.taken == end));
        at += advanced.taken;
        if advanced.done {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// A head that passed, against the parser that will read it next.
fn compare(data: &[u8], head: &Head) {
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = match request.parse(data) {
        // That parser knows targets and versions more closely; what it refuses goes nowhere.
        Err(_) => return,
        Ok(parsed) => parsed,
    };
    assert_eq!(parsed, httparse::Status::Complete(head.bytes), "two ends of one head");
    let values = |name: &'static str| {
        let of_name = request.headers.iter().filter(move |f| f.name.eq_ignore_ascii_case(name));
        of_name.map(|field| field.value.trim_ascii()).collect::<Vec<&[u8]>>()
    };
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    match head.body {
        BodyLength::Chunked => {
            assert!(lengths.is_empty() && codings.len() == 1 && request.version == Some(1));
            assert!(codings[0].eq_ignore_ascii_case(b"chunked"));
        }
        BodyLength::Fixed(length) => {
            assert!(codings.is_empty(), "chunked to the next");
            let said = lengths.iter().map(|text| String::from_utf8_lossy(text).parse().ok());
            assert_eq!(said.collect::<Vec<_>>().first().copied().flatten().unwrap_or(0), length);
            assert!(lengths.len() <= 1);
        }
    }
    assert!(values("host").len() <= 1 && request.headers.len() <= LIMITS.headers);
}
