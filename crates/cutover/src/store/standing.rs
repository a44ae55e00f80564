//! Standings and evidence as they are stored: JSON whose fields are spelled here, so that the core
//! can be changed without changing what lies on disks.
//!
//! Whoever changes a form here raises its version, and reads the former one, too.

use super::{Digest, StoreError};
use crate::core::evidence::Epoch;
use crate::core::migration::{
    Actor, Drill, DrillOutcome, DrillRecord, EvidenceHash, Fingerprint, Graded, Latch, Mark,
    Opinion, Position, Progress, Role, Served, Standing, Timestamp, Withdrawal, Writes,
};
use crate::core::{Bucketing, Generation, Percent, Salt, Side};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of both forms.
const VERSION: u32 = 1;

/// A standing as it is stored.
pub(super) fn encode(standing: &Standing) -> Vec<u8> {
    let stored = StoredStanding::from(standing);
    serde_json::to_vec(&stored).expect("text and numbers can be written as JSON")
}

/// A stored standing, if it is one.
pub(super) fn decode(migration: &str, bytes: &[u8]) -> Result<Standing, StoreError> {
    let what = || format!("the state of migration {migration}").into();
    known_version(bytes, what)?;
    let nonsense = |why: String| StoreError::Nonsense { what: what(), why: why.into() };
    let stored: StoredStanding =
        serde_json::from_slice(bytes).map_err(|error| nonsense(error.to_string()))?;
    let (progress, writes) = stored.parts().map_err(|why| nonsense(why.to_owned()))?;
    Standing::restore(progress, writes).map_err(|unsound| nonsense(unsound.to_string()))
}

/// Evidence as it is stored.
pub(super) fn encode_evidence(words: &[u64]) -> Vec<u8> {
    let stored = StoredEvidence { v: VERSION, words: words.to_vec() };
    serde_json::to_vec(&stored).expect("numbers can be written as JSON")
}

/// Stored evidence. What the words mean, the core knows.
pub(super) fn decode_evidence(migration: &str, bytes: &[u8]) -> Result<Vec<u64>, StoreError> {
    let what = || format!("the evidence of migration {migration}").into();
    known_version(bytes, what)?;
    let nonsense = |error: serde_json::Error| StoreError::Nonsense {
        what: what(),
        why: error.to_string().into(),
    };
    let stored: StoredEvidence = serde_json::from_slice(bytes).map_err(nonsense)?;
    Ok(stored.words)
}

