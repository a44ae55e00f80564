//! One instance of a plugin: a store of its own, configured, with its hooks loaded and its buffers made.

use crate::bindings::{fallback, lifecycle, normalise, rewrite, split};
use crate::component::{Component, HookSet};
use crate::edits::EditLog;
use crate::error::{Fault, LoadError};
use crate::limit::{Limits, MAX_LIFTED_BYTES};
use crate::manifest::Manifest;
use crate::said::{Said, printable};
use crate::view::Packed;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::{Store, Trap};

/// Longest time an instance may take to start and configure itself.
pub const START_DEADLINE: Duration = Duration::from_millis(250);

/// What the store of an instance holds on the host's side.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) limits: Limits,
    pub(crate) said: Said,
    pub(crate) edits: EditLog,
}

/// How to start an instance: all that those of one place have in common.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) component: Component,
    pub(crate) name: String,
    pub(crate) backends: Vec<String>,
    pub(crate) config: String,
    pub(crate) hooks: HookSet,
    pub(crate) memory_cap_bytes: usize,
    pub(crate) live: Arc<AtomicUsize>,
}

/// A plugin that can be called. The fields are apart so that a call can borrow several of them.
pub(crate) struct Instance {
    pub(crate) store: Store<Context>,
    pub(crate) packed: Packed,
    pub(crate) split: Option<split::Guest>,
    pub(crate) rewrite: Option<rewrite::Guest>,
    pub(crate) fallback: Option<fallback::Guest>,
    pub(crate) normalise: Option<normalise::Guest>,
    _live: Live,
}

/// Counts an instance for as long as it lives.
struct Live {
    place: Arc<AtomicUsize>,
    host: Arc<AtomicUsize>,
}

impl Live {
    fn begin(blueprint: &Blueprint) -> Self {
        let live =
            Self { place: blueprint.live.clone(), host: blueprint.component.host().live.clone() };
        live.place.fetch_add(1, Relaxed);
        live.host.fetch_add(1, Relaxed);
        live
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.place.fetch_sub(1, Relaxed);
        self.host.fetch_sub(1, Relaxed);
    }
}

/// The hooks that a place uses.
struct Hooks {
    split: Option<split::Guest>,
    rewrite: Option<rewrite::Guest>,
    fallback: Option<fallback::Guest>,
    normalise: Option<normalise::Guest>,
}

/// An instance that has said what it will touch; its buffers wait for the manifest to be checked.
pub(crate) struct Started {
    store: Store<Context>,
    hooks: Hooks,
    live: Live,
    pub(crate) declared: lifecycle::Manifest,
}

impl Started {
    /// Instantiates and configures.
    pub(crate) fn new(blueprint: &Blueprint) -> Result<Self, LoadError> {
        let component = &blueprint.component;
        let _running = component.host().running();
        let live = Live::begin(blueprint);
        let context = Context {
            limits: Limits::new(blueprint.memory_cap_bytes),
            said: Said::with_room(),
            edits: EditLog::new(0),
        };
        let mut store = Store::new(component.host().engine(), context);
        store.limiter(|context| &mut context.limits);
        store.set_hostcall_fuel(MAX_LIFTED_BYTES);
        store.set_epoch_deadline(component.host().ticks(START_DEADLINE));
        let instance = component.pre().instantiate(&mut store).map_err(|error| {
            let found = fault(&store, &error);
            let Fault::Trap(message) = found else { return LoadError::Start(found) };
            LoadError::Start(Fault::Start(message))
        })?;
        let exports = component.exports();
        let export = |error: wasmtime::Error| LoadError::Export(printable(&format!("{error:#}")));
        let lifecycle = exports.lifecycle.load(&mut store, &instance).map_err(export)?;
        let used = blueprint.hooks;
        let hooks = Hooks {
            split: load(used.split, exports.split.as_ref(), |indices| {
                indices.load(&mut store, &instance)
            })?,
            rewrite: load(used.rewrite, exports.rewrite.as_ref(), |indices| {
                indices.load(&mut store, &instance)
            })?,
            fallback: load(used.fallback, exports.fallback.as_ref(), |indices| {
                indices.load(&mut store, &instance)
            })?,
            normalise: load(used.normalise, exports.normalise.as_ref(), |indices| {
                indices.load(&mut store, &instance)
            })?,
        };
        let backends: Vec<&str> = blueprint.backends.iter().map(String::as_str).collect();
        let environment = lifecycle::Environment {
            name: &blueprint.name,
            backends: &backends,
            config: &blueprint.config,
        };
        store.set_epoch_deadline(component.host().ticks(START_DEADLINE));
        let answer = lifecycle.call_configure(&mut store, environment);
        let declared = match answer {
            Err(error) => return Err(LoadError::Start(fault(&store, &error))),
            Ok(Err(refusal)) => return Err(LoadError::Refused(printable(&refusal))),
            Ok(Ok(declared)) => declared,
        };
        if let Some(fault) = store.data().edits.fault() {
            return Err(LoadError::Start(fault));
        }
        Ok(Self { store, hooks, live, declared })
    }

    /// Makes the buffers.
    pub(crate) fn finish(mut self, manifest: &Manifest) -> Box<Instance> {
        self.store.data_mut().edits = EditLog::new(manifest.writes.len());
        let Hooks { split, rewrite, fallback, normalise } = self.hooks;
        Box::new(Instance {
            store: self.store,
            packed: Packed::with_room(manifest.reads.len()),
            split,
            rewrite,
            fallback,
            normalise,
            _live: self.live,
        })
    }
}

/// Loads a hook if the place uses it. Its types are checked here.
fn load<I, G>(
    used: bool,
    indices: Option<&I>,
    load: impl FnOnce(&I) -> wasmtime::Result<G>,
) -> Result<Option<G>, LoadError> {
    let Some(indices) = indices.filter(|_| used) else {
        return Ok(None);
    };
    load(indices).map(Some).map_err(|error| LoadError::Export(printable(&format!("{error:#}"))))
}

impl Instance {
    /// Before each call: forget the last one, and set the clock.
    pub(crate) fn begin(&mut self, ticks: u64) {
        let context = self.store.data_mut();
        context.said.clear();
        context.edits.close();
        self.store.set_epoch_deadline(ticks);
    }
}

/// What kind of failure an error of the engine is.
pub(crate) fn fault(store: &Store<Context>, error: &wasmtime::Error) -> Fault {
    let context = store.data();
    if context.limits.refused() {
        return Fault::Memory;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Fault::Deadline,
        Some(Trap::StackOverflow) => Fault::Trap("its stack overflowed".into()),
        // Most guests keep a second stack in their memory; below it is nothing.
        Some(Trap::MemoryOutOfBounds) => {
            Fault::Trap("it reached outside its memory, as a stack overflow does".into())
        }
        Some(trap) => {
            let said = context.said.line();
            Fault::Trap(said.map_or_else(|| trap.to_string(), str::to_owned))
        }
        None => Fault::Trap(printable(&error.root_cause().to_string())),
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}
