//! The breaker of one migration: when `new` fails too often, the whole cohort reads from `old` for a while.
//!
//! # When it opens
//! Over a sliding window of 10 s, and never before the 20th failure:
//! - **the budget is spent**: fallbacks reach the configured share (10 %) of *all* the migration's requests, whichever
//!   side they went to. This bounds what `old` has to bear on top of its own work;
//! - or **`new` is down**: at least half of the attempts to read from `new` failed. A small canary never spends a
//!   budget that is counted over all requests; its users should not wait for a dead side all the same.
//!
//! The request that spends the budget is still answered by `old`, as a fallback.
//!
//! # What counts
//! Failures of reads on `new` for a declared cause, whether or not they could be sent again (a streaming body cannot).
//! Failed writes do not: an open breaker moves reads only, so it could not help them, and reads that work must not
//! move because writes fail. They are errors of `new` in the metrics all the same.
//!
//! # How it closes
//! After 5 s one read is let through to `new` as a probe; all others stay with `old` until it has an answer. A good
//! one closes the breaker and forgets the failures; a bad one doubles the wait, up to 60 s; a probe whose client left
//! says nothing, and the next read is the next probe.
//!
//! # How
//! Atomics only. Each counter of the window is ten slots of a second, a slot being one word of second and count; the
//! state is one word too, changed by compare-and-swap. Time comes in as an argument. Counts are exact but for a handful
//! around the turn of a slot, which no decision needs.

use cutover_core::Percent;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Failures below which a breaker never opens.
const FLOOR: u64 = 20;
/// Seconds, and slots, of the window.
const WINDOW_S: usize = 10;
/// Time from opening to the first probe.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Longest time between two probes.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Reads of the cohort go to `new`.
    Closed,
    /// One read tries `new`; the others are served by `old`.
    HalfOpen,
    /// The cohort's reads are served by `old`.
    Open,
}

impl BreakerState {
    /// `closed`, `half-open` or `open`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// The breaker of one migration.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// Times are kept relative to this.
    base: Instant,
    gate: AtomicU64,
    /// Requests of the migration, both sides.
    requests: Window,
    /// Attempts to read from `new`; a read may take several.
    attempts: Window,
    /// Those that failed.
    failures: Window,
    /// Those of them that `old` answered.
    fallbacks: Window,
}

/// Who serves a read of the cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    New,
    /// `new`, and the outcome must be told with this.
    Probe(Probe),
    Old,
}

/// The right, and duty, to tell how a probe went. Void once the breaker has moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    opening: u16,
}

/// A state that was just entered, worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Opened,
    StaysOpen,
    Closed,
}

