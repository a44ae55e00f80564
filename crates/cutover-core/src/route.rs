//! Routes: what a request must look like, and the table that finds the best one.
//!
#![doc = include_str!("route/precedence.md")]
//!
//! Two routes that are equal in all this and can both hold for one request are refused as
//! [`RouteError::Conflict`]; load order never decides. They are equal if host, path (names of
//! parameters aside) and number of predicates are. They can both hold unless their method lists
//! have nothing in common, or they ask for different exact values of one header or query parameter:
//! of those only the first value of a request counts.
//!
//! A trailing slash counts, `//` is an empty segment and is kept, and a parameter never matches an
//! empty segment. HEAD is not implied by GET: a route for both lists both. Header and query values
//! are compared byte for byte, not decoded.
#![allow(rustdoc::broken_intra_doc_links, reason = "the table has IPv6 addresses in brackets")]

mod build;
mod explain;
mod host;
mod path;
mod predicate;
#[cfg(test)]
mod tests;
mod trie;

pub use build::RouteTableBuilder;
pub use explain::{Missed, NearMiss};
pub use path::MAX_SEGMENTS;

use crate::{RequestView, RouteId};
use host::Hosts;
use http::{HeaderName, Method};
use predicate::Candidate;
use std::fmt;
use trie::{Leaf, LeafRoutes, Trie, Visit};

/// Parameters one path pattern may have.
pub const MAX_PARAMS: usize = 8;

/// Where the parameters of a pattern lie in the path.
type Spans = [(u32, u32); MAX_PARAMS];

/// What a request must look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteSpec {
    /// `api.example.com`, `*.example.com`, `[::1]`, or `None` for any.
    pub host: Option<Box<str>>,
    /// `/api/{id}/x`, `/files/{*rest}`.
    pub path: Box<str>,
    /// Any of these; empty is any method.
    pub methods: Vec<Method>,
    /// All of these.
    pub headers: Vec<(HeaderName, Predicate)>,
    /// All of these.
    pub query: Vec<(Box<str>, Predicate)>,
}

/// What a header or query parameter must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// Present, whatever its value.
    Present,
    /// Exactly this value.
    Is(Box<str>),
}

/// Why a route cannot be added. The texts name the pattern, what is wrong and, where it helps, what
/// to write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The path pattern cannot be read.
    Path(Box<str>),
    /// The host pattern cannot be read.
    Host(Box<str>),
    /// The predicates make no sense.
    Predicate(Box<str>),
    /// Can match the same request as this other route, with equal rank.
    Conflict(RouteId),
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(text) => write!(f, "path {text}"),
            Self::Host(text) => write!(f, "host {text}"),
            Self::Predicate(text) => write!(f, "path {text}"),
            Self::Conflict(other) => write!(
                f,
                "matches the same requests as route {} with equal rank; \
                 give one of them another predicate, or make their methods differ",
                other.index()
            ),
        }
    }
}

impl std::error::Error for RouteError {}

/// A route that matched, and where its parameters lie in the path. `Copy`, so that an exchange can
/// keep it; [`RouteTable::params`] gives it its names back.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The route.
    pub route: RouteId,
    spans: Spans,
}

impl Match {
    /// No match yet.
    pub(crate) const NONE: Self = Self { route: RouteId(u32::MAX), spans: [(0, 0); MAX_PARAMS] };
}

/// The parameters of a path that matched, with their names.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    /// Asked for names only when somebody wants one: most decisions want none.
    table: Option<&'a RouteTable>,
    matched: &'a Match,
}

impl<'a> Params<'a> {
    /// No parameters at all.
    pub const fn none() -> Params<'static> {
        Params { table: None, matched: &Match::NONE }
    }

    /// The value of a parameter, cut from the path that was matched.
    pub fn value<'p>(&self, path: &'p str, name: &str) -> Option<&'p str> {
        let at = self.names().iter().position(|n| &**n == name)?;
        self.cut(path, at)
    }

    /// Names of the parameters, in the order of the path.
    pub fn names(&self) -> &'a [Box<str>] {
        self.table.map_or(&[], |table| table.param_names(self.matched.route))
    }

    /// Names and values, in the order of the path that was matched.
    pub fn iter<'p>(
        &self,
        path: &'p str,
    ) -> impl Iterator<Item = (&'a str, &'p str)> + use<'a, 'p> {
        self.names().iter().zip(&self.matched.spans).filter_map(move |(name, (start, end))| {
            Some((&**name, path.get(*start as usize..*end as usize)?))
        })
    }

    fn cut<'p>(&self, path: &'p str, at: usize) -> Option<&'p str> {
        let (start, end) = self.matched.spans[at];
        path.get(start as usize..end as usize)
    }
}

