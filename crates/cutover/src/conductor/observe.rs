//! What requests have counted, read once a second: the difference since the last look is one batch of evidence.

use crate::engine::Running;
use crate::metrics::{Answerer, Reading};
use cutover_core::evidence::{Batch, Counts};
use cutover_core::migration::Served;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

/// Looks over which it is judged whether `old` is warm: a minute.
const WARM_LOOKS: usize = 60;

/// Fewer reads than this in a minute say nothing about who is warm.
const WARM_READS: u64 = 100;

/// `old` is warm if it does at least one in so many of the reads.
const WARM_SHARE: u64 = 100;

/// All counters of one migration at one moment; they only grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    old: Pair,
    /// The same, with writes and what is not judged.
    asked_of_old: Pair,
    new: Pair,
    fallback: Pair,
    breaker: Pair,
    /// Copies sent to each side.
    copied_old: Pair,
    copied_new: Pair,
    compared: Pair,
    copies: Pair,
    /// All exchanges, writes and what is not judged too.
    pub(super) served: Served,
    /// Exchanges that wait for `new` now: the one number here that falls too.
    pub(super) open_on_new: u64,
    /// Times of `old` and of `new`.
    pub(super) times: [Reading; 2],
    /// Likewise of copies.
    pub(super) copied_times: [Reading; 2],
}

/// How many, and how many of them were bad.
#[derive(Clone, Copy, Debug, Default)]
struct Pair(u64, u64);

impl Pair {
    fn since(self, before: Self) -> Counts {
        Counts::new(self.0.saturating_sub(before.0), self.1.saturating_sub(before.1))
    }
}

impl Counted {
    pub(super) fn read(running: &Running) -> Self {
        let (meter, shadow) = (&running.meter, running.shadow.counts());
        let judged = |answerer: Answerer| {
            let (all, bad) = meter.judged(answerer);
            Pair(all, bad)
        };
        let mut served = Served::default();
        for answerer in Answerer::ALL {
            let (requests, failures) = meter.answered(answerer);
            served.requests += requests;
            served.failures += failures;
        }
        Self {
            old: judged(Answerer::Old),
            asked_of_old: {
                let (requests, failures) = meter.answered(Answerer::Old);
                Pair(requests, failures)
            },
            new: judged(Answerer::New),
            fallback: judged(Answerer::Fallback),
            breaker: judged(Answerer::Breaker),
            served,
            open_on_new: meter.open_on_new.load(Relaxed),
            times: meter.replied.each_ref().map(|times| times.read()),
            copied_old: Pair(shadow.old_replies, shadow.old_failures),
            copied_new: Pair(shadow.new_replies, shadow.new_failures),
            compared: Pair(shadow.compared, shadow.mismatched),
            copies: Pair(shadow.picked, shadow.shed),
            copied_times: running.shadow.times.each_ref().map(|times| times.read()),
        }
    }

    /// What happened after `before`. Copies are evidence about `new` only as long as no user reads from it.
    pub(super) fn since(&self, before: &Self, on_trial: bool) -> Batch {
        let new = self.new.since(before.new);
        let fallback = self.fallback.since(before.fallback);
        let breaker = self.breaker.since(before.breaker);
        // Whatever the answer of `old`: `new` had failed before.
        let fell_back = Counts::new(fallback.n(), fallback.n());
        let copied = self.copied_new.since(before.copied_new);
        let mut errors = new + fell_back;
        if !on_trial {
            errors += copied;
        }
        let not_by_new = fallback.n() + breaker.n();
        Batch {
            errors,
            fallbacks: Counts::new(new.n() + not_by_new, not_by_new),
            mismatches: self.compared.since(before.compared),
            old: self.old.since(before.old),
            copies: self.copies.since(before.copies),
        }
    }

    /// Requests that `old` was asked by users; bad: failed.
    pub(super) fn asked_of_old_since(&self, before: &Self) -> Counts {
        self.asked_of_old.since(before.asked_of_old)
    }

    /// Reads that `old` did, copies too; and those that users were answered by `new`.
    fn done_since(&self, before: &Self) -> [u64; 2] {
        let old = [
            (self.old, before.old),
            (self.fallback, before.fallback),
            (self.breaker, before.breaker),
            (self.copied_old, before.copied_old),
        ];
        let old = old.iter().map(|(now, before)| now.since(*before).n()).sum();
        [old, self.new.since(before.new).n()]
    }
}

/// Who did the reads of the last minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Warmth(VecDeque<[u64; 2]>);

impl Warmth {
    pub(super) fn look(&mut self, now: &Counted, before: &Counted) {
        self.0.push_back(now.done_since(before));
        if self.0.len() > WARM_LOOKS {
            self.0.pop_front();
        }
    }

    /// Has `old` done too little to take everybody at once?
    pub(super) fn old_is_cold(&self) -> bool {
        let [old, new] =
            self.0.iter().fold([0; 2], |[old, new], look| [old + look[0], new + look[1]]);
        old + new >= WARM_READS && old * WARM_SHARE < old + new
    }
}
