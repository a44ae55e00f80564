//! What stands in the way of a move forward, in words that say how it goes away.

use super::approval::Opinion;
use super::drill::DrillRecord;
use super::forward::Move;
use super::observation::Reading;
use super::people::Mark;
use super::standing::Latch;
use super::time::{Spelled, Timestamp};
use crate::evidence::Verdict;
use crate::{Generation, Percent};
use std::fmt;
use std::time::Duration;

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocker {
    /// A drill is under way.
    Drilling,
    /// A graded rollback is under way, and is here now.
    GoingBack(Percent),
    /// Rolled back.
    RolledBack(Mark),
    /// A gate failed.
    Failed(Latch),
    /// Paused.
    Paused(Mark),
    /// Frozen.
    Frozen(Mark),
    /// The last change has not reached every proxy.
    NotInForce {
        /// The generation that is meant.
        generation: Generation,
        /// The newest that all have.
        in_force: Generation,
    },
    /// The configuration has another salt or arithmetic than the migration began with.
    OtherSalt,
    /// The hard switch says that reads must not be on `new`.
    Kill(Box<str>),
    /// Evidence has stopped growing, or never began.
    Silent {
        /// When it last grew.
        since: Option<Timestamp>,
    },
    /// A gate that is demanded says nothing.
    Unmeasured(Box<str>),
    /// A gate does not pass.
    Gate(Reading),
    /// No gate is demanded and none says anything.
    NothingMeasured,
    /// Too early.
    Dwell {
        /// What is left.
        left: Duration,
        /// The least time there.
        whole: Duration,
    },
    /// A gate failed not long ago.
    RedLately {
        /// What is left.
        left: Duration,
        /// The quiet time needed.
        whole: Duration,
    },
    /// No good rollback drill, or an old one.
    Drill {
        /// The last one.
        last: Option<DrillRecord>,
        /// How long one is good for.
        good_for: Duration,
    },
    /// Past its expiry, and not begun.
    Expired(Mark),
    /// Another migration of the group is past its expiry.
    GroupExpired(Box<str>),
    /// Another migration of the group has a canary.
    GroupCanary(Box<str>),
    /// `old` cannot take everybody at once.
    OldIsCold,
    /// Somebody is against it.
    Rejected(Opinion),
    /// Too few approvals by others.
    Approvals {
        /// The move they are needed for.
        wanted: Move,
        /// How many there are.
        have: usize,
        /// How many it takes.
        needed: usize,
    },
}

impl Blocker {
    /// Has something failed? What else stands in the way may pass by waiting, or by somebody's word.
    pub fn has_failed(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::RolledBack(_) | Self::Kill(_))
            || matches!(self, Self::Gate(reading) if reading.verdict == Verdict::Fail)
    }

    /// The name used in API and output.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Drilling => "drilling",
            Self::GoingBack(_) => "going-back",
            Self::RolledBack(_) => "rolled-back",
            Self::Failed(_) => "failed",
            Self::Paused(_) => "paused",
            Self::Frozen(_) => "frozen",
            Self::NotInForce { .. } => "not-in-force",
            Self::OtherSalt => "other-salt",
            Self::Kill(_) => "kill",
            Self::Silent { .. } => "silent",
            Self::Unmeasured(_) => "unmeasured",
            Self::Gate(_) => "gate",
            Self::NothingMeasured => "nothing-measured",
            Self::Dwell { .. } => "dwell",
            Self::RedLately { .. } => "red-lately",
            Self::Drill { .. } => "drill",
            Self::Expired(_) => "expired",
            Self::GroupExpired(_) => "group-expired",
            Self::GroupCanary(_) => "group-canary",
            Self::OldIsCold => "old-is-cold",
            Self::Rejected(_) => "rejected",
            Self::Approvals { .. } => "approvals",
        }
    }

    /// How long until it goes away by itself, if it does.
    pub const fn left(&self) -> Option<Duration> {
        if let Self::Dwell { left, .. } | Self::RedLately { left, .. } = self {
            Some(*left)
        } else {
            None
        }
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drilling => f.write_str("a drill is under way: wait for its end, or roll back"),
            Self::GoingBack(percent) => {
                write!(f, "a graded rollback is under way, now at {percent}")
            }
            Self::RolledBack(mark) => write!(f, "rolled back by {mark}; mend it, then retry"),
            Self::Failed(latch) => {
                write!(f, "{} failed at {}: {}", latch.gate, latch.at, latch.sentence)?;
                f.write_str("; mend it, then retry")
            }
            Self::Paused(mark) => write!(f, "paused by {mark}; resume lifts it"),
            Self::Frozen(mark) => write!(f, "frozen by {mark}; resume lifts it"),
            Self::NotInForce { generation, in_force } => {
                write!(f, "generation {generation} has not reached every proxy ")?;
                write!(f, "(all have {in_force})")
            }
            Self::OtherSalt => f.write_str(
                "the configuration has another salt or bucketing than the users were chosen by: \
                 put it back, or abort and begin anew",
            ),
            Self::Kill(why) => write!(f, "kill switch: {why}"),
            Self::Silent { since: Some(since) } => {
                write!(f, "evidence has not grown since {since}: is there traffic?")
            }
            Self::Silent { since: None } => {
                f.write_str("no evidence yet: is there traffic, and is it mirrored?")
            }
            Self::Unmeasured(gate) => write!(f, "{gate}: nothing measured in this epoch"),
            Self::Gate(reading) => {
                write!(f, "{} ({}): {}", reading.gate, named(reading.verdict), reading.sentence)
            }
            Self::NothingMeasured => f.write_str("no gate measures anything: declare at least one"),
            Self::Dwell { left, whole } => {
                write!(f, "{} left of {} here", Spelled(*left), Spelled(*whole))
            }
            Self::RedLately { left, whole } => {
                write!(f, "a gate failed lately: {} left of ", Spelled(*left))?;
                write!(f, "{} without a failure", Spelled(*whole))
            }
            Self::Drill { last: None, .. } => f.write_str("no rollback drill yet: run drill"),
            Self::Drill { last: Some(last), good_for } => {
                write!(f, "the last rollback drill, at {}, was {last}; ", last.at)?;
                write!(f, "a good one of the last {} is needed: run drill", Spelled(*good_for))
            }
            Self::Expired(mark) if mark.by.is_cutover() => {
                f.write_str("the migration is past its expiry: set a later one")
            }
            Self::Expired(mark) => write!(f, "expired by {mark}; resume lifts it"),
            Self::GroupExpired(other) => {
                write!(f, "{other}, of the same group, is past its expiry: finish it first")
            }
            Self::GroupCanary(other) => {
                write!(f, "{other}, of the same group, has a canary: one at a time")
            }
            Self::OldIsCold => f.write_str("old is cold: mirror reads to it before all come back"),
            Self::Rejected(opinion) => {
                write!(f, "rejected by {}: {}; ", opinion.by, opinion.why)?;
                f.write_str("it counts until they approve, it ends or evidence begins anew")
            }
            Self::Approvals { wanted, have, needed } => {
                write!(f, "{have} of {needed} approvals by others for {}", wanted.to)?;
                if wanted.skips { f.write_str(", which skips steps") } else { Ok(()) }
            }
        }
    }
}

fn named(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}
