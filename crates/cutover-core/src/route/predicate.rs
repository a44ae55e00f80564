//! What a route asks of method, headers and query, and whether two routes of one path can both
//! hold.

use super::{Predicate, RouteSpec};
use crate::RequestView;
use crate::key::query_param;
use http::Method;

/// One route of a path, as the search sees it. The headers and query it asks for stay with its
/// specification.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) route: u32,
    methods: Methods,
    asks_more: bool,
}

/// A set of methods: a bit for each that RFC 9110 and RFC 5789 name, and one for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Methods(u16);

impl Methods {
    const ANY: Self = Self(u16::MAX);
    const OTHER: u16 = 1 << 9;

    fn bit(method: &Method) -> u16 {
        match *method {
            Method::GET => 1 << 0,
            Method::HEAD => 1 << 1,
            Method::POST => 1 << 2,
            Method::PUT => 1 << 3,
            Method::DELETE => 1 << 4,
            Method::OPTIONS => 1 << 5,
            Method::PATCH => 1 << 6,
            Method::CONNECT => 1 << 7,
            Method::TRACE => 1 << 8,
            _ => Self::OTHER,
        }
    }
}

impl Candidate {
    pub(crate) fn new(route: u32, spec: &RouteSpec) -> Self {
        let bits = spec.methods.iter().fold(0, |bits, method| bits | Methods::bit(method));
        let methods = if spec.methods.is_empty() { Methods::ANY } else { Methods(bits) };
        let asks_more = !spec.headers.is_empty() || !spec.query.is_empty();
        Self { route, methods, asks_more }
    }

    /// Holds for every request?
    pub(crate) fn is_open(&self) -> bool {
        self.methods == Methods::ANY && !self.asks_more
    }

    /// Does all that the route asks for hold?
    #[inline]
    pub(crate) fn holds(&self, specs: &[RouteSpec], request: &RequestView<'_>) -> bool {
        if self.methods != Methods::ANY {
            let bit = Methods::bit(request.method);
            let listed = self.methods.0 & bit != 0;
            if !listed
                || (bit == Methods::OTHER && !self.spec(specs).methods.contains(request.method))
            {
                return false;
            }
        }
        if !self.asks_more {
            return true;
        }
        let spec = self.spec(specs);
        spec.headers.iter().all(|(name, predicate)| predicate.holds(request.headers.first(name)))
            && spec
                .query
                .iter()
                .all(|(name, predicate)| predicate.holds(query_param(request.query, name)))
    }

    fn spec<'s>(&self, specs: &'s [RouteSpec]) -> &'s RouteSpec {
        &specs[self.route as usize]
    }
}

impl Predicate {
    /// Does the predicate hold for the first value found?
    pub fn holds(&self, found: Option<&[u8]>) -> bool {
        match self {
            Self::Present => found.is_some(),
            Self::Is(value) => found == Some(value.as_bytes()),
        }
    }

    /// Can no value satisfy both?
    fn excludes(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Is(a), Self::Is(b)) if a != b)
    }
}

/// The rank of a route among those of one path: a method list, and each header and query parameter,
/// count one.
pub(crate) fn rank(spec: &RouteSpec) -> usize {
    usize::from(!spec.methods.is_empty()) + spec.headers.len() + spec.query.len()
}

/// Can one request satisfy both? Not if the method lists have nothing in common, or if some header
/// or query parameter, of which only the first value counts, would need two values at once.
pub(crate) fn can_both_hold(a: &RouteSpec, b: &RouteSpec) -> bool {
    let methods = a.methods.is_empty()
        || b.methods.is_empty()
        || a.methods.iter().any(|method| b.methods.contains(method));
    methods && !any_excludes(&a.headers, &b.headers) && !any_excludes(&a.query, &b.query)
}

fn any_excludes<N: PartialEq>(a: &[(N, Predicate)], b: &[(N, Predicate)]) -> bool {
    a.iter().any(|(name, ours)| b.iter().any(|(n, theirs)| n == name && ours.excludes(theirs)))
}

/// A header or query parameter that is named twice in one route, by its name.
pub(crate) fn named_twice(spec: &RouteSpec) -> Option<String> {
    let header = repeated(&spec.headers).map(|name| format!("header `{name}`"));
    header.or_else(|| repeated(&spec.query).map(|name| format!("query parameter `{name}`")))
}

fn repeated<N: PartialEq>(predicates: &[(N, Predicate)]) -> Option<&N> {
    let names = predicates.iter().map(|(name, _)| name);
    names
        .enumerate()
        .find(|(at, name)| predicates[..*at].iter().any(|(n, _)| n == *name))
        .map(|(_, n)| n)
}
