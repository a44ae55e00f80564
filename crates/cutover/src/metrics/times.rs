//! Times to a reply's header, finely counted: what latency is judged by.
//!
//! Buckets are powers of two in 64 equal parts, so that a value is known to 1.6 %. Recording is one addition; bars are
//! set and held against these buckets once a second, by whoever judges, and nothing on the path of a request knows them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Parts of a power of two.
const PARTS: usize = 64;
/// Below this many microseconds each has its own bucket.
const EXACT: u64 = PARTS as u64;
/// Powers of two above that: up to 67 s, beyond which everything is equally slow.
const POWERS: usize = 20;
const BUCKETS: usize = PARTS + POWERS * PARTS;

/// Counts by time.
#[derive(Debug)]
pub(crate) struct Times(Box<[AtomicU64]>);

impl Default for Times {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Times {
    /// One reply.
    pub(crate) fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[bucket(micros)].fetch_add(1, Relaxed);
    }

    /// All counts up to now; differences are what counts.
    pub(crate) fn read(&self) -> Reading {
        Reading(self.0.iter().map(|count| count.load(Relaxed)).collect())
    }
}

/// Counts at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading(Box<[u64]>);

impl Reading {
    /// What was counted after `earlier`: microseconds, each with how often.
    pub(crate) fn since<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = (u64, u64)> + 'a {
        let before = earlier.0.iter().copied().chain(std::iter::repeat(0));
        let counts = self.0.iter().zip(before).enumerate();
        counts
            .map(|(at, (now, before))| (highest(at), now.saturating_sub(before)))
            .filter(|(_, count)| *count > 0)
    }
}

fn bucket(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let power = micros.ilog2() - EXACT.ilog2();
    let part = (micros >> power) as usize - PARTS;
    (PARTS + power as usize * PARTS + part).min(BUCKETS - 1)
}

/// The largest time of a bucket.
fn highest(at: usize) -> u64 {
    if at < PARTS {
        return at as u64;
    }
    let (power, part) = ((at - PARTS) / PARTS, (at - PARTS) % PARTS);
    ((PARTS + part + 1) as u64) * (1 << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_bucket_that_ends_at_or_above_it_within_a_sixtieth() {
        for micros in (0..100_000).chain((0..26).map(|power| (1 << power) + 1)) {
            let end = highest(bucket(micros));
            assert!(end >= micros, "{micros} in a bucket that ends at {end}");
            assert!(end - micros <= micros / 60, "{micros} in a bucket that ends at {end}");
        }
        assert!((1..BUCKETS).all(|at| bucket(highest(at - 1) + 1) == at));
    }

    #[test]
    fn what_takes_for_ever_is_counted_in_the_last_bucket() {
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_reading_tells_what_came_after_another() {
        let times = Times::default();
        times.record(Duration::from_micros(7));
        let earlier = times.read();
        times.record(Duration::from_micros(7));
        times.record(Duration::from_millis(3));
        let (now, nothing) = (times.read(), Reading::default());
        assert_eq!(now.since(&earlier).collect::<Vec<_>>(), [(7, 1), (3_007, 1)]);
        assert_eq!(now.since(&nothing).collect::<Vec<_>>(), [(7, 2), (3_007, 1)]);
    }
}
