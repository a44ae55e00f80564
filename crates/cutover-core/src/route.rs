//! Routes: what a request must look like, and the table that finds the best one.

use crate::{RequestView, RouteId};
use http::{HeaderName, Method};

/// Parameters one path pattern may have.
pub const MAX_PARAMS: usize = 8;

/// What a request must look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteSpec {
    /// `api.example.com`, `*.example.com`, or `None` for any.
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

/// Why a route cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The path pattern cannot be read.
    Path(Box<str>),
    /// The host pattern cannot be read.
    Host(Box<str>),
    /// Can match the same request as another route with equal rank.
    Conflict(RouteId),
}

/// A route that matched, and where its parameters lie in the path. `Copy`, so that an exchange can keep it;
/// [`RouteTable::params`] gives it its names back.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The route.
    pub route: RouteId,
    spans: [(u32, u32); MAX_PARAMS],
}

/// The parameters of a path that matched, with their names.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    names: &'a [Box<str>],
    spans: &'a [(u32, u32); MAX_PARAMS],
}

impl<'a> Params<'a> {
    /// The value of a parameter, cut from the path that was matched.
    pub fn value<'p>(&self, path: &'p str, name: &str) -> Option<&'p str> {
        let at = self.names.iter().position(|n| &**n == name)?;
        let (start, end) = self.spans[at];
        path.get(start as usize..end as usize)
    }

    /// Names of the parameters, in the order of the path.
    pub fn names(&self) -> &'a [Box<str>] {
        self.names
    }
}

/// All routes, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    routes: Vec<RouteSpec>,
    names: Vec<Box<[Box<str>]>>,
}

impl RouteTable {
    /// Adds a route.
    pub fn insert(&mut self, spec: RouteSpec) -> Result<RouteId, RouteError> {
        let id = RouteId(self.routes.len() as u32);
        self.routes.push(spec);
        self.names.push(Box::new([]));
        Ok(id)
    }

    /// The best route for a request.
    pub fn find(&self, request: &RequestView<'_>) -> Option<Match> {
        let at = self.routes.iter().position(|route| *route.path == *request.path)?;
        Some(Match { route: RouteId(at as u32), spans: [(0, 0); MAX_PARAMS] })
    }

    /// The parameters of a match.
    pub fn params<'a>(&'a self, matched: &'a Match) -> Params<'a> {
        Params { names: &self.names[matched.route.index()], spans: &matched.spans }
    }

    /// The specification of a route.
    pub fn spec(&self, id: RouteId) -> &RouteSpec {
        &self.routes[id.index()]
    }

    /// Number of routes.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// No routes?
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}
