//! The hard stop beside the statistics: half of the requests of the last five seconds failed, and
//! there were at least twenty.

use super::Counts;
use super::window::FiveSeconds;

/// Requests below which it never trips.
pub const HARD_STOP_REQUESTS: u64 = 20;

/// Watches the last five seconds; once tripped it remembers what it saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardStop {
    pub(super) recent: FiveSeconds,
    pub(super) tripped: Option<Counts>,
}

impl HardStop {
    /// A batch of requests, bad if they failed.
    pub(super) fn record(&mut self, batch: Counts, now_ms: u64) {
        self.recent.record(batch, now_ms);
        let seen = self.recent.total(now_ms);
        let half = seen.bad() >= seen.good();
        if self.tripped.is_none() && seen.n() >= HARD_STOP_REQUESTS && half {
            self.tripped = Some(seen);
        }
    }

    /// What it saw when it tripped.
    pub fn tripped(&self) -> Option<Counts> {
        self.tripped
    }
}
