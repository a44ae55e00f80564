//! A document to a snapshot. Cannot fail after [`check`](crate::check), except that two routes may be equal, which only
//! the route table knows.

use crate::check::read_secret;
use crate::document::{Document, MigrationDocument, PluginDocument, RouteMatch};
use crate::place::{Sink, Span};
use crate::settings::{PluginHooks, PluginUse, Surroundings};
use cutover_core::key::QaHeader;
use cutover_core::migration::{Plugins, TrafficState};
use cutover_core::route::RouteError;
use cutover_core::snapshot::{Place, Target};
use cutover_core::{BackendId, Migration, MigrationId, Phase, PlaceId, Snapshot, SnapshotBuilder};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A snapshot, and how to load the plugin of each of its places.
pub(crate) struct Compiled {
    pub(crate) snapshot: Snapshot,
    pub(crate) plugins: Vec<PluginUse>,
}

/// Compiles a document. After an error of the check the result only serves to find equal routes, and names that lead
/// nowhere lead to any backend.
pub(crate) fn compile(document: &Document, around: &dyn Surroundings, sink: &Sink) -> Compiled {
    let mut builder = Snapshot::builder();
    let backends = document
        .backends
        .iter()
        .map(|backend| (backend.name.as_str(), builder.backend(backend.backend.clone())));
    let backends = Backends { ids: backends.collect() };
    let mut plugins = Vec::new();
    let migrations: Vec<Option<MigrationId>> = document
        .migrations
        .iter()
        .map(|migration| {
            let old = backends.id(&migration.old)?;
            let new = backends.id(&migration.new)?;
            let compiled = Migration {
                old,
                new,
                plugins: places(migration, document, &mut builder, &mut plugins),
                ..plain_migration(migration, old, around)
            };
            Some(builder.migration(compiled))
        })
        .collect();
    let mut routes = Routes { builder, known: Vec::new(), document, sink };
    for (at, route) in document.routes.iter().enumerate() {
        if let Some(backend) = backends.id(&route.backend) {
            let target = Target::Backend(backend, route.edits.clone());
            routes.add(&route.matching, target, Owner::File(at));
        }
    }
    for (which, migration) in document.migrations.iter().enumerate() {
        let Some(id) = migrations[which] else { continue };
        for (at, route) in migration.routes.iter().enumerate() {
            let (write, mirror, critical) = (route.write, route.mirror, route.critical);
            let target = Target::Migration { id, write, mirror, critical };
            routes.add(&route.matching, target, Owner::Migration(which, at));
        }
    }
    Compiled { snapshot: routes.builder.finish(), plugins }
}

struct Backends<'d> {
    ids: HashMap<&'d str, BackendId>,
}

impl Backends<'_> {
    fn id(&self, name: &str) -> Option<BackendId> {
        self.ids.get(name).or_else(|| self.ids.values().next()).copied()
    }
}

/// A migration without plugins.
fn plain_migration(
    document: &MigrationDocument,
    any: BackendId,
    around: &dyn Surroundings,
) -> Migration {
    Migration {
        name: document.name.as_str().into(),
        old: any,
        new: any,
        key: document.key.iter().map(|source| source.value.clone()).collect(),
        salt: document.plan.course.salt.clone(),
        allow: document.allow.iter().map(|user| user.as_str()).collect(),
        deny: document.deny.iter().map(|user| user.as_str()).collect(),
        qa: document.qa.as_ref().and_then(|qa| {
            let secret = read_secret(&qa.secret, around).ok()?;
            Some(QaHeader { name: qa.header.clone(), secret })
        }),
        disabled: document.disabled,
        phase: if document.read_percent.is_some() { Phase::Canary } else { Phase::Off },
        state: TrafficState {
            read_percent: document.read_percent.map(|at| at.value).unwrap_or_default(),
            mirror_percent: document.plan.mirror.percent,
            ..TrafficState::default()
        },
        rolled_back: false,
        edits: document.edits.clone(),
        fallback: document.fallback.clone(),
        plugins: Plugins::default(),
        ignored: Arc::default(),
    }
}

