//! The course of a migration: what the configuration says about how it moves. It can be replaced
//! while the migration stands anywhere, since a standing names percents and never positions in it.

use super::time::Timestamp;
use crate::compare::RuleSpec;
use crate::evidence::Gate;
use crate::{Percent, Salt};
use std::fmt;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// How a migration moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The migration's name.
    pub name: Box<str>,
    /// How `new` gets its data.
    pub data: Data,
    /// Some of its routes take writes; then it cannot be complete before writes have moved.
    pub write_routes: bool,
    /// Who is in the cohort. In force from the start of the migration to its end.
    pub salt: Salt,
    /// The steps of the canary.
    pub steps: Steps,
    /// Steps up to this share need no person.
    pub auto: AutoLimit,
    /// Time in `shadow` before a canary.
    pub shadow_dwell: Duration,
    /// Time in `reads-new` before `complete`.
    pub soak: Duration,
    /// Time without a failed gate before `complete`.
    pub quiet: Duration,
    /// Evidence that has not grown for this long is inconclusive.
    pub silence: Duration,
    /// Gates that must pass before `shadow`.
    pub preflight: Box<[Box<str>]>,
    /// Gates that must pass before each move after that. One that the world says nothing about has
    /// not passed.
    pub gates: Box<[Box<str>]>,
    /// Approvals by others that a canary and everything after it need. Four eyes need one anyway.
    pub approvals: u8,
    /// How long an approval holds.
    pub approval_lasts: Duration,
    /// Rollback drills; `None`: none is demanded.
    pub drill: Option<DrillRule>,
    /// Over how long cutover itself goes back when `old` is cold.
    pub graded: Duration,
    /// What does not count in comparisons.
    pub rules: RuleSpec,
    /// The configured end.
    pub expires: Timestamp,
}

impl Course {
    /// A course with the usual times: `reads-new` soaks for seven days, of which the last three are
    /// quiet; approvals hold for a day; a drill is asked for every seven days; ten minutes without
    /// a request are silence.
    pub fn new(name: &str, data: Data, steps: Steps, expires: Timestamp) -> Self {
        Self {
            name: name.into(),
            data,
            write_routes: false,
            salt: Salt::new(name),
            steps,
            auto: AutoLimit::default(),
            shadow_dwell: Duration::ZERO,
            soak: 7 * DAY,
            quiet: 3 * DAY,
            silence: Duration::from_secs(600),
            preflight: Gate::PREFLIGHT.map(|gate| gate.name().into()).into(),
            gates: ["errors", "latency", "mismatch", "coverage"].map(Box::from).into(),
            approvals: 0,
            approval_lasts: DAY,
            drill: Some(DrillRule::default()),
            graded: Duration::from_secs(30),
            rules: RuleSpec::default(),
            expires,
        }
    }
}

/// How long a flag may live after its cutover.
pub(super) const AFTER_CUTOVER: Duration = Duration::from_secs(30 * 86_400);

/// How the new service gets its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Data {
    /// It uses the same database.
    Shared,
    /// Somebody else keeps it in step.
    External,
    /// cutover copies changes. Not built yet: such a migration does not start.
    Cdc,
}

impl Data {
    /// The name used in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::External => "external",
            Self::Cdc => "cdc",
        }
    }
}

/// One step of a canary: a share, and how long it is kept at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryStep {
    /// The share of users.
    pub percent: Percent,
    /// The least time on it.
    pub dwell: Duration,
}

/// The steps of a canary: growing, from above 0 to 100 %.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Box<[CanaryStep]>);

/// Steps that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepsError {
    /// The percents do not grow from above 0.
    NotGrowing,
    /// The last one is not 100 %.
    NotWhole,
}

impl fmt::Display for StepsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGrowing => "steps grow, and the first is above 0; write them like [1, 5, 100]",
            Self::NotWhole => "the last step is 100",
        })
    }
}

impl std::error::Error for StepsError {}

