//! Forwarding headers: who asked, by which scheme, for which host (`Forwarded`, RFC 7239, and `X-Forwarded-*`).
//!
//! What a client says about itself is believed only if it is one of the configured trusted proxies; then we append to
//! what it says. Anybody else's headers are replaced, so that a backend never reads an address the client made up.

use crate::digits;
use cutover::config::Network;
use cutover::core::edit::HeaderSink;
use http::header::{FORWARDED, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write as _;
use std::net::IpAddr;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The longest address as text (RFC 4291, 2.2).
const ADDRESS: usize = 45;
/// What stands around the host in an element of `Forwarded`: an address, the scheme, quotes.
const AROUND: usize = ADDRESS + 32;

/// Every header of the family.
pub(crate) const NAMES: [HeaderName; 6] = [FORWARDED, FOR, PROTO, FORWARDED_HOST, PORT, REAL_IP];

/// The name as bytes that live for ever, if it is one of the family: Pingora would copy it, four times in every request.
pub(crate) fn literal(name: &HeaderName) -> Option<&'static str> {
    Some(match name.as_str() {
        "forwarded" => "forwarded",
        "x-forwarded-for" => "x-forwarded-for",
        "x-forwarded-proto" => "x-forwarded-proto",
        "x-forwarded-host" => "x-forwarded-host",
        _ => return None,
    })
}

/// What we know first hand about where a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The connection is TLS.
    pub tls: bool,
    /// The host asked for; empty if none.
    pub host: &'a str,
}

/// Is the peer a proxy whose forwarding headers are believed?
pub fn is_trusted(trusted: &[Network], peer: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(peer))
}

/// The client a request came from: the peer, or, if that is a trusted proxy, the nearest address in `X-Forwarded-For`
/// that is not one.
pub fn client(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if trusted.is_empty() || !is_trusted(trusted, peer) {
        return peer;
    }
    let mut client = peer;
    for value in headers.get_all(FOR).iter().rev() {
        let Ok(text) = value.to_str() else { return client };
        for hop in text.rsplit(',') {
            let Some(address) = hop_address(hop.trim()) else { return client };
            client = address;
            if !is_trusted(trusted, address) {
                return client;
            }
        }
    }
    client
}

/// One entry of `X-Forwarded-For`: an address, perhaps with a port, IPv6 perhaps in brackets.
fn hop_address(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Ok(address) = hop.parse::<std::net::SocketAddr>() {
        return Some(address.ip());
    }
    hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Writes the headers. `received` is what the client sent; `believed` says that it is a trusted proxy.
pub fn apply(
    origin: Origin<'_>,
    believed: bool,
    received: &HeaderMap,
    headers: &mut dyn HeaderSink,
) {
    let mut element = Line::with_room(AROUND + origin.host.len());
    element.push_node(origin.peer);
    let scheme = if origin.tls { "https" } else { "http" };
    element.push(";proto=");
    element.push(scheme);
    if !origin.host.is_empty() {
        element.push(";host=");
        element.push_value(origin.host);
    }
    let mut address = Line::with_room(ADDRESS);
    address.push_address(origin.peer);
    if believed {
        headers.set(&FORWARDED, element.after(received, &FORWARDED));
        headers.set(&FOR, address.after(received, &FOR));
    } else {
        headers.set(&FORWARDED, element.value());
        headers.set(&FOR, address.value());
        headers.remove(&PORT);
        headers.remove(&REAL_IP);
    }
    if !(believed && received.contains_key(PROTO)) {
        headers.set(&PROTO, HeaderValue::from_static(scheme));
    }
    if !(believed && received.contains_key(FORWARDED_HOST)) {
        set_host(origin.host, received, headers);
    }
}

/// `X-Forwarded-Host` shares the bytes of `Host` if it can.
fn set_host(host: &str, received: &HeaderMap, headers: &mut dyn HeaderSink) {
    let shared = received.get(HOST).filter(|value| value.as_bytes() == host.as_bytes());
    let value = match shared {
        Some(value) => Some(value.clone()),
        None if host.is_empty() => None,
        None => HeaderValue::from_str(host).ok(),
    };
    match value {
        Some(value) => headers.set(&FORWARDED_HOST, value),
        None => headers.remove(&FORWARDED_HOST),
    }
}

/// A header value being written.
struct Line(String);

impl Line {
    fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn push_address(&mut self, address: IpAddr) {
        match address.to_canonical() {
            IpAddr::V4(v4) => digits::dotted(v4, |part| self.push(part)),
            IpAddr::V6(v6) => write!(self.0, "{v6}").expect("a string takes everything"),
        }
    }

    /// `for=192.0.2.1`, `for="[2001:db8::1]"`.
    fn push_node(&mut self, address: IpAddr) {
        let address = address.to_canonical();
        let (before, after) = if address.is_ipv4() { ("for=", "") } else { ("for=\"[", "]\"") };
        self.push(before);
        self.push_address(address);
        self.push(after);
    }

    /// A token as it is, anything else (a port's colon, brackets) as a quoted string.
    fn push_value(&mut self, value: &str) {
        if value.bytes().all(is_token) {
            return self.push(value);
        }
        self.push("\"");
        let mut rest = value;
        while let Some(at) = rest.find(['"', '\\']) {
            self.push(&rest[..at]);
            self.push("\\");
            self.push(&rest[at..=at]);
            rest = &rest[at + 1..];
        }
        self.push(rest);
        self.push("\"");
    }

    /// The values received under the name, then ours.
    fn after(self, received: &HeaderMap, name: &HeaderName) -> HeaderValue {
        let mut joined = String::new();
        for value in received.get_all(name) {
            if let Ok(text) = value.to_str() {
                joined.push_str(text);
                joined.push_str(", ");
            }
        }
        joined.push_str(&self.0);
        Self(joined).value()
    }

    fn value(self) -> HeaderValue {
        HeaderValue::from_maybe_shared(bytes::Bytes::from(self.0))
            .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
