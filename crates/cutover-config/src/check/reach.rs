//! Routes of migrations that never see a request on some host. A host counts before the path, so that a catch-all with a
//! host takes what a migration's route without one seems to ask for.
//!
//! Asked of the compiled routes themselves, with a request that fits the route: what precedence says is said once.

use crate::document::{Document, MigrationDocument, RouteMatch};
use crate::place::Sink;
use cutover_core::route::{Predicate, RouteSpec};
use cutover_core::snapshot::Target;
use cutover_core::{RequestView, Snapshot};
use http::{HeaderMap, HeaderValue, Method};
use std::collections::BTreeSet;

/// Most requests that are tried: a file with thousands of hosts and routes must still load quickly.
const MOST_TRIED: usize = 20_000;
/// Stands for whatever a parameter or a wildcard may be; nobody's route spells it out.
const ANYTHING: &str = "cutover-check";

pub(crate) fn check(document: &Document, snapshot: &Snapshot, sink: &Sink) {
    let all = document.routes.iter().map(|route| &route.matching);
    let of_migrations = document.migrations.iter().flat_map(|migration| &migration.routes);
    let all = all.chain(of_migrations.map(|route| &route.matching));
    let hosts: BTreeSet<&str> = all.filter_map(|matching| matching.spec.host.as_deref()).collect();
    let mut left = MOST_TRIED;
    for migration in &document.migrations {
        for (at, route) in migration.routes.iter().enumerate() {
            let spec = &route.matching.spec;
            let wider = hosts.iter().filter(|host| is_within(host, spec.host.as_deref()));
            let mut lost = Vec::new();
            for host in wider {
                let Some(rest) = left.checked_sub(1) else { return };
                left = rest;
                let taker = taker(snapshot, spec, host);
                lost.extend(
                    taker.filter(|taker| *taker != migration.name.as_str()).map(|by| (*host, by)),
                );
            }
            tell(migration, at, &route.matching, &lost, sink);
        }
    }
}

/// Says that others take this route's requests on these hosts.
fn tell(
    migration: &MigrationDocument,
    at: usize,
    matching: &RouteMatch,
    lost: &[(&str, &str)],
    sink: &Sink,
) {
    let Some((host, taker)) = lost.first() else { return };
    let more = match lost.len() - 1 {
        0 => String::new(),
        1 => " (and so on 1 more host)".to_owned(),
        more => format!(" (and so on {more} more hosts)"),
    };
    let what = format!(
        "on {host} it sees no request: a route with that host leads to {taker:?}, and a host \
         counts before a path{more}"
    );
    let help = format!("add the same route with host = {host:?} to the migration");
    sink.warning(
        matching.path,
        format_args!("migrations.{}.routes[{at}]", migration.name.value),
        what,
        help,
    );
}

/// May a request for the narrower host be meant by the wider one, too?
fn is_within(host: &str, wider: Option<&str>) -> bool {
    let Some(wider) = wider else { return true };
    match wider.strip_prefix('*') {
        Some(suffix) => {
            host.len() > wider.len()
                && host.to_ascii_lowercase().ends_with(&suffix.to_ascii_lowercase())
        }
        None => false,
    }
}

/// The migration or backend that a request which fits the route would go to, were it sent to that host.
fn taker<'s>(snapshot: &'s Snapshot, spec: &RouteSpec, host: &str) -> Option<&'s str> {
    let host = host.replace('*', ANYTHING);
    let segment = |segment: &str| match segment.starts_with('{') {
        true => ANYTHING.to_owned(),
        false => segment.to_owned(),
    };
    let path = spec.path.split('/').map(segment).collect::<Vec<_>>().join("/");
    let mut headers = HeaderMap::new();
    for (name, predicate) in &spec.headers {
        headers.append(name, HeaderValue::from_str(value(predicate)).ok()?);
    }
    let query = spec.query.iter().map(|(name, predicate)| format!("{name}={}", value(predicate)));
    let query = query.collect::<Vec<_>>().join("&");
    let method = spec.methods.first().unwrap_or(&Method::GET);
    let request = RequestView {
        query: (!query.is_empty()).then_some(query.as_str()),
        ..RequestView::new(method, &host, &path, &headers)
    };
    let found = snapshot.find(&request)?;
    Some(match snapshot.target(found.route) {
        Target::Backend(backend, _) => &snapshot.backend(*backend).name,
        Target::Migration { id, .. } => &snapshot.migration(*id).name,
    })
}

fn value(predicate: &Predicate) -> &str {
    match predicate {
        Predicate::Present => ANYTHING,
        Predicate::Is(value) => value,
    }
}
