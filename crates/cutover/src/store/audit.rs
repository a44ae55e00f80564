//! A record of the audit log, as it is stored, exported and shown.

use super::{Commit, Digest, Receipt};
use crate::core::migration::{Brief, Entry, Event};
use serde::{Deserialize, Serialize};

/// The version of the form that this cutover writes.
pub(super) const VERSION: u32 = 1;

/// `,"hash":"` and 64 digits and `"}`: what a line has at its end and its hash does not cover.
const SEAL_LENGTH: usize = 9 + 64 + 2;

/// One record of the audit log. As JSON it has exactly these fields, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Version of this form: 1.
    pub v: u32,
    /// Its number, from 1 without a gap.
    pub seq: u64,
    /// When: milliseconds since the beginning of 1970, UTC.
    pub at_ms: u64,
    /// The migration.
    pub migration: Box<str>,
    /// The migration's generation afterwards.
    pub generation: u64,
    /// Who: a name.
    pub by: Box<str>,
    /// The role in which it was done.
    pub role: Box<str>,
    /// The verb of a command, or the name of what was noticed.
    pub event: Box<str>,
    /// The command as it is typed; `null` if nobody gave one.
    pub command: Option<Box<str>>,
    /// Why.
    pub why: Box<str>,
    /// The state before.
    pub from: AuditState,
    /// The state afterwards.
    pub to: AuditState,
    /// Digest of the evidence at that moment.
    pub evidence: Digest,
    /// What the gates said at that moment.
    pub gates: Vec<Box<str>>,
    /// The hash of the record before; zeros in the first.
    pub previous: Digest,
    /// SHA-256 of this record's line without this field.
    pub hash: Digest,
}

/// The state of a migration, in words and in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AuditState {
    /// In words: `canary 20%, mirror 10%, paused`.
    pub text: Box<str>,
    /// The phase.
    pub phase: Box<str>,
    /// Share of the users whose reads go to `new`, as it is in force: `20%`.
    pub reads: Box<str>,
    /// Share of the requests that is mirrored.
    pub mirror: Box<str>,
    /// Who takes writes: `old` or `new`.
    pub writes: Box<str>,
    /// What lies over the phase: `paused`, `rolled-back` and so on.
    pub overlays: Vec<Box<str>>,
}

impl AuditRecord {
    /// The record of a transition, after the one that `previous` names.
    pub(super) fn follow(previous: Receipt, commit: &Commit) -> Self {
        let Entry { migration, at, by, event, why, from, to, evidence, generation } = &commit.entry;
        let command = match event {
            Event::Ordered(command) => Some(command.spelled(migration).into()),
            Event::Noticed(_) => None,
        };
        let mut record = Self {
            v: VERSION,
            seq: previous.seq + 1,
            at_ms: at.millis(),
            migration: migration.clone(),
            generation: generation.0,
            by: by.name.clone(),
            role: by.role.name().into(),
            event: event.name().into(),
            command,
            why: why.clone(),
            from: AuditState::of(from),
            to: AuditState::of(to),
            evidence: Digest(evidence.0),
            gates: commit.gates.clone(),
            previous: previous.hash,
            hash: Digest::default(),
        };
        let covered = covered(record.line().as_bytes()).expect("a line of ours ends in its hash");
        record.hash = Digest::of(&covered);
        record
    }

    /// The line that stands for it, in the store and in an export; without a line's end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("text and numbers can be written as JSON")
    }

    /// What names it.
    pub fn receipt(&self) -> Receipt {
        Receipt { seq: self.seq, hash: self.hash }
    }
}

/// The bytes of a line that its hash covers.
pub(super) fn covered(line: &[u8]) -> Option<Vec<u8>> {
    let (covered, seal) = line.split_at_checked(line.len().checked_sub(SEAL_LENGTH)?)?;
    let sealed = seal.starts_with(br#","hash":""#) && seal.ends_with(br#""}"#);
    sealed.then(|| [covered, b"}"].concat())
}

impl AuditState {
    fn of(brief: &Brief) -> Self {
        Self {
            text: brief.to_string().into(),
            phase: brief.position.phase().name().into(),
            reads: brief.read_percent.to_string().into(),
            mirror: brief.mirror_percent.to_string().into(),
            writes: brief.write_owner.name().into(),
            overlays: brief.overlays.iter().copied().map(Box::from).collect(),
        }
    }
}
