//! The engine: prepares a snapshot, installs it, and begins exchanges on whichever is installed.

use crate::breaker::Breaker;
use crate::config::MigrationPlan;
use crate::exchange::Exchange;
use crate::explain::Explanation;
use crate::metrics::{Book, Classes, Metrics, MigrationMeter, RouteMeter};
use crate::mirror::{Mirroring, RulesError, Shadow};
use crate::plugin::PluginStatus;
use crate::plugins::{Loaded, PluginHost, Plugins};
use crate::refused::{PluginProblem, PrepareError, ProblemKind, Refused};
use crate::{
    BreakerState, Clock, Generation, PluginUse, RequestView, Snapshot, Surroundings, SystemClock,
};
use arc_swap::ArcSwap;
use cutover_core::{Migration, MigrationId, PlaceId};
use http::HeaderName;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What an engine needs to start.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Threads that call [`Engine::begin`] at the same time; plugins keep one instance for each. 0: one per core.
    pub workers: usize,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Folder for compiled plugins, so that the next start need not compile them; `None` keeps none.
    pub plugin_cache: Option<PathBuf>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { workers: 0, clock: Arc::new(SystemClock), plugin_cache: None }
    }
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The plugin host cannot start.
    #[error("the plugin host cannot start: {0}")]
    PluginHost(String),
}

/// Decides which backend answers each request. Share it in an [`Arc`]; nothing on the path of a request locks.
#[derive(Debug)]
pub struct Engine {
    current: ArcSwap<Installed>,
    /// Orders installs. Requests never take it.
    installing: Mutex<()>,
    shared: Arc<Shared>,
}

/// What outlives a generation.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
}

/// A snapshot whose plugins are loaded and configured: ready to be installed.
#[derive(Debug)]
pub struct Prepared {
    snapshot: Snapshot,
    plugins: Loaded,
    /// By migration; `None` where no plan was given.
    mirroring: Vec<Option<Arc<Mirroring>>>,
}

/// One generation: the snapshot in force, its plugins, and the state of its migrations.
#[derive(Debug)]
pub struct Installed {
    generation: Generation,
    snapshot: Snapshot,
    pub(crate) plugins: Arc<Plugins>,
    /// By migration.
    running: Arc<[Running]>,
    /// By backend, for routes of no migration.
    pub(crate) routes: Arc<[Arc<RouteMeter>]>,
    pub(crate) shared: Arc<Shared>,
}

/// What a migration carries from one generation to the next.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) meter: Arc<MigrationMeter>,
    pub(crate) classes: Arc<Classes>,
    pub(crate) shadow: Arc<Shadow>,
    /// How it is mirrored in this generation.
    pub(crate) mirroring: Option<Arc<Mirroring>>,
}

