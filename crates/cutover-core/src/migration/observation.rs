//! What the machine is told about the world at one moment. Plain data: whoever measures, converts.

use super::time::Timestamp;
use crate::Generation;
use crate::evidence::{Answer, Epoch, Gate, Verdict};
use std::fmt;

/// The world at one moment, as one migration sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What each gate says.
    pub gates: Vec<Reading>,
    /// Why the hard switch wants reads back on `old` at once, beside all statistics.
    pub kill: Option<Box<str>>,
    /// Why it is prudent to pause, without proof. It is heeded once in an epoch.
    pub precaution: Option<Box<str>>,
    /// Digest of everything the gates look at now.
    pub evidence: EvidenceHash,
    /// Digests of earlier evidence of this epoch that can still be shown. An approval names one of
    /// these, or the present one.
    pub shown: Vec<EvidenceHash>,
    /// When evidence last grew, as [`Evidence::observed_ms`](crate::evidence::Evidence::observed_ms)
    /// tells. Not a heartbeat, which beats on without traffic.
    pub heard: Option<Timestamp>,
    /// When this epoch of evidence began.
    pub begun: Timestamp,
    /// How many comparisons that match pass the mismatch gate when it begins anew; `None`: it is not
    /// demanded.
    pub comparisons_needed: Option<u64>,
    /// The newest generation that every proxy has confirmed.
    pub in_force: Generation,
    /// Requests that were sent to `new` and wait for the end of its reply.
    pub open_on_new: u64,
    /// `old` has served too little lately to take everybody at once.
    pub old_is_cold: bool,
    /// Digest of backends, rules and plugins, but for what is ignored: see [`Course::about`].
    ///
    /// [`Course::about`]: super::Course::about
    pub fingerprint: Fingerprint,
    /// Requests of users up to now, and how many of them failed.
    pub served: Served,
    /// What other migrations of the group do.
    pub group: Group,
}

/// What one gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The gate's name.
    pub gate: Box<str>,
    /// Its answer.
    pub verdict: Verdict,
    /// What follows if it fails.
    pub remedy: Remedy,
    /// The answer with its numbers, in words.
    pub sentence: Box<str>,
    /// The epoch of the evidence; a reading of another epoch counts for nothing.
    pub epoch: Epoch,
}

impl Reading {
    pub(super) fn fails(&self, epoch: Epoch) -> bool {
        self.verdict == Verdict::Fail && self.epoch == epoch
    }

    /// An answer of the gates over evidence. The age of drills is known here better than there.
    pub fn of(answer: &Answer, epoch: Epoch) -> Option<Self> {
        let remedy = Remedy::of(answer.gate)?;
        let (gate, told) = (answer.gate.name(), answer.to_string());
        // It begins with the gate's name, which is said here anyway.
        let sentence = told.strip_prefix(gate).map_or(&*told, |rest| rest.trim_start_matches(": "));
        let (gate, sentence) = (gate.into(), sentence.into());
        Some(Self { gate, verdict: answer.verdict(), remedy, sentence, epoch })
    }
}

/// What follows from a failed gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Nothing goes forward while it fails.
    Hold,
    /// Nothing goes forward until somebody has looked and retries.
    Latch,
    /// As `Latch`, and reads go back to `old`.
    RollBack,
}

impl Remedy {
    /// What follows for users: who meets errors or waits goes back; a difference in content is
    /// looked at by people first. `None`: the machine itself looks after it.
    pub const fn of(gate: Gate) -> Option<Self> {
        match gate {
            Gate::Errors | Gate::Fallbacks | Gate::Latency => Some(Self::RollBack),
            Gate::Mismatch => Some(Self::Latch),
            Gate::Coverage | Gate::Mirror | Gate::Freshness | Gate::Baseline | Gate::Old => {
                Some(Self::Hold)
            }
            Gate::Drill => None,
        }
    }
}

/// Requests counted since some beginning; only differences mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Requests of users.
    pub requests: u64,
    /// Those of them that failed for the user.
    pub failures: u64,
}

/// What other migrations of the group do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// One of them has a canary.
    pub canary: Option<Box<str>>,
    /// One of them is past its expiry.
    pub expired: Option<Box<str>>,
}

/// Digest of evidence, by which an approval says what it saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EvidenceHash(pub [u8; 32]);

/// Digest of the backends, rules and plugins that evidence is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// The first twelve digits: enough to tell evidence apart by eye.
impl fmt::Display for EvidenceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Observation {
    /// Is this evidence that a person can have seen in this epoch?
    pub(super) fn can_show(&self, evidence: EvidenceHash) -> bool {
        self.evidence == evidence || self.shown.contains(&evidence)
    }

    /// The gravest reading of this epoch that says fail.
    pub(super) fn red(&self, epoch: Epoch) -> Option<&Reading> {
        let failed = self.gates.iter().filter(|reading| reading.fails(epoch));
        // The first of the gravest: `min_by_key` keeps the first of equals.
        failed.min_by_key(|reading| match reading.remedy {
            Remedy::RollBack => 0,
            Remedy::Latch => 1,
            Remedy::Hold => 2,
        })
    }
}
