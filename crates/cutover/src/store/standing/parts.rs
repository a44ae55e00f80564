//! The parts of a stored standing, each with the part of the core that it stands for.

use super::Why;
use crate::core::compare::{IgnoreList, IgnoreRule};
use crate::core::evidence::Epoch;
use crate::core::migration::{
    Actor, AddedRule, Drill, DrillOutcome, DrillRecord, EvidenceHash, Graded, Latch, Mark, Opinion,
    Position, Role, Served, Timestamp, Withdrawal,
};
use crate::core::{Generation, Percent, Side};
use crate::store::Digest;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Thousandths of a percent.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Share(u32);

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoredPosition {
    Off,
    Sync,
    Shadow,
    Canary(Share),
    ReadsNew,
    Cutover,
    NewPrimary,
    Complete,
    Retired,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoredSide {
    Old,
    New,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum StoredWithdrawal {
    None,
    Drill { mark: StoredMark, generation: u64, before: StoredServed, recovered: Option<Duration> },
    Graded { mark: StoredMark, over: Duration, from: Share, percent: Share },
    Whole(StoredMark),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredActor {
    name: Box<str>,
    role: Box<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMark {
    by: StoredActor,
    why: Box<str>,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredLatch {
    gate: Box<str>,
    sentence: Box<str>,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredOpinion {
    by: StoredActor,
    approves: bool,
    to: StoredPosition,
    evidence: Digest,
    epoch: u64,
    why: Box<str>,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredRule {
    list: Box<str>,
    rule: Box<str>,
    mark: StoredMark,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredServed {
    requests: u64,
    failures: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredDrillRecord {
    by: StoredActor,
    at_ms: u64,
    recovered: Option<Duration>,
    served: StoredServed,
    outcome: StoredOutcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoredOutcome {
    Good,
    TooSlow,
    Failures,
    NoTraffic,
}

impl From<Percent> for Share {
    fn from(percent: Percent) -> Self {
        Self(percent.thousandths())
    }
}

impl Share {
    pub(super) fn restore(self) -> Result<Percent, Why> {
        let percent = Percent::from_thousandths(self.0);
        if percent.thousandths() == self.0 { Ok(percent) } else { Err("a share above 100%") }
    }
}

impl From<Position> for StoredPosition {
    fn from(position: Position) -> Self {
        match position {
            Position::Off => Self::Off,
            Position::Sync => Self::Sync,
            Position::Shadow => Self::Shadow,
            Position::Canary(percent) => Self::Canary(percent.into()),
            Position::ReadsNew => Self::ReadsNew,
            Position::Cutover => Self::Cutover,
            Position::NewPrimary => Self::NewPrimary,
            Position::Complete => Self::Complete,
            Position::Retired => Self::Retired,
        }
    }
}

impl StoredPosition {
    pub(super) fn restore(self) -> Result<Position, Why> {
        Ok(match self {
            Self::Off => Position::Off,
            Self::Sync => Position::Sync,
            Self::Shadow => Position::Shadow,
            Self::Canary(share) => Position::Canary(share.restore()?),
            Self::ReadsNew => Position::ReadsNew,
            Self::Cutover => Position::Cutover,
            Self::NewPrimary => Position::NewPrimary,
            Self::Complete => Position::Complete,
            Self::Retired => Position::Retired,
        })
    }
}

impl From<Side> for StoredSide {
    fn from(side: Side) -> Self {
        match side {
            Side::Old => Self::Old,
            Side::New => Self::New,
        }
    }
}

impl StoredSide {
    pub(super) fn restore(self) -> Side {
        match self {
            Self::Old => Side::Old,
            Self::New => Side::New,
        }
    }
}

impl From<&Withdrawal> for StoredWithdrawal {
    fn from(withdrawal: &Withdrawal) -> Self {
        match withdrawal {
            Withdrawal::None => Self::None,
            Withdrawal::Drill(Drill { mark, generation, before, recovered }) => Self::Drill {
                mark: mark.into(),
                generation: generation.0,
                before: (*before).into(),
                recovered: *recovered,
            },
            Withdrawal::Graded(Graded { mark, over, from, percent }) => Self::Graded {
                mark: mark.into(),
                over: *over,
                from: (*from).into(),
                percent: (*percent).into(),
            },
            Withdrawal::Whole(mark) => Self::Whole(mark.into()),
        }
    }
}

impl StoredWithdrawal {
    pub(super) fn restore(self) -> Result<Withdrawal, Why> {
        Ok(match self {
            Self::None => Withdrawal::None,
            Self::Drill { mark, generation, before, recovered } => Withdrawal::Drill(Drill {
                mark: mark.restore()?,
                generation: Generation(generation),
                before: before.restore(),
                recovered,
            }),
            Self::Graded { mark, over, from, percent } => Withdrawal::Graded(Graded {
                mark: mark.restore()?,
                over,
                from: from.restore()?,
                percent: percent.restore()?,
            }),
            Self::Whole(mark) => Withdrawal::Whole(mark.restore()?),
        })
    }
}

impl From<&Actor> for StoredActor {
    fn from(actor: &Actor) -> Self {
        Self { name: actor.name.clone(), role: actor.role.name().into() }
    }
}

impl StoredActor {
    pub(super) fn restore(self) -> Result<Actor, Why> {
        let role = Role::from_name(&self.role).ok_or("an unknown role")?;
        Ok(Actor { name: self.name, role })
    }
}

impl From<&Mark> for StoredMark {
    fn from(mark: &Mark) -> Self {
        Self { by: (&mark.by).into(), why: mark.why.clone(), at_ms: mark.at.millis() }
    }
}

impl StoredMark {
    pub(super) fn restore(self) -> Result<Mark, Why> {
        let at = Timestamp::from_millis(self.at_ms);
        Ok(Mark { by: self.by.restore()?, why: self.why, at })
    }
}

impl From<&Latch> for StoredLatch {
    fn from(latch: &Latch) -> Self {
        let Latch { gate, sentence, at } = latch;
        Self { gate: gate.clone(), sentence: sentence.clone(), at_ms: at.millis() }
    }
}

impl StoredLatch {
    pub(super) fn restore(self) -> Latch {
        let at = Timestamp::from_millis(self.at_ms);
        Latch { gate: self.gate, sentence: self.sentence, at }
    }
}

impl From<&Opinion> for StoredOpinion {
    fn from(opinion: &Opinion) -> Self {
        let Opinion { by, approves, to, evidence, epoch, why, at } = opinion;
        Self {
            by: by.into(),
            approves: *approves,
            to: (*to).into(),
            evidence: Digest(evidence.0),
            epoch: epoch.0,
            why: why.clone(),
            at_ms: at.millis(),
        }
    }
}

impl StoredOpinion {
    pub(super) fn restore(self) -> Result<Opinion, Why> {
        Ok(Opinion {
            by: self.by.restore()?,
            approves: self.approves,
            to: self.to.restore()?,
            evidence: EvidenceHash(self.evidence.0),
            epoch: Epoch(self.epoch),
            why: self.why,
            at: Timestamp::from_millis(self.at_ms),
        })
    }
}

impl From<&AddedRule> for StoredRule {
    fn from(added: &AddedRule) -> Self {
        let AddedRule { rule, mark } = added;
        Self { list: rule.list().name().into(), rule: rule.text().into(), mark: mark.into() }
    }
}

impl StoredRule {
    pub(super) fn restore(self) -> Result<AddedRule, Why> {
        let list = IgnoreList::from_name(&self.list).ok_or("a rule of an unknown list")?;
        let rule = IgnoreRule::new(list, &self.rule).map_err(|_| "a rule that is none")?;
        Ok(AddedRule { rule, mark: self.mark.restore()? })
    }
}

impl From<Served> for StoredServed {
    fn from(served: Served) -> Self {
        let Served { requests, failures } = served;
        Self { requests, failures }
    }
}

impl StoredServed {
    pub(super) fn restore(self) -> Served {
        Served { requests: self.requests, failures: self.failures }
    }
}

impl From<&DrillRecord> for StoredDrillRecord {
    fn from(record: &DrillRecord) -> Self {
        let DrillRecord { by, at, recovered, served, outcome } = record;
        Self {
            by: by.into(),
            at_ms: at.millis(),
            recovered: *recovered,
            served: (*served).into(),
            outcome: match outcome {
                DrillOutcome::Good => StoredOutcome::Good,
                DrillOutcome::TooSlow => StoredOutcome::TooSlow,
                DrillOutcome::Failures => StoredOutcome::Failures,
                DrillOutcome::NoTraffic => StoredOutcome::NoTraffic,
            },
        }
    }
}

impl StoredDrillRecord {
    pub(super) fn restore(self) -> Result<DrillRecord, Why> {
        Ok(DrillRecord {
            by: self.by.restore()?,
            at: Timestamp::from_millis(self.at_ms),
            recovered: self.recovered,
            served: self.served.restore(),
            outcome: match self.outcome {
                StoredOutcome::Good => DrillOutcome::Good,
                StoredOutcome::TooSlow => DrillOutcome::TooSlow,
                StoredOutcome::Failures => DrillOutcome::Failures,
                StoredOutcome::NoTraffic => DrillOutcome::NoTraffic,
            },
        })
    }
}
