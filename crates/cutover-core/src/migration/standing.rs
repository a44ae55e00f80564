//! Where a migration stands: the state that is stored, and what it means for traffic.
//!
//! Reads and writes are two types. Everything that a command or a step may change is in
//! [`Progress`], which does not know who takes writes; [`Writes`] is carried along untouched. So a
//! read switch cannot move writes, whatever its code does.

use super::added::{AddedRule, MOST_ADDED_RULES};
use super::approval::Opinion;
use super::drill::{Drill, DrillRecord};
use super::observation::{Fingerprint, Served};
use super::people::Mark;
use super::time::Timestamp;
use super::{Phase, TrafficState};
use crate::evidence::Epoch;
use crate::{Generation, Percent, Salt, Side};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// Where a migration stands. Made by [`Standing::first`], by a
/// [`Transition`](super::Transition), or from what was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub(super) progress: Progress,
    pub(super) writes: Writes,
}

/// Who takes writes. `old` does, until there is machinery that moves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writes {
    owner: Side,
}

impl Writes {
    /// Every migration begins like this.
    pub const OLD: Self = Self { owner: Side::Old };

    /// As it was stored.
    pub const fn stored(owner: Side) -> Self {
        Self { owner }
    }

    /// Who takes them.
    pub const fn owner(self) -> Side {
        self.owner
    }
}

/// How far reads have come, and what holds them: everything that is stored but the writes' owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The phase, with what belongs to it alone.
    pub position: Position,
    /// Share of requests that is mirrored in the phases that mirror.
    pub mirror: Percent,
    /// Reads are, or are being, withdrawn from `new`.
    pub withdrawal: Withdrawal,
    /// No weight grows, by a person's wish.
    pub paused: Option<Mark>,
    /// As `paused`, for an incident or a change freeze.
    pub frozen: Option<Mark>,
    /// Evidence has stopped growing.
    pub inconclusive: Option<Mark>,
    /// Past its end.
    pub expired: Option<Mark>,
    /// A gate failed; nothing goes forward until `retry`.
    pub latch: Option<Latch>,
    /// When a gate last failed, or its failure was last known to hold.
    pub last_red: Option<Timestamp>,
    /// The epoch in which cutover has paused as a precaution; it does so once in an epoch.
    pub heeded: Option<Epoch>,
    /// Grows by one with every change of anything here.
    pub generation: Generation,
    /// When the present position was reached.
    pub entered: Timestamp,
    /// Which evidence counts.
    pub epoch: Epoch,
    /// What the evidence is about.
    pub fingerprint: Fingerprint,
    /// What people think of the next move.
    pub opinions: Vec<Opinion>,
    /// Rules that people added to the configuration's.
    pub added: Vec<AddedRule>,
    /// The last rollback drill.
    pub drilled: Option<DrillRecord>,
    /// When everything that moves was on `new` for good.
    pub cut_over: Option<Timestamp>,
    /// Salt and arithmetic by which users were chosen; they stay for the migration's life.
    pub salt: Salt,
}

/// A phase, with the data that only it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Everything to `old`.
    Off,
    /// Data is being copied. Not entered yet.
    Sync,
    /// Reads are mirrored and compared.
    Shadow,
    /// This share of the users reads from `new`; at 0 only those named one by one.
    Canary(Percent),
    /// Everybody reads from `new`.
    ReadsNew,
    /// Writes are being moved. Not entered yet.
    Cutover,
    /// Writes go to `new`. Not entered yet.
    NewPrimary,
    /// `old` is no longer needed.
    Complete,
    /// The flag can be deleted. Not entered yet.
    Retired,
}

/// Reads leave `new`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// They do not.
    None,
    /// For a drill: all on `old`, soon restored.
    Drill(Drill),
    /// A graded rollback is under way.
    Graded(Graded),
    /// Rolled back: everything on `old` until a person retries.
    Whole(Mark),
}

/// In how many parts a graded rollback goes.
pub(super) const PARTS: u32 = 10;

/// A rollback over some time, for an `old` that is cold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// Who wanted it, why, and since when.
    pub mark: Mark,
    /// Over how long.
    pub over: Duration,
    /// The share at its beginning.
    pub from: Percent,
    /// The share now.
    pub percent: Percent,
}

