//! Standings and evidence as they are stored: JSON whose fields are spelled here, so that the core
//! can be changed without changing what lies on disks.
//!
//! Whoever changes a form here raises its version, and reads the former one, too.

mod parts;

use super::{Digest, StoreError};
use crate::core::evidence::Epoch;
use crate::core::migration::{Fingerprint, Mark, Progress, Standing, Timestamp, Writes};
use crate::core::{Bucketing, Generation, Salt};
use parts::{
    Share, StoredDrillRecord, StoredLatch, StoredMark, StoredOpinion, StoredPosition, StoredRule,
    StoredSide, StoredWithdrawal,
};
use serde::{Deserialize, Serialize};

/// The newest version of a standing's form. The former one has no added rules, and is still what a standing without
/// any is written in: a cutover that does not know of them can go on with it.
const VERSION: u32 = 2;

/// The version of a standing without added rules.
const WITHOUT_RULES: u32 = 1;

/// The version of the form of evidence.
const EVIDENCE_VERSION: u32 = 1;

/// A standing as it is stored.
pub(super) fn encode(standing: &Standing) -> Vec<u8> {
    let stored = StoredStanding::from(standing);
    serde_json::to_vec(&stored).expect("text and numbers can be written as JSON")
}

/// A stored standing, if it is one.
pub(super) fn decode(migration: &str, bytes: &[u8]) -> Result<Standing, StoreError> {
    let what = || format!("the state of migration {migration}").into();
    known_version(bytes, VERSION, what)?;
    let nonsense = |why: String| StoreError::Nonsense { what: what(), why: why.into() };
    let stored: StoredStanding =
        serde_json::from_slice(bytes).map_err(|error| nonsense(error.to_string()))?;
    let (progress, writes) = stored.parts().map_err(|why| nonsense(why.to_owned()))?;
    Standing::restore(progress, writes).map_err(|unsound| nonsense(unsound.to_string()))
}

/// Evidence as it is stored.
pub(super) fn encode_evidence(words: &[u64]) -> Vec<u8> {
    let stored = StoredEvidence { v: EVIDENCE_VERSION, words: words.to_vec() };
    serde_json::to_vec(&stored).expect("numbers can be written as JSON")
}

/// Stored evidence. What the words mean, the core knows.
pub(super) fn decode_evidence(migration: &str, bytes: &[u8]) -> Result<Vec<u64>, StoreError> {
    let what = || format!("the evidence of migration {migration}").into();
    known_version(bytes, EVIDENCE_VERSION, what)?;
    let nonsense = |error: serde_json::Error| StoreError::Nonsense {
        what: what(),
        why: error.to_string().into(),
    };
    let stored: StoredEvidence = serde_json::from_slice(bytes).map_err(nonsense)?;
    Ok(stored.words)
}

/// Is it of a version from the first to the newest?
fn known_version(bytes: &[u8], newest: u32, what: impl Fn() -> Box<str>) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    match serde_json::from_slice::<Versioned>(bytes) {
        Ok(Versioned { v: found }) if (1..=newest).contains(&found) => Ok(()),
        Ok(Versioned { v: found }) => {
            Err(StoreError::Version { what: what(), found, known: newest })
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    added: Vec<StoredRule>,
    drilled: Option<StoredDrillRecord>,
    cut_over_ms: Option<u64>,
    salt: Box<str>,
    bucketing: Box<str>,
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
            added,
            drilled,
            cut_over,
            salt,
        } = standing.progress();
        let mark = |mark: &Option<Mark>| mark.as_ref().map(StoredMark::from);
        Self {
            v: if added.is_empty() { WITHOUT_RULES } else { VERSION },
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
            added: added.iter().map(StoredRule::from).collect(),
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
            added: self.added.into_iter().map(StoredRule::restore).collect::<Result<_, _>>()?,
            drilled: self.drilled.map(StoredDrillRecord::restore).transpose()?,
            cut_over: self.cut_over_ms.map(Timestamp::from_millis),
            salt: Salt::with_bucketing(&self.salt, bucketing),
        };
        Ok((progress, Writes::stored(self.writes.restore())))
    }
}

#[cfg(test)]
mod tests;
