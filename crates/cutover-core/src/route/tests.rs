//! Tests of the route table: the documented precedence, errors, conflicts, a naive matcher as
//! oracle, bounds.

mod bounds;
mod errors;
mod explain;
mod oracle;
mod precedence;

use super::{Predicate, RouteSpec, RouteTable};
use crate::RequestView;
use http::HeaderMap;

/// A route for any host, method, header and query.
fn path(path: &str) -> RouteSpec {
    RouteSpec { path: path.into(), ..RouteSpec::default() }
}

/// A route with methods (words), headers that begin with `x-` and query parameters that begin with
/// `?`.
fn asking(path: &str, predicates: &str) -> RouteSpec {
    let mut spec = RouteSpec { path: path.into(), ..RouteSpec::default() };
    for predicate in predicates.split(", ").filter(|text| !text.is_empty()) {
        let (name, value) = match predicate.split_once('=') {
            Some((name, value)) => (name, Predicate::Is(value.into())),
            None => (predicate, Predicate::Present),
        };
        if let Some(name) = name.strip_prefix('?') {
            spec.query.push((name.into(), value));
        } else if name.starts_with("x-") {
            spec.headers.push((name.parse().expect("a header name"), value));
        } else {
            let methods = predicate.split(' ').map(|m| m.parse().expect("a method"));
            spec.methods.extend(methods);
        }
    }
    spec
}

fn table(specs: impl IntoIterator<Item = RouteSpec>) -> RouteTable {
    let mut builder = RouteTable::builder();
    for spec in specs {
        let text = format!("{spec:?}");
        builder.insert(spec).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    builder.finish()
}

/// The route that GET of a path finds, with its parameters.
fn get<'p>(table: &RouteTable, path: &'p str) -> Option<(usize, Vec<(String, &'p str)>)> {
    let headers = HeaderMap::new();
    let request = RequestView::new(&http::Method::GET, "", path, &headers);
    let found = table.find(&request)?;
    let params = table.params(&found);
    let values = params.iter(path).map(|(name, value)| (name.to_owned(), value)).collect();
    Some((found.route.index(), values))
}
