//! Headers that a program behind CGI or WSGI cannot tell from others: both `x-user-id` and `x_user_id` reach it as
//! `HTTP_X_USER_ID`. A client could thus say to the backend what cutover reads, sets or takes away under the right name.
//! Such headers are removed; other names with underscores pass.

use crate::forwarded;
use cutover::Prepared;
use http::{HeaderMap, HeaderName};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Names in this family are ours, whatever follows.
const FAMILY: &str = "x-cutover-";
/// What no backend may read from a client, beside what is configured: framing, and what ends at this hop.
const ALWAYS: [&str; 8] = [
    "content-length",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    FAMILY,
];

/// The names that must have no doubles, of one generation.
#[derive(Debug)]
pub struct Lookalikes {
    /// With dashes for underscores; the flag says that a double of it has been told.
    names: HashMap<Box<str>, AtomicBool>,
    /// Those that have underscores themselves.
    meant: HashSet<HeaderName>,
    /// What `meant` looks like with dashes, unless that is configured too.
    beside_meant: HashSet<HeaderName>,
}

impl Lookalikes {
    /// Of the names that a generation reads, sets or removes.
    pub(crate) fn of(prepared: &Prepared) -> Self {
        let always = ALWAYS.into_iter().map(str::to_owned);
        let forwarded = forwarded::NAMES.into_iter().map(|name| name.as_str().to_owned());
        let configured = prepared.request_headers().map(|name| dashed(name.as_str()));
        let names = always.chain(forwarded).chain(configured);
        let meant: HashSet<HeaderName> =
            prepared.request_headers().filter(|name| has_underscore(name)).cloned().collect();
        let configured: HashSet<&HeaderName> = prepared.request_headers().collect();
        let beside_meant = meant
            .iter()
            .filter_map(|name| HeaderName::try_from(dashed(name.as_str())).ok())
            .filter(|name| !configured.contains(name))
            .collect();
        Self {
            names: names.map(|name| (name.into(), AtomicBool::new(false))).collect(),
            meant,
            beside_meant,
        }
    }

    /// The doubles among these headers. Nearly always there is no underscore at all.
    pub(crate) fn among(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        headers
            .keys()
            .filter(|name| match has_underscore(name) {
                true => self.is_double(name),
                false => !self.beside_meant.is_empty() && self.beside_meant.contains(*name),
            })
            .cloned()
            .collect()
    }

    #[cold]
    fn is_double(&self, name: &HeaderName) -> bool {
        if self.meant.contains(name) {
            return false;
        }
        let read_as = dashed(name.as_str());
        let family = read_as.starts_with(FAMILY).then_some(FAMILY);
        let Some(told) = self.names.get(family.unwrap_or(&read_as)) else { return false };
        if !told.swap(true, Relaxed) {
            tracing::debug!(%name, read_as, "a client's header is removed: programs mistake it");
        }
        true
    }
}

fn has_underscore(name: &HeaderName) -> bool {
    memchr::memchr(b'_', name.as_str().as_bytes()).is_some()
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}
