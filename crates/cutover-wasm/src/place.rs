//! Places: a component configured for one use, with its idle instances, its counters and its quarantine.

use crate::component::{Component, HookSet};
use crate::counts::{Counts, FaultCounters};
use crate::error::{Fault, LoadError};
use crate::host::MAX_MEMORY_BYTES;
use crate::instance::{Blueprint, Instance, Started};
use crate::manifest::Manifest;
use crate::quarantine::{Admission, Quarantine};
use crate::slots::Slots;
use crate::ticker::Awake;
use cutover_core::decide::OnError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How a component is used at one place.
#[derive(Clone, Debug)]
pub struct PlaceOptions {
    /// Name of the migration.
    pub name: String,
    /// What a backend index counts: in a migration `["old", "new"]`.
    pub backends: Vec<String>,
    /// The plugin's configuration, as JSON.
    pub config: String,
    /// Hooks that are expected of it; only these are loaded.
    pub hooks: HookSet,
    /// What happens when it fails. Kept here for the caller, who has to do it.
    pub on_error: OnError,
    /// Limit for one call.
    pub deadline: Duration,
    /// Limit for its linear memories together, in bytes.
    pub memory: usize,
    /// Instances.
    pub isolation: Isolation,
}

/// How instances are shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// One per worker, reused.
    #[default]
    Worker,
    /// A fresh one for each call.
    Request,
}

/// A plugin in use. Calls take `&self` from any number of threads and wait for nobody.
///
/// Dropping it drops every instance it has.
#[derive(Debug)]
pub struct Place {
    blueprint: Blueprint,
    manifest: Manifest,
    on_error: OnError,
    isolation: Isolation,
    ticks: u64,
    slots: Slots,
    faults: FaultCounters,
    quarantine: Quarantine,
    /// The first `now`; the quarantine counts from it.
    began: OnceLock<Instant>,
    _awake: Awake,
}

impl Component {
    /// Starts a first instance, lets it configure itself, and checks its manifest.
    ///
    /// # Errors
    /// It lacks a hook, refuses its configuration, fails, or declares what it may not.
    pub fn install(&self, options: PlaceOptions) -> Result<Place, LoadError> {
        let PlaceOptions { name, backends, config, hooks, on_error, deadline, memory, isolation } =
            options;
        if !hooks.is_subset(self.hooks()) {
            return Err(LoadError::MissingHook { wanted: hooks, found: self.hooks() });
        }
        let host = self.host();
        let blueprint = Blueprint {
            component: self.clone(),
            name,
            backends,
            config,
            hooks,
            memory_cap_bytes: memory.min(MAX_MEMORY_BYTES),
            live: Arc::new(AtomicUsize::new(0)),
        };
        let awake = host.awake(deadline);
        let first = Started::new(&blueprint)?;
        let manifest = Manifest::check(&first.declared).map_err(LoadError::Manifest)?;
        // The path of requests never calls this one.
        let beside = hooks == HookSet { normalise: true, ..HookSet::default() };
        let slots = Slots::new(host.workers, !beside);
        let first = first.finish(&manifest);
        if isolation == Isolation::Worker {
            slots.put(first);
        }
        Ok(Place {
            ticks: host.ticks(deadline),
            blueprint,
            manifest,
            on_error,
            isolation,
            slots,
            faults: FaultCounters::default(),
            quarantine: Quarantine::default(),
            began: OnceLock::new(),
            _awake: awake,
        })
    }
}

impl Place {
    /// What to do when a call fails.
    pub fn on_error(&self) -> OnError {
        self.on_error
    }

    /// What the plugin declared.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The hooks that are used here.
    pub fn hooks(&self) -> HookSet {
        self.blueprint.hooks
    }

    /// Names behind the backend indices.
    pub fn backends(&self) -> &[String] {
        &self.blueprint.backends
    }

    /// What has been counted so far.
    pub fn counts(&self) -> Counts {
        let faults = &self.faults;
        Counts {
            calls: self.slots.calls(),
            trap: faults.trap.load(Relaxed),
            deadline: faults.deadline.load(Relaxed),
            memory: faults.memory.load(Relaxed),
            bad_answer: faults.bad_answer.load(Relaxed),
            start: faults.start.load(Relaxed),
            quarantined: faults.quarantined.load(Relaxed),
            state: self.quarantine.state(),
            live: self.blueprint.live.load(Relaxed),
        }
    }

    /// One call: admitted, given an instance, judged. The instance is kept only if all went well.
    pub(crate) fn with_instance<R>(
        &self,
        now: Instant,
        call: impl FnOnce(&mut Instance, &Manifest) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let now_ms = self.millis(now);
        let admission = self.quarantine.admit(now_ms);
        let outcome = match admission {
            Admission::Refused => Err(Fault::Quarantined),
            Admission::Call | Admission::Probe => self.attempt(call),
        };
        match &outcome {
            Ok(_) => self.quarantine.succeeded(admission, now_ms),
            Err(fault) => {
                self.faults.count(fault.kind());
                // Neither says anything about the plugin's health.
                if !matches!(fault, Fault::Quarantined | Fault::NoHook) {
                    self.quarantine.failed(admission, now_ms);
                }
            }
        }
        outcome
    }

    fn attempt<R>(
        &self,
        call: impl FnOnce(&mut Instance, &Manifest) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        self.slots.count();
        let host = self.blueprint.component.host();
        let _running = host.running();
        let mut instance = match self.slots.take() {
            Some(idle) => idle,
            None => self.fresh()?,
        };
        instance.begin(self.ticks);
        let answer = call(&mut instance, &self.manifest)?;
        if self.isolation == Isolation::Worker {
            self.slots.put(instance);
        }
        Ok(answer)
    }

    /// A new instance, which must declare what the first one did.
    #[cold]
    fn fresh(&self) -> Result<Box<Instance>, Fault> {
        let started = Started::new(&self.blueprint).map_err(|error| {
            let LoadError::Start(fault) = error else { return Fault::Start(error.to_string()) };
            fault
        })?;
        match Manifest::check(&started.declared) {
            Ok(manifest) if manifest == self.manifest => Ok(started.finish(&self.manifest)),
            Ok(_) | Err(_) => Err(Fault::BadAnswer("a fresh instance gave another manifest")),
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        let began = *self.began.get_or_init(|| now);
        u64::try_from(now.saturating_duration_since(began).as_millis()).unwrap_or(u64::MAX >> 16)
    }
}
