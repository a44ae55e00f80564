//! A histogram of durations in plain atomics: recording takes two additions and neither lock nor allocation.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds for exchanges, in microseconds.
///
/// Each is at most 1.5 times the one before, up to a second: a quantile read between two of them is then off by half at
/// most, where the usual steps of 2 and 2.5 hide a service that has become twice as slow (decision 0027).
pub(crate) const REQUEST_BOUNDS_US: &[u64] = &[
    250, 350, 500, 700, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 7_000, 10_000, 15_000, 20_000,
    30_000, 40_000, 50_000, 70_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000, 700_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000,
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

/// Times that a share of what was recorded stayed below, in milliseconds; `None` of nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Quantiles {
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
}

impl Reading {
    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles { p50_ms: self.quantile_ms(0.5), p99_ms: self.quantile_ms(0.99) }
    }

    /// As if what lies in a bucket were spread evenly over it. What is above the last bound counts as that bound.
    fn quantile_ms(&self, share: f64) -> Option<f64> {
        let mut wanted = share * self.count as f64;
        let mut below_s = 0.0;
        for &(bound_s, count) in &self.buckets {
            if count > 0 && wanted <= count as f64 && bound_s.is_finite() {
                return Some(1e3 * (below_s + (bound_s - below_s) * wanted / count as f64));
            }
            wanted -= count as f64;
            if bound_s.is_finite() {
                below_s = bound_s;
            }
        }
        (self.count > 0).then_some(1e3 * below_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(took_ms: impl IntoIterator<Item = u64>) -> Quantiles {
        let histogram = Histogram::new(REQUEST_BOUNDS_US);
        took_ms.into_iter().for_each(|ms| histogram.record(Duration::from_millis(ms)));
        histogram.read().quantiles()
    }

    #[test]
    fn no_step_hides_a_service_that_became_half_as_slow_again() {
        let upto_a_second = REQUEST_BOUNDS_US.iter().filter(|bound| **bound <= 1_000_000);
        let bounds: Vec<_> = upto_a_second.collect();
        for pair in bounds.windows(2) {
            assert!(pair[0] < pair[1] && *pair[1] * 2 <= *pair[0] * 3, "{pair:?}");
        }
    }

    #[test]
    fn quantiles_lie_in_the_bucket_of_what_they_stand_for() {
        assert_eq!(quantiles([]), Quantiles::default());
        let many = quantiles((0..90).map(|_| 2).chain((0..10).map(|_| 400)));
        // 2 ms lies between 1.5 and 2 ms, 400 ms between 300 and 400 ms.
        assert!(many.p50_ms.is_some_and(|ms| (1.5..=2.0).contains(&ms)), "{many:?}");
        assert!(many.p99_ms.is_some_and(|ms| (300.0..=400.0).contains(&ms)), "{many:?}");
        let slow = quantiles([60_000, 70_000]);
        assert_eq!(slow, Quantiles { p50_ms: Some(10_000.0), p99_ms: Some(10_000.0) });
    }
}
