//! Where the body of an HTTP/1 request ends, found as its bytes arrive.

use super::framing::{BodyLength, Limits, Refusal};
use super::head::split_field;

/// How far a body has been read.
#[derive(Debug)]
pub enum BodyScan {
    /// Bytes that are left.
    Fixed(u64),
    /// A chunked body.
    Chunked(ChunkScan),
}

/// How far a chunked body has been read.
#[derive(Debug, Default)]
pub struct ChunkScan {
    at: At,
    /// Trailer lines so far; stays empty, and unallocated, without trailers.
    trailers: Vec<u8>,
    trailer_line: usize,
    trailer_count: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum At {
    /// Before the first digit of a size.
    #[default]
    Start,
    /// Inside a size: its value and how many digits it has.
    Size(u64, u8),
    /// Inside an extension: the size, and the extension's bytes so far.
    Extension(u64, u16),
    /// The LF after a size line.
    SizeLf(u64),
    /// Data that is left.
    Data(u64),
    DataCr,
    DataLf,
    /// Inside the trailer section.
    Trailer,
}

/// Hex digits of a chunk size that are accepted; fifteen cannot overflow.
const SIZE_DIGITS: u8 = 15;
/// Bytes of a chunk extension that are accepted.
const EXTENSION_BYTES: u16 = 256;

/// What a piece of a body meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// Bytes of the piece that belong to the body.
    pub taken: usize,
    /// The message ends after them.
    pub done: bool,
}

impl BodyScan {
    /// At the beginning of a body.
    pub fn new(length: BodyLength) -> Self {
        match length {
            BodyLength::Fixed(bytes) => Self::Fixed(bytes),
            BodyLength::Chunked => Self::Chunked(ChunkScan::default()),
        }
    }

    /// Reads on.
    ///
    /// # Errors
    /// The first thing for which the body is refused; what stands before it has been taken.
    pub fn advance(&mut self, bytes: &[u8], limits: &Limits) -> Result<Advanced, Refusal> {
        match self {
            Self::Fixed(left) => {
                let taken = take(left, bytes.len());
                Ok(Advanced { taken, done: *left == 0 })
            }
            Self::Chunked(chunks) => chunks.advance(bytes, limits),
        }
    }
}

/// Takes up to `available` from what is left.
fn take(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= taken as u64;
    taken
}

impl ChunkScan {
    fn advance(&mut self, bytes: &[u8], limits: &Limits) -> Result<Advanced, Refusal> {
        let mut taken = 0;
        while taken < bytes.len() {
            if let At::Data(left) = &mut self.at {
                taken += take(left, bytes.len() - taken);
                if *left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            let byte = bytes[taken];
            taken += 1;
            if matches!(self.at, At::Trailer) {
                if self.trailer(byte, limits)? {
                    return Ok(Advanced { taken, done: true });
                }
            } else {
                self.at = step(self.at, byte).ok_or(Refusal::Chunk)?;
            }
        }
        Ok(Advanced { taken, done: false })
    }

    /// One byte of the trailer section; true after its last.
    fn trailer(&mut self, byte: u8, limits: &Limits) -> Result<bool, Refusal> {
        self.trailers.push(byte);
        if self.trailers.len() > limits.header_bytes {
            return Err(Refusal::HeadTooLarge);
        }
        if byte != b'\n' {
            return Ok(false);
        }
        let [line @ .., b'\r', b'\n'] = &self.trailers[self.trailer_line..] else {
            return Err(Refusal::BareLf);
        };
        if line.is_empty() {
            return Ok(true);
        }
        let (name, _) = split_field(line)?;
        let framing = ["content-length", "transfer-encoding", "host", "trailer", "connection"];
        if framing.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden.as_bytes())) {
            return Err(Refusal::Trailer);
        }
        self.trailer_count += 1;
        if self.trailer_count > limits.headers {
            return Err(Refusal::TooManyFields);
        }
        self.trailer_line = self.trailers.len();
        Ok(false)
    }
}

/// One byte of a chunk's frame. `None`: it may not stand here.
fn step(at: At, byte: u8) -> Option<At> {
    let hex = || char::from(byte).to_digit(16).map(u64::from);
    match at {
        At::Start => Some(At::Size(hex()?, 1)),
        At::Size(size, digits) => match byte {
            b'\r' => Some(At::SizeLf(size)),
            b';' => Some(At::Extension(size, 0)),
            _ if digits < SIZE_DIGITS => Some(At::Size(size << 4 | hex()?, digits + 1)),
            _ => None,
        },
        At::Extension(size, length) => match byte {
            b'\r' => Some(At::SizeLf(size)),
            b'\t' | 0x20..=0x7e | 0x80.. if length < EXTENSION_BYTES => {
                Some(At::Extension(size, length + 1))
            }
            _ => None,
        },
        At::SizeLf(size) => match (byte, size) {
            (b'\n', 0) => Some(At::Trailer),
            (b'\n', size) => Some(At::Data(size)),
            _ => None,
        },
        At::DataCr => (byte == b'\r').then_some(At::DataLf),
        At::DataLf => (byte == b'\n').then_some(At::Start),
        At::Data(_) | At::Trailer => None,
    }
}
