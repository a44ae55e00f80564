//! From evidence to answers. The precedence, gravest first: a fault that was found; nothing
//! measured; prudence; a comparison that is not fair; and only then whether enough was seen.

use super::baseline::OldNow;
use super::gate::{Age, Answer, BaselineNumbers, Gate, Numbers, Share, Why};
use super::latency::{CONTROL_REQUESTS, TooFewControl};
use super::{Counts, Coverage, Evidence, Limits, Meter, clean_needed, evidence_below, upper_bound};
use crate::Percent;
use std::time::Duration;

/// Bad ones of `old` below which its share says nothing.
const BASELINE_FROM: u64 = 3;

/// The moment of asking, and what evidence itself does not hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// Now.
    pub now_ms: u64,
    /// What was compared of what was seen in production.
    pub coverage: Option<&'a Coverage>,
    /// When a rollback was last practised.
    pub drilled_ms: Option<u64>,
    /// How `old` is now.
    pub old: OldNow,
}

impl Evidence {
    /// One gate's answer.
    pub fn answer(&self, gate: Gate, look: &Look<'_>) -> Answer {
        match gate {
            Gate::Errors => self.of_share(gate, &self.errors, look),
            Gate::Fallbacks => self.of_share(gate, &self.fallbacks, look),
            Gate::Latency => self.of_share(gate, &self.latency, look),
            Gate::Mismatch => self.of_share(gate, &self.mismatches, look),
            Gate::Coverage => self.of_coverage(look),
            Gate::Mirror => self.of_mirror(),
            Gate::Freshness => self.of_freshness(look),
            Gate::Drill => {
                let age = age(look.drilled_ms, look.now_ms);
                let drill = Age { age, at_most: self.limits.drill };
                Answer { gate, why: recent(drill), numbers: Numbers::Drill(drill) }
            }
            Gate::Baseline => self.of_baseline(),
            Gate::Old => self.of_old(look),
        }
    }

    /// The answers of these gates, in their order. What a step needs is for the caller to say: a
    /// gate that does not apply is not asked.
    pub fn answers<'a>(
        &'a self,
        gates: &'a [Gate],
        look: &'a Look<'_>,
    ) -> impl Iterator<Item = Answer> + 'a {
        gates.iter().map(move |gate| self.answer(*gate, look))
    }

    fn of_share(&self, gate: Gate, meter: &Meter, look: &Look<'_>) -> Answer {
        let (counts, limit) = (meter.counts(), meter.limit());
        let share = Share {
            counts,
            limit,
            bound: upper_bound(counts),
            evidence: evidence_below(counts, limit),
            alarm: meter.detector().level(),
            clean_needed: clean_needed(counts, limit),
            per_second: meter.per_second(look.now_ms, self.since_ms),
            bar: self.bar.filter(|_| gate == Gate::Latency),
        };
        let why = self.why(gate, meter, &share, look);
        Answer { gate, why, numbers: Numbers::Share(share) }
    }

    fn why(&self, gate: Gate, meter: &Meter, share: &Share, look: &Look<'_>) -> Why {
        if let Some(seen) = self.hard_stop.tripped().filter(|_| gate == Gate::Errors) {
            return Why::HardStop(seen);
        }
        if meter.detector().alarmed() {
            return Why::Alarm;
        }
        if gate == Gate::Latency && self.bar.is_none() {
            return Why::NoControl(TooFewControl {
                have: self.control_have,
                need: CONTROL_REQUESTS,
            });
        }
        if share.counts.is_empty() {
            return Why::Missing;
        }
        if let Some(hour) = meter.precaution(look.now_ms) {
            return Why::Precaution(hour);
        }
        let old = self.old;
        if gate == Gate::Errors && old.bad() >= BASELINE_FROM && old.above(share.limit) {
            return Why::BaselineAbove(old);
        }
        if gate == Gate::Mismatch && above(self.copies, self.limits.mirror) {
            return Why::Biased(self.copies);
        }
        if share.clean_needed != Some(0) {
            return Why::TooFew;
        }
        match age(meter.last_ms(), look.now_ms) {
            Some(age) if age > self.limits.data => Why::Stale(age),
            _ => Why::Within,
        }
    }

    fn of_coverage(&self, look: &Look<'_>) -> Answer {
        let coverage = look.coverage.cloned().unwrap_or_default();
        let least = self.limits.coverage;
        let rest = Percent::from_thousandths(100_000 - least.thousandths());
        let why = if coverage.volume().is_empty() {
            Why::Missing
        } else if coverage.critical_missing() > 0 || above(coverage.volume(), rest) {
            Why::Outside
        } else {
            Why::Within
        };
        Answer { gate: Gate::Coverage, why, numbers: Numbers::Coverage(coverage, least) }
    }

    fn of_mirror(&self) -> Answer {
        let why = if self.copies.is_empty() {
            Why::Missing
        } else if above(self.copies, self.limits.mirror) {
            Why::Outside
        } else {
            Why::Within
        };
        let numbers = Numbers::Mirror(self.copies, self.limits.mirror);
        Answer { gate: Gate::Mirror, why, numbers }
    }

    fn of_baseline(&self) -> Answer {
        let Limits { observe: over, requests, .. } = self.limits;
        let (requests, needed) = (self.baseline.requests(), requests.max(1));
        let numbers = BaselineNumbers { requests, span: self.baseline.span(), needed, over };
        let why = if requests.is_empty() {
            Why::Missing
        } else if numbers.enough() {
            Why::Within
        } else {
            Why::TooFew
        };
        Answer { gate: Gate::Baseline, why, numbers: Numbers::Baseline(numbers) }
    }

    /// Everything can go back to `old` if it answers users, or at least those who check it.
    fn of_old(&self, look: &Look<'_>) -> Answer {
        let OldNow { reach, lately, answered_ms } = look.old;
        let answered = Age { age: age(answered_ms, look.now_ms), at_most: self.limits.data };
        let why = if reach.is_some_and(|reach| reach.usable == 0) || lately.bad() > lately.good() {
            Why::Outside
        } else if answered.within() || reach.is_some_and(|reach| reach.healthy > 0) {
            Why::Within
        } else {
            Why::Missing
        };
        Answer { gate: Gate::Old, why, numbers: Numbers::Old(look.old, answered) }
    }

    fn of_freshness(&self, look: &Look<'_>) -> Answer {
        let data = Age { age: age(self.observed_ms(), look.now_ms), at_most: self.limits.data };
        let heartbeat =
            Age { age: age(self.heartbeat_ms, look.now_ms), at_most: self.limits.heartbeat };
        let decisive = if heartbeat.within() { data } else { heartbeat };
        let numbers = Numbers::Freshness { heartbeat, data };
        Answer { gate: Gate::Freshness, why: recent(decisive), numbers }
    }
}

/// Is the share above the percent? A plain comparison.
fn above(counts: Counts, most: Percent) -> bool {
    u128::from(counts.bad()) * 100_000 > u128::from(counts.n()) * u128::from(most.thousandths())
}

/// How long ago; a time ahead of now, as after a clock was put back, is now.
fn age(then_ms: Option<u64>, now_ms: u64) -> Option<Duration> {
    then_ms.map(|then_ms| Duration::from_millis(now_ms.saturating_sub(then_ms)))
}

fn recent(age: Age) -> Why {
    match age.age {
        None => Why::Missing,
        Some(_) if age.within() => Why::Within,
        Some(_) => Why::Outside,
    }
}