/// A gate that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latch {
    /// The gate.
    pub gate: Box<str>,
    /// What it said.
    pub sentence: Box<str>,
    /// When.
    pub at: Timestamp,
}

impl Position {
    /// The phase.
    pub const fn phase(self) -> Phase {
        match self {
            Self::Off => Phase::Off,
            Self::Sync => Phase::Sync,
            Self::Shadow => Phase::Shadow,
            Self::Canary(_) => Phase::Canary,
            Self::ReadsNew => Phase::ReadsNew,
            Self::Cutover => Phase::Cutover,
            Self::NewPrimary => Phase::NewPrimary,
            Self::Complete => Phase::Complete,
            Self::Retired => Phase::Retired,
        }
    }

    /// The share of users whose reads go to `new`, if nothing withdraws them.
    pub const fn read_percent(self) -> Percent {
        match self {
            Self::Off | Self::Sync | Self::Shadow => Percent::ZERO,
            Self::Canary(percent) => percent,
            Self::ReadsNew | Self::Cutover | Self::NewPrimary | Self::Complete | Self::Retired => {
                Percent::FULL
            }
        }
    }

    /// Are both sides there, so that reads are mirrored and judged, and can go back?
    pub const fn is_judged(self) -> bool {
        matches!(self, Self::Shadow | Self::Canary(_) | Self::ReadsNew)
    }

    /// Do reads go to `new`, and can they go back?
    pub const fn is_on_trial(self) -> bool {
        matches!(self, Self::Canary(_) | Self::ReadsNew)
    }
}

/// `shadow`, `canary 20%`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.phase().name())?;
        match self {
            Self::Canary(percent) => write!(f, " {percent}"),
            Self::Off
            | Self::Sync
            | Self::Shadow
            | Self::ReadsNew
            | Self::Cutover
            | Self::NewPrimary
            | Self::Complete
            | Self::Retired => Ok(()),
        }
    }
}

/// Stored data that is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsound {
    /// `new` takes writes in a phase in which writes have not moved.
    WritesTooEarly(Phase),
    /// `old` takes writes in a phase that begins when they have moved.
    WritesTooLate(Phase),
    /// Reads are being withdrawn in a phase that has none on `new`, or cannot go back.
    NothingToWithdraw(Phase),
    /// A graded rollback that grows.
    GrowingRollback,
    /// More rules than can be added, or one twice.
    AddedRules,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WritesTooEarly(phase) => {
                write!(f, "in phase {} writes cannot be owned by new", phase.name())
            }
            Self::WritesTooLate(phase) => {
                write!(f, "in phase {} writes cannot be owned by old", phase.name())
            }
            Self::NothingToWithdraw(phase) => {
                write!(f, "in phase {} no reads can be on their way back", phase.name())
            }
            Self::GrowingRollback => f.write_str("a graded rollback cannot be above its beginning"),
            Self::AddedRules => {
                write!(
                    f,
                    "there are more than {MOST_ADDED_RULES} added rules, or one is there twice"
                )
            }
        }
    }
}

impl std::error::Error for Unsound {}

