//! Hosts: patterns, and the index that finds the tries whose routes may answer for a host.

use crate::slots::{Slots, hash_caseless};
use std::net::Ipv6Addr;

/// Bytes of the longest host name (RFC 1035, 2.3.4, without the length bytes). A longer one matches
/// routes for any host only.
const MAX_HOST: usize = 253;

/// What a route says about the host, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostPattern {
    Any,
    /// A name or an IPv4 address.
    Exact(Box<str>),
    Ipv6(Ipv6Addr),
    /// What follows `*.`; one or more labels stand before it.
    Under(Box<str>),
}

impl HostPattern {
    /// Reads `api.example.com`, `*.example.com` or `[::1]`; the error says what is wrong.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, &'static str> {
        let Some(text) = text else { return Ok(Self::Any) };
        if text == "*" {
            return Err("leave the host out to match any host");
        }
        if let Some(literal) = text.strip_prefix('[') {
            let address = literal.strip_suffix(']').and_then(|inner| inner.parse().ok());
            return address
                .map(Self::Ipv6)
                .ok_or("not an IPv6 address in brackets, without a port");
        }
        if text.contains(':') {
            return Err("a host has no port; ports are ignored when matching");
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let (suffix, wildcard) = match name.strip_prefix("*.") {
            Some(suffix) => (suffix, true),
            None => (name.as_str(), false),
        };
        if suffix.contains('*') {
            return Err("`*` may only be the first label, as in `*.example.com`");
        }
        if name.len() > MAX_HOST {
            return Err("longer than 253 bytes");
        }
        let label = |label: &str| {
            let ends = label.starts_with('-') || label.ends_with('-');
            let odd = |b: u8| !(b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            !label.is_empty() && label.len() <= 63 && !ends && !label.bytes().any(odd)
        };
        if !suffix.split('.').all(label) {
            return Err("not a host name; write non-ASCII names in their `xn--` form");
        }
        Ok(if wildcard { Self::Under(suffix.into()) } else { Self::Exact(suffix.into()) })
    }
}

/// From a host to the roots of the tries to search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    any: Option<u32>,
    exact: Names,
    under: Names,
    /// Bit n: some wildcard has n labels after its star (those above 127 share the last bit).
    depths: u128,
    ipv6: Box<[(Ipv6Addr, u32)]>,
    only_any: bool,
}

/// Names in lower case, each with a root.
#[derive(Clone, Debug, Default)]
struct Names {
    entries: Box<[(Box<str>, u32)]>,
    slots: Slots,
}

impl Names {
    fn new(entries: Vec<(Box<str>, u32)>) -> Self {
        let name = |id: u32| entries[id as usize].0.as_bytes();
        let slots =
            Slots::build(&(0..entries.len() as u32), |seed, id| hash_caseless(seed, name(id)));
        Self { entries: entries.into(), slots }
    }

    fn find(&self, name: &str) -> Option<u32> {
        let hash = hash_caseless(self.slots.seed(), name.as_bytes());
        let entry = |id: u32| &self.entries[id as usize];
        let id = self.slots.find(hash, |id| entry(id).0.eq_ignore_ascii_case(name))?;
        Some(entry(id).1)
    }
}

impl Hosts {
    pub(crate) fn new(patterns: Vec<(HostPattern, u32)>) -> Self {
        let mut hosts = Self::default();
        let (mut exact, mut under, mut ipv6) = (Vec::new(), Vec::new(), Vec::new());
        for (pattern, root) in patterns {
            match pattern {
                HostPattern::Any => hosts.any = Some(root),
                HostPattern::Exact(name) => exact.push((name, root)),
                HostPattern::Under(suffix) => {
                    hosts.depths |= 1 << labels(&suffix).min(127);
                    under.push((suffix, root));
                }
                HostPattern::Ipv6(address) => ipv6.push((address, root)),
            }
        }
        ipv6.sort_unstable();
        hosts.only_any = exact.is_empty() && under.is_empty() && ipv6.is_empty();
        hosts.exact = Names::new(exact);
        hosts.under = Names::new(under);
        hosts.ipv6 = ipv6.into();
        hosts
    }

    /// Offers the roots for a host as received, best first, until `try_root` says `true`.
    #[inline]
    pub(crate) fn roots(&self, host: &str, mut try_root: impl FnMut(u32) -> bool) -> bool {
        if !self.only_any && self.named_roots(host, &mut try_root) {
            return true;
        }
        self.any.is_some_and(try_root)
    }

    fn named_roots(&self, host: &str, try_root: &mut impl FnMut(u32) -> bool) -> bool {
        if let Some(literal) = host.strip_prefix('[') {
            let address = literal.split(']').next().and_then(|text| text.parse::<Ipv6Addr>().ok());
            let at = address.map(|a| self.ipv6.binary_search_by_key(&a, |(known, _)| *known));
            return matches!(at, Some(Ok(at)) if try_root(self.ipv6[at].1));
        }
        let name = bare(host);
        if name.is_empty() || name.len() > MAX_HOST {
            return false;
        }
        if !self.exact.entries.is_empty() && self.exact.find(name).is_some_and(&mut *try_root) {
            return true;
        }
        if self.depths == 0 {
            return false;
        }
        // From the longest suffix to the shortest; the star stands for at least one label.
        let mut depth = labels(name);
        let dots = name.bytes().enumerate().filter(|(_, b)| *b == b'.');
        for (dot, _) in dots {
            depth -= 1;
            let worth_a_look = dot > 0 && self.depths & (1 << depth.min(127)) != 0;
            if worth_a_look && self.under.find(&name[dot + 1..]).is_some_and(&mut *try_root) {
                return true;
            }
        }
        false
    }
}

/// The host without its port and without the dot of the root domain.
fn bare(host: &str) -> &str {
    let end = host.bytes().position(|b| b == b':').unwrap_or(host.len());
    let name = &host[..end];
    name.strip_suffix('.').unwrap_or(name)
}

fn labels(name: &str) -> usize {
    1 + name.bytes().filter(|b| *b == b'.').count()
}