/// All routes, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    hosts: Hosts,
    trie: Trie,
    /// Ranges of candidates, for leaves that have more to say than one route.
    groups: Box<[(u32, u32)]>,
    candidates: Box<[Candidate]>,
    specs: Box<[RouteSpec]>,
    /// For each route, its list of parameter names.
    names: Box<[u32]>,
    name_lists: Box<[Box<[Box<str>]>]>,
}

impl RouteTable {
    /// Starts an empty table.
    pub fn builder() -> RouteTableBuilder {
        RouteTableBuilder::default()
    }

    /// Adds one route by compiling the table anew: for a handful of routes. Many go through
    /// [`Self::builder`].
    pub fn insert(&mut self, spec: RouteSpec) -> Result<RouteId, RouteError> {
        let mut builder = Self::builder();
        for known in &self.specs {
            builder.insert(known.clone())?;
        }
        let id = builder.insert(spec)?;
        *self = builder.finish();
        Ok(id)
    }

    /// The best route for a request. Allocates nothing; each node of the table is entered at most
    /// once.
    pub fn find(&self, request: &RequestView<'_>) -> Option<Match> {
        let mut found = Match::NONE;
        self.find_into(request, &mut found).then_some(found)
    }

    /// The same without moving the match: it is written in small pieces, and copying it at once
    /// stalls the processor.
    #[inline]
    pub(crate) fn find_into(&self, request: &RequestView<'_>, found: &mut Match) -> bool {
        let mut best = Best { table: self, request, found };
        self.hosts.roots(request.host, |root| self.trie.walk(root, request.path, &mut best))
    }

    /// The parameters of a match.
    pub fn params<'a>(&'a self, matched: &'a Match) -> Params<'a> {
        Params { table: Some(self), matched }
    }

    /// The specification of a route.
    pub fn spec(&self, id: RouteId) -> &RouteSpec {
        &self.specs[id.index()]
    }

    /// All specifications; the position is the id's index.
    pub fn specs(&self) -> &[RouteSpec] {
        &self.specs
    }

    /// All specifications with their ids.
    pub fn ids(&self) -> impl Iterator<Item = (RouteId, &RouteSpec)> {
        self.specs.iter().enumerate().map(|(at, spec)| (RouteId(at as u32), spec))
    }

    /// Number of routes.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// No routes?
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    fn param_names(&self, route: RouteId) -> &[Box<str>] {
        &self.name_lists[self.names[route.index()] as usize]
    }

    /// The first candidate of a group whose predicates hold.
    #[inline(never)]
    fn best_of(&self, group: u32, request: &RequestView<'_>) -> Option<u32> {
        let mut candidates = self.group(group).iter();
        let best = candidates.find(|candidate| candidate.holds(&self.specs, request))?;
        Some(best.route)
    }

    fn group(&self, index: u32) -> &[Candidate] {
        let (start, end) = self.groups[index as usize];
        &self.candidates[start as usize..end as usize]
    }
}

/// Stops a walk at the first route whose predicates hold.
struct Best<'t, 'q, 'r, 'f> {
    table: &'t RouteTable,
    request: &'q RequestView<'r>,
    /// Means something once the walk has stopped.
    found: &'f mut Match,
}

impl Visit for Best<'_, '_, '_, '_> {
    #[inline]
    fn spans(&mut self) -> &mut Spans {
        &mut self.found.spans
    }

    #[inline(always)]
    fn leaf(&mut self, leaf: Leaf) -> bool {
        let route = match leaf.routes() {
            LeafRoutes::Open(route) => Some(route),
            LeafRoutes::Group(index) => self.table.best_of(index, self.request),
        };
        route.is_some_and(|route| {
            self.found.route = RouteId(route);
            true
        })
    }
}
