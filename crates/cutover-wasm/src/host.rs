//! The host: one engine with its limits, the thread that enforces deadlines, and the cache of compiled components.

use crate::cache::Cache;
use crate::component::Component;
use crate::error::{HostError, LoadError};
use crate::limit::{MAX_STACK_BYTES, MAX_TABLE_ELEMENTS};
use crate::said::printable;
use crate::ticker::{Awake, Running, Ticker};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Largest memory cap a place may have; each instance reserves address space for it, not memory.
pub(crate) const MAX_MEMORY_BYTES: usize = 1024 * 1024 * 1024;

/// How the host is made.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// Threads that call plugins. More may call; this is how many idle instances a place keeps.
    pub workers: usize,
    /// Folder for compiled components. It must be writable by this user alone; it is made if it is not there.
    pub cache: Option<PathBuf>,
    /// How often the deadlines of calls in flight are looked at. Before that a call has to be found, which takes as long as
    /// the shortest deadline in use, 10 ms at most: so it ends at twice its deadline and two of these, at the latest.
    pub tick: Duration,
}

impl HostOptions {
    /// Makes the cache folder, if one is given, and checks who may write to it; starts nothing.
    ///
    /// # Errors
    /// The folder cannot be used safely.
    pub fn check_cache(&self) -> Result<(), HostError> {
        self.cache.as_deref().map_or(Ok(()), crate::cache::prepare)
    }
}

impl Default for HostOptions {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { workers, cache: None, tick: Duration::from_millis(1) }
    }
}

/// Compiles plugins and holds what they share. Cheap to clone; its thread ends with the last clone, component and place.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    engine: Engine,
    ticker: Ticker,
    tick: Duration,
    cache: Option<Cache>,
    pub(crate) workers: usize,
    pub(crate) live: Arc<AtomicUsize>,
}

impl Host {
    /// Starts the engine.
    ///
    /// # Errors
    /// The machine cannot run it, or the cache folder cannot be used safely.
    pub fn new(options: HostOptions) -> Result<Self, HostError> {
        let HostOptions { workers, cache, tick } = options;
        let workers = workers.max(1);
        let tick = tick.max(Duration::from_micros(50));
        let engine = Engine::new(&config(workers))
            .map_err(|error| HostError::Engine(printable(&format!("{error:#}"))))?;
        let cache = cache.map(|folder| Cache::open(folder, &engine)).transpose()?;
        let ticker = Ticker::start(workers, tick, ticking(&engine))
            .map_err(|error| HostError::Ticker(error.to_string()))?;
        let live = Arc::new(AtomicUsize::new(0));
        Ok(Self(Arc::new(Shared { engine, ticker, tick, cache, workers, live })))
    }

    /// Compiles a component, or takes it from the cache, and checks what it imports and exports. Milliseconds to
    /// seconds; not for the path of a request.
    ///
    /// # Errors
    /// It is no component, imports what plugins are not given, or exports no hook.
    pub fn compile(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        let engine = &self.0.engine;
        let cached = self.0.cache.as_ref().and_then(|cache| cache.load(engine, bytes));
        let compiled = match cached {
            Some(compiled) => compiled,
            None => {
                let compiled = wasmtime::component::Component::from_binary(engine, bytes)
                    .map_err(|error| LoadError::Compile(printable(&format!("{error:#}"))))?;
                if let Some(cache) = &self.0.cache {
                    cache.store(bytes, &compiled);
                }
                compiled
            }
        };
        Component::link(self.0.clone(), &compiled)
    }

    /// Instances alive at this moment, of all places, in use or idle.
    pub fn live_instances(&self) -> usize {
        self.0.live.load(Relaxed)
    }
}

impl Shared {
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A deadline in epochs. One more than it takes, because the present epoch is partly over.
    pub(crate) fn ticks(&self, deadline: Duration) -> u64 {
        let ticks = deadline.as_nanos().div_ceil(self.tick.as_nanos());
        u64::try_from(ticks).unwrap_or(u64::MAX / 2).min(u64::MAX / 2) + 1
    }

    /// Calls with this deadline will be made until the guard is dropped.
    pub(crate) fn awake(&self, deadline: Duration) -> Awake {
        self.ticker.awake(deadline)
    }

    /// A call is in flight until the guard is dropped: without one, its deadline never passes.
    pub(crate) fn running(&self) -> Running<'_> {
        self.ticker.running()
    }
}

/// What a tick does.
fn ticking(engine: &Engine) -> impl Fn() + Send + 'static {
    let engine = engine.clone();
    move || engine.increment_epoch()
}

fn config(workers: usize) -> Config {
    // Room for 32 places with an instance for every worker, twice over while one generation replaces another; it is
    // address space, which is plenty, up to the bound.
    let instances = (workers.saturating_mul(64)).clamp(256, 2048) as u32;
    let mut pool = PoolingAllocationConfig::new();
    // A component made of one module has up to three core instances: it, and two shims around its imports.
    pool.total_component_instances(instances)
        .total_core_instances(instances * 4)
        .total_memories(instances)
        .total_tables(instances * 4)
        .max_memory_size(MAX_MEMORY_BYTES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .linear_memory_keep_resident(64 * 1024)
        .table_keep_resident(16 * 1024);
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(MAX_STACK_BYTES)
        .generate_address_map(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
