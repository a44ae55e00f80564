//! Classes of what is copied: a migration's routes by method. A class that users ask for, or that was declared critical,
//! and that was never compared is a part of `new` about which nothing is known.

use super::{Book, bump};
use crate::mirror::class_name;
use cutover_core::snapshot::Target;
use cutover_core::{RouteId, Snapshot};
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one class. They survive reloads by its name.
#[derive(Debug, Default)]
pub(crate) struct ClassMeter {
    seen: AtomicU64,
}

impl ClassMeter {
    /// Requests that users made.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Relaxed)
    }

    pub(crate) fn saw(&self) {
        bump(&self.seen);
    }
}

/// One class.
#[derive(Debug)]
pub(crate) struct Class {
    route: RouteId,
    method: Method,
    /// As people know it: `GET /orders/{id}`.
    pub(crate) name: Box<str>,
    /// Must have been compared, however rare it is.
    pub(crate) critical: bool,
    pub(crate) meter: Arc<ClassMeter>,
}

/// The classes of one migration, in the order of their routes.
#[derive(Debug, Default)]
pub(crate) struct Classes(Box<[Class]>);

impl Classes {
    /// Of every migration of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, book: &Book) -> Vec<Self> {
        let mut all: Vec<Vec<Class>> = snapshot.migrations().iter().map(|_| Vec::new()).collect();
        for (route, spec) in snapshot.routes().ids() {
            let Target::Migration { id, write: false, mirror, critical } = *snapshot.target(route)
            else {
                continue;
            };
            // Declared not to be copied: nobody waits for its comparison.
            if mirror == Some(false) {
                continue;
            }
            for method in copied(&spec.methods, mirror) {
                let name = class_name(snapshot, route, &method);
                let meter = book.class(&snapshot.migration(id).name, &name);
                all[id.index()].push(Class { route, method, name, critical, meter });
            }
        }
        all.into_iter().map(|classes| Self(classes.into())).collect()
    }

    /// The class of a request, if it is one that is copied.
    pub(crate) fn find(&self, route: RouteId, method: &Method) -> Option<&Class> {
        let first = self.0.partition_point(|class| class.route < route);
        let of_route = self.0[first..].iter().take_while(|class| class.route == route);
        of_route.into_iter().find(|class| class.method == *method)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Class> {
        self.0.iter()
    }
}

/// The methods of a route whose requests are copied: reads, and whatever it declares to be one.
fn copied(methods: &[Method], mirror: Option<bool>) -> Vec<Method> {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    if mirror == Some(true) && !methods.is_empty() {
        return methods.to_vec();
    }
    let named = |method: &Method| methods.is_empty() || methods.contains(method);
    reads.into_iter().filter(named).collect()
}
