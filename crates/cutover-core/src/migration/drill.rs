//! The rollback drill: everybody goes to `old`, the time it takes and the failures are counted,
//! then reads are restored as they were. What was never practised does not work when it is needed.

use super::course::DrillRule;
use super::observation::{Observation, Served};
use super::people::{Actor, Mark};
use super::time::{Spelled, Timestamp};
use crate::Generation;
use std::fmt;
use std::time::Duration;

/// At most one request in so many may fail during a good drill.
const REQUESTS_PER_FAILURE: u64 = 1_000;

/// A drill that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// Who wanted it, why, and since when.
    pub mark: Mark,
    /// The generation that closed `new`.
    pub generation: Generation,
    /// What had been served at its beginning.
    pub before: Served,
    /// How long it took until all reads were on `old`: the last reply of `new` had ended. Known as exactly as somebody
    /// looks, once a second, and never too short.
    pub recovered: Option<Duration>,
}

/// A drill that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillRecord {
    /// Who wanted it.
    pub by: Actor,
    /// When it was over.
    pub at: Timestamp,
    /// How long it took until all reads were on `old`; `None`: longer than was waited.
    pub recovered: Option<Duration>,
    /// What was served meanwhile.
    pub served: Served,
    /// What it showed.
    pub outcome: DrillOutcome,
}

/// What a drill showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DrillOutcome {
    /// A rollback works.
    Good,
    /// It takes too long.
    TooSlow,
    /// Users' requests failed.
    Failures,
    /// Nobody was there, so nothing was shown.
    NoTraffic,
}

impl DrillOutcome {
    /// The name used in API, audit and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::TooSlow => "too-slow",
            Self::Failures => "failures",
            Self::NoTraffic => "no-traffic",
        }
    }
}

/// `good: all reads on old after 1s, 0 of 1200 requests failed`.
impl fmt::Display for DrillRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.outcome.name())?;
        match self.recovered {
            Some(time) => write!(f, "all reads on old after {}", Spelled(time))?,
            None => f.write_str("not all reads came to old in time")?,
        }
        write!(f, ", {} of {} requests failed", self.served.failures, self.served.requests)
    }
}

/// What a drill does next.
pub(super) enum DrillTurn {
    /// Nothing yet.
    Wait,
    /// All reads are on `old`, after this time.
    Recovered(Duration),
    /// It is over; reads are restored.
    Over(DrillRecord),
}

/// Looks after a drill. `held`: nothing may be restored now.
pub(super) fn turn(
    drill: &Drill,
    rule: DrillRule,
    seen: &Observation,
    now: Timestamp,
    held: bool,
) -> DrillTurn {
    let elapsed = now.since(drill.mark.at);
    let recovered = match drill.recovered {
        Some(recovered) => Some(recovered),
        // Users have recovered when nobody waits for `new` any more, not when it gets no more requests.
        None if seen.in_force >= drill.generation && seen.open_on_new == 0 => {
            return DrillTurn::Recovered(elapsed);
        }
        None if elapsed <= rule.within => return DrillTurn::Wait,
        None => None,
    };
    if held || recovered.is_some() && elapsed < rule.away {
        return DrillTurn::Wait;
    }
    let served = Served {
        requests: seen.served.requests.saturating_sub(drill.before.requests),
        failures: seen.served.failures.saturating_sub(drill.before.failures),
    };
    let outcome = outcome(recovered, served, rule);
    let by = drill.mark.by.clone();
    DrillTurn::Over(DrillRecord { by, at: now, recovered, served, outcome })
}

fn outcome(recovered: Option<Duration>, served: Served, rule: DrillRule) -> DrillOutcome {
    if recovered.is_none_or(|time| time > rule.within) {
        DrillOutcome::TooSlow
    } else if served.failures > served.requests / REQUESTS_PER_FAILURE {
        DrillOutcome::Failures
    } else if served.requests == 0 {
        DrillOutcome::NoTraffic
    } else {
        DrillOutcome::Good
    }
}

impl DrillRecord {
    /// Does it show that a rollback works now?
    pub fn is_good(&self, rule: DrillRule, now: Timestamp) -> bool {
        self.outcome == DrillOutcome::Good && now.since(self.at) < rule.good_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_drill_is_quick_and_hurts_hardly_anybody() {
        let rule = DrillRule::default();
        let after = |seconds| Some(Duration::from_secs(seconds));
        for (recovered, requests, failures, expected) in [
            (after(0), 1, 0, DrillOutcome::Good),
            (after(5), 1_000, 1, DrillOutcome::Good),
            (after(5), 999, 1, DrillOutcome::Failures),
            (after(5), 1_999, 2, DrillOutcome::Failures),
            (after(6), 1_000, 0, DrillOutcome::TooSlow),
            (None, 1_000, 0, DrillOutcome::TooSlow),
            (after(1), 0, 0, DrillOutcome::NoTraffic),
        ] {
            let found = outcome(recovered, Served { requests, failures }, rule);
            assert_eq!(found, expected, "{recovered:?}, {failures} of {requests}");
        }
    }
}
