//! What the unit tests share: an engine whose clock they turn, and configurations as text.

use crate::config::{Surroundings, load};
use crate::{Clock, Engine, EngineOptions, Generation};
use http::Method;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub(crate) const GET: Method = Method::GET;

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub(crate) struct StillClock {
    base: Instant,
    passed_ms: AtomicU64,
}

impl StillClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other beginning; only offsets count"
    )]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { base: Instant::now(), passed_ms: AtomicU64::new(0) })
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.passed_ms.fetch_add(ms, Relaxed);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Instant {
        self.base + Duration::from_millis(self.passed_ms.load(Relaxed))
    }

    fn unix_ms(&self) -> u64 {
        1_800_000_000_000 + self.passed_ms.load(Relaxed)
    }
}

/// No variables and no files.
pub(crate) struct Nothing;

impl Surroundings for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

pub(crate) fn engine() -> Engine {
    engine_with(StillClock::new())
}

pub(crate) fn engine_with(clock: Arc<StillClock>) -> Engine {
    let options = EngineOptions { workers: 2, clock, plugin_cache: None };
    Engine::new(options).expect("no cache folder is given")
}

/// Loads and installs a configuration.
pub(crate) fn reload(engine: &Engine, text: &str) -> Generation {
    let config = load(text, "test.toml", &Nothing).unwrap_or_else(|report| panic!("{report}"));
    let prepared = engine.prepare(config.snapshot, &config.plugins, &Nothing);
    engine.install(prepared.expect("it names no plugins that are not there")).generation()
}
