//! What is known of a migration's mirror, whatever generation is in force: counters that everybody may read, and what
//! was found, behind one lock that only the mirror's own threads and people's questions take.

use super::class::RouteClassCount;
use super::ledger::Ledger;
use super::words::*;
use crate::metrics::{Histogram, REQUEST_BOUNDS_US, Times, bump};
use crate::{Clock, Side};
use cutover_core::compare::{Group, GroupKey, Suggestion};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What became of the copies of one migration, and what comparing them has shown. Survives reloads.
pub struct Shadow {
    pub(super) clock: Arc<dyn Clock>,
    /// Numbers the exchanges that may be picked.
    pub(super) turn: AtomicU64,
    pub(crate) picked: AtomicU64,
    pub(crate) shed: [AtomicU64; SHEDS.len()],
    /// By the side that was asked, then by how it ended.
    pub(crate) ended: [[AtomicU64; CLASSES.len()]; 2],
    pub(crate) results: [AtomicU64; RESULTS.len()],
    /// By the side that was asked: time to the header of its reply.
    pub(crate) headers: [Histogram; 2],
    /// The same, finely counted: what latency is judged by.
    pub(crate) times: [Times; 2],
    /// Copies.
    pub(crate) in_flight: AtomicUsize,
    /// Bytes.
    pub(crate) memory: AtomicUsize,
    /// Differences that wait to be asked about again.
    pub(crate) doubts: AtomicUsize,
    epoch: AtomicU64,
    ledger: Mutex<Ledger>,
}

/// Counts since the process began; they only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowCounts {
    /// Exchanges picked to be copied.
    pub picked: u64,
    /// Those of them that were not sent, or given up.
    pub shed: u64,
    /// Copies that `new` was sent and that have ended, whatever way.
    pub new_replies: u64,
    /// Those of them that failed: 5xx, time limit, no connection, broken.
    pub new_failures: u64,
    /// The same for `old`.
    pub old_replies: u64,
    /// The same for `old`.
    pub old_failures: u64,
    /// Comparisons that came to an answer: replies that matched, at once or the second time, and those that did not.
    pub compared: u64,
    /// Those of them that differed twice.
    pub mismatched: u64,
}

impl Shadow {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            turn: AtomicU64::new(0),
            picked: AtomicU64::new(0),
            shed: Default::default(),
            ended: Default::default(),
            results: Default::default(),
            headers: std::array::from_fn(|_| Histogram::new(REQUEST_BOUNDS_US)),
            times: Default::default(),
            in_flight: AtomicUsize::new(0),
            memory: AtomicUsize::new(0),
            doubts: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            ledger: Mutex::default(),
        }
    }

    /// What happened so far.
    pub fn counts(&self) -> ShadowCounts {
        let sum = |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Relaxed)).sum();
        let [old, new] = &self.ended;
        let result = |at: usize| self.results[at].load(Relaxed);
        let mismatched = result(MISMATCH);
        ShadowCounts {
            picked: self.picked.load(Relaxed),
            shed: sum(&self.shed),
            new_replies: sum(new),
            new_failures: sum(&new[FIRST_FAILURE..]),
            old_replies: sum(old),
            old_failures: sum(&old[FIRST_FAILURE..]),
            compared: result(MATCH) + mismatched + result(TRANSIENT),
            mismatched,
        }
    }

    /// Copies in flight now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// Bytes held now.
    pub fn memory(&self) -> usize {
        self.memory.load(Relaxed)
    }

    /// Classes of requests that were compared since the last restart, by name.
    pub fn compared_classes(&self) -> Vec<RouteClassCount> {
        let ledger = self.ledger();
        let classes = ledger.classes.iter();
        classes
            .map(|(name, compared)| RouteClassCount { name: name.clone(), compared: *compared })
            .collect()
    }

    /// Mismatches since the last restart, by route, field and kind, the most frequent first; redacted.
    pub fn differences(&self) -> Vec<(GroupKey, Group)> {
        let mut ledger = self.ledger();
        ledger.samples.expire(self.clock.unix_ms());
        let groups = ledger.samples.by_count().into_iter();
        groups.map(|(key, group)| (key.clone(), group.clone())).collect()
    }

    /// Rules to consider, because `old` disagrees with itself where they would look away. Never applied by themselves.
    pub fn suggestions(&self) -> Vec<Suggestion> {
        self.ledger().noise.suggestions()
    }

    /// The evidence begins anew: what was found is forgotten, and what is still under way will not count. Counters go on.
    pub fn restart(&self) {
        let mut ledger = self.ledger();
        self.epoch.fetch_add(1, Relaxed);
        *ledger = Ledger::default();
    }

    /// The header of a copy's reply came after this time. First attempts only, as there are no others.
    pub(super) fn header_came(&self, side: Side, after: Duration) {
        self.headers[side as usize].record(after);
        self.times[side as usize].record(after);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    pub(super) fn shed(&self, why: Shed) {
        bump(&self.shed[why as usize]);
    }

    pub(super) fn skipped(&self, why: Skipped) {
        bump(&self.results[SKIPPED + why as usize]);
    }

    /// Counts an answer of a comparison that began in an epoch, and notes what it showed; not if the evidence began anew
    /// meanwhile.
    pub(super) fn note(&self, epoch: u64, result: usize, write: impl FnOnce(&mut Ledger, u64)) {
        let mut ledger = self.ledger();
        // Under the lock, or a restart could come in between.
        if self.epoch() != epoch {
            return self.skipped(Skipped::Restarted);
        }
        bump(&self.results[result]);
        write(&mut ledger, self.clock.unix_ms());
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
