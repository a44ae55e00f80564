//! A histogram of durations in plain atomics: recording takes two additions and neither lock nor allocation.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds for exchanges, in microseconds.
pub(crate) const REQUEST_BOUNDS_US: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// Upper bounds for plugin calls, in microseconds.
pub(crate) const CALL_BOUNDS_US: &[u64] =
    &[1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

#[derive(Debug)]
pub(crate) struct Histogram {
    bounds_us: &'static [u64],
    /// One more than bounds; not cumulative.
    slots: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
}

impl Histogram {
    pub(crate) fn new(bounds_us: &'static [u64]) -> Self {
        let slots = (0..=bounds_us.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds_us, slots, sum_ns: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let at = self.bounds_us.partition_point(|bound| bound * 1_000 < ns);
        self.slots[at].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    pub(crate) fn read(&self) -> Reading {
        let counts = self.slots.iter().map(|slot| slot.load(Relaxed));
        let bounds = self.bounds_us.iter().map(|&us| us as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counts).collect();
        Reading {
            sum_s: self.sum_ns.load(Relaxed) as f64 / 1e9,
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

/// A histogram at one moment: upper bound in seconds, and count of what lies between it and the bound before.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) sum_s: f64,
    pub(crate) count: u64,
    pub(crate) buckets: Vec<(f64, u64)>,
}
