//! HTTP/2 frame by frame, for what no library would send or show.

use crate::process::PATIENCE;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// One frame (RFC 9113, 4.1).
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A frame's bytes.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// `POST /`, without its body, to this host: names from the static table of HPACK.
pub(crate) fn post(host: &str) -> Vec<u8> {
    let length = u8::try_from(host.len()).expect("a short host");
    let head = [&[0x83, 0x86, 0x84, 0x41, length], host.as_bytes()].concat();
    frame(HEADERS, END_HEADERS, 1, &head)
}

/// `GET /` with these fields in the coding of HPACK, over as many frames as it takes.
pub(crate) fn get(host: &str, fields: &[u8]) -> Vec<u8> {
    let length = u8::try_from(host.len()).expect("a short host");
    let block = [&[0x82, 0x86, 0x84, 0x41, length], host.as_bytes(), fields].concat();
    let mut frames = Vec::new();
    let pieces = block.chunks(16 * 1024).enumerate();
    let last = pieces.len() - 1;
    for (at, piece) in pieces {
        let (kind, first) = if at == 0 { (HEADERS, END_STREAM) } else { (CONTINUATION, 0) };
        let flags = first | if at == last { END_HEADERS } else { 0 };
        frames.extend(frame(kind, flags, 1, piece));
    }
    frames
}

/// One field, spelt out. The decoder adds it to its table, where it is then the newest: number 62.
pub(crate) fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let name_length = u8::try_from(name.len()).expect("a short name");
    let mut bytes = [&[0x40, name_length], name.as_bytes()].concat();
    // An integer with a prefix of seven bits (RFC 7541, 5.1).
    match value.len().checked_sub(127) {
        None => bytes.push(u8::try_from(value.len()).expect("less than 127")),
        Some(mut rest) => {
            bytes.push(127);
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128 + 128).expect("less than 256"));
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).expect("less than 128"));
        }
    }
    bytes.extend(value);
    bytes
}

/// The next frame; `None` at the end.
pub(crate) async fn next(stream: &mut TcpStream) -> Option<Frame> {
    let mut head = [0; 9];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut head)).await;
    read.expect("a frame in time").ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    let number = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some(Frame { kind: head[3], flags: head[4], stream: number & 0x7fff_ffff, payload })
}