fn known_version(bytes: &[u8], what: impl Fn() -> Box<str>) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    match serde_json::from_slice::<Versioned>(bytes) {
        Ok(Versioned { v: VERSION }) => Ok(()),
        Ok(Versioned { v: found }) => {
            Err(StoreError::Version { what: what(), found, known: VERSION })
        }
        Err(error) => Err(StoreError::Nonsense { what: what(), why: error.to_string().into() }),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEvidence {
    v: u32,
    words: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStanding {
    v: u32,
    generation: u64,
    position: StoredPosition,
    mirror: Share,
    writes: StoredSide,
    withdrawal: StoredWithdrawal,
    paused: Option<StoredMark>,
    frozen: Option<StoredMark>,
    inconclusive: Option<StoredMark>,
    expired: Option<StoredMark>,
    latch: Option<StoredLatch>,
    last_red_ms: Option<u64>,
    heeded: Option<u64>,
    entered_ms: u64,
    epoch: u64,
    fingerprint: Digest,
    opinions: Vec<StoredOpinion>,
    drilled: Option<StoredDrillRecord>,
    cut_over_ms: Option<u64>,
    salt: Box<str>,
    bucketing: Box<str>,
}

/// Thousandths of a percent.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
struct Share(u32);

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredPosition {
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
enum StoredSide {
    Old,
    New,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum StoredWithdrawal {
    None,
    Drill { mark: StoredMark, generation: u64, before: StoredServed, recovered: Option<Duration> },
    Graded { mark: StoredMark, over: Duration, from: Share, percent: Share },
    Whole(StoredMark),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredActor {
    name: Box<str>,
    role: Box<str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredMark {
    by: StoredActor,
    why: Box<str>,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLatch {
    gate: Box<str>,
    sentence: Box<str>,
    at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredOpinion {
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
struct StoredServed {
    requests: u64,
    failures: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDrillRecord {
    by: StoredActor,
    at_ms: u64,
    recovered: Option<Duration>,
    served: StoredServed,
    outcome: StoredOutcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredOutcome {
    Good,
    TooSlow,
    Failures,
    NoTraffic,
}

impl From<&Standing> for StoredStanding {
    fn from(standing: &Standing) -> Self {
        // Taken apart whole, so that a field that is new in the core is not forgotten here.
        let Progress {
            position,
            mirror,
            withdrawal,
            paused,
            frozen,
            inconclusive,
            expired,
            latch,
            last_red,
            heeded,
            generation,
            entered,
            epoch,
            fingerprint,
            opinions,
            drilled,
            cut_over,
            salt,
        } = standing.progress();
        let mark = |mark: &Option<Mark>| mark.as_ref().map(StoredMark::from);
        Self {
            v: VERSION,
            generation: generation.0,
            position: (*position).into(),
            mirror: (*mirror).into(),
            writes: standing.writes().owner().into(),
            withdrawal: withdrawal.into(),
            paused: mark(paused),
            frozen: mark(frozen),
            inconclusive: mark(inconclusive),
            expired: mark(expired),
            latch: latch.as_ref().map(StoredLatch::from),
            last_red_ms: last_red.map(Timestamp::millis),
            heeded: heeded.map(|epoch| epoch.0),
            entered_ms: entered.millis(),
            epoch: epoch.0,
            fingerprint: Digest(fingerprint.0),
            opinions: opinions.iter().map(StoredOpinion::from).collect(),
            drilled: drilled.as_ref().map(StoredDrillRecord::from),
            cut_over_ms: cut_over.map(Timestamp::millis),
            salt: salt.text().into(),
            bucketing: salt.bucketing().name().into(),
        }
    }
}

/// Why a stored standing is none.
type Why = &'static str;

impl StoredStanding {
    fn parts(self) -> Result<(Progress, Writes), Why> {
        let mark = |mark: Option<StoredMark>| mark.map(StoredMark::restore).transpose();
        let bucketing = Bucketing::from_name(&self.bucketing).ok_or("an unknown bucketing")?;
        let opinions = self.opinions.into_iter().map(StoredOpinion::restore);
        let progress = Progress {
            position: self.position.restore()?,
            mirror: self.mirror.restore()?,
            withdrawal: self.withdrawal.restore()?,
            paused: mark(self.paused)?,
            frozen: mark(self.frozen)?,
            inconclusive: mark(self.inconclusive)?,
            expired: mark(self.expired)?,
            latch: self.latch.map(StoredLatch::restore),
            last_red: self.last_red_ms.map(Timestamp::from_millis),
            heeded: self.heeded.map(Epoch),
            generation: Generation(self.generation),
            entered: Timestamp::from_millis(self.entered_ms),
            epoch: Epoch(self.epoch),
            fingerprint: Fingerprint(self.fingerprint.0),
            opinions: opinions.collect::<Result<_, _>>()?,
            drilled: self.drilled.map(StoredDrillRecord::restore).transpose()?,
            cut_over: self.cut_over_ms.map(Timestamp::from_millis),
            salt: Salt::with_bucketing(&self.salt, bucketing),
        };
        let owner = match self.writes {
            StoredSide::Old => Side::Old,
            StoredSide::New => Side::New,
        };
        Ok((progress, Writes::stored(owner)))
    }
}

impl From<Percent> for Share {
    fn from(percent: Percent) -> Self {
        Self(percent.thousandths())
    }
}

impl Share {
    fn restore(self) -> Result<Percent, Why> {
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
    fn restore(self) -> Result<Position, Why> {
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
    fn restore(self) -> Result<Withdrawal, Why> {
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
    fn restore(self) -> Result<Actor, Why> {
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
    fn restore(self) -> Result<Mark, Why> {
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
    fn restore(self) -> Latch {
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
    fn restore(self) -> Result<Opinion, Why> {
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

impl From<Served> for StoredServed {
    fn from(served: Served) -> Self {
        let Served { requests, failures } = served;
        Self { requests, failures }
    }
}

impl StoredServed {
    fn restore(self) -> Served {
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
    fn restore(self) -> Result<DrillRecord, Why> {
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

#[cfg(test)]
mod tests;