impl Engine {
    /// An engine with nothing installed: it refuses every request with [`Refused::NoRoute`].
    ///
    /// # Errors
    /// If a folder for compiled plugins is given and cannot be used.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let host = PluginHost::new(&options)?;
        let metrics = Metrics::new(Book::new(host));
        let shared = Arc::new(Shared { clock: options.clock, metrics });
        let empty = Installed {
            generation: Generation(0),
            snapshot: Snapshot::builder().finish(),
            plugins: Arc::default(),
            running: Arc::default(),
            routes: Arc::default(),
            shared: Arc::clone(&shared),
        };
        Ok(Self { current: ArcSwap::from_pointee(empty), installing: Mutex::new(()), shared })
    }

    /// Loads, compiles and configures what a snapshot needs, `plugins[i]` being how to load its place `i`.
    ///
    /// Changes nothing that requests see. Slow, so call it off the workers.
    ///
    /// # Errors
    /// Everything that is wrong with its plugins, at once. Counted as a refused reload.
    pub fn prepare(
        &self,
        snapshot: Snapshot,
        plugins: &[PluginUse],
        around: &dyn Surroundings,
    ) -> Result<Prepared, PrepareError> {
        let book = &self.shared.metrics.book;
        let loaded = fits(&snapshot, plugins).and_then(|()| book.host.load(plugins, around));
        match loaded {
            Ok(plugins) => {
                let mirroring = vec![None; snapshot.migrations().len()];
                Ok(Prepared { snapshot, plugins, mirroring })
            }
            Err(error) => {
                book.reload_refused();
                Err(error)
            }
        }
    }

    /// Puts a snapshot in force. Requests that have begun keep the generation they have.
    ///
    /// Counters go on by name. A breaker goes on, open or closed, if the migration of its name still has the same two
    /// backends with the same settings.
    pub fn install(&self, prepared: Prepared) -> Arc<Installed> {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let Prepared { snapshot, plugins, mirroring } = prepared;
        let before = self.current();
        let generation = Generation(before.generation.0 + 1);
        let Shared { clock, metrics } = &*self.shared;
        let book = &metrics.book;
        let classes = Classes::of(&snapshot, book);
        let all = snapshot.migrations().iter().zip(mirroring).zip(classes);
        let running = all.map(|((migration, mirroring), classes)| {
            let breaker = before.breaker_of(&snapshot, migration);
            Running {
                breaker: breaker.unwrap_or_else(|| Arc::new(Breaker::new(clock.now()))),
                meter: book.migration(&migration.name),
                classes: Arc::new(classes),
                shadow: book.shadow(&migration.name, clock),
                mirroring: mirroring.map(|plan| plan.following(&migration.ignored)),
            }
        });
        let next = Arc::new(Installed {
            generation,
            running: running.collect(),
            routes: snapshot.backends().iter().map(|backend| book.route(&backend.name)).collect(),
            plugins: Arc::new(plugins.in_use(book)),
            snapshot,
            shared: Arc::clone(&self.shared),
        });
        self.current.store(Arc::clone(&next));
        book.installed(&next, clock.unix_ms());
        next
    }

    /// Puts the snapshot in force once more, with migrations that stand elsewhere, or compare without something else.
    /// Routes, backends, plugins, breakers and counters are those of the generation before, so that this takes
    /// microseconds, however large they are.
    pub fn restate(&self, restate: impl FnMut(&mut Migration)) -> Arc<Installed> {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current();
        let snapshot = before.snapshot.restated(restate);
        let next = Arc::new(Installed {
            generation: Generation(before.generation.0 + 1),
            plugins: Arc::clone(&before.plugins),
            running: before.running_with(&snapshot),
            snapshot,
            routes: Arc::clone(&before.routes),
            shared: Arc::clone(&self.shared),
        });
        self.current.store(Arc::clone(&next));
        self.shared.metrics.book.restated(&next);
        next
    }

    /// The generation in force.
    pub fn current(&self) -> Arc<Installed> {
        self.current.load_full()
    }

    /// Begins one exchange: decides who answers.
    ///
    /// `request.path` must be in the normal form of [`normalise`](crate::core::path::normalise).
    ///
    /// # Errors
    /// If the gateway itself has to answer.
    pub fn begin(&self, request: &RequestView<'_>) -> Result<Exchange, Refused> {
        self.current().begin(request)
    }

    /// Why a request would go where it goes, step by step. Asks plugins as the request would, counts nothing else.
    pub fn explain(&self, request: &RequestView<'_>) -> Explanation {
        Explanation::of(&self.current(), request)
    }

    /// Counters, gauges and histograms.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// The clock it was given.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }
}

impl Prepared {
    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Says where its migrations stand before it is installed.
    pub fn restate(&mut self, restate: impl FnMut(&mut Migration)) {
        self.snapshot = self.snapshot.restated(restate);
    }

    /// With what the configuration says about mirroring and comparing; without it nothing is mirrored.
    ///
    /// # Errors
    /// If a rule cannot be compiled, which those of a loaded configuration can.
    pub fn with_plans(mut self, plans: &[MigrationPlan]) -> Result<Self, RulesError> {
        for (at, migration) in self.snapshot.migrations().iter().enumerate() {
            let plan = plans.iter().find(|plan| *plan.migration == *migration.name);
            let mirroring = plan.map(|plan| Mirroring::new(migration, plan).map(Arc::new));
            self.mirroring[at] = mirroring.transpose()?;
        }
        Ok(self)
    }

    /// Names of the request headers that decide, or that edits and plugins read and write; some of them more than once.
    pub fn request_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.snapshot.request_headers().chain(self.plugins.request_headers())
    }
}