/// The places of a migration's plugins: one for each plugin, whatever hooks it serves in the path of requests, and one
/// beside the path.
fn places(
    migration: &MigrationDocument,
    document: &Document,
    builder: &mut SnapshotBuilder,
    uses: &mut Vec<PluginUse>,
) -> Plugins {
    let mut plugins = Plugins::default();
    let mut known: Vec<(&str, bool, PlaceId)> = Vec::new();
    for (hook, name) in migration.plugins.given() {
        let Some(plugin) = document.plugins.iter().find(|plugin| plugin.name == *name) else {
            continue;
        };
        let beside = hook == "normalise";
        let same = |known: &&(&str, bool, PlaceId)| (known.0, known.1) == (name.as_str(), beside);
        let place = known.iter().find(same).map(|(.., place)| *place).unwrap_or_else(|| {
            let migration_name = migration.name.as_str().into();
            let place =
                builder.place(Place { plugin: name.as_str().into(), migration: migration_name });
            known.push((name, beside, place));
            let deadline = if beside { plugin.normalise_deadline } else { plugin.deadline };
            uses.push(PluginUse { deadline, ..plugin_use(plugin, migration) });
            place
        });
        let hooks = &mut uses[place.index()].hooks;
        match hook {
            "split" => (plugins.split, hooks.split) = (Some(place), true),
            "rewrite" => (plugins.rewrite, hooks.rewrite) = (Some(place), true),
            "normalise" => (plugins.normalise, hooks.normalise) = (Some(place), true),
            _ => (plugins.fallback, hooks.fallback) = (Some(place), true),
        }
    }
    plugins
}

fn plugin_use(plugin: &PluginDocument, migration: &MigrationDocument) -> PluginUse {
    PluginUse {
        plugin: plugin.name.value.clone(),
        migration: migration.name.value.clone(),
        backends: [migration.old.value.clone(), migration.new.value.clone()],
        hooks: PluginHooks::default(),
        component: PathBuf::from(&plugin.component),
        config: serde_json::Value::Object(plugin.config.clone()).to_string(),
        on_error: plugin.on_error,
        deadline: plugin.deadline,
        memory: plugin.memory as usize,
        isolation: plugin.isolation,
    }
}

/// The routes on their way into the table.
struct Routes<'d> {
    builder: SnapshotBuilder,
    known: Vec<(Span, Owner)>,
    document: &'d Document,
    sink: &'d Sink,
}

/// Where a route is listed.
#[derive(Clone, Copy)]
enum Owner {
    File(usize),
    Migration(usize, usize),
}

impl Routes<'_> {
    fn add(&mut self, route: &RouteMatch, target: Target, owner: Owner) {
        if route.spec.path.is_empty() {
            return;
        }
        let Err(error) = self.builder.route(route.spec.clone(), target) else {
            self.known.push((route.path, owner));
            return;
        };
        let key = self.key(owner);
        match error {
            RouteError::Conflict(other) => {
                let (span, other) = self.known[other.index()];
                let what = format!(
                    "matches the same requests as {} (line {{line}}), with equal rank",
                    self.key(other)
                );
                let help = "remove one, or make a method, header, query or host differ; the order \
                            in this file decides nothing";
                self.sink.clash(route.path, span, key, what, help);
            }
            RouteError::Host(_) => {
                let help = "write \"api.example.com\" or \"*.example.com\"";
                self.sink.error(route.host, key, error, help);
            }
            RouteError::Path(_) | RouteError::Predicate(_) | _ => {
                self.sink.error(route.path, key, error, "");
            }
        }
    }

    fn key(&self, owner: Owner) -> String {
        match owner {
            Owner::File(at) => format!("routes[{at}]"),
            Owner::Migration(which, at) => {
                format!("migrations.{}.routes[{at}]", self.document.migrations[which].name.value)
            }
        }
    }
}
