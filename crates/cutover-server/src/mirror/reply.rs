//! A reply that is kept to be compared, as it comes: the copy's, and that of the side that serves.

use cutover::core::compare::{BodyCapture, CapturedBody, Reply};
use cutover::mirror::{Hold, Skipped};
use http::{HeaderMap, StatusCode};
use pingora::http::ResponseHeader;

/// A reply on its way.
#[derive(Debug)]
pub(crate) struct Capture {
    status: StatusCode,
    headers: HeaderMap,
    body: BodyCapture,
    kept: usize,
    hold: Hold,
    wrong: Option<Skipped>,
}

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    body: CapturedBody,
    /// Charged as long as this lives.
    _hold: Hold,
}

impl Capture {
    /// Its header has come. Of its body at most `kept` bytes are held, charged to `hold`.
    pub(crate) fn new(head: &ResponseHeader, kept: usize, hold: Hold) -> Self {
        let body = BodyCapture::new(kept);
        let (status, headers) = (head.status, head.headers.clone());
        Self { status, headers, body, kept, hold, wrong: None }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Bytes of its body so far.
    pub(crate) fn len(&self) -> u64 {
        self.body.len()
    }

    /// The next part of its body. `false`: it is not kept any longer.
    pub(crate) fn push(&mut self, part: &[u8]) -> bool {
        if self.wrong.is_some() {
            return false;
        }
        let fits = self.body.len() + part.len() as u64 <= self.kept as u64;
        if fits && !self.hold.grow(part.len()) {
            self.give_up(Skipped::Memory);
            return false;
        }
        self.body.push(part);
        true
    }

    /// It will not be whole.
    pub(crate) fn give_up(&mut self, why: Skipped) {
        self.wrong = Some(why);
        self.body = BodyCapture::new(0);
    }

    /// It is whole.
    pub(crate) fn finish(self) -> Result<Whole, Skipped> {
        let Self { status, headers, body, hold, wrong, .. } = self;
        match wrong {
            Some(why) => Err(why),
            None => Ok(Whole { status, headers, body: body.finish(), _hold: hold }),
        }
    }
}

impl Whole {
    /// To be compared.
    pub(crate) fn reply(&self) -> Reply<'_> {
        Reply { status: self.status, headers: &self.headers, body: self.body.body() }
    }
}
