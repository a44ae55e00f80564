//! A reply that is kept to be compared, as it comes: the copy's, and that of the side that serves.

use super::decode::decoded;
use cutover::core::compare::{BodyCapture, CapturedBody, Reply};
use cutover::mirror::{Hold, MirrorLimits, Skipped};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use pingora::http::ResponseHeader;

/// A reply on its way.
#[derive(Debug)]
pub(crate) struct Capture {
    status: StatusCode,
    headers: HeaderMap,
    body: BodyCapture,
    limits: MirrorLimits,
    hold: Hold,
    wrong: Option<Skipped>,
}

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    body: CapturedBody,
    kept: usize,
    /// Charged as long as this lives.
    hold: Hold,
}

impl Capture {
    /// Its header has come. What is held of its body is charged to `hold`.
    pub(crate) fn new(head: &ResponseHeader, limits: MirrorLimits, hold: Hold) -> Self {
        let body = BodyCapture::new(limits.kept_body);
        let (status, headers) = (head.status, head.headers.clone());
        Self { status, headers, body, limits, hold, wrong: None }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The next part of its body. `false`: it will not be whole, for want of room or of an end.
    pub(crate) fn push(&mut self, part: &[u8]) -> bool {
        if self.wrong.is_some() {
            return false;
        }
        let len = self.body.len() + part.len() as u64;
        let fits = len <= self.limits.kept_body as u64;
        self.wrong = if len > self.limits.read_body {
            Some(Skipped::TooLong)
        } else if fits && !self.hold.grow(part.len()) {
            Some(Skipped::Memory)
        } else {
            None
        };
        match self.wrong {
            Some(_) => self.body = BodyCapture::new(0),
            None => self.body.push(part),
        }
        self.wrong.is_none()
    }

    /// It is whole.
    pub(crate) fn finish(self) -> Result<Whole, Skipped> {
        let Self { status, headers, body, limits, hold, wrong } = self;
        match wrong {
            Some(why) => Err(why),
            None => {
                let (body, kept) = (body.finish(), limits.kept_body);
                Ok(Whole { status, headers, body, kept, hold })
            }
        }
    }
}

impl Whole {
    /// Takes the encoding off its body, if that is known and there is room.
    pub(crate) fn decode(&mut self) {
        let CapturedBody::Whole(body) = &self.body else { return };
        let plain = decoded(&self.headers, body, self.kept);
        if let Some(plain) = plain.filter(|plain| self.hold.grow(plain.len())) {
            self.headers.remove(CONTENT_ENCODING);
            self.body = CapturedBody::Whole(plain);
        }
    }

    /// To be compared.
    pub(crate) fn reply(&self) -> Reply<'_> {
        Reply { status: self.status, headers: &self.headers, body: self.body.body() }
    }
}
