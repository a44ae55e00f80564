//! What copies may cost at once: two numbers that only go up while they are below their limits.

use super::Shadow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Charged for each copy beside its bodies: headers and tasks.
pub(super) const COPY_BYTES: usize = 4 * 1024;

/// Adds to a number unless it would pass its limit.
pub(super) fn take(used: &AtomicUsize, amount: usize, limit: usize) -> bool {
    let more = |used: usize| used.checked_add(amount).filter(|sum| *sum <= limit);
    used.fetch_update(Relaxed, Relaxed, more).is_ok()
}

/// One copy in flight; given back when dropped.
pub(super) struct Permit(Arc<Shadow>);

impl Permit {
    pub(super) fn take(shadow: &Arc<Shadow>, limit: usize) -> Option<Self> {
        take(&shadow.in_flight, 1, limit).then(|| Self(Arc::clone(shadow)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// Bytes that are held for a copy; given back when dropped. What is kept of a request or a reply is charged here first.
pub struct Hold {
    shadow: Arc<Shadow>,
    bytes: usize,
    limit: usize,
}

impl Hold {
    pub(super) fn none(shadow: &Arc<Shadow>, limit: usize) -> Self {
        Self { shadow: Arc::clone(shadow), bytes: 0, limit }
    }

    /// Charges more. `false`: there is no room, and nothing was charged.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let may = take(&self.shadow.memory, bytes, self.limit);
        self.bytes += if may { bytes } else { 0 };
        may
    }

    /// Bytes that are charged.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shadow.memory.fetch_sub(self.bytes, Relaxed);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
