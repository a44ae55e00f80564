//! What a decision may see of a request: borrowed parts behind a small trait.

use http::{HeaderMap, HeaderName, Method};
use std::net::IpAddr;

/// The headers of a request. Implemented for [`http::HeaderMap`]; a gateway with its own map
/// implements two methods.
///
/// `Sync`, so that a view may be held across an `.await` of a task that moves between threads.
pub trait Headers: Sync {
    /// The first value under this name, as received. Called a handful of times per decision.
    fn first(&self, name: &HeaderName) -> Option<&[u8]>;

    /// Visits every value under this name, in order of arrival, until `visit` says `false`.
    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8]) -> bool);
}

impl Headers for HeaderMap {
    fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        self.get(name).map(http::HeaderValue::as_bytes)
    }

    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        for value in self.get_all(name) {
            if !visit(value.as_bytes()) {
                return;
            }
        }
    }
}

/// One request, borrowed. Build it from [`http`] types with [`RequestView::new`].
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// Method, case-sensitive (RFC 9110, 9.1).
    pub method: &'a Method,
    /// Host as received, from `:authority` or `Host`; a port may follow. Empty if there is none.
    pub host: &'a str,
    /// Path in the normal form of [`path::normalise`](crate::path::normalise), without the query.
    pub path: &'a str,
    /// Query without its `?`.
    pub query: Option<&'a str>,
    /// Headers.
    pub headers: &'a dyn Headers,
    /// Address of the client.
    pub peer: Option<IpAddr>,
    /// Arrived over TLS.
    pub tls: bool,
    /// A body follows.
    pub has_body: bool,
    /// Asks for a WebSocket (RFC 6455, 4.1).
    pub websocket: bool,
    /// Unix time in milliseconds: the only clock a decision has (signed QA headers expire by it).
    pub now_ms: u64,
}

impl<'a> RequestView<'a> {
    /// A view with no query, peer or flags; set those that are known.
    pub fn new(method: &'a Method, host: &'a str, path: &'a str, headers: &'a dyn Headers) -> Self {
        Self {
            method,
            host,
            path,
            query: None,
            headers,
            peer: None,
            tls: false,
            has_body: false,
            websocket: false,
            now_ms: 0,
        }
    }
}

impl std::fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestView")
            .field("method", self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}
