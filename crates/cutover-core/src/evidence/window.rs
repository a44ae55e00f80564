//! Counts of the last while: a ring of slots of equal length.

use super::Counts;
use std::ops::Add;

/// The last hour, in slots of five minutes; up to five minutes more, because the present slot has
/// only begun.
pub type Hour = Window<13, 300_000>;
/// The last five seconds, in slots of one.
pub type FiveSeconds = Window<5, 1_000>;

/// Counts of the last `SLOTS` slots of `SLOT_MS` milliseconds, the present one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<const SLOTS: usize, const SLOT_MS: u64> {
    /// The number of the newest slot, since the beginning of the clock.
    newest: u64,
    /// The slot of number `s` lies at `s % SLOTS`.
    slots: [Counts; SLOTS],
}

impl<const SLOTS: usize, const SLOT_MS: u64> Default for Window<SLOTS, SLOT_MS> {
    fn default() -> Self {
        Self { newest: 0, slots: [Counts::NONE; SLOTS] }
    }
}

impl<const SLOTS: usize, const SLOT_MS: u64> Window<SLOTS, SLOT_MS> {
    /// A window as it was stored.
    pub fn from_parts(newest: u64, slots: [Counts; SLOTS]) -> Self {
        Self { newest, slots }
    }

    /// The number of the newest slot, and the slots: the one of number `s` lies at `s % SLOTS`.
    pub fn parts(&self) -> (u64, [Counts; SLOTS]) {
        (self.newest, self.slots)
    }

    /// Adds a batch. A clock that was put back a little counts into the newest slot; one that was
    /// put back by more than the window empties it.
    pub fn record(&mut self, batch: Counts, now_ms: u64) {
        *self = self.at(now_ms);
        self.slots[Self::place(self.newest)] += batch;
    }

    /// What was counted within the window that ends now.
    pub fn total(&self, now_ms: u64) -> Counts {
        self.at(now_ms).slots.into_iter().fold(Counts::NONE, Counts::add)
    }

    /// Observations per second, over the present slot and the one before; not before `since_ms`.
    pub fn per_second(&self, now_ms: u64, since_ms: u64) -> f64 {
        let at = self.at(now_ms);
        let before = at.newest.saturating_sub(1);
        let (now, begin) = (at.slots[Self::place(at.newest)], at.slots[Self::place(before)]);
        let both = if before == at.newest { now } else { now + begin };
        let from_ms = before.saturating_mul(SLOT_MS).max(since_ms);
        // Less than a second says too little about a rate.
        let span_ms = now_ms.saturating_sub(from_ms).max(1_000);
        both.n() as f64 * 1_000.0 / span_ms as f64
    }

    /// The window with its slots moved on to now.
    fn at(&self, now_ms: u64) -> Self {
        let slot = now_ms / SLOT_MS;
        let mut moved = *self;
        if slot.abs_diff(self.newest) >= SLOTS as u64 {
            moved = Self { newest: slot, ..Self::default() };
        }
        while moved.newest < slot {
            moved.newest += 1;
            moved.slots[Self::place(moved.newest)] = Counts::NONE;
        }
        moved
    }

    fn place(slot: u64) -> usize {
        (slot % SLOTS as u64) as usize
    }
}
