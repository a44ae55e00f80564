//! A migration: one extraction, one flag. Where it stands, and which way its reads and writes go.
//!
//! [`Migration`] is what a request sees, in a snapshot. How a migration moves is a pure state
//! machine beside it, with time and the world as arguments: its [`Standing`] changes by [`step`],
//! which is what cutover does by itself, and by [`apply`], which is what people order. Both answer
//! with a [`Transition`]: what the audit log is told, what is stored, and what is to be done.
//! [`plan`] tells the same without doing it, [`next_command`] what a person does next. The whole
//! table of states and events is `migration/transitions.md`, and is the test.

mod added;
mod apply;
mod approval;
mod blocker;
mod command;
mod course;
mod drill;
mod forward;
mod next;
mod observation;
mod people;
mod plan;
mod refusal;
mod standing;
mod step;
mod time;
mod transition;

pub use added::{AddedRule, MOST_ADDED_RULES};
pub use apply::{admits, apply};
pub use approval::Opinion;
pub use blocker::Blocker;
pub use command::{Back, Command, Goal, Order};
pub use course::{AutoLimit, CanaryStep, Course, Data, DrillRule, Steps, StepsError};
pub use drill::{Drill, DrillOutcome, DrillRecord};
pub use forward::{Move, blockers, next_move};
pub use next::{Next, next_command};
pub use observation::{EvidenceHash, Fingerprint, Group, Observation, Reading, Remedy, Served};
pub use people::{Actor, Mark, Role};
pub use plan::{Durations, Plan, durations, plan};
pub use refusal::{Refusal, Unbuilt};
pub use standing::{
    Graded, Latch, Position, Progress, Reads, Standing, Unsound, Withdrawal, Writes,
};
pub use step::{KILL_SWITCH, Step, end_of, expiry, step};
pub use time::Timestamp;
pub use transition::{Brief, Cause, Effect, Entry, Event, Transition};

use crate::compare::IgnoreRule;
use crate::edit::Edits;
use crate::fallback::FallbackPolicy;
use crate::key::{KeySource, QaHeader, UserList};
use crate::{BackendId, Generation, Percent, PlaceId, Salt, Side};
use http::HeaderName;
use std::sync::Arc;

/// One extraction: its two sides, its users, and its present traffic state.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its name, which is also its salt unless another is set.
    pub name: Box<str>,
    /// The system that is being left.
    pub old: BackendId,
    /// The system that is taking over.
    pub new: BackendId,
    /// Where a user's key is looked for, in order; the first non-empty value counts.
    pub key: Box<[KeySource]>,
    /// Keeps its cohort independent of other migrations' cohorts.
    pub salt: Salt,
    /// Users who always go to `new`.
    pub allow: UserList,
    /// Users who always go to `old`; outranks `allow`.
    pub deny: UserList,
    /// A signed header by which testers choose their side.
    pub qa: Option<QaHeader>,
    /// The kill switch: everything to `old`, nothing asked.
    pub disabled: bool,
    /// Where the migration stands.
    pub phase: Phase,
    /// Its traffic state.
    pub state: TrafficState,
    /// Rolled back: everything to `old`, nothing asked, until a person retries.
    pub rolled_back: bool,
    /// What is changed in exchanges that `new` serves.
    pub edits: Edits,
    /// What happens when `new` fails.
    pub fallback: FallbackPolicy,
    /// Where plugins take part.
    pub plugins: Plugins,
    /// What people said does not count in comparisons, beside the configuration.
    pub ignored: Arc<[IgnoreRule]>,
}

impl Migration {
    /// Are both sides there, so that what they do is evidence? Not where everything goes to `old`.
    pub fn is_judged(&self) -> bool {
        let phase = matches!(self.phase, Phase::Shadow | Phase::Canary | Phase::ReadsNew);
        phase && !self.disabled && !self.rolled_back
    }

    /// Names of the headers by which users are known: keys, and the signed QA header.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        let keys = self.key.iter().filter_map(|source| match source {
            KeySource::Header(name) => Some(name),
            KeySource::Cookie(_) | KeySource::Query(_) | KeySource::Path(_) => None,
        });
        keys.chain(self.qa.as_ref().map(|qa| &qa.name))
    }
}

/// The places where plugins take part in a migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plugins {
    /// Asked which side serves a read.
    pub split: Option<PlaceId>,
    /// Edits headers on the way in and out.
    pub rewrite: Option<PlaceId>,
    /// Asked what to do when an attempt failed.
    pub fallback: Option<PlaceId>,
    /// Makes the replies of both sides comparable. Always a place of its own: what fails there, beside the path of
    /// requests, must not cost the path its plugin.
    pub normalise: Option<PlaceId>,
}

/// `{read_percent, mirror_percent, write_owner, generation}`: reads and writes are separate fields,
/// so that moving one can never move the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficState {
    /// Share of users whose reads go to `new`.
    pub read_percent: Percent,
    /// Share of requests copied to the other side.
    pub mirror_percent: Percent,
    /// Who takes writes.
    pub write_owner: Side,
    /// When this state came into force.
    pub generation: Generation,
}

impl Default for TrafficState {
    fn default() -> Self {
        Self {
            read_percent: Percent::ZERO,
            mirror_percent: Percent::ZERO,
            write_owner: Side::Old,
            generation: Generation(0),
        }
    }
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Everything to `old`.
    #[default]
    Off,
    /// Data is being copied to `new`.
    Sync,
    /// Reads are mirrored to `new` and compared.
    Shadow,
    /// A share of the users reads from `new`.
    Canary,
    /// Everybody reads from `new`.
    ReadsNew,
    /// Writes are being moved.
    Cutover,
    /// Writes go to `new`, and flow back to `old`.
    NewPrimary,
    /// `old` is no longer needed.
    Complete,
    /// The flag can be deleted.
    Retired,
}

impl Phase {
    /// May reads be served by `new`? Lists, QA header and split plugins count only then.
    pub fn serves_reads_from_new(self) -> bool {
        self >= Self::Canary
    }

    /// Does everybody read from `new`, also who has no key?
    pub fn reads_are_new(self) -> bool {
        self >= Self::ReadsNew
    }

    /// The name used in configuration, API and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Sync => "sync",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::ReadsNew => "reads-new",
            Self::Cutover => "cutover",
            Self::NewPrimary => "new-primary",
            Self::Complete => "complete",
            Self::Retired => "retired",
        }
    }
}

/// Everything that the state machine may look at: one migration, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// What the configuration says about how it moves.
    pub course: &'a Course,
    /// Where it stands.
    pub standing: &'a Standing,
    /// What was seen of the world.
    pub seen: &'a Observation,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Moment<'a> {
    fn progress(&self) -> &'a Progress {
        &self.standing.progress
    }

    /// The generation that a transition would have.
    fn next_generation(&self) -> Generation {
        Generation(self.standing.progress.generation.0 + 1)
    }
}

#[cfg(test)]
mod tests;
