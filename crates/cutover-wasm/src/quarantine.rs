//! Quarantine: a plugin that fails again and again is left alone for a while, then tried by one call.
//!
//! A pure state machine on atomics. Time comes in as milliseconds; nothing here reads a clock, waits or locks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// This many faults within [`FAULT_WINDOW_MS`] quarantine a plugin.
pub const FAULTS_TO_QUARANTINE: u64 = 5;

/// The window starts with the first fault after the last one ended.
pub const FAULT_WINDOW_MS: u64 = 10_000;

/// Length of the first quarantine; each one that follows soon is twice as long.
pub const BACKOFF_FIRST_MS: u64 = 1_000;

/// Length of the longest quarantine.
pub const BACKOFF_LAST_MS: u64 = 60_000;

/// A quarantine that begins within this time after the last one ended is a continuation: its backoff doubles.
pub const RELAPSE_MS: u64 = 60_000;

/// A probe that has not come back after this time is taken for lost, and another call may try.
const PROBE_LOST_MS: u64 = 5_000;

/// Whether a place is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuarantineState {
    /// Every call reaches the plugin.
    Serving,
    /// No call does.
    Quarantined,
    /// One call is finding out whether it works again.
    Probing,
}

impl QuarantineState {
    /// The name used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Quarantined => "quarantined",
            Self::Probing => "probing",
        }
    }
}

/// What one call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Call,
    /// Goes ahead alone; its outcome decides.
    Probe,
    Refused,
}

#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    /// A packed [`Word`].
    word: AtomicU64,
    /// Start of the fault window in milliseconds, shifted by [`COUNT_BITS`], and the faults in it.
    window: AtomicU64,
}

const COUNT_BITS: u32 = 8;

/// One consistent reading: the state, how many quarantines in a row, and a time whose meaning depends on
/// the state: end of relapse (serving), end of quarantine, or when the probe counts as lost.
#[derive(Clone, Copy)]
struct Word {
    state: QuarantineState,
    streak: u64,
    until_ms: u64,
}

impl Word {
    fn unpack(packed: u64) -> Self {
        let state = match packed & 0b11 {
            0 => QuarantineState::Serving,
            1 => QuarantineState::Quarantined,
            _ => QuarantineState::Probing,
        };
        Self { state, streak: (packed >> 2) & 0xff, until_ms: packed >> 10 }
    }

    fn pack(self) -> u64 {
        let state = match self.state {
            QuarantineState::Serving => 0,
            QuarantineState::Quarantined => 1,
            QuarantineState::Probing => 2,
        };
        state | self.streak.min(0xff) << 2 | self.until_ms << 10
    }

    /// Quarantined from now on, for one step longer than the last time.
    fn quarantined(streak: u64, now_ms: u64) -> Self {
        let backoff = BACKOFF_FIRST_MS.saturating_mul(1 << streak.min(32)).min(BACKOFF_LAST_MS);
        let until_ms = now_ms + backoff;
        Self { state: QuarantineState::Quarantined, streak: streak + 1, until_ms }
    }
}

impl Quarantine {
    /// Before a call. On the path of every request: one load while the plugin is well.
    pub(crate) fn admit(&self, now_ms: u64) -> Admission {
        let packed = self.word.load(Relaxed);
        let word = Word::unpack(packed);
        if word.state == QuarantineState::Serving {
            return Admission::Call;
        }
        if now_ms < word.until_ms {
            return Admission::Refused;
        }
        let until_ms = now_ms + PROBE_LOST_MS;
        let probing = Word { state: QuarantineState::Probing, until_ms, ..word };
        match self.word.compare_exchange(packed, probing.pack(), Relaxed, Relaxed) {
            Ok(_) => Admission::Probe,
            Err(_) => Admission::Refused,
        }
    }

    /// After a call that went well.
    pub(crate) fn succeeded(&self, admission: Admission, now_ms: u64) {
        if admission != Admission::Probe {
            return;
        }
        let packed = self.word.load(Relaxed);
        let word = Word::unpack(packed);
        if word.state == QuarantineState::Probing {
            let until_ms = now_ms + RELAPSE_MS;
            let serving = Word { state: QuarantineState::Serving, until_ms, ..word };
            self.window.store(0, Relaxed);
            let _ = self.word.compare_exchange(packed, serving.pack(), Relaxed, Relaxed);
        }
    }

    /// After a call that failed.
    pub(crate) fn failed(&self, admission: Admission, now_ms: u64) {
        let packed = self.word.load(Relaxed);
        let word = Word::unpack(packed);
        let next = match (word.state, admission) {
            (QuarantineState::Probing, Admission::Probe) => Word::quarantined(word.streak, now_ms),
            (QuarantineState::Serving, Admission::Call | Admission::Probe) => {
                if self.count_fault(now_ms) < FAULTS_TO_QUARANTINE {
                    return;
                }
                let streak = if now_ms < word.until_ms { word.streak } else { 0 };
                Word::quarantined(streak, now_ms)
            }
            // Late news from a call that began before the quarantine did.
            (QuarantineState::Quarantined | QuarantineState::Probing, _)
            | (QuarantineState::Serving, Admission::Refused) => return,
        };
        let _ = self.word.compare_exchange(packed, next.pack(), Relaxed, Relaxed);
    }

    /// What the place is at now.
    pub(crate) fn state(&self) -> QuarantineState {
        Word::unpack(self.word.load(Relaxed)).state
    }

    /// Counts one more fault; gives the number in the window.
    fn count_fault(&self, now_ms: u64) -> u64 {
        let mask = (1 << COUNT_BITS) - 1;
        let step = |packed: u64| {
            let (start_ms, count) = (packed >> COUNT_BITS, packed & mask);
            if count == 0 || now_ms.saturating_sub(start_ms) >= FAULT_WINDOW_MS {
                now_ms << COUNT_BITS | 1
            } else {
                start_ms << COUNT_BITS | (count + 1).min(mask)
            }
        };
        let before = self
            .window
            .fetch_update(Relaxed, Relaxed, |packed| Some(step(packed)))
            .unwrap_or_else(|unchanged| unchanged);
        step(before) & mask
    }
}

#[cfg(test)]
mod tests;
