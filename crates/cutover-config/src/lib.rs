//! `cutover.toml`: text to checked document to snapshot. The only crate that knows file formats.
//!
//! [`load`] reads a text and answers with a [`Config`], or with a [`Report`] of everything that is wrong with it at
//! once. The way leads through four modules, each with one question: `document` (is it spelt right?), `check` (does it
//! fit together?), `compile` (what does a request see?), [`change`](mod@change) (may a running process take it over?).
//! The vocabulary is stated once, in `keys`; [`schema`](schema::schema) and the reference page are made from it.

pub mod change;
mod check;
mod compile;
mod document;
pub mod finding;
mod json;
mod keys;
mod place;
pub mod plan;
mod print;
mod reader;
pub mod reference;
pub mod schema;
pub mod settings;
mod units;

pub use change::{Change, Motion, change};
pub use finding::{Finding, Report, Severity};
pub use json::parse_toml_value;
pub use plan::MigrationPlan;
pub use reference::reference;
pub use schema::{schema, schema_text};
pub use settings::*;
pub use units::duration;

use cutover_core::Snapshot;
use document::Document;
use place::{Sink, Span};
use toml::de::DeTable;

/// A configuration that passed every check.
#[derive(Debug)]
pub struct Config {
    /// Routes, backends, migrations.
    pub snapshot: Snapshot,
    /// How to load the plugin of each place; the position is the place's index in the snapshot.
    pub plugins: Vec<PluginUse>,
    /// What each migration says beyond the present decision; the position is the migration's index in the snapshot.
    pub plans: Vec<MigrationPlan>,
    /// Listeners and limits.
    pub server: ServerSettings,
    /// The admin listener.
    pub admin: AdminSettings,
    /// Where state is kept.
    pub state: StateSettings,
    /// Distributed tracing; `None`: trace headers pass as they came.
    pub telemetry: Option<TelemetrySettings>,
    /// Findings that do not stop it from loading.
    pub warnings: Vec<Finding>,
    /// What it was made of, without secrets: for printing and for comparing.
    document: Document,
}

impl Config {
    /// The configuration in force as TOML, defaults included. Loading it gives the same configuration; secrets are
    /// named by where they are, never printed.
    pub fn effective_toml(&self) -> String {
        print::print(&self.document)
    }

    /// [`Config::effective_toml`] for screens: edits of headers and settings of plugins whose names say that they are
    /// credentials (`authorization`, `api-token`, …) are hidden.
    pub fn shown_toml(&self) -> String {
        print::print_for_screens(&self.document)
    }

    /// What evidence about a migration is about, as text: both backends, edits, fallback, the rules of comparing (but for
    /// what they ignore, which [`Course::about`](cutover_core::migration::Course::about) adds), plugins with their settings
    /// (not the bytes of their components). Equal meaning is equal text; empty if there is no such
    /// migration. It may hold credentials of header edits: hash it, never show it.
    pub fn identity(&self, migration: &str) -> String {
        let mut all = self.document.migrations.iter();
        let found = all.find(|document| document.name.value == migration);
        found.map(|found| print::identity(&self.document, found)).unwrap_or_default()
    }

    /// Do both mean the same, wherever their values stand? Secrets are compared by where they are.
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

/// Reads a configuration. `file` is only its name in findings.
///
/// # Errors
/// All findings at once, if any of them is an error.
pub fn load(text: &str, file: &str, around: &dyn Surroundings) -> Result<Config, Report> {
    let sink = Sink::default();
    let report = |sink: Sink| Report { file: file.to_owned(), findings: sink.finish(text) };
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let span = error.span().map(Span::from).unwrap_or_default();
            let what = format!("this is not TOML: {}", error.message());
            sink.error(span, "", what, "");
            return Err(report(sink));
        }
    };
    let document = Document::read(&table, &sink);
    if !check::check(&document, around, &sink) {
        return Err(report(sink));
    }
    let compiled = compile::compile(&document, around, &sink);
    if sink.errors() > 0 {
        return Err(report(sink));
    }
    check::reach::check(&document, &compiled.snapshot, &sink);
    Ok(Config {
        snapshot: compiled.snapshot,
        plugins: compiled.plugins,
        plans: document.migrations.iter().map(|migration| migration.plan.clone()).collect(),
        server: document.server.clone(),
        admin: document.admin.value.clone(),
        state: document.state.value.clone(),
        telemetry: document.telemetry.clone(),
        warnings: sink.finish(text),
        document,
    })
}
