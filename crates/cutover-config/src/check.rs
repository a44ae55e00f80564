//! What the values must be together: names that lead somewhere, sides that differ, numbers that fit each other.
//! Collects every finding; nothing here stops at the first.

mod migration;
pub(crate) mod reach;

pub(crate) use migration::read_secret;

use crate::document::Document;
use crate::place::{At, Sink, Span};
use crate::reader::nearest;
use crate::settings::Surroundings;
use std::collections::HashSet;

/// Most backends and migrations. Ids are 16 bits wide, and a migration may use a plugin in four places.
const MOST: usize = 16_000;

/// Checks a whole document. `false` if it is too large to be compiled at all.
pub(crate) fn check(document: &Document, around: &dyn Surroundings, sink: &Sink) -> bool {
    let names = Names::of(document);
    listeners(document, sink);
    state(document, sink);
    for (at, route) in document.routes.iter().enumerate() {
        names.backend(&route.backend, sink, || format!("routes[{at}].backend"));
    }
    for migration in &document.migrations {
        migration::check(migration, &names, around, sink);
    }
    migration::check_groups(&document.migrations, sink);
    eyes(document, sink);
    unused(document, sink);
    sizes(document, sink)
}

/// What names lead to.
pub(crate) struct Names<'d> {
    document: &'d Document,
    backends: HashSet<&'d str>,
    plugins: HashSet<&'d str>,
}

impl<'d> Names<'d> {
    fn of(document: &'d Document) -> Self {
        Self {
            document,
            backends: document.backends.iter().map(|backend| backend.name.as_str()).collect(),
            plugins: document.plugins.iter().map(|plugin| plugin.name.as_str()).collect(),
        }
    }

    /// Is the backend defined? If not, that is a finding. `key` names the place.
    fn backend(&self, name: &At<String>, sink: &Sink, key: impl Fn() -> String) {
        if name.is_empty() || self.backends.contains(name.as_str()) {
            return;
        }
        let known = self.document.backends.iter().map(|backend| backend.name.as_str());
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("add [backends.{}], or use one that is there", name.value),
        };
        sink.error(name.span, key(), format_args!("there is no backend {:?}", name.value), help);
    }

    /// Is the plugin defined? If not, that is a finding.
    fn plugin(&self, name: &At<String>, key: &str, sink: &Sink) {
        if self.plugins.contains(name.as_str()) {
            return;
        }
        let known = self.document.plugins.iter().map(|plugin| plugin.name.as_str());
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("add [plugins.{}] component = \"….wasm\"", name.value),
        };
        sink.error(name.span, key, format_args!("there is no plugin {:?}", name.value), help);
    }
}

fn listeners(document: &Document, sink: &Sink) {
    let Some(address) = document.admin.listen else { return };
    let span = document.admin.span;
    if !address.ip().is_loopback() && document.admin.tokens.is_empty() {
        let port = address.port();
        let what = format!("{address} can be reached from outside, and there are no tokens");
        let help = format!(
            "write \"127.0.0.1:{port}\", or add tokens: cutover token new --name NAME --role ROLE"
        );
        sink.error(span, "admin.listen", what, help);
    }
    let taken = document.server.listen.iter().any(|listen| {
        let (a, b) = (listen.address, address);
        let same = a.ip() == b.ip() || a.is_ipv4() == b.is_ipv4() && a.ip().is_unspecified();
        same && a.port() == b.port() && a.port() != 0
    });
    if taken {
        let what = format!("port {} is already taken by [server] listen", address.port());
        // Where [admin] is silent, its default is what collides.
        let span = if span.end == 0 { document.listen } else { span };
        sink.error(span, "admin.listen", what, "give the admin listener a port of its own");
    }
}

/// Approvals by others take names that somebody has proved to have.
fn eyes(document: &Document, sink: &Sink) {
    if !document.admin.tokens.is_empty() || document.admin.listen.is_none() {
        return;
    }
    for migration in &document.migrations {
        let asked = migration.plan.course.approvals;
        if asked == 0 {
            continue;
        }
        let key = format!("migrations.{}.steps.approvals", migration.name.value);
        let what = "without tokens anybody may give any name: nothing proves a second person";
        let help = "add tokens to [admin]: cutover token new --name NAME --role ROLE";
        sink.warning(migration.name.span, key, what, help);
    }
}

/// Do the tables fit into ids?
fn sizes(document: &Document, sink: &Sink) -> bool {
    let counts = [("backends", document.backends.len()), ("migrations", document.migrations.len())];
    for (what, count) in counts {
        if count > MOST {
            let message = format!("{count} {what} are too many: at most {MOST}");
            sink.error(Span::default(), what, message, "");
        }
    }
    counts.iter().all(|(_, count)| *count <= MOST)
}

fn state(document: &Document, sink: &Sink) {
    let state = &document.state;
    let fleet = ["postgres://", "postgresql://"].iter().any(|s| state.store.starts_with(s));
    if fleet {
        let what = "a store for a fleet comes in a later version";
        sink.error(state.span, "state.store", what, "write a folder: store = \"cutover.state\"");
    } else if state.store.contains("://") {
        let what = format!("{:?} is not a folder", state.store);
        sink.error(state.span, "state.store", what, "write a folder: store = \"cutover.state\"");
    }
}

/// Backends and plugins that nobody uses are mostly misspelt elsewhere.
fn unused(document: &Document, sink: &Sink) {
    let mut backends: HashSet<&str> =
        document.routes.iter().map(|route| route.backend.as_str()).collect();
    let mut plugins: HashSet<&str> = HashSet::new();
    for migration in &document.migrations {
        backends.extend([migration.old.as_str(), migration.new.as_str()]);
        plugins.extend(migration.plugins.given().map(|(_, name)| name.as_str()));
    }
    for name in document.backends.iter().map(|backend| &backend.name) {
        if !backends.contains(name.as_str()) {
            let what = format!("no route and no migration uses backend {:?}", name.value);
            sink.warning(name.span, format_args!("backends.{}", name.value), what, "remove it");
        }
    }
    for name in document.plugins.iter().map(|plugin| &plugin.name) {
        if !plugins.contains(name.as_str()) {
            let what = format!("no migration uses plugin {:?}: it is not loaded", name.value);
            let help = format!("add plugins = {{ split = {:?} }} to a migration", name.value);
            sink.warning(name.span, format_args!("plugins.{}", name.value), what, help);
        }
    }
}
