//! The view of one request that a plugin gets: declared values alone, packed into buffers that are reused.

use crate::bindings::{Method, Traits, View};
use crate::manifest::Read;
use cutover_core::key::{cookie, query_param};
use cutover_core::route::Params;
use cutover_core::{Bucket, Headers, Percent, RequestView};
use http::HeaderName;
use http::header::HOST;
use std::io::Write;

/// Bytes of one value; what is beyond is cut, and the view says so.
pub const MAX_VALUE_BYTES: usize = 4 * 1024;

/// Bytes of all values of one view.
pub const MAX_VIEW_BYTES: usize = 16 * 1024;

/// `view.bucket` of a request without a key.
const NO_BUCKET: u32 = u32::MAX;

/// One request, as the host knows it. A plugin sees what its manifest declares of it, and the scalars.
#[derive(Clone, Copy, Debug)]
pub struct CallView<'a> {
    /// The request.
    pub request: &'a RequestView<'a>,
    /// Parameters of its path.
    pub params: &'a Params<'a>,
    /// Its user's bucket, if it has a key.
    pub bucket: Option<Bucket>,
    /// The migration's read percent.
    pub share: Percent,
}

/// What a plugin may know of one request, kept beyond the request: its declared values and the scalars.
#[derive(Clone, Debug)]
pub struct KeptView {
    /// Headers of a reply are absent in it.
    packed: Packed,
    method: Method,
    /// But for what `packed` knows.
    traits: Traits,
    bucket: u32,
    share: u32,
    now_ms: u64,
}

impl KeptView {
    pub(crate) fn of(call: &CallView<'_>, reads: &[Read]) -> Self {
        let mut packed = Packed::default();
        let View { method, bucket, share, now_ms, .. } = packed.pack(call, None, reads);
        let traits = traits(call.request, false);
        Self { packed, method, traits, bucket, share, now_ms }
    }

    /// Bytes it holds beside itself.
    pub fn held_bytes(&self) -> usize {
        self.packed.data.capacity() + self.packed.spans.capacity() * size_of::<u32>()
    }
}

/// Buffers of one instance. They grow to the largest view so far, which [`MAX_VIEW_BYTES`] bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed {
    data: Vec<u8>,
    spans: Vec<u32>,
    truncated: bool,
}

impl Packed {
    pub(crate) fn with_room(reads: usize) -> Self {
        Self {
            data: Vec::with_capacity(1024),
            spans: Vec::with_capacity(2 * reads),
            truncated: false,
        }
    }

