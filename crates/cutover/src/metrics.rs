//! Every metric, by name, in one table; and what an engine counts.
//!
//! Labels are bounded by the configuration: names of migrations, backends and plugins, and a few fixed words. A route
//! is no label: there may be 100,000 of them. A migration's routes are counted together, other routes by their backend.
//! Counters are kept by name, so that they survive reloads; those of a migration that is gone stay until the process
//! ends.

mod book;
mod classes;
mod encode;
mod histogram;
pub(crate) mod meter;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use book::Book;
pub(crate) use classes::{ClassMeter, Classes};
pub(crate) use encode::Family;
pub(crate) use histogram::{Histogram, Quantiles, REQUEST_BOUNDS_US};
pub(crate) use meter::{Answerer, MigrationMeter, RouteMeter, bump};
pub(crate) use times::{Reading, Times};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name without prefix, unit and suffix.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Unit, which is part of the exposed name.
    pub unit: Option<&'static str>,
    /// Labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

macro_rules! table {
    (
        $(#[$doc:meta])* $table:ident
        $($id:ident: $kind:ident $name:literal $(in $unit:literal)? [$($label:literal),*] $meaning:literal;)*
    ) => {
        $(pub(crate) const $id: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: table!(@unit $($unit)?),
            labels: &[$($label),*],
            meaning: $meaning,
        };)*

        $(#[$doc])*
        pub const $table: &[Metric] = &[$($id),*];
    };
    (@unit) => { None };
    (@unit $unit:literal) => { Some($unit) };
}

table! {
    /// All metrics of the engine.
    TABLE
    REQUESTS: Counter "requests" ["migration", "side", "role", "code_class"]
        "Exchanges of a migration, by who answered: role served is as decided, fallback is old because new failed, breaker is old because the breaker was open. code_class broken had no whole reply, gone is a client that left";
    REQUEST_DURATION: Histogram "request_duration" in "seconds" ["migration", "side", "role"]
        "Time from begin to finish of an exchange; a fallback includes the attempt that failed";
    ROUTE_REQUESTS: Counter "route_requests" ["backend", "code_class"]
        "Exchanges on routes that belong to no migration";
    ROUTE_REQUEST_DURATION: Histogram "route_request_duration" in "seconds" ["backend"]
        "Time from begin to finish of an exchange on a route that belongs to no migration";
    REFUSED: Counter "refused" ["reason"]
        "Requests that cutover answered itself: no-route, plugin, breaker";
    FAILED_ATTEMPTS: Counter "failed_attempts" ["migration", "side", "cause"]
        "Attempts that failed, whatever became of the request; every fallback is one of new";
    FALLBACK: Counter "fallback" ["migration", "cause"]
        "Reads meant for new that old answered; cause circuit-open is the breaker's doing";
    BREAKER_STATE: Gauge "breaker_state" ["migration"]
        "0 closed, 1 half-open, 2 open";
    BREAKER_OPENED: Counter "breaker_opened" ["migration"]
        "Times the breaker opened, failed probes not counted";
    SHADOW_PICKED: Counter "shadow_picked" ["migration"]
        "Exchanges picked to be copied to the side that does not serve them";
    SHADOW_REQUESTS: Counter "shadow_requests" ["migration", "side", "code_class"]
        "Copies that have ended, by the side they went to; code_class timeout, connect and broken had no whole reply";
    SHADOW_DROPPED: Counter "shadow_dropped" ["migration", "reason"]
        "Picked exchanges that were not copied, or whose copy was given up: concurrency, memory, oversize, incomplete, plugin, unfit, closing";
    SHADOW_HEADER_DURATION: Histogram "shadow_header_duration" in "seconds" ["migration", "side"]
        "Time from the beginning of a copy to the header of its reply";
    SHADOW_IN_FLIGHT: Gauge "shadow_in_flight" ["migration"]
        "Copies in flight";
    SHADOW_MEMORY: Gauge "shadow_memory_bytes" ["migration"]
        "Bytes of requests and replies that are held for copies";
    COMPARISONS: Counter "comparisons" ["migration", "result"]
        "Pairs of replies: match, mismatch (it differed twice), transient (only once), unresolved, noise (old with itself), or skipped and why";
    READ_PERCENT: Gauge "read_percent" ["migration"]
        "Share of users whose reads go to new, 0 to 100";
    MIRROR_PERCENT: Gauge "mirror_percent" ["migration"]
        "Share of requests copied to the other side, 0 to 100";
    WRITE_OWNER: Gauge "write_owner" ["migration", "side"]
        "1 for the side that takes writes, 0 for the other";
    PHASE: Gauge "phase" ["migration", "phase"]
        "1 for the phase the migration is in, 0 for the others";
    KILLED: Gauge "killed" ["migration"]
        "1 if everything goes to old by kill switch or rollback";
    CONFIG_GENERATION: Gauge "config_generation" []
        "Number of the snapshot in force";
    CONFIG_LAST_RELOAD_SUCCESS: Gauge "config_last_reload_success" []
        "1 if the last configuration was installed, 0 if it was refused and the one before stays in force";
    CONFIG_LAST_RELOAD: Gauge "config_last_reload_timestamp" in "seconds" []
        "Unix time of the last install";
    CONFIG_RELOADS: Counter "config_reloads" ["result"]
        "Configurations installed or refused";
    PLUGIN_CALLS: Counter "plugin_calls" ["migration", "plugin", "hook"]
        "Calls of plugins, failed ones included";
    PLUGIN_FAULTS: Counter "plugin_faults" ["migration", "plugin", "kind"]
        "Calls that failed; kind quarantined is a call that was not made";
    PLUGIN_CALL_DURATION: Histogram "plugin_call_duration" in "seconds" ["migration", "plugin", "hook"]
        "Time of one call";
    PLUGIN_QUARANTINED: Gauge "plugin_quarantined" ["migration", "plugin"]
        "1 while the plugin is left alone after repeated faults, or on probation";
    PLUGIN_INSTANCES: Gauge "plugin_instances" ["generation"]
        "Live plugin instances of each of the last generations; an old one's returns to 0";
    PLUGIN_INSTANCES_LIVE: Gauge "plugin_instances_live" []
        "Live plugin instances of all generations";
}

table! {
    /// What a [`Conductor`](crate::Conductor) adds, by [`Conductor::collector`](crate::Conductor::collector).
    MOVES
    GATE_VERDICT: Gauge "gate_verdict" ["migration", "gate"]
        "1 pass, 0 not yet known, -1 fail; of gates that are required, and of those that are always watched";
    GATE_VALUE: Gauge "gate_value" ["migration", "gate"]
        "What the gate holds against its threshold: a share from 0 to 1, for freshness, drill and old an age in seconds, for baseline a number of requests. Absent as long as nothing is known";
    GATE_THRESHOLD: Gauge "gate_threshold" ["migration", "gate"]
        "The threshold, in the unit of gate_value: at least for coverage and baseline, at most for all others";
    GATE_SAMPLES: Gauge "gate_samples" ["migration", "gate"]
        "Observations behind the answer; they begin anew when backends, rules or plugins change, and after a rollback";
    OVERLAY: Gauge "overlay" ["migration", "overlay"]
        "1 if it lies over the phase: drilling, going-back, rolled-back, failed, paused, frozen, inconclusive, expired";
    BLOCKERS: Gauge "blockers" ["migration"]
        "What stands in the way of the next step, people aside";
    MIGRATION_GENERATION: Gauge "migration_generation" ["migration"]
        "Number of changes of the migration";
    PHASE_ENTERED: Gauge "phase_entered_timestamp" in "seconds" ["migration"]
        "Unix time at which the present step began";
    EXPIRY: Gauge "expiry_timestamp" in "seconds" ["migration"]
        "Unix time at which the migration must be gone from the configuration";
    LAST_DRILL: Gauge "last_drill_timestamp" in "seconds" ["migration", "outcome"]
        "Unix time of the last rollback drill, by how it went; absent before the first";
    TRANSITIONS: Counter "transitions" ["migration", "event"]
        "Changes of migrations since the process began, by what caused them: an order's verb, or what cutover noticed";
    STORE_WRITABLE: Gauge "store_writable" []
        "1 if changes can be written, 0 if every change is refused because they cannot";
}

impl Metric {
    /// The lines that come before its samples, for embedders that write text themselves.
    pub fn head(&self) -> String {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // In OpenMetrics a counter's family is named without the suffix of its samples.
        let name = self.exposed_name();
        let family = name.strip_suffix("_total").unwrap_or(&name);
        format!("# HELP {family} {}.\n# TYPE {family} {kind}\n", self.meaning)
    }

    /// The name as it is exposed, `cutover_requests_total`.
    pub fn exposed_name(&self) -> String {
        let mut name = format!("{PREFIX}_{}", self.name);
        if let Some(unit) = self.unit {
            name.push('_');
            name.push_str(unit);
        }
        if self.kind == Kind::Counter {
            name.push_str("_total");
        }
        name
    }
}

const PREFIX: &str = "cutover";

/// Counters, gauges and histograms of an engine.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) book: Arc<Book>,
    /// Taken by scrapes only.
    registry: Mutex<Registry>,
}

impl Metrics {
    pub(crate) fn new(book: Book) -> Self {
        let book = Arc::new(book);
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(Arc::clone(&book)));
        Self { book, registry: Mutex::new(registry) }
    }

    /// Appends everything as OpenMetrics text (`application/openmetrics-text; version=1.0.0; charset=utf-8`).
    ///
    /// # Errors
    /// If `text` cannot be written to, which a `String` always can.
    pub fn encode(&self, text: &mut String) -> fmt::Result {
        text::encode(text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds metrics of the embedder's own; they get the same prefix.
    pub fn register(&self, collector: Box<dyn Collector>) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(collector);
    }

    /// Tells that a configuration was refused before it reached [`Engine::prepare`](crate::Engine::prepare). Refusals
    /// there, and installs, are counted by the engine.
    pub fn reload_refused(&self) {
        self.book.reload_refused();
    }
}
