//! What a hook sees of one request.

use crate::{Field, Percent};

/// One request: a few facts, and the declared values.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    method: Method,
    traits: Traits,
    bucket: u32,
    share: u32,
    now_ms: u64,
    data: &'a [u8],
    spans: &'a [u32],
}

/// The request's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
    /// `OPTIONS`.
    Options,
    /// `PATCH`.
    Patch,
    /// `CONNECT`.
    Connect,
    /// `TRACE`.
    Trace,
    /// Any other.
    Other,
}

impl Method {
    /// Does it only read (RFC 9110, 9.2.1)?
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options | Self::Trace)
    }
}

/// Facts about a request that are either so or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// The client spoke TLS.
    pub tls: bool,
    /// A body follows the header.
    pub has_body: bool,
    /// A declared value was cut at the host's limit, or left out because the view was full.
    pub truncated: bool,
    /// The client asks for a WebSocket.
    pub websocket: bool,
}

/// The bucket of a request that has no key.
const NO_KEY: u32 = u32::MAX;

impl<'a> View<'a> {
    /// The value of a declared field, if it is there and is UTF-8.
    pub fn get(&self, field: Field) -> Option<&'a str> {
        self.bytes(field).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The value of a declared field, if it is there.
    pub fn bytes(&self, field: Field) -> Option<&'a [u8]> {
        let first = usize::from(field.0) * 2;
        let start = usize::try_from(*self.spans.get(first)?).ok()?;
        let end = usize::try_from(*self.spans.get(first + 1)?).ok()?;
        self.data.get(start..end)
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Facts about the request.
    pub const fn traits(&self) -> Traits {
        self.traits
    }

    /// The user's bucket under the migration's salt, 0 to 99 999; `None` if the request has no key.
    pub const fn bucket(&self) -> Option<u32> {
        if self.bucket == NO_KEY { None } else { Some(self.bucket) }
    }

    /// The migration's read percent at present.
    pub const fn share(&self) -> Percent {
        Percent::from_thousandths(self.share)
    }

    /// Is the user among this percent? A request without a key never is. Users stay in as the percent
    /// grows.
    pub const fn in_share(&self, percent: Percent) -> bool {
        match self.bucket() {
            Some(bucket) => bucket < percent.thousandths(),
            None => false,
        }
    }

    /// Unix time in milliseconds: the only clock there is.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }
}

/// The parts of a view, as the host or a test lays them out.
pub(crate) struct Parts<'a> {
    pub(crate) method: Method,
    pub(crate) traits: Traits,
    pub(crate) bucket: Option<u32>,
    pub(crate) share: u32,
    pub(crate) now_ms: u64,
    pub(crate) data: &'a [u8],
    pub(crate) spans: &'a [u32],
}

impl<'a> From<Parts<'a>> for View<'a> {
    fn from(parts: Parts<'a>) -> Self {
        let Parts { method, traits, bucket, share, now_ms, data, spans } = parts;
        Self { method, traits, bucket: bucket.unwrap_or(NO_KEY), share, now_ms, data, spans }
    }
}
