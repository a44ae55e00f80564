//! Moves forward: where they lead, and everything that stands in their way.
//!
//! What a person is told when a move is refused and what keeps cutover from going by itself is one
//! list, made here. It is complete: whoever has dealt with all of it can move.

use super::approval::{needed, tally};
use super::blocker::Blocker;
use super::command::Goal;
use super::course::Data;
use super::observation::Reading;
use super::people::Actor;
use super::refusal::{Refusal, Unbuilt};
use super::standing::{Position, Progress, Withdrawal};
use super::{Moment, Phase};
use crate::Percent;
use crate::evidence::Verdict;
use std::time::Duration;

/// A move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where it leads.
    pub to: Position,
    /// It leaves out steps.
    pub skips: bool,
}

impl Move {
    /// Two people, one of whom only looks?
    pub fn needs_four_eyes(self) -> bool {
        self.skips || self.to == Position::Complete
    }

    /// The same move, as a person asks for it.
    pub fn goal(self) -> Goal {
        match self.to {
            Position::Canary(percent) => Goal::To(percent),
            Position::ReadsNew => Goal::ReadsNew,
            Position::Complete => Goal::Complete,
            Position::Off
            | Position::Sync
            | Position::Shadow
            | Position::Cutover
            | Position::NewPrimary
            | Position::Retired => Goal::Next,
        }
    }
}

/// The next move from where the migration stands.
pub fn next_move(at: &Moment<'_>) -> Result<Move, Refusal> {
    let to = match at.progress().position {
        Position::Off if at.course.data == Data::Cdc => {
            return Err(Refusal::NotBuilt(Unbuilt::Cdc));
        }
        Position::Off => Position::Shadow,
        Position::Shadow => Position::Canary(first(at)),
        Position::Canary(percent) => after(at, percent),
        Position::ReadsNew if at.course.write_routes => {
            return Err(Refusal::NotBuilt(Unbuilt::Writes));
        }
        Position::ReadsNew => Position::Complete,
        Position::Sync => return Err(Refusal::NotBuilt(Unbuilt::Cdc)),
        Position::Cutover | Position::NewPrimary => {
            return Err(Refusal::NotBuilt(Unbuilt::Writes));
        }
        Position::Complete => return Err(Refusal::NotBuilt(Unbuilt::Retire)),
        Position::Retired => return Err(Refusal::NothingFollows),
    };
    Ok(Move { to, skips: false })
}

fn first(at: &Moment<'_>) -> Percent {
    at.course.steps.after(Percent::ZERO).map_or(Percent::FULL, |step| step.percent)
}

/// What follows a share: the next step, or after the last one `reads-new`.
fn after(at: &Moment<'_>, percent: Percent) -> Position {
    at.course.steps.after(percent).map_or(Position::ReadsNew, |step| Position::Canary(step.percent))
}

/// The move that a goal means from where the migration stands.
pub(super) fn toward(at: &Moment<'_>, goal: Goal) -> Result<Move, Refusal> {
    let next = next_move(at)?;
    let from = at.progress().position;
    let to = match goal {
        Goal::Next => return Ok(next),
        Goal::Complete if next.to == Position::Complete => return Ok(next),
        Goal::Complete => return Err(Refusal::NotFrom { from, to: Phase::Complete }),
        Goal::ReadsNew => Position::ReadsNew,
        Goal::Full => Position::Canary(Percent::FULL),
        Goal::To(percent) => Position::Canary(percent),
    };
    if !matches!(from, Position::Shadow | Position::Canary(_)) {
        return Err(Refusal::NotFrom { from, to: to.phase() });
    }
    if let (Position::Canary(have), Position::Canary(want)) = (from, to)
        && want <= have
    {
        return Err(Refusal::NotUp { have, want });
    }
    let (share, phase) = (next.to.read_percent(), next.to.phase());
    Ok(Move { to, skips: to.read_percent() > share || to.phase() > phase })
}

/// Everything that keeps `mover` from this move now, first what has failed: the rest may pass by
/// waiting. Empty: it can go.
pub fn blockers(at: &Moment<'_>, wanted: Move, mover: &Actor) -> Vec<Blocker> {
    let mut found = Vec::new();
    held(at, &mut found);
    measured(at, wanted, &mut found);
    waited(at, wanted, &mut found);
    grouped(at, wanted, &mut found);
    agreed(at, wanted, mover, &mut found);
    found.sort_by_key(|blocker| !blocker.has_failed());
    found
}

