//! A transition: what the audit log is told, what is stored, and what is done, in this order.

use super::Moment;
use super::command::Command;
use super::drill::DrillRecord;
use super::observation::EvidenceHash;
use super::people::Actor;
use super::standing::{Position, Progress, Reads, Standing};
use super::time::Timestamp;
use crate::evidence::Epoch;
use crate::{Generation, Percent, Side};
use std::fmt;

/// A change of a migration's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// For the audit log.
    pub entry: Entry,
    /// Where the migration stands afterwards.
    pub standing: Standing,
    /// What is to be done, in order. If one fails, those after it are not done.
    pub effects: Vec<Effect>,
    /// What the person should know.
    pub warnings: Vec<String>,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The migration.
    pub migration: Box<str>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What was ordered, or noticed.
    pub event: Event,
    /// Why.
    pub why: Box<str>,
    /// The state before.
    pub from: Brief,
    /// The state after.
    pub to: Brief,
    /// The evidence at that moment.
    pub evidence: EvidenceHash,
    /// The generation after.
    pub generation: Generation,
}

/// What a transition comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody ordered it.
    Ordered(Command),
    /// cutover noticed something.
    Noticed(Cause),
}

/// What cutover noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The hard switch.
    Killed,
    /// A gate failed.
    Failed,
    /// There is reason for prudence.
    Precaution,
    /// Time for the next part of a graded rollback.
    GoingBack,
    /// In a drill, all reads have come to `old`.
    Recovered,
    /// A drill is over.
    Drilled(DrillRecord),
    /// Backends, rules or plugins are others.
    Changed,
    /// Evidence has stopped growing.
    Silent,
    /// Evidence grows again.
    Heard,
    /// The expiry has come.
    Expired,
    /// The expiry was put off.
    Extended,
    /// A step that needs no person was due.
    Due,
}

impl Event {
    /// The name used in the audit log: a command's verb, or what was noticed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ordered(command) => command.verb(),
            Self::Noticed(Cause::Killed) => "killed",
            Self::Noticed(Cause::Failed) => "failed",
            Self::Noticed(Cause::Precaution) => "precaution",
            Self::Noticed(Cause::GoingBack) => "going-back",
            Self::Noticed(Cause::Recovered) => "recovered",
            Self::Noticed(Cause::Drilled(_)) => "drilled",
            Self::Noticed(Cause::Changed) => "changed",
            Self::Noticed(Cause::Silent) => "silent",
            Self::Noticed(Cause::Heard) => "heard",
            Self::Noticed(Cause::Expired) => "expired",
            Self::Noticed(Cause::Extended) => "extended",
            Self::Noticed(Cause::Due) => "due",
        }
    }
}

/// A state in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The phase, with its share.
    pub position: Position,
    /// The share in force, which a rollback makes less than the position's.
    pub read_percent: Percent,
    /// The share mirrored.
    pub mirror_percent: Percent,
    /// Who takes writes.
    pub write_owner: Side,
    /// The names of what lies over the phase.
    pub overlays: Vec<&'static str>,
}

impl Brief {
    /// Of a standing.
    pub fn of(standing: &Standing) -> Self {
        let (progress, traffic) = (standing.progress(), standing.traffic());
        Self {
            position: progress.position,
            read_percent: traffic.read_percent,
            mirror_percent: traffic.mirror_percent,
            write_owner: traffic.write_owner,
            overlays: progress.overlays(),
        }
    }
}

/// `canary 20%, mirror 10%, paused`.
impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.position.fmt(f)?;
        if self.read_percent != self.position.read_percent() {
            write!(f, " (now {})", self.read_percent)?;
        }
        if self.mirror_percent > Percent::ZERO {
            write!(f, ", mirror {}", self.mirror_percent)?;
        }
        if self.write_owner == Side::New {
            f.write_str(", writes new")?;
        }
        self.overlays.iter().try_for_each(|overlay| write!(f, ", {overlay}"))
    }
}

/// Something for the engine to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Store the standing and append the entry, in one transaction. Always first: nothing takes
    /// effect that is not written.
    Record,
    /// Install this: weight and side effects in one generation. It cannot name a writes' owner.
    Install(Reads),
    /// Begin evidence anew.
    RestartEvidence(Epoch),
    /// Go on with the evidence, in a new step: latency is measured against `old` anew.
    BeginStep,
    /// Watch until every proxy has this generation, and tell it in each
    /// [`Observation`](super::Observation). Nothing waits for it but moves forward and drills.
    AwaitInForce(Generation),
    /// Call people.
    Alert(String),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record => f.write_str("record the transition and its evidence in the audit log"),
            Self::Install(reads) if reads.closed => {
                write!(f, "install generation {}: everything on old, ", reads.generation)?;
                write!(f, "mirror {}", reads.mirror_percent)
            }
            Self::Install(reads) => {
                write!(f, "install generation {}: {} ", reads.generation, reads.read_percent)?;
                write!(f, "of the users read from new, mirror {}", reads.mirror_percent)
            }
            Self::RestartEvidence(epoch) => write!(f, "begin evidence anew, epoch {}", epoch.0),
            Self::BeginStep => f.write_str("measure latency anew in this step"),
            Self::AwaitInForce(generation) => {
                write!(f, "watch until every proxy has generation {generation}")
            }
            Self::Alert(what) => write!(f, "alert: {what}"),
        }
    }
}

/// What a transition will be, before it is numbered and listed.
pub(super) struct Draft {
    pub(super) to: Progress,
    pub(super) alerts: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Draft {
    pub(super) fn of(to: Progress) -> Self {
        Self { to, alerts: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn alerting(mut self, what: String) -> Self {
        self.alerts.push(what);
        self
    }

    /// Makes it a transition. The one place where a standing follows another: the writes' owner is
    /// the former one's.
    pub(super) fn seal(self, at: &Moment<'_>, by: Actor, event: Event, why: &str) -> Transition {
        let before = at.standing;
        let Self { mut to, alerts, warnings } = self;
        to.generation = at.next_generation();
        let mut effects = vec![Effect::Record, Effect::Install(to.reads())];
        if to.epoch != before.progress.epoch {
            effects.push(Effect::RestartEvidence(to.epoch));
        } else if to.position != before.progress.position && to.position.is_judged() {
            effects.push(Effect::BeginStep);
        }
        effects.push(Effect::AwaitInForce(to.generation));
        effects.extend(alerts.into_iter().map(Effect::Alert));
        let standing = Standing { progress: to, writes: before.writes };
        let entry = Entry {
            migration: at.course.name.clone(),
            at: at.now,
            by,
            event,
            why: why.into(),
            from: Brief::of(before),
            to: Brief::of(&standing),
            evidence: at.seen.evidence,
            generation: standing.generation(),
        };
        Transition { entry, standing, effects, warnings }
    }
}
