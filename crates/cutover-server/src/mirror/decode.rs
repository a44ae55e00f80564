//! Encoded bodies are read before they are compared: two programs never compress alike.

use bytes::BytesMut;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use pingora::protocols::http::compression::Algorithm;

/// How much is decoded at once: few bytes can become a thousand times as many.
const STEP: usize = 1024;

/// The body without its encoding; `None` if it has none, or one that cannot be read, or becomes longer than `cap`.
pub(super) fn decoded(headers: &HeaderMap, body: &[u8], cap: usize) -> Option<Vec<u8>> {
    let mut fields = headers.get_all(CONTENT_ENCODING).iter();
    let (name, None) = (fields.next()?.as_bytes().trim_ascii(), fields.next()) else { return None };
    let algorithm = match name.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => Algorithm::Gzip,
        b"br" => Algorithm::Brotli,
        _ => return None,
    };
    let mut decoder = algorithm.decompressor(true)?;
    let mut plain = BytesMut::new();
    let mut steps = body.chunks(STEP).peekable();
    while let Some(step) = steps.next() {
        let part = decoder.encode(step, steps.peek().is_none()).ok()?;
        plain.extend_from_slice(&part);
        if plain.len() > cap {
            return None;
        }
    }
    Some(plain.into())
}
