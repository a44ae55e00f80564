//! The last minute: counters as they were at its beginning, so that a fault shows as soon as it is there, and does not
//! drown in what went well before.

use super::{Counted, FINE, Point};
use std::collections::VecDeque;
use std::time::Duration;

/// Time between two marks.
const EVERY: Duration = Duration::from_secs(10);
/// Marks that are kept. The oldest is a minute old, and less than one more [`EVERY`].
const MOST: usize = 7;

/// Counters of the last minute, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Minute(VecDeque<(u64, Counted)>);

impl Minute {
    /// Sets a mark, if it is time.
    pub(super) fn mark(&mut self, counted: &impl Fn() -> Counted, now_ms: u64) {
        // Half of the finest step early is still in time, as for the lanes.
        let pause = (EVERY - FINE / 2).as_millis() as u64;
        if self.0.back().is_some_and(|(at, _)| now_ms < at + pause) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((now_ms, counted()));
    }

    /// What has happened since the oldest mark, and how long that is.
    pub(super) fn until(&self, now: &Counted, now_ms: u64) -> Option<(Duration, Point)> {
        let (at, before) = self.0.front()?;
        let over = Duration::from_millis(now_ms.saturating_sub(*at));
        Some((over, Point { end_ms: now_ms, ..now.since(before) }))
    }
}
