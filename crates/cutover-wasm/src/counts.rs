//! Counters of one place.

use crate::error::FaultKind;
use crate::quarantine::QuarantineState;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a place has counted, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls that reached an instance, or tried to start one.
    pub calls: u64,
    /// Crashes.
    pub trap: u64,
    /// Deadlines exceeded.
    pub deadline: u64,
    /// Memory caps exceeded.
    pub memory: u64,
    /// Bad answers.
    pub bad_answer: u64,
    /// Instances that did not start.
    pub start: u64,
    /// Calls that were refused because of quarantine.
    pub quarantined: u64,
    /// Whether calls reach the plugin.
    pub state: QuarantineState,
    /// Instances alive, in use or idle.
    pub live: usize,
}

/// The faults among them. Written on failure only, so they may share a cache line.
#[derive(Debug, Default)]
pub(crate) struct FaultCounters {
    pub(crate) trap: AtomicU64,
    pub(crate) deadline: AtomicU64,
    pub(crate) memory: AtomicU64,
    pub(crate) bad_answer: AtomicU64,
    pub(crate) start: AtomicU64,
    pub(crate) quarantined: AtomicU64,
}

impl FaultCounters {
    pub(crate) fn count(&self, kind: FaultKind) {
        let counter = match kind {
            FaultKind::Trap => &self.trap,
            FaultKind::Deadline => &self.deadline,
            FaultKind::Memory => &self.memory,
            FaultKind::BadAnswer => &self.bad_answer,
            FaultKind::Start => &self.start,
            FaultKind::Quarantined => &self.quarantined,
            // A mistake of the caller, not of the plugin.
            FaultKind::NoHook => return,
        };
        counter.fetch_add(1, Relaxed);
    }
}
