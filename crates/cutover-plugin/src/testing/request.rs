//! The request of a unit test.

use crate::view::Parts;
use crate::{Declared, Manifest, Method, Percent, Traits, View};
use std::net::IpAddr;

/// A request, as a client would send it; the manifest decides what of it a plugin sees.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    traits: Traits,
    bucket: Option<u32>,
    share: Percent,
    now_ms: u64,
    values: Vec<(Declared, Vec<u8>)>,
}

impl Request {
    /// A `GET` of this path, which may have a query, by a user without a key while the percent is 0.
    pub fn get(target: &str) -> Self {
        Self::new(Method::Get, target)
    }

    /// A request of this method.
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let (traits, share) = (Traits::default(), Percent::ZERO);
        let request = Self { method, traits, bucket: None, share, now_ms: 0, values: Vec::new() };
        let request = request.with(Declared::Path, path);
        match query {
            Some(query) => request.with_query(query),
            None => request,
        }
    }

    /// The host the client asked for.
    pub fn host(self, host: &str) -> Self {
        self.with(Declared::Host, host)
    }

    /// The client's address.
    pub fn peer(self, address: IpAddr) -> Self {
        self.with(Declared::Peer, address.to_string())
    }

    /// One more value of a header.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.joined(Declared::Header(name.to_ascii_lowercase()), value.as_ref(), b", ")
    }

    /// A cookie.
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.with(Declared::Cookie(name.to_owned()), value)
    }

    /// A parameter of the route's path.
    pub fn path_param(self, name: &str, value: &str) -> Self {
        self.with(Declared::PathParam(name.to_owned()), value)
    }

    /// One more value of a header of the reply, for `on_response` and `make_comparable`.
    pub fn reply_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.joined(Declared::ReplyHeader(name.to_ascii_lowercase()), value.as_ref(), b"\n")
    }

    /// The user's bucket, 0 to 99 999.
    pub fn bucket(self, bucket: u32) -> Self {
        Self { bucket: Some(bucket), ..self }
    }

    /// The migration's read percent.
    pub fn share(self, share: Percent) -> Self {
        Self { share, ..self }
    }

    /// The time.
    pub fn now_ms(self, now_ms: u64) -> Self {
        Self { now_ms, ..self }
    }

    /// Other facts.
    pub fn traits(self, traits: Traits) -> Self {
        Self { traits, ..self }
    }

    /// Calls `look` with what a plugin of this manifest sees; headers of a reply only if there is one.
    pub(super) fn seen<R>(
        &self,
        manifest: &Manifest,
        replied: bool,
        look: impl FnOnce(&View<'_>) -> R,
    ) -> R {
        let (mut data, mut spans) = (Vec::new(), Vec::new());
        for what in manifest.reads() {
            let hidden = matches!(what, Declared::ReplyHeader(_)) && !replied;
            let start = data.len();
            match self.values.iter().find(|(declared, _)| declared == what && !hidden) {
                Some((_, value)) => {
                    data.extend_from_slice(value);
                    spans.extend([offset(start), offset(data.len())]);
                }
                None => spans.extend([1, 0]),
            }
        }
        look(&View::from(Parts {
            method: self.method,
            traits: self.traits,
            bucket: self.bucket,
            share: self.share.thousandths(),
            now_ms: self.now_ms,
            data: &data,
            spans: &spans,
        }))
    }

    /// What its reply says it is; empty if it says nothing.
    pub(super) fn content_type(&self) -> &str {
        let named = Declared::ReplyHeader("content-type".to_owned());
        let value = self.values.iter().find(|(declared, _)| *declared == named);
        value.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or_default()
    }

    fn with_query(self, query: &str) -> Self {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.fold(self.with(Declared::Query, query), |request, (name, value)| {
            request.with(Declared::QueryParam(name.to_owned()), value)
        })
    }

    /// Adds a value; the first of a kind stays.
    fn with(mut self, what: Declared, value: impl AsRef<[u8]>) -> Self {
        if !self.values.iter().any(|(declared, _)| *declared == what) {
            self.values.push((what, value.as_ref().to_vec()));
        }
        self
    }

    /// Adds a value to those of its kind.
    fn joined(mut self, what: Declared, value: &[u8], separator: &[u8]) -> Self {
        match self.values.iter_mut().find(|(declared, _)| *declared == what) {
            Some((_, known)) => {
                known.extend_from_slice(separator);
                known.extend_from_slice(value);
                self
            }
            None => self.with(what, value),
        }
    }
}

fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("a test's request is smaller than 4 GiB")
}
