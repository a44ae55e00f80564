//! Opinions of people on the next move: approvals and objections, bound to the evidence they saw.
//!
//! An opinion is a resource of its own, not a flag of the migration: it has an author, a target and
//! an end. It is void as soon as the evidence epoch changes, a gate fails, or the position moves;
//! the machine then drops it and says so.

use super::course::Course;
use super::forward::Move;
use super::observation::EvidenceHash;
use super::people::Actor;
use super::standing::{Position, Progress};
use super::time::Timestamp;
use crate::evidence::Epoch;

/// No more opinions than this are kept; nobody needs them, and everything has a bound.
pub(super) const MOST_OPINIONS: usize = 32;

/// What somebody thinks of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Who.
    pub by: Actor,
    /// For it, or against it.
    pub approves: bool,
    /// The move: where it leads.
    pub to: Position,
    /// The evidence seen.
    pub evidence: EvidenceHash,
    /// Its epoch.
    pub epoch: Epoch,
    /// The reason given.
    pub why: Box<str>,
    /// When.
    pub at: Timestamp,
}

impl Opinion {
    /// When it ends.
    pub fn ends(&self, course: &Course) -> Timestamp {
        self.at.plus(course.approval_lasts)
    }

    fn holds_for(
        &self,
        to: Position,
        progress: &Progress,
        course: &Course,
        now: Timestamp,
    ) -> bool {
        self.to == to && self.epoch == progress.epoch && now < self.ends(course)
    }
}

/// What counts for a move.
pub(super) struct Tally<'a> {
    /// Approvals by people other than who moves.
    pub(super) approvals: usize,
    /// Somebody is against it.
    pub(super) objection: Option<&'a Opinion>,
}

/// Counts opinions on a move by `mover`. Whoever approves and then moves is one pair of eyes.
pub(super) fn tally<'a>(
    progress: &'a Progress,
    course: &Course,
    to: Position,
    mover: &Actor,
    now: Timestamp,
) -> Tally<'a> {
    let valid = progress.opinions.iter();
    let valid = valid.filter(|opinion| opinion.holds_for(to, progress, course, now));
    let (for_it, against): (Vec<&Opinion>, Vec<&Opinion>) =
        valid.partition(|opinion| opinion.approves);
    let others = for_it.iter().filter(|opinion| opinion.by.name != mover.name);
    Tally { approvals: others.count(), objection: against.first().copied() }
}

/// Approvals by others that a move needs: what the course asks for, and one wherever four eyes are.
pub(super) fn needed(course: &Course, wanted: Move) -> usize {
    let asked = if wanted.to == Position::Shadow { 0 } else { usize::from(course.approvals) };
    asked.max(usize::from(wanted.needs_four_eyes()))
}

/// Notes an opinion: a person has one on each move, the last. `None`: there are too many.
pub(super) fn note(opinions: &mut Vec<Opinion>, opinion: Opinion) -> Option<()> {
    opinions.retain(|known| known.by.name != opinion.by.name || known.to != opinion.to);
    let room = opinions.len() < MOST_OPINIONS;
    room.then(|| opinions.push(opinion))
}
