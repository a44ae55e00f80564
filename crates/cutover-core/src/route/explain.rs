//! Near misses, for whoever asks at 3 a.m. why a request did not go where it should. Not on the
//! path of a request.

use super::trie::{Leaf, LeafRoutes, Visit};
use super::{MAX_PARAMS, RouteTable, Spans};
use crate::key::query_param;
use crate::{RequestView, RouteId};
use http::HeaderName;

/// A route whose host and path match a request, but not its predicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The route.
    pub route: RouteId,
    /// Everything that does not hold; never empty.
    pub missed: Vec<Missed>,
}

/// A predicate that does not hold; [`RouteTable::spec`] says what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// The method is not listed.
    Method,
    /// The header is absent or has another value.
    Header(HeaderName),
    /// The query parameter is absent or has another value.
    Query(Box<str>),
}

impl RouteTable {
    /// Routes that would have been preferred to the one that [`find`](Self::find) gives, had their
    /// predicates held; best first. If no route matches, all whose host and path do.
    pub fn near_misses(&self, request: &RequestView<'_>) -> Vec<NearMiss> {
        let spans = [(0, 0); MAX_PARAMS];
        let mut misses = Misses { table: self, request, spans, found: Vec::new() };
        self.hosts.roots(request.host, |root| self.trie.walk(root, request.path, &mut misses));
        misses.found
    }

    fn missed(&self, route: u32, request: &RequestView<'_>) -> Vec<Missed> {
        let spec = &self.specs[route as usize];
        let mut missed = Vec::new();
        if !spec.methods.is_empty() && !spec.methods.contains(request.method) {
            missed.push(Missed::Method);
        }
        let headers = spec.headers.iter();
        let headers = headers.filter(|(name, p)| !p.holds(request.headers.first(name)));
        missed.extend(headers.map(|(name, _)| Missed::Header(name.clone())));
        let query = spec.query.iter();
        let query = query.filter(|(name, p)| !p.holds(query_param(request.query, name)));
        missed.extend(query.map(|(name, _)| Missed::Query(name.clone())));
        missed
    }
}

struct Misses<'t, 'q, 'r> {
    table: &'t RouteTable,
    request: &'q RequestView<'r>,
    spans: Spans,
    found: Vec<NearMiss>,
}

impl Visit for Misses<'_, '_, '_> {
    fn spans(&mut self) -> &mut Spans {
        &mut self.spans
    }

    fn leaf(&mut self, leaf: Leaf) -> bool {
        let LeafRoutes::Group(group) = leaf.routes() else { return true };
        for candidate in self.table.group(group) {
            let missed = self.table.missed(candidate.route, self.request);
            if missed.is_empty() {
                return true;
            }
            self.found.push(NearMiss { route: RouteId(candidate.route), missed });
        }
        false
    }
}
