//! Idle instances, one slot per worker, taken and put back by an atomic swap.
//!
//! A generation owns its slots, so dropping it drops every instance, also those of workers that sleep. Nothing here
//! locks. A worker that finds its slot empty (its first call, or two threads on one slot) looks at the others before
//! a fresh instance is made for it, so there are never more instances than calls at once plus idle slots.

use crate::instance::Instance;
use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

const _: () = assert!(AtomicCell::<Option<Box<Instance>>>::is_lock_free());

pub(crate) struct Slots {
    slots: Box<[CachePadded<Slot>]>,
    /// Do workers have numbers here? Where other threads call too, a number for each would lead workers of other places
    /// to each other's slots.
    numbered: bool,
}

/// On a cache line of its own, because each belongs to one worker.
#[derive(Default)]
struct Slot {
    idle: AtomicCell<Option<Box<Instance>>>,
    calls: AtomicU64,
}

impl Slots {
    pub(crate) fn new(workers: usize, numbered: bool) -> Self {
        let slots = (0..workers.max(1)).map(|_| CachePadded::default()).collect();
        Self { slots, numbered }
    }

    /// Counts a call of this worker.
    pub(crate) fn count(&self) {
        self.slots[self.own()].calls.fetch_add(1, Relaxed);
    }

    /// Calls of all workers.
    pub(crate) fn calls(&self) -> u64 {
        self.slots.iter().map(|slot| slot.calls.load(Relaxed)).sum()
    }

    /// An idle instance, this worker's own if it is there.
    pub(crate) fn take(&self) -> Option<Box<Instance>> {
        self.all().find_map(|slot| slot.idle.take())
    }

    /// Puts an instance back where this worker finds it next. More than there are slots are dropped.
    pub(crate) fn put(&self, instance: Box<Instance>) {
        let mut surplus = Some(instance);
        for slot in self.all() {
            surplus = slot.idle.swap(surplus);
            if surplus.is_none() {
                return;
            }
        }
    }

    /// All slots, this worker's first.
    fn all(&self) -> impl Iterator<Item = &Slot> {
        let (before, from) = self.slots.split_at(self.own());
        from.iter().chain(before).map(|slot| &**slot)
    }

    fn own(&self) -> usize {
        if self.numbered { worker() % self.slots.len() } else { 0 }
    }
}

/// A number of the calling thread, dense from 0 in the order in which threads first call a plugin.
pub(crate) fn worker() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static WORKER: usize = NEXT.fetch_add(1, Relaxed);
    }
    WORKER.with(|worker| *worker)
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots").field("len", &self.slots.len()).finish_non_exhaustive()
    }
}