impl Breaker {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            base: now,
            gate: AtomicU64::new(Gate::CLOSED.pack()),
            requests: Window::default(),
            attempts: Window::default(),
            failures: Window::default(),
            fallbacks: Window::default(),
        }
    }

    /// Counts a request of the migration, whichever side it goes to.
    pub(crate) fn request(&self, now: Instant) {
        self.requests.add(self.second(now));
    }

    /// A read of the cohort: may it go to `new`?
    pub(crate) fn admit(&self, may_probe: bool, now: Instant) -> Admission {
        let word = self.gate.load(Ordering::Acquire);
        let gate = Gate::unpack(word);
        match gate.state {
            BreakerState::Closed => {
                self.attempts.add(self.second(now));
                Admission::New
            }
            BreakerState::Open if may_probe && self.ms(now) >= gate.until_ms => {
                let half_open = Gate { state: BreakerState::HalfOpen, ..gate };
                if self.turn(word, half_open) {
                    Admission::Probe(Probe { opening: gate.opening })
                } else {
                    Admission::Old
                }
            }
            BreakerState::Open | BreakerState::HalfOpen => Admission::Old,
        }
    }

    /// A read that failed on `new` tries it once more.
    pub(crate) fn tries_again(&self, now: Instant) {
        self.attempts.add(self.second(now));
    }

    /// A read failed on `new`; `fell_back` if `old` is to answer it.
    pub(crate) fn failed(
        &self,
        fell_back: bool,
        probe: Option<Probe>,
        budget: Percent,
        now: Instant,
    ) -> Option<Turn> {
        let second = self.second(now);
        self.failures.add(second);
        if fell_back {
            self.fallbacks.add(second);
        }
        if let Some(probe) = probe {
            return self.probe_failed(probe, now);
        }
        let word = self.gate.load(Ordering::Acquire);
        let gate = Gate::unpack(word);
        let trips = gate.state == BreakerState::Closed && self.is_spent(budget, second);
        let open = gate.opened(0, self.ms(now));
        (trips && self.turn(word, open)).then_some(Turn::Opened)
    }

    /// The probe was answered well.
    pub(crate) fn probe_succeeded(&self, probe: Probe) -> Option<Turn> {
        let (word, gate) = self.probing(probe)?;
        let closed = Gate { opening: gate.opening, ..Gate::CLOSED };
        // Forgotten before the gate opens, so that nobody judges new reads by old failures.
        self.attempts.clear();
        self.failures.clear();
        self.fallbacks.clear();
        self.turn(word, closed).then_some(Turn::Closed)
    }

    /// The probe ended without saying anything about `new`.
    pub(crate) fn probe_abandoned(&self, probe: Probe, now: Instant) {
        if let Some((word, gate)) = self.probing(probe) {
            let until_ms = self.ms(now);
            self.turn(word, Gate { state: BreakerState::Open, until_ms, ..gate });
        }
    }

    pub(crate) fn state(&self) -> BreakerState {
        Gate::unpack(self.gate.load(Ordering::Acquire)).state
    }

    fn probe_failed(&self, probe: Probe, now: Instant) -> Option<Turn> {
        let (word, gate) = self.probing(probe)?;
        let open = gate.opened(gate.level.saturating_add(1), self.ms(now));
        self.turn(word, open).then_some(Turn::StaysOpen)
    }

    /// The gate, if this probe is the one it waits for.
    fn probing(&self, probe: Probe) -> Option<(u64, Gate)> {
        let word = self.gate.load(Ordering::Acquire);
        let gate = Gate::unpack(word);
        let awaited = gate.state == BreakerState::HalfOpen && gate.opening == probe.opening;
        awaited.then_some((word, gate))
    }

    fn is_spent(&self, budget: Percent, second: u32) -> bool {
        let failures = self.failures.sum(second);
        if failures < FLOOR {
            return false;
        }
        let fallbacks = self.fallbacks.sum(second);
        let allowed = self.requests.sum(second) * u64::from(budget.thousandths());
        let budget_spent = fallbacks >= FLOOR && fallbacks * 100_000 >= allowed;
        budget_spent || failures * 2 >= self.attempts.sum(second)
    }

    fn turn(&self, seen: u64, next: Gate) -> bool {
        let (won, lost) = (Ordering::AcqRel, Ordering::Relaxed);
        self.gate.compare_exchange(seen, next.pack(), won, lost).is_ok()
    }

    fn ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.base).as_millis() as u64
    }

    fn second(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.base).as_secs() as u32
    }
}

/// The state in one word: 2 bits of state, 4 of level, 16 of opening, 42 of milliseconds (139 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gate {
    state: BreakerState,
    /// Failed probes in a row.
    level: u8,
    /// Numbers the probes, so that one that comes home late is known to be late.
    opening: u16,
    /// Open: when the next probe may go.
    until_ms: u64,
}

impl Gate {
    const CLOSED: Self = Self { state: BreakerState::Closed, level: 0, opening: 0, until_ms: 0 };

    fn opened(self, level: u8, now_ms: u64) -> Self {
        let level = level.min(15);
        let wait = FIRST_WAIT.saturating_mul(1 << level).min(LONGEST_WAIT);
        Self {
            state: BreakerState::Open,
            level,
            opening: self.opening.wrapping_add(1),
            until_ms: now_ms + wait.as_millis() as u64,
        }
    }

    fn pack(self) -> u64 {
        let state = match self.state {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        state << 62
            | u64::from(self.level & 0xf) << 58
            | u64::from(self.opening) << 42
            | self.until_ms & ((1 << 42) - 1)
    }

    fn unpack(word: u64) -> Self {
        let state = match word >> 62 {
            0 => BreakerState::Closed,
            1 => BreakerState::HalfOpen,
            _ => BreakerState::Open,
        };
        Self {
            state,
            level: (word >> 58) as u8 & 0xf,
            opening: (word >> 42) as u16,
            until_ms: word & ((1 << 42) - 1),
        }
    }
}

/// A count over the last ten seconds. A slot holds its second in the upper half and the count in the lower.
#[derive(Debug, Default)]
struct Window([AtomicU64; WINDOW_S]);

impl Window {
    fn add(&self, second: u32) {
        let slot = &self.0[second as usize % WINDOW_S];
        let mut word = slot.load(Ordering::Relaxed);
        // A slot of this second, or of a later one that another worker has seen first.
        while word >> 32 < u64::from(second) {
            let first = u64::from(second) << 32 | 1;
            match slot.compare_exchange_weak(word, first, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(seen) => word = seen,
            }
        }
        slot.fetch_add(1, Ordering::Relaxed);
    }

    fn sum(&self, second: u32) -> u64 {
        let oldest = u64::from(second).saturating_sub(WINDOW_S as u64 - 1);
        let words = self.0.iter().map(|slot| slot.load(Ordering::Relaxed));
        words.filter(|word| word >> 32 >= oldest).map(|word| word & 0xffff_ffff).sum()
    }

    fn clear(&self) {
        for slot in &self.0 {
            slot.store(0, Ordering::Relaxed);
        }
    }
}