impl Installed {
    /// Begins one exchange on this generation, also when a newer one is in force. For a gateway that keeps something of
    /// its own beside each generation: it finds both with one load, and can never mix them.
    ///
    /// # Errors
    /// If the gateway itself has to answer.
    pub fn begin(self: Arc<Self>, request: &RequestView<'_>) -> Result<Exchange, Refused> {
        Exchange::begin(self, request, None)
    }

    /// The same, for an exchange whose parts are to be told apart afterwards, [`Exchange::timeline`]: reads the clock once
    /// more, and allocates.
    ///
    /// # Errors
    /// If the gateway itself has to answer.
    pub fn begin_timed(self: Arc<Self>, request: &RequestView<'_>) -> Result<Exchange, Refused> {
        Exchange::begin(self, request, Some(Box::default()))
    }

    /// Its number.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The breaker of a migration of this snapshot.
    pub fn breaker(&self, id: MigrationId) -> BreakerState {
        self.running[id.index()].breaker.state()
    }

    /// What is known of a migration's mirror.
    pub fn shadow(&self, id: MigrationId) -> &Arc<Shadow> {
        &self.running[id.index()].shadow
    }

    /// The same by the migration's name.
    pub fn shadow_of(&self, name: &str) -> Option<&Arc<Shadow>> {
        let at = self.snapshot.migrations().iter().position(|known| *known.name == *name)?;
        Some(&self.running[at].shadow)
    }

    /// The plugins in use.
    pub fn plugins(&self) -> Vec<PluginStatus> {
        self.plugins.status()
    }

    /// A split plugin's own word for why it chose a side, from its manifest.
    pub fn plugin_reason(&self, place: PlaceId, reason: u16) -> Option<&str> {
        self.plugins.reason(place, reason)
    }

    pub(crate) fn running(&self) -> &[Running] {
        &self.running
    }

    pub(crate) fn migration(&self, id: MigrationId) -> (&Migration, &Running) {
        (self.snapshot.migration(id), &self.running[id.index()])
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// What migrations carry on to a snapshot of the same migrations, in which people may have added rules.
    fn running_with(&self, snapshot: &Snapshot) -> Arc<[Running]> {
        let (before, now) = (self.snapshot.migrations(), snapshot.migrations());
        if before.iter().zip(now).all(|(before, now)| before.ignored == now.ignored) {
            return Arc::clone(&self.running);
        }
        let follow = |(running, migration): (&Running, &Migration)| Running {
            mirroring: running.mirroring.as_ref().map(|plan| plan.following(&migration.ignored)),
            ..running.clone()
        };
        self.running.iter().zip(now).map(follow).collect()
    }

    /// The breaker this migration had here, if what it knows still holds.
    fn breaker_of(&self, next: &Snapshot, migration: &Migration) -> Option<Arc<Breaker>> {
        let at = self.snapshot.migrations().iter().position(|was| was.name == migration.name)?;
        let was = &self.snapshot.migrations()[at];
        let same_backends = self.snapshot.backend(was.old) == next.backend(migration.old)
            && self.snapshot.backend(was.new) == next.backend(migration.new);
        same_backends.then(|| Arc::clone(&self.running[at].breaker))
    }
}

/// Does every place of the snapshot have its plugin?
fn fits(snapshot: &Snapshot, plugins: &[PluginUse]) -> Result<(), PrepareError> {
    let places = snapshot.places();
    let named = |used: &PluginUse| (used.plugin.clone(), used.migration.clone());
    let missing = places.iter().enumerate().filter(|(at, place)| {
        plugins
            .get(*at)
            .is_none_or(|used| *used.plugin != *place.plugin || *used.migration != *place.migration)
    });
    let mut problems: Vec<_> = missing
        .map(|(_, place)| mismatch((place.plugin.to_string(), place.migration.to_string())))
        .collect();
    problems.extend(plugins.iter().skip(places.len()).map(|used| mismatch(named(used))));
    if problems.is_empty() { Ok(()) } else { Err(PrepareError { problems }) }
}

fn mismatch((plugin, migration): (String, String)) -> PluginProblem {
    PluginProblem {
        migration,
        plugin,
        file: "no file".to_owned(),
        kind: ProblemKind::Mismatch,
        what: "the snapshot and the list of plugins do not belong together".to_owned(),
        help: "pass `config.plugins` beside `config.snapshot` of the same Config".to_owned(),
    }
}
