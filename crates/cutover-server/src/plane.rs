//! The data plane's own half of a generation: its backends brought to life, and the settings requests see.
//!
//! The engine's half has the snapshot. A [`Serving`] holds both halves, and a request loads one `Serving` and begins on
//! it: it never sees two generations, and none whose backends are gone, however many installs pass meanwhile.

mod refused;

use crate::access_log::{AccessLog, Rest};
use crate::forwarded;
use crate::lookalike::Lookalikes;
use crate::metrics::{ADDRESS_CLEAN, ADDRESS_IN_FLIGHT, LOG_DROPPED, LOOKALIKES_REMOVED, SPANS};
use crate::mirror::Mirror;
use crate::trace::{SpanCounts, Tracer};
use crate::upstream::{Address, AddressBook, Backends, Endpoint, Pool, UpstreamError};
use arc_swap::ArcSwapOption;
use cutover::config::{
    MigrationPlan, Network, PluginUse, ServerSettings, Surroundings, TelemetrySettings,
};
use cutover::core::evidence::Reach;
use cutover::metrics::Metric;
use cutover::mirror::RulesError;
use cutover::{Engine, Generation, Installed, Migration, PrepareError, Prepared, Snapshot};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What forwards requests: the engine, and what the server adds to it.
#[derive(Debug)]
pub struct Plane {
    engine: Arc<Engine>,
    book: Arc<AddressBook>,
    mirror: Mirror,
    /// The newest generation; `None` before the first install.
    served: ArcSwapOption<Serving>,
    installing: Mutex<()>,
    changed: watch::Sender<Generation>,
    closing: AtomicBool,
    /// Of access logs that are not in force any more.
    left: Mutex<Vec<Rest>>,
    /// Headers of clients that were removed because programs mistake them for others.
    lookalikes_removed: AtomicU64,
    spans: Arc<SpanCounts>,
    /// In force until the first install.
    settings: ProxySettings,
}

/// One generation: the engine's half and the server's.
#[derive(Debug)]
pub struct Serving {
    installed: Arc<Installed>,
    ours: Arc<Ours>,
}

/// The server's half, which stays when only a migration moves.
#[derive(Debug)]
struct Ours {
    backends: Backends,
    lookalikes: Lookalikes,
    settings: ProxySettings,
    log: Option<Arc<AccessLog>>,
    tracer: Option<Arc<Tracer>>,
}

/// Settings that requests see and a reload may change.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Replies carry `x-cutover-side` and `x-cutover-reason`.
    pub debug_headers: bool,
    /// Networks whose forwarding headers are believed.
    pub trusted_proxies: Box<[Network]>,
    /// Limit between two reads of a request's body, and between two requests of one connection.
    pub idle_timeout: std::time::Duration,
    /// Most header fields of a request over HTTP/2; the guard counts those of HTTP/1.
    pub max_headers: usize,
}

impl ProxySettings {
    /// Are the forwarding headers of this peer believed?
    pub fn believes(&self, peer: IpAddr) -> bool {
        forwarded::is_trusted(&self.trusted_proxies, peer)
    }

    fn of(server: &ServerSettings) -> Self {
        Self {
            debug_headers: server.debug_headers,
            trusted_proxies: server.trusted_proxies.clone().into(),
            idle_timeout: server.idle_timeout,
            max_headers: server.max_headers,
        }
    }
}

/// A generation that only waits to be installed.
#[derive(Debug)]
pub struct Ready {
    prepared: Prepared,
    ours: Ours,
}

impl Ready {
    /// Says where its migrations stand before it is installed.
    pub fn restate(&mut self, restate: impl FnMut(&mut Migration)) {
        self.prepared.restate(restate);
    }
}

