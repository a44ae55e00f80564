//! Raw requests and what becomes of each; cut anywhere, the verdict is the same.

use super::body::BodyScan;
use super::framing::{BodyLength, Limits, Refusal};
use super::head::HeadScan;
use proptest::prelude::*;

const LIMITS: Limits = Limits { header_bytes: 1024, headers: 10, target_bytes: 256 };

/// What the bytes of one connection are: complete messages, then perhaps a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Verdict {
    messages: usize,
    refusal: Option<Refusal>,
}

enum Reading {
    Head(HeadScan),
    Body(BodyScan),
}

/// Reads a connection that arrives in these pieces, the way the stream does.
fn judge(pieces: &[&[u8]]) -> Verdict {
    let mut held = Vec::new();
    let mut reading = Reading::Head(HeadScan::default());
    let mut verdict = Verdict { messages: 0, refusal: None };
    for piece in pieces {
        held.extend_from_slice(piece);
        while !held.is_empty() {
            let step = match &mut reading {
                Reading::Head(scan) => scan.advance(&held, &LIMITS).map(|head| {
                    let head = head?;
                    held.drain(..head.bytes);
                    if head.body == BodyLength::Fixed(0) {
                        verdict.messages += 1;
                        return Some(Reading::Head(HeadScan::default()));
                    }
                    Some(Reading::Body(BodyScan::new(head.body)))
                }),
                Reading::Body(scan) => scan.advance(&held, &LIMITS).map(|advanced| {
                    held.drain(..advanced.taken);
                    verdict.messages += usize::from(advanced.done);
                    advanced.done.then(|| Reading::Head(HeadScan::default()))
                }),
            };
            match step {
                Ok(Some(next)) => reading = next,
                Ok(None) => break,
                Err(refusal) => {
                    verdict.refusal = Some(refusal);
                    return verdict;
                }
            }
        }
    }
    verdict
}

/// A POST with these fields, separated by `|`, and this body.
fn post(fields: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n{body}", fields.replace('|', "\r\n"))
        .into_bytes()
}

fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Name, bytes, complete messages, refusal.
fn cases() -> Vec<(&'static str, Vec<u8>, usize, Option<Refusal>)> {
    use Refusal as R;
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let long = |n: usize| "x".repeat(n);
    let mut cases = vec![
        ("plain", raw(get), 1, None),
        ("two in a row", raw(&get.repeat(2)), 2, None),
        ("empty line first", raw(&format!("\r\n{get}")), 1, None),
        ("three empty lines first", raw(&format!("\r\n\r\n\r\n{get}")), 0, Some(R::RequestLine)),
        ("1.0 without host", raw("GET / HTTP/1.0\r\n\r\n"), 1, None),
        ("1.1 without host", raw("GET / HTTP/1.1\r\n\r\n"), 0, Some(R::NoHost)),
        (
            "two hosts",
            raw("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
            0,
            Some(R::DuplicateHost),
        ),
        ("host list", raw("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), 0, Some(R::BadHost)),
        ("host with user", raw("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 0, Some(R::BadHost)),
        ("host with path", raw("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 0, Some(R::BadHost)),
        ("host with port", raw("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 1, None),
        ("whole target", raw("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n"), 1, None),
        ("whole target alone", raw("GET http://a/x HTTP/1.0\r\n\r\n"), 1, None),
        (
            "target of another host",
            raw("GET http://b/x HTTP/1.1\r\nHost: \t a \r\n\r\n"),
            0,
            Some(R::Authority),
        ),
        (
            "target of no certain host",
            raw("GET http:/\\a HTTP/1.1\r\nHost: a\r\n\r\n"),
            0,
            Some(R::Authority),
        ),
        ("star", raw("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 1, None),
        ("connect", raw("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), 0, Some(R::Connect)),
        ("2.0", raw("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 0, Some(R::Version)),
        ("1.2", raw("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 0, Some(R::Version)),
        ("0.9", raw("GET /\r\n\r\n"), 0, Some(R::RequestLine)),
        ("lower-case version", raw("GET / http/1.1\r\nHost: a\r\n\r\n"), 0, Some(R::RequestLine)),
        ("two spaces", raw("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 0, Some(R::RequestLine)),
        ("space in target", raw("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 0, Some(R::RequestLine)),
        ("tab in target", raw("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"), 0, Some(R::RequestLine)),
        ("bad method", raw("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 0, Some(R::RequestLine)),
        ("TLS on a plain port", vec![0x16, 3, 1, b'\n'], 0, Some(R::BareLf)),
        ("NUL in target", raw("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), 0, Some(R::Control)),
        (
            "long target",
            raw(&format!("GET /{} HTTP/1.1\r\n", long(256))),
            0,
            Some(R::TargetTooLong),
        ),
        ("endless target", raw(&format!("GET /{}", long(400))), 0, Some(R::TargetTooLong)),
        ("bare LF", raw("GET / HTTP/1.1\nHost: a\n\n"), 0, Some(R::BareLf)),
        ("bare LF in a field", raw("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"), 0, Some(R::BareLf)),
        ("bare CR in a value", post("X: a\rb", ""), 0, Some(R::BareCr)),
        ("CR CR LF", raw("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 0, Some(R::BareCr)),
        ("NUL in a value", post("X: a\0b", ""), 0, Some(R::Control)),
        ("NUL in a name", post("X\0: a", ""), 0, Some(R::Control)),
        ("escape in a value", post("X: a\u{1b}b", ""), 0, Some(R::Control)),
        ("tab in a value", post("X: a\tb", ""), 1, None),
        ("UTF-8 in a value", post("X: é", ""), 1, None),
        ("UTF-8 in a name", post("é: x", ""), 0, Some(R::FieldName)),
        ("folded", post("X: a| b", ""), 0, Some(R::Folded)),
        ("folded with tab", post("X: a|\tb", ""), 0, Some(R::Folded)),
        ("space before colon", post("X : a", ""), 0, Some(R::SpaceBeforeColon)),
        (
            "space before TE's colon",
            post("Transfer-Encoding : chunked", ""),
            0,
            Some(R::SpaceBeforeColon),
        ),
        ("space in a name", post("X Y: a", ""), 0, Some(R::FieldName)),
        ("no colon", post("X", ""), 0, Some(R::FieldName)),
        ("no name", post(": a", ""), 0, Some(R::FieldName)),
        ("many fields", post(&["X: y"; 10].join("|"), ""), 0, Some(R::TooManyFields)),
        ("as many fields as allowed", post(&["X: y"; 9].join("|"), ""), 1, None),
        ("large field", post(&format!("X: {}", long(1024)), ""), 0, Some(R::HeadTooLarge)),
        (
            "endless field",
            post(&format!("X: {}", long(2000)), "")[..1500].to_vec(),
            0,
            Some(R::HeadTooLarge),
        ),
        ("length", post("Content-Length: 5", "hello"), 1, None),
        ("length and the next", [post("Content-Length: 5", "hello"), raw(get)].concat(), 2, None),
        ("length, half a body", post("Content-Length: 5", "hel"), 0, None),
        ("length 0", post("Content-Length: 0", ""), 1, None),
        (
            "same length twice",
            post("Content-Length: 5|Content-Length: 5", "hello"),
            0,
            Some(R::DuplicateLength),
        ),
        (
            "two lengths",
            post("Content-Length: 5|Content-Length: 6", "hello"),
            0,
            Some(R::DuplicateLength),
        ),
        ("length list", post("Content-Length: 5, 5", "hello"), 0, Some(R::DuplicateLength)),
        ("length with plus", post("Content-Length: +5", "hello"), 0, Some(R::BadLength)),
        ("length with minus", post("Content-Length: -5", "hello"), 0, Some(R::BadLength)),
        ("length with space", post("Content-Length: 5 5", "hello"), 0, Some(R::BadLength)),
        ("length in hex", post("Content-Length: 0x5", "hello"), 0, Some(R::BadLength)),
        ("length empty", post("Content-Length:", "hello"), 0, Some(R::BadLength)),
        ("length with point", post("Content-Length: 5.0", "hello"), 0, Some(R::BadLength)),
        ("length huge", post("Content-Length: 99999999999999999999", ""), 0, Some(R::BadLength)),
        ("length with underscore is another field", post("Content_Length: 5", ""), 1, None),
        (
            "CL.TE",
            post("Content-Length: 6|Transfer-Encoding: chunked", "0\r\n\r\nG"),
            0,
            Some(R::BothLengths),
        ),
        (
            "TE.CL",
            post("Transfer-Encoding: chunked|Content-Length: 4", "5c\r\n"),
            0,
            Some(R::BothLengths),
        ),
        ("chunked", post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"), 1, None),
        ("chunked, other case", post("transfer-encoding: Chunked", "0\r\n\r\n"), 1, None),
        (
            "chunked and the next",
            [post("Transfer-Encoding: chunked", "0\r\n\r\n"), raw(get)].concat(),
            2,
            None,
        ),
        (
            "TE twice",
            post("Transfer-Encoding: chunked|Transfer-Encoding: chunked", ""),
            0,
            Some(R::TransferEncoding),
        ),
        (
            "TE.TE",
            post("Transfer-Encoding: chunked|Transfer-Encoding: x", ""),
            0,
            Some(R::TransferEncoding),
        ),
        ("TE x", post("Transfer-Encoding: xchunked", ""), 0, Some(R::TransferEncoding)),
        ("TE identity", post("Transfer-Encoding: identity", ""), 0, Some(R::TransferEncoding)),
        ("TE empty", post("Transfer-Encoding:", ""), 0, Some(R::TransferEncoding)),
        (
            "TE chunked twice in a list",
            post("Transfer-Encoding: chunked, chunked", ""),
            0,
            Some(R::TransferEncoding),
        ),
        (
            "TE chunked first",
            post("Transfer-Encoding: chunked, gzip", ""),
            0,
            Some(R::TransferEncoding),
        ),
        ("TE quoted", post("Transfer-Encoding: \"chunked\"", ""), 0, Some(R::TransferEncoding)),
        ("TE with vertical tab", post("Transfer-Encoding: \u{b}chunked", ""), 0, Some(R::Control)),
        ("TE gzip", post("Transfer-Encoding: gzip, chunked", ""), 0, Some(R::TransferCoding)),
    ];
    let old = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    cases.push(("TE in 1.0", raw(old), 0, Some(R::TransferEncodingOld)));
    let chunks = [
        ("extension", "5;a=b\r\nhello\r\n0;x\r\n\r\n", 1, None),
        ("quoted extension", "5;a=\"b c\"\r\nhello\r\n0\r\n\r\n", 1, None),
        ("long extension", &format!("5;{}\r\n", long(300)), 0, Some(R::Chunk)),
        ("extension with LF", "5;a\nhello\r\n0\r\n\r\n", 0, Some(R::Chunk)),
        ("extension with CR", "5;a\rb\r\nhello\r\n", 0, Some(R::Chunk)),
        ("size line with LF", "5\nhello\r\n0\r\n\r\n", 0, Some(R::Chunk)),
        ("size with 0x", "0x5\r\nhello\r\n", 0, Some(R::Chunk)),
        ("size with plus", "+5\r\nhello\r\n", 0, Some(R::Chunk)),
        ("size with minus", "-5\r\nhello\r\n", 0, Some(R::Chunk)),
        ("size with space", "5 \r\nhello\r\n", 0, Some(R::Chunk)),
        ("size empty", "\r\nhello\r\n", 0, Some(R::Chunk)),
        ("size only extension", ";x\r\nhello\r\n", 0, Some(R::Chunk)),
        ("size huge", "ffffffffffffffff\r\n", 0, Some(R::Chunk)),
        ("size with zeros", "0005\r\nhello\r\n0\r\n\r\n", 1, None),
        ("capital digits", "A\r\n0123456789\r\n0\r\n\r\n", 1, None),
        ("data too long", "5\r\nhelloX\r\n0\r\n\r\n", 0, Some(R::Chunk)),
        ("data without CR", "5\r\nhello\n0\r\n\r\n", 0, Some(R::Chunk)),
        ("trailer", "0\r\nX: y\r\n\r\n", 1, None),
        ("trailer with LF", "0\r\nX: y\n\r\n", 0, Some(R::BareLf)),
        ("trailer TE", "0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, Some(R::Trailer)),
        ("trailer host", "0\r\nHost: b\r\n\r\n", 0, Some(R::Trailer)),
        ("trailer folded", "0\r\nX: y\r\n z\r\n\r\n", 0, Some(R::Folded)),
        ("trailers endless", &format!("0\r\nX: {}", long(1100)), 0, Some(R::HeadTooLarge)),
        ("no end", "5\r\nhello\r\n0\r\n", 0, None),
    ];
    for (name, body, messages, refusal) in chunks {
        cases.push((name, post("Transfer-Encoding: chunked", body), messages, refusal));
    }
    cases
}

#[test]
fn raw_requests_are_judged() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, bytes, messages, refusal) in cases {
        let verdict = judge(&[&bytes]);
        assert_eq!(verdict, Verdict { messages, refusal }, "{name}: {}", bytes.escape_ascii());
    }
}

#[test]
fn raw_requests_byte_by_byte_are_judged_the_same() {
    for (name, bytes, messages, refusal) in cases() {
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(judge(&pieces), Verdict { messages, refusal }, "{name}");
    }
}

/// Bytes of cases, one after the other, sometimes damaged.
fn connection() -> impl Strategy<Value = Vec<u8>> {
    let count = cases().len();
    let one =
        (0..count, proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())));
    prop::collection::vec(one, 1..4).prop_map(|picked| {
        let cases = cases();
        let parts = picked.into_iter().flat_map(|(at, damage)| {
            let mut bytes = cases[at].1.clone();
            if let Some((place, byte)) = damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes
        });
        parts.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_verdict_does_not_depend_on_the_cuts(
        bytes in connection(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        prop_assert_eq!(judge(&pieces), judge(&[&bytes]));
    }
}
