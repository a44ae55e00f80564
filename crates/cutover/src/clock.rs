//! The only place that reads the time. Everything else takes it as an argument.

use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the time. Asked twice per exchange (begin and finish), and once more per failure or plugin call.
pub trait Clock: fmt::Debug + Send + Sync {
    /// A time that never goes back.
    fn now(&self) -> Instant;
    /// Unix time in milliseconds, for [`RequestView::now_ms`](crate::RequestView::now_ms).
    fn unix_ms(&self) -> u64;
    /// Unix time in nanoseconds, for traces; a clock that knows it better than to the millisecond says so.
    fn unix_ns(&self) -> u64 {
        self.unix_ms().saturating_mul(1_000_000)
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else asks")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else asks")]
    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else asks")]
    fn unix_ns(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}