impl Standing {
    /// Where a migration stands that has never moved: off, or, as the configuration may say, with
    /// this share of the users in its canary.
    pub fn first(
        salt: Salt,
        canary: Option<Percent>,
        mirror: Percent,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Self {
        let progress = Progress {
            position: canary.map_or(Position::Off, Position::Canary),
            mirror,
            withdrawal: Withdrawal::None,
            paused: None,
            frozen: None,
            inconclusive: None,
            expired: None,
            latch: None,
            last_red: None,
            heeded: None,
            generation: Generation(0),
            entered: now,
            epoch: Epoch(0),
            fingerprint,
            opinions: Vec::new(),
            added: Vec::new(),
            drilled: None,
            cut_over: None,
            salt,
        };
        Self { progress, writes: Writes::OLD }
    }

    /// From what was stored. What contradicts itself is refused.
    pub fn restore(progress: Progress, writes: Writes) -> Result<Self, Unsound> {
        let phase = progress.position.phase();
        let may_own = phase >= Phase::NewPrimary;
        if writes.owner == Side::New && !may_own {
            return Err(Unsound::WritesTooEarly(phase));
        }
        // A migration without write routes is complete without its writes having moved.
        if writes.owner == Side::Old && phase == Phase::NewPrimary {
            return Err(Unsound::WritesTooLate(phase));
        }
        let possible = match &progress.withdrawal {
            Withdrawal::None => true,
            Withdrawal::Whole(_) => progress.position.is_judged(),
            Withdrawal::Drill(_) | Withdrawal::Graded(_) => progress.position.is_on_trial(),
        };
        if !possible {
            return Err(Unsound::NothingToWithdraw(phase));
        }
        if let Withdrawal::Graded(graded) = &progress.withdrawal {
            let most = progress.position.read_percent();
            if graded.percent > graded.from || graded.from > most {
                return Err(Unsound::GrowingRollback);
            }
        }
        let rules: BTreeSet<_> = progress.added.iter().map(|added| &added.rule).collect();
        if rules.len() < progress.added.len() || rules.len() > MOST_ADDED_RULES {
            return Err(Unsound::AddedRules);
        }
        Ok(Self { progress, writes })
    }

    /// All but the writes' owner, to be shown and stored.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Who takes writes, to be shown and stored.
    pub fn writes(&self) -> Writes {
        self.writes
    }

    /// The generation, for `If-Match`.
    pub fn generation(&self) -> Generation {
        self.progress.generation
    }

    /// The traffic state that this means.
    pub fn traffic(&self) -> TrafficState {
        let reads = self.progress.reads();
        TrafficState {
            read_percent: reads.read_percent,
            mirror_percent: reads.mirror_percent,
            write_owner: self.writes.owner,
            generation: reads.generation,
        }
    }

    /// Counters have begun anew, as those of another process do: a drill that is under way counts from here on.
    pub fn counts_from(&mut self, served: Served) {
        if let Withdrawal::Drill(drill) = &mut self.progress.withdrawal {
            drill.before = served;
        }
    }

    /// Puts phase, traffic state and added rules in force in a migration of a snapshot that is being built.
    pub fn put_in_force(&self, migration: &mut super::Migration) {
        let reads = self.progress.reads();
        migration.phase = reads.phase;
        migration.rolled_back = reads.closed;
        migration.state = self.traffic();
        migration.salt = self.progress.salt.clone();
        migration.ignored = self.progress.added.iter().map(|added| added.rule.clone()).collect();
    }
}

/// Everything about reads that proxies must know, in one generation: weight and side effects never
/// come into force one without the other. It has no word for writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// The phase.
    pub phase: Phase,
    /// Share of users whose reads go to `new`.
    pub read_percent: Percent,
    /// Share of requests that is mirrored.
    pub mirror_percent: Percent,
    /// Everything to `old`, lists and testers too.
    pub closed: bool,
    /// The generation.
    pub generation: Generation,
}

impl Progress {
    /// What this means for reads.
    pub fn reads(&self) -> Reads {
        let (read_percent, closed) = match &self.withdrawal {
            Withdrawal::None => (self.position.read_percent(), false),
            Withdrawal::Graded(graded) => (graded.percent, false),
            Withdrawal::Drill(_) | Withdrawal::Whole(_) => (Percent::ZERO, true),
        };
        let mirrors = self.position.is_judged() && !matches!(self.withdrawal, Withdrawal::Whole(_));
        Reads {
            phase: self.position.phase(),
            read_percent,
            mirror_percent: if mirrors { self.mirror } else { Percent::ZERO },
            closed,
            generation: self.generation,
        }
    }

    /// The conditions that lie over the phase, by the names used in API and output.
    pub fn overlays(&self) -> Vec<&'static str> {
        let withdrawal = match &self.withdrawal {
            Withdrawal::None => None,
            Withdrawal::Drill(_) => Some("drilling"),
            Withdrawal::Graded(_) => Some("going-back"),
            Withdrawal::Whole(_) => Some("rolled-back"),
        };
        [
            withdrawal,
            self.latch.as_ref().map(|_| "failed"),
            self.paused.as_ref().map(|_| "paused"),
            self.frozen.as_ref().map(|_| "frozen"),
            self.inconclusive.as_ref().map(|_| "inconclusive"),
            self.expired.as_ref().map(|_| "expired"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
