//! Classes of requests: a route and a method, as people know them.

use cutover_core::{RouteId, Snapshot};
use http::Method;

/// How often requests of one class were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteClassCount {
    /// `GET /api/profile/{id}`; a route's host stands before its path.
    pub name: Box<str>,
    /// Comparisons that came to an answer: match, mismatch or transient.
    pub compared: u64,
}

/// The name of a request's class.
pub(crate) fn name(snapshot: &Snapshot, route: RouteId, method: &Method) -> Box<str> {
    let spec = snapshot.routes().spec(route);
    let host = spec.host.as_deref().unwrap_or_default();
    format!("{method} {host}{}", spec.path).into()
}
