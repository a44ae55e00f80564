//! Bodies to be compared: whole up to a cap, beyond it a digest made while they stream by.

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// A reply's body.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// All of it. Decoded, if the caller can: encoded bodies are compared byte by byte.
    Whole(&'a [u8]),
    /// What remains of a body beyond the cap.
    Digest(BodyDigest),
}

/// Length and SHA-256 of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyDigest {
    /// Bytes.
    pub len: u64,
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl Body<'_> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Digest(digest) => digest.len == 0,
        }
    }

    pub(super) fn digest(&self) -> BodyDigest {
        match self {
            Self::Whole(bytes) => {
                BodyDigest { len: bytes.len() as u64, sha256: Sha256::digest(bytes).into() }
            }
            Self::Digest(digest) => *digest,
        }
    }
}

/// Collects a body chunk by chunk. Holds at most the cap; hashing begins only beyond it.
#[derive(Debug)]
pub struct BodyCapture {
    cap_bytes: usize,
    state: Capture,
}

#[derive(Debug)]
enum Capture {
    Whole(Vec<u8>),
    Beyond { len: u64, hash: Sha256 },
}

/// A body that was collected.
#[derive(Clone, Debug)]
pub enum CapturedBody {
    /// It fitted.
    Whole(Vec<u8>),
    /// It did not.
    Digest(BodyDigest),
}

impl BodyCapture {
    /// Keeps bodies of up to this many bytes.
    pub fn new(cap_bytes: usize) -> Self {
        Self { cap_bytes, state: Capture::Whole(Vec::new()) }
    }

    /// Takes the next chunk.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.state {
            Capture::Whole(kept) if chunk.len() <= self.cap_bytes - kept.len() => {
                kept.extend_from_slice(chunk);
            }
            Capture::Whole(kept) => {
                let mut hash = Sha256::new();
                hash.update(&*kept);
                hash.update(chunk);
                let len = kept.len() as u64 + chunk.len() as u64;
                self.state = Capture::Beyond { len, hash };
            }
            Capture::Beyond { len, hash } => {
                hash.update(chunk);
                *len += chunk.len() as u64;
            }
        }
    }

    /// Bytes that came so far: what a cap on the total is checked against.
    pub fn len(&self) -> u64 {
        match &self.state {
            Capture::Whole(kept) => kept.len() as u64,
            Capture::Beyond { len, .. } => *len,
        }
    }

    /// Nothing came yet?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The body has ended.
    pub fn finish(self) -> CapturedBody {
        match self.state {
            Capture::Whole(kept) => CapturedBody::Whole(kept),
            Capture::Beyond { len, hash } => {
                CapturedBody::Digest(BodyDigest { len, sha256: hash.finalize().into() })
            }
        }
    }
}

impl CapturedBody {
    /// To be compared.
    pub fn body(&self) -> Body<'_> {
        match self {
            Self::Whole(bytes) => Body::Whole(bytes),
            Self::Digest(digest) => Body::Digest(*digest),
        }
    }
}

/// Does the reply say that its body is JSON? `application/json`, `text/json` and `…+json`.
pub(super) fn says_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let essence = value.as_bytes().split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    let is = |name: &[u8]| essence.eq_ignore_ascii_case(name);
    let suffix = essence.len().checked_sub(5).map(|at| &essence[at..]);
    is(b"application/json")
        || is(b"text/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json"))
}

/// Is the body still encoded?
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}