/// Conditions that lie over the phase.
pub(super) fn held(at: &Moment<'_>, found: &mut Vec<Blocker>) {
    let progress = at.progress();
    match &progress.withdrawal {
        Withdrawal::None => {}
        Withdrawal::Drill(_) => found.push(Blocker::Drilling),
        Withdrawal::Graded(graded) => found.push(Blocker::GoingBack(graded.percent)),
        Withdrawal::Whole(mark) => found.push(Blocker::RolledBack(mark.clone())),
    }
    found.extend(progress.latch.clone().map(Blocker::Failed));
    found.extend(progress.paused.clone().map(Blocker::Paused));
    found.extend(progress.frozen.clone().map(Blocker::Frozen));
    if at.seen.in_force < progress.generation {
        let (generation, in_force) = (progress.generation, at.seen.in_force);
        found.push(Blocker::NotInForce { generation, in_force });
    }
    if progress.position != Position::Off && progress.salt != at.course.salt {
        found.push(Blocker::OtherSalt);
    }
}

/// The gates, and whether they measure anything.
fn measured(at: &Moment<'_>, wanted: Move, found: &mut Vec<Blocker>) {
    let progress = at.progress();
    if let Some(why) = &at.seen.kill {
        found.push(Blocker::Kill(why.clone()));
    }
    let starts = wanted.to == Position::Shadow;
    let demanded = if starts { &at.course.preflight } else { &at.course.gates };
    if !starts && silence(at) {
        found.push(Blocker::Silent { since: at.seen.heard });
    }
    let of_epoch = || at.seen.gates.iter().filter(|reading| reading.epoch == progress.epoch);
    let told = |gate: &str| of_epoch().any(|reading| *reading.gate == *gate);
    let silent = demanded.iter().filter(|gate| !told(gate));
    found.extend(silent.cloned().map(Blocker::Unmeasured));
    let counts = |reading: &&Reading| {
        let asked = demanded.contains(&reading.gate);
        // What is asked before the start only says nothing later, and the other way round.
        let other = starts || at.course.preflight.contains(&reading.gate);
        asked || !other || reading.verdict == Verdict::Fail
    };
    let short = of_epoch().filter(counts).filter(|reading| reading.verdict != Verdict::Pass);
    found.extend(short.cloned().map(Blocker::Gate));
    let passes = of_epoch().filter(counts).any(|reading| reading.verdict == Verdict::Pass);
    if !starts && demanded.is_empty() && !passes {
        found.push(Blocker::NothingMeasured);
    }
}

/// Has evidence stopped growing where it should grow?
pub(super) fn silence(at: &Moment<'_>) -> bool {
    at.seen.heard.is_none_or(|heard| at.now.since(heard) > at.course.silence)
}

/// Times to be waited for.
fn waited(at: &Moment<'_>, wanted: Move, found: &mut Vec<Blocker>) {
    let (progress, course) = (at.progress(), at.course);
    let spent = at.now.since(progress.entered);
    let whole = dwell(at, progress);
    if spent < whole {
        found.push(Blocker::Dwell { left: whole.saturating_sub(spent), whole });
    }
    if wanted.to == Position::Complete
        && let Some(red) = progress.last_red
        && at.now.since(red) < course.quiet
    {
        let left = course.quiet.saturating_sub(at.now.since(red));
        found.push(Blocker::RedLately { left, whole: course.quiet });
    }
    if let Some(rule) = course.drill
        && matches!(wanted.to, Position::ReadsNew | Position::Complete)
    {
        let last = progress.drilled.as_ref();
        if !last.is_some_and(|record| record.is_good(rule, at.now)) {
            found.push(Blocker::Drill { last: last.cloned(), good_for: rule.good_for });
        }
    }
}

/// How long the migration stays at least where it stands.
pub(super) fn dwell(at: &Moment<'_>, progress: &Progress) -> Duration {
    match progress.position {
        Position::Shadow => at.course.shadow_dwell,
        Position::Canary(percent) => at.course.steps.dwell(percent),
        Position::ReadsNew => at.course.soak,
        Position::Off
        | Position::Sync
        | Position::Cutover
        | Position::NewPrimary
        | Position::Complete
        | Position::Retired => Duration::ZERO,
    }
}

/// What other migrations of the group forbid.
fn grouped(at: &Moment<'_>, wanted: Move, found: &mut Vec<Blocker>) {
    let from = at.progress().position;
    if wanted.to == Position::Shadow {
        if let Some(mark) = &at.progress().expired {
            found.push(Blocker::Expired(mark.clone()));
        }
        found.extend(at.seen.group.expired.clone().map(Blocker::GroupExpired));
    }
    if from == Position::Shadow {
        found.extend(at.seen.group.canary.clone().map(Blocker::GroupCanary));
    }
}

/// What people say.
fn agreed(at: &Moment<'_>, wanted: Move, mover: &Actor, found: &mut Vec<Blocker>) {
    let tally = tally(at.progress(), at.course, wanted.to, mover, at.now);
    if let Some(objection) = tally.objection {
        found.push(Blocker::Rejected(objection.clone()));
    }
    let needed = needed(at.course, wanted);
    if tally.approvals < needed {
        found.push(Blocker::Approvals { wanted, have: tally.approvals, needed });
    }
}
