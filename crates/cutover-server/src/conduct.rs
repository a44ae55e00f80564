//! The conductor in this process: its store, its stage, and its second hand.

use crate::plane::Plane;
use crate::surroundings::Source;
use cutover::config::{Config, StateSettings};
use cutover::core::evidence::Reach;
use cutover::store::{Redb, Store, StoreError};
use cutover::{Clock, Conductor, Installed, Migration, Stage};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How often migrations are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Both halves of a generation follow a migration that moves.
impl Stage for Plane {
    fn current(&self) -> Arc<Installed> {
        self.engine().current()
    }

    fn restate(&self, restate: &mut dyn FnMut(&mut Migration)) {
        Self::restate(self, restate);
    }

    fn reach(&self, backend: &str) -> Option<Reach> {
        Self::reach(self, backend)
    }
}

/// Where the store is.
pub(crate) fn folder(source: &Source, state: &StateSettings) -> PathBuf {
    source.resolve(Path::new(&state.store))
}

/// Opens the store and reads where every migration stands. Moves nothing yet.
///
/// # Errors
/// If the store cannot be opened or read. Not to start is then the only safe thing: where users are is in there.
pub(crate) fn open(plane: &Arc<Plane>, folder: &Path) -> Result<Conductor, StoreError> {
    let store: Arc<dyn Store> = Arc::new(Redb::open(folder)?);
    let clock: Arc<dyn Clock> = Arc::clone(plane.engine().clock());
    Conductor::new(Arc::clone(plane) as Arc<dyn Stage>, store, clock)
}

/// Gives the store to the process that takes over, and takes it back if that one does not come up.
#[derive(Clone, Debug)]
pub struct Keeper {
    pub(crate) conductor: Arc<Conductor>,
    pub(crate) folder: PathBuf,
}

impl Keeper {
    /// Lets go of the store. Until it is taken back no migration moves here.
    ///
    /// # Errors
    /// If not everything could be written.
    pub fn release(&self) -> Result<(), StoreError> {
        self.conductor.close()
    }

    /// Takes the store back, with whatever the other process has done meanwhile.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn take_back(&self) -> Result<(), StoreError> {
        self.conductor.reopen(Arc::new(Redb::open(&self.folder)?))
    }
}

/// Ticks until dropped. A tick may wait for a disk, so it is done where that hurts nobody.
pub(crate) async fn keep_ticking(conductor: Arc<Conductor>) {
    let mut every = tokio::time::interval(EVERY);
    // Evidence is looked at once a second, not more often after a pause.
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let conductor = Arc::clone(&conductor);
        if let Err(panic) = tokio::task::spawn_blocking(move || conductor.tick()).await {
            tracing::error!("a look at the migrations failed: {panic}");
        }
    }
}

/// People are told at the start what they would otherwise find out at night.
pub(crate) fn announce(config: &Config, conductor: &Conductor) {
    for plan in &config.plans {
        if plan.first.is_some() && conductor.has_moved(&plan.migration) {
            tracing::info!(
                migration = plan.migration,
                "stands where the store says; read-percent is only its first state"
            );
        }
    }
}