    /// Packs the declared values. `reply` is there when there is one.
    pub(crate) fn pack<'p>(
        &'p mut self,
        call: &CallView<'_>,
        reply: Option<&dyn Headers>,
        reads: &[Read],
    ) -> View<'p> {
        self.data.clear();
        self.spans.clear();
        self.truncated = false;
        for read in reads {
            self.value(call, reply, read);
        }
        let request = call.request;
        View {
            method: method(request.method),
            traits: traits(request, self.truncated),
            bucket: call.bucket.map_or(NO_BUCKET, Bucket::number),
            share: call.share.thousandths(),
            now_ms: request.now_ms,
            data: &self.data,
            spans: &self.spans,
        }
    }

    /// Packs a request that was kept, with the declared headers of a reply to it.
    pub(crate) fn unpack<'p>(
        &'p mut self,
        kept: &KeptView,
        reply: &dyn Headers,
        reads: &[Read],
    ) -> View<'p> {
        self.data.clear();
        self.spans.clear();
        self.truncated = kept.packed.truncated;
        for (read, span) in reads.iter().zip(kept.packed.spans.chunks_exact(2)) {
            match read {
                Read::ReplyHeader(name) => self.joined(Some(reply), name, b"\n"),
                Read::Host
                | Read::Path
                | Read::Query
                | Read::Peer
                | Read::Header(_)
                | Read::Cookie(_)
                | Read::QueryParam(_)
                | Read::PathParam(_) => {
                    self.whole(kept.packed.data.get(span[0] as usize..span[1] as usize));
                }
            }
        }
        let KeptView { method, mut traits, bucket, share, now_ms, .. } = *kept;
        if self.truncated {
            traits |= Traits::TRUNCATED;
        }
        View { method, traits, bucket, share, now_ms, data: &self.data, spans: &self.spans }
    }

    fn value(&mut self, call: &CallView<'_>, reply: Option<&dyn Headers>, read: &Read) {
        let request = call.request;
        match read {
            Read::Host => self.whole(Some(without_port(request.host).as_bytes())),
            Read::Path => self.whole(Some(request.path.as_bytes())),
            Read::Query => self.whole(request.query.map(str::as_bytes)),
            Read::Peer => self.peer(request),
            // HTTP/2 has no such header: its host is a part of the target.
            Read::Header(name) if *name == HOST && request.headers.first(name).is_none() => {
                self.whole((!request.host.is_empty()).then_some(request.host.as_bytes()));
            }
            Read::Header(name) => self.joined(Some(request.headers), name, b", "),
            Read::ReplyHeader(name) => self.joined(reply, name, b"\n"),
            Read::Cookie(name) => self.whole(cookie(request, name)),
            Read::QueryParam(name) => self.whole(query_param(request.query, name)),
            Read::PathParam(name) => {
                self.whole(call.params.value(request.path, name).map(str::as_bytes));
            }
        }
    }

    fn whole(&mut self, value: Option<&[u8]>) {
        let start = self.data.len();
        if let Some(value) = value {
            self.push(start, value);
        }
        self.close(start, value.is_some());
    }

    fn joined(&mut self, headers: Option<&dyn Headers>, name: &HeaderName, between: &[u8]) {
        let start = self.data.len();
        let mut lines = 0;
        if let Some(headers) = headers {
            headers.each(name, &mut |line| {
                let joined = lines == 0 || self.push(start, between);
                lines += 1;
                joined && self.push(start, line)
            });
        }
        self.close(start, lines > 0);
    }

    fn peer(&mut self, request: &RequestView<'_>) {
        let start = self.data.len();
        if let Some(peer) = request.peer {
            // An address is at most 45 bytes; into a vector, writing cannot fail.
            let _ = write!(self.data, "{}", peer.to_canonical());
            if self.data.len() > MAX_VIEW_BYTES {
                self.data.truncate(MAX_VIEW_BYTES);
                self.truncated = true;
            }
        }
        self.close(start, request.peer.is_some());
    }

    /// Adds to the value that began at `start` as much as the caps allow; was it everything?
    fn push(&mut self, start: usize, part: &[u8]) -> bool {
        let end = MAX_VIEW_BYTES.min(start + MAX_VALUE_BYTES);
        let room = end.saturating_sub(self.data.len());
        let fits = part.len() <= room;
        self.data.extend_from_slice(&part[..part.len().min(room)]);
        self.truncated |= !fits;
        fits
    }

    /// Ends the value that began at `start`. A value that lost everything to the caps counts as absent: an empty one
    /// would be a lie that a plugin cannot see through.
    fn close(&mut self, start: usize, present: bool) {
        let end = self.data.len();
        let lost = self.truncated && start == end && start >= MAX_VIEW_BYTES;
        if present && !lost {
            self.spans.extend([start as u32, end as u32]);
        } else {
            self.spans.extend([1, 0]);
        }
    }
}

fn traits(request: &RequestView<'_>, truncated: bool) -> Traits {
    let mut traits = Traits::empty();
    for (holds, flag) in [
        (request.tls, Traits::TLS),
        (request.has_body, Traits::HAS_BODY),
        (request.websocket, Traits::WEBSOCKET),
        (truncated, Traits::TRUNCATED),
    ] {
        if holds {
            traits |= flag;
        }
    }
    traits
}

fn method(method: &http::Method) -> Method {
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        "CONNECT" => Method::Connect,
        "TRACE" => Method::Trace,
        _ => Method::Other,
    }
}

/// `example.com:80` and `[::1]:80` without the port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !open_bracket(name) => {
            name
        }
        Some(_) | None => host,
    }
}

/// Is the last colon inside an IPv6 address, as in `[::1]`?
fn open_bracket(name: &str) -> bool {
    name.starts_with('[') && !name.ends_with(']')
}

#[cfg(test)]
mod tests;
