//! What is known of `old` alone, before anything is asked of `new`: that users reach it through
//! here, and that it answers them.
//!
//! No statistic uses it: `new` is held against what `old` does meanwhile, not against a day before.
//! It shows that there is something to hold it against.

use super::Counts;
use std::time::Duration;

/// Requests that `old` was asked while a migration was in `off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// What it is about; a baseline of something else counts for nothing.
    pub(super) about: u64,
    /// The first and the last look that found requests; both 0 if none did.
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    pub(super) requests: Counts,
}

impl Baseline {
    /// Requests since the last look, none of them too; bad: failed.
    pub(super) fn record(&mut self, about: u64, requests: Counts, now_ms: u64) {
        if about != self.about {
            *self = Self { about, ..Self::default() };
        }
        if requests.is_empty() {
            return;
        }
        if self.requests.is_empty() {
            self.first_ms = now_ms;
        }
        self.last_ms = now_ms;
        self.requests += requests;
    }

    /// What is it about?
    pub fn about(&self) -> u64 {
        self.about
    }

    /// Requests; bad: failed.
    pub fn requests(&self) -> Counts {
        self.requests
    }

    /// From the first request to the last: time without requests at the end shows nothing.
    pub fn span(&self) -> Duration {
        Duration::from_millis(self.last_ms.saturating_sub(self.first_ms))
    }
}

/// How `old` is now, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OldNow {
    /// Its addresses, if somebody knows them.
    pub reach: Option<Reach>,
    /// Requests of the last minute; bad: failed.
    pub lately: Counts,
    /// When it last answered one.
    pub answered_ms: Option<u64>,
}

/// How a backend can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Its addresses.
    pub addresses: u32,
    /// Those that are not left out.
    pub usable: u32,
    /// Those of them whose last health check was answered.
    pub healthy: u32,
}