/// Why a configuration cannot be installed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A plugin cannot be used.
    #[error(transparent)]
    Plugins(#[from] PrepareError),
    /// A backend cannot be used.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// A rule of comparing cannot be used.
    #[error(transparent)]
    Rules(#[from] RulesError),
}

impl Plane {
    /// With nothing installed: every request is answered with 503.
    pub fn new(engine: Arc<Engine>, server: &ServerSettings) -> Self {
        let book = Arc::new(AddressBook::new(engine.clock().now()));
        let mirror = Mirror::new(&engine);
        let (changed, _) = watch::channel(Generation(0));
        let settings = ProxySettings::of(server);
        Self {
            engine,
            book,
            mirror,
            served: ArcSwapOption::empty(),
            installing: Mutex::new(()),
            changed,
            closing: AtomicBool::new(false),
            left: Mutex::default(),
            lookalikes_removed: AtomicU64::new(0),
            spans: Arc::default(),
            settings,
        }
    }

    /// Does everything that can fail or takes long, and changes nothing: loads plugins, looks names up, reads
    /// certificate authorities, opens the access log. Call it off the workers.
    ///
    /// # Errors
    /// If a plugin or a backend cannot be used.
    pub fn prepare(
        &self,
        snapshot: Snapshot,
        plugins: &[PluginUse],
        plans: &[MigrationPlan],
        (server, telemetry): (&ServerSettings, Option<&TelemetrySettings>),
        around: &dyn Surroundings,
    ) -> Result<Ready, InstallError> {
        let before = self.newest();
        let known = before.as_ref().map(|serving| serving.backends());
        let backends = Backends::build(&snapshot, &self.book, around, known)?;
        let prepared = self.engine.prepare(snapshot, plugins, around)?.with_plans(plans)?;
        let settings = ProxySettings::of(server);
        let tracer = telemetry.map(|settings| {
            let old = before.as_ref().and_then(|serving| serving.tracer());
            match old.filter(|old| old.settings() == settings) {
                Some(same) => Arc::clone(same),
                None => Arc::new(Tracer::start(settings, &self.spans)),
            }
        });
        let old = before.and_then(|serving| serving.log().cloned());
        let log = match old {
            Some(log) if log.settings() == &server.access_log => Some(log),
            Some(_) | None => AccessLog::start(&server.access_log).map(Arc::new),
        };
        let lookalikes = Lookalikes::of(&prepared);
        Ok(Ready { prepared, ours: Ours { backends, lookalikes, settings, log, tracer } })
    }

    /// Puts a generation in force. Requests that have begun keep the one they have.
    pub fn install(&self, ready: Ready) -> Generation {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let Ready { prepared, ours } = ready;
        let installed = self.engine.install(prepared);
        let generation = self.serve(Serving { installed, ours: Arc::new(ours) });
        self.changed.send_replace(generation);
        generation
    }

    /// Puts the generation in force once more, with migrations that stand elsewhere. Before the first install there is
    /// nothing to do.
    pub fn restate(&self, restate: impl FnMut(&mut Migration)) -> Generation {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = self.newest() else { return Generation(0) };
        let installed = self.engine.restate(restate);
        self.serve(Serving { installed, ours: Arc::clone(&before.ours) })
    }

    fn serve(&self, serving: Serving) -> Generation {
        let generation = serving.installed.generation();
        let serving = Arc::new(serving);
        if let Some(before) = self.served.swap(Some(Arc::clone(&serving))) {
            self.leave_log(&before, &serving);
        }
        generation
    }

    /// Settings in force until the first install.
    pub fn settings(&self) -> &ProxySettings {
        &self.settings
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The newest generation; `None` before the first install.
    pub fn newest(&self) -> Option<Arc<Serving>> {
        self.served.load_full()
    }

    /// What is known about addresses.
    pub fn book(&self) -> &Arc<AddressBook> {
        &self.book
    }

    /// Tells of every install; not of migrations that move, which leaves backends as they are.
    pub fn changes(&self) -> watch::Receiver<Generation> {
        self.changed.subscribe()
    }

    /// Sends copies of exchanges.
    pub(crate) fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// From now on replies end their connection, and nothing is mirrored.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.mirror.close();
    }

    /// Does the process end?
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// This many headers of a client were removed because programs mistake them for others.
    pub fn lookalikes_removed(&self, count: usize) {
        self.lookalikes_removed.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Opens the access log's file again, after somebody rotated it away.
    pub fn reopen_log(&self) {
        if let Some(log) = self.newest().and_then(|serving| serving.log().cloned()) {
            log.reopen();
        }
    }

    /// Waits until the access log has written what it was given, and those before it, and until spans are sent, for a
    /// shutdown.
    pub fn flush(&self) {
        if let Some(tracer) = self.newest().and_then(|serving| serving.tracer().cloned()) {
            tracer.flush();
        }
        if let Some(log) = self.newest().and_then(|serving| serving.log().cloned()) {
            log.flush();
        }
        for rest in self.left.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            rest.flush();
        }
    }

    /// Exchanges that have begun may still write to a log that is replaced.
    fn leave_log(&self, before: &Serving, now: &Serving) {
        let Some(log) = before.log() else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.retain(|rest| !rest.is_written());
        if !now.log().is_some_and(|kept| Arc::ptr_eq(kept, log)) {
            left.push(log.rest());
        }
    }

    /// How a backend can be reached now; `None`: there is none of this name.
    pub fn reach(&self, backend: &str) -> Option<Reach> {
        let serving = self.newest()?;
        let pool = serving.backends().pools().iter().find(|pool| pool.name() == backend)?;
        let now = self.engine.clock().now();
        let mut reach = Reach::default();
        for each in pool.endpoints().iter() {
            let usable = each.address.is_usable(|| now);
            reach.addresses += 1;
            reach.usable += u32::from(usable);
            reach.healthy += u32::from(usable && each.address.answers_checks());
        }
        Some(reach)
    }

    /// The state of every address, for the admin API.
    pub fn describe_backends(&self) -> serde_json::Value {
        let Some(serving) = self.newest() else { return serde_json::json!([]) };
        let now = self.engine.clock().now();
        let pool = |pool: &Arc<Pool>| {
            let endpoints = pool.endpoints();
            let address = |each: &Endpoint| {
                serde_json::json!({
                    "address": each.address.text(),
                    "usable": each.address.is_usable(|| now),
                    "inFlight": each.address.in_flight(),
                    "connectFailures": each.address.connect_failures(),
                })
            };
            let addresses: Vec<_> = endpoints.iter().map(address).collect();
            serde_json::json!({ "backend": pool.name(), "addresses": addresses })
        };
        serving.backends().pools().iter().map(pool).collect()
    }

    /// The data plane's own metrics in OpenMetrics text, without the `# EOF`.
    pub fn encode_metrics(&self, out: &mut String) {
        let Some(serving) = self.newest() else { return };
        serving.encode_addresses(out);
        let mut single = |metric: Metric, value: u64| {
            let _ = writeln!(out, "{}{} {value}", metric.head(), metric.exposed_name());
        };
        single(LOOKALIKES_REMOVED, self.lookalikes_removed.load(Ordering::Relaxed));
        if let Some(log) = serving.log() {
            single(LOG_DROPPED, log.dropped());
        }
        if serving.tracer().is_some() {
            let name = SPANS.exposed_name();
            out.push_str(&SPANS.head());
            for (outcome, count) in self.spans.each() {
                let _ = writeln!(out, "{name}{{outcome=\"{outcome}\"}} {count}");
            }
        }
    }
}

impl Serving {
    /// The engine's half.
    pub fn installed(&self) -> &Arc<Installed> {
        &self.installed
    }

    /// Its backends.
    pub fn backends(&self) -> &Backends {
        &self.ours.backends
    }

    /// The header names that must have no doubles.
    pub fn lookalikes(&self) -> &Lookalikes {
        &self.ours.lookalikes
    }

    /// Its settings.
    pub fn settings(&self) -> &ProxySettings {
        &self.ours.settings
    }

    /// Where its access log goes; `None` if it is off.
    pub fn log(&self) -> Option<&Arc<AccessLog>> {
        self.ours.log.as_ref()
    }

    /// What traces are told to; `None`: their headers pass as they came.
    pub(crate) fn tracer(&self) -> Option<&Arc<Tracer>> {
        self.ours.tracer.as_ref()
    }

    fn encode_addresses(&self, out: &mut String) {
        let mut rows = |metric: Metric, value: &dyn Fn(&Address) -> u32| {
            let name = metric.exposed_name();
            out.push_str(&metric.head());
            for pool in self.backends().pools() {
                for each in pool.endpoints().iter() {
                    let (backend, address) = (escaped(pool.name()), each.address.text());
                    let value = value(&each.address);
                    let _ = writeln!(
                        out,
                        "{name}{{backend=\"{backend}\",address=\"{address}\"}} {value}"
                    );
                }
            }
        };
        rows(ADDRESS_CLEAN, &|address| u32::from(address.is_clean()));
        rows(ADDRESS_IN_FLIGHT, &|address| address.in_flight());
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