impl Steps {
    /// Checks them.
    pub fn new(steps: impl Into<Box<[CanaryStep]>>) -> Result<Self, StepsError> {
        let steps = steps.into();
        let grows = steps.is_sorted_by(|a, b| a.percent < b.percent);
        if !grows || steps.first().is_some_and(|step| step.percent == Percent::ZERO) {
            return Err(StepsError::NotGrowing);
        }
        match steps.last() {
            Some(last) if last.percent == Percent::FULL => Ok(Self(steps)),
            _ => Err(StepsError::NotWhole),
        }
    }

    /// 1, 5, 20, 50 and 100 %, for 1, 1, 4, 4 and 24 hours.
    pub fn usual() -> Self {
        let step = |percent: u32, hours: u32| CanaryStep {
            percent: Percent::from_thousandths(percent * 1_000),
            dwell: hours * HOUR,
        };
        Self([step(1, 1), step(5, 1), step(20, 4), step(50, 4), step(100, 24)].into())
    }

    /// All of them.
    pub fn all(&self) -> &[CanaryStep] {
        &self.0
    }

    /// The first step above this share.
    pub fn after(&self, percent: Percent) -> Option<CanaryStep> {
        self.0.iter().copied().find(|step| step.percent > percent)
    }

    /// Position, from 1, of the last step that this share has reached; 0 before the first.
    pub fn index(&self, percent: Percent) -> usize {
        self.0.partition_point(|step| step.percent <= percent)
    }

    /// How long this share is kept at least: as long as the step it has reached, or as the first.
    pub fn dwell(&self, percent: Percent) -> Duration {
        self.0[self.index(percent).saturating_sub(1)].dwell
    }
}

/// Up to where steps may advance without a person: at most 5 %, whatever is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AutoLimit(Percent);

impl AutoLimit {
    /// The most there is.
    pub const MOST: Self = Self(Percent::from_thousandths(5_000));

    /// That share, or 5 % if it is more.
    pub fn new(percent: Percent) -> Self {
        Self(percent.min(Self::MOST.0))
    }

    /// The share.
    pub const fn percent(self) -> Percent {
        self.0
    }
}

/// What a rollback drill must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrillRule {
    /// A good drill older than this counts no more.
    pub good_for: Duration,
    /// All reads are on `old` within this time.
    pub within: Duration,
    /// How long they stay there before they are restored.
    pub away: Duration,
}

impl Default for DrillRule {
    fn default() -> Self {
        let (within, away) = (Duration::from_secs(5), Duration::from_secs(10));
        Self { good_for: 7 * DAY, within, away }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(percents: &[u32]) -> Result<Steps, StepsError> {
        let step = |percent: &u32| CanaryStep {
            percent: Percent::from_thousandths(percent * 1_000),
            dwell: HOUR * *percent,
        };
        Steps::new(percents.iter().map(step).collect::<Box<[_]>>())
    }

    #[test]
    fn steps_grow_to_the_whole() {
        assert!(steps(&[100]).is_ok());
        assert!(steps(&[1, 5, 100]).is_ok());
        assert_eq!(steps(&[]), Err(StepsError::NotWhole));
        assert_eq!(steps(&[1, 5]), Err(StepsError::NotWhole));
        assert_eq!(steps(&[0, 100]), Err(StepsError::NotGrowing));
        assert_eq!(steps(&[5, 5, 100]), Err(StepsError::NotGrowing));
    }

    #[test]
    fn a_share_between_steps_has_reached_the_one_below() {
        let steps = steps(&[1, 5, 100]).expect("they grow to 100");
        let percent = |whole: u32| Percent::from_thousandths(whole * 1_000);
        for (share, index, dwell, next) in [
            (0, 0, 1, Some(1)),
            (1, 1, 1, Some(5)),
            (4, 1, 1, Some(5)),
            (5, 2, 5, Some(100)),
            (99, 2, 5, Some(100)),
            (100, 3, 100, None),
        ] {
            assert_eq!(steps.index(percent(share)), index, "{share}");
            assert_eq!(steps.dwell(percent(share)), HOUR * dwell, "{share}");
            assert_eq!(steps.after(percent(share)).map(|step| step.percent), next.map(percent));
        }
    }

    #[test]
    fn nothing_above_5_percent_is_automatic() {
        assert_eq!(AutoLimit::new(Percent::FULL), AutoLimit::MOST);
        assert_eq!(AutoLimit::new(Percent::ZERO), AutoLimit::default());
    }
}
