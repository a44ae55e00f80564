//! All meters of an engine by name, and the generations whose gauges are shown. Locked by installs and scrapes only.

use super::ClassMeter;
use super::meter::{MigrationMeter, PluginMeter, RouteMeter, bump};
use crate::engine::Installed;
use crate::mirror::Shadow;
use crate::plugins::{PluginHost, Plugins};
use crate::{Clock, Refused};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Generations whose plugin instances are shown, dead ones included.
const SHOWN_GENERATIONS: usize = 8;

/// Reasons of [`Refused`], in the order of their counters.
pub(crate) const REFUSALS: [&str; 3] = ["no-route", "plugin", "breaker"];

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(super) meters: Mutex<Meters>,
    /// The generation in force.
    pub(super) current: Mutex<Weak<Installed>>,
    /// The plugins of each configuration, with the generation it began with.
    pub(super) generations: Mutex<VecDeque<(u64, Weak<Plugins>)>>,
    pub(super) refused: [AtomicU64; REFUSALS.len()],
    pub(super) installs: AtomicU64,
    pub(super) refusals: AtomicU64,
    pub(super) last_reload_succeeded: AtomicBool,
    pub(super) last_install_s: AtomicU64,
    pub(crate) host: PluginHost,
}

/// Meters by name.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(super) migrations: BTreeMap<Box<str>, Arc<MigrationMeter>>,
    pub(super) shadows: BTreeMap<Box<str>, Arc<Shadow>>,
    pub(super) routes: BTreeMap<Box<str>, Arc<RouteMeter>>,
    /// By migration, then class.
    pub(super) classes: BTreeMap<(Box<str>, Box<str>), Arc<ClassMeter>>,
    /// By migration, then plugin.
    pub(super) plugins: BTreeMap<(Box<str>, Box<str>), Arc<PluginMeter>>,
}

impl Book {
    pub(crate) fn new(host: PluginHost) -> Self {
        Self { host, ..Self::default() }
    }

    pub(crate) fn migration(&self, name: &str) -> Arc<MigrationMeter> {
        Arc::clone(self.meters().migrations.entry(name.into()).or_default())
    }

    pub(crate) fn shadow(&self, name: &str, clock: &Arc<dyn Clock>) -> Arc<Shadow> {
        let new = || Arc::new(Shadow::new(Arc::clone(clock)));
        Arc::clone(self.meters().shadows.entry(name.into()).or_insert_with(new))
    }

    pub(crate) fn route(&self, backend: &str) -> Arc<RouteMeter> {
        Arc::clone(self.meters().routes.entry(backend.into()).or_default())
    }

    pub(crate) fn class(&self, migration: &str, class: &str) -> Arc<ClassMeter> {
        Arc::clone(self.meters().classes.entry((migration.into(), class.into())).or_default())
    }

    #[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
    pub(crate) fn plugin(&self, migration: &str, plugin: &str) -> Arc<PluginMeter> {
        Arc::clone(self.meters().plugins.entry((migration.into(), plugin.into())).or_default())
    }

    pub(crate) fn refused(&self, refused: &Refused) {
        let reason = refused.reason();
        if let Some(at) = REFUSALS.iter().position(|known| *known == reason) {
            bump(&self.refused[at]);
        }
    }

    pub(crate) fn reload_refused(&self) {
        bump(&self.refusals);
        self.last_reload_succeeded.store(false, Relaxed);
    }

    pub(crate) fn installed(&self, installed: &Arc<Installed>, unix_ms: u64) {
        bump(&self.installs);
        self.last_reload_succeeded.store(true, Relaxed);
        self.last_install_s.store(unix_ms / 1_000, Relaxed);
        self.restated(installed);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.push_back((installed.generation().0, Arc::downgrade(&installed.plugins)));
        if generations.len() > SHOWN_GENERATIONS {
            generations.pop_front();
        }
    }

    /// A generation with the plugins of the one before.
    pub(crate) fn restated(&self, installed: &Arc<Installed>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::downgrade(installed);
    }

    pub(super) fn meters(&self) -> MutexGuard<'_, Meters> {
        self.meters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
