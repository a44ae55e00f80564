//! A mismatch is held and asked once more before it counts: replication lags, and caches and users
//! move between two requests.

use super::Comparison;
use super::difference::{Difference, Differences};

/// A mismatch that has been seen once. The engine asks both sides once more, and hands the second
/// comparison to [`Held::settle`]; nothing else turns a mismatch into one that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    first: Differences,
    since_ms: u64,
}

/// What became of a held mismatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The second time the replies matched.
    Transient,
    /// They differed again.
    Settled(Settled),
    /// The second time a side failed, so nobody knows: neither a match nor a mismatch.
    Unresolved,
}

/// A mismatch that counts: it was there twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    differences: Differences,
}

impl Held {
    /// Holds a mismatch. `now_ms` is any clock the engine keeps to.
    pub fn new(first: Differences, now_ms: u64) -> Self {
        Self { first, since_ms: now_ms }
    }

    /// What differed the first time.
    pub fn first(&self) -> &Differences {
        &self.first
    }

    /// Since when it is held.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// Is it time to ask again?
    pub fn is_due(&self, wait_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.since_ms) >= wait_ms
    }

    /// Takes the second comparison. Of two that differ, what differs both times counts; if nothing
    /// does, all of the second, because the replies have not agreed once.
    pub fn settle(self, again: Comparison) -> Settlement {
        let second = match again {
            Comparison::Match => return Settlement::Transient,
            Comparison::Failed { .. } => return Settlement::Unresolved,
            Comparison::Differs(second) => second,
        };
        let both = |difference: &Difference| {
            self.first.iter().any(|first| {
                first.kind == difference.kind && first.place.path() == difference.place.path()
            })
        };
        let lasting: Vec<Difference> =
            second.iter().filter(|difference| both(difference)).cloned().collect();
        let differences = if lasting.is_empty() {
            second
        } else {
            Differences { kept: lasting, more: second.more }
        };
        Settlement::Settled(Settled { differences })
    }
}

impl Settled {
    /// What differs.
    pub fn differences(&self) -> &Differences {
        &self.differences
    }
}
