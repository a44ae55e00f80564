//! The text as typed values with their places: nothing but spelling. What the values mean together is for
//! [`check`](crate::check).

mod admin;
mod backend;
mod course;
mod edit;
mod migration;
mod mirror;
mod plugin;
mod route;
mod server;
mod telemetry;

use crate::keys;
use crate::place::{At, Sink, Span};
use crate::reader::Reader;
use crate::settings::{AdminSettings, ServerSettings, StateSettings, TelemetrySettings};
pub(crate) use migration::{HookNames, MigrationDocument, SecretSource};
pub(crate) use plugin::PluginDocument;
pub(crate) use route::{RouteDocument, RouteMatch};
use toml::de::DeTable;

/// The whole file. Equal documents mean the same, wherever their values stand; values are kept, secrets are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) server: ServerSettings,
    pub(crate) listen: Span,
    pub(crate) admin: At<AdminSettings>,
    pub(crate) state: At<StateSettings>,
    pub(crate) telemetry: Option<TelemetrySettings>,
    pub(crate) backends: Vec<BackendDocument>,
    pub(crate) routes: Vec<RouteDocument>,
    pub(crate) migrations: Vec<MigrationDocument>,
    pub(crate) plugins: Vec<PluginDocument>,
}

/// `[backends.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackendDocument {
    pub(crate) name: At<String>,
    pub(crate) backend: cutover_core::Backend,
}

impl Document {
    /// Reads the file. What cannot be read is a finding, and a placeholder here: never compile after an error.
    pub(crate) fn read(table: &DeTable<'_>, sink: &Sink) -> Self {
        let root = Reader::root(table, &keys::ROOT, sink);
        let (server, listen) = server::read_server(&root);
        let document = Self {
            server,
            listen,
            admin: admin::read(&root),
            state: server::read_state(&root),
            telemetry: telemetry::read(&root),
            backends: root.named("backends", &keys::BACKEND, |name, reader| BackendDocument {
                backend: backend::read(&name, reader),
                name,
            }),
            routes: route::read_all(&root),
            migrations: root.named("migrations", &keys::MIGRATION, migration::read),
            plugins: root.named("plugins", &keys::PLUGIN, plugin::read),
        };
        root.finish_root();
        document
    }
}
