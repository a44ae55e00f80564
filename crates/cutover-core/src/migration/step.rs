//! What cutover does by itself: hold, go back, look after drills and expiry, and take the small
//! steps that were declared to need no person.
//!
//! Judging never stops: not while somebody is awaited, not while paused or frozen.

use super::apply::moved;
use super::blocker::Blocker;
use super::course::{AFTER_CUTOVER, Course};
use super::drill::{DrillOutcome, DrillTurn, turn};
use super::forward::{blockers, next_move, silence};
use super::observation::Remedy;
use super::people::{Actor, Mark};
use super::standing::{Graded, Latch, PARTS, Position, Withdrawal};
use super::time::Timestamp;
use super::transition::{Cause, Draft, Event, Transition};
use super::{Moment, Progress};
use crate::Percent;
use crate::evidence::Epoch;

/// The name under which the hard switch latches.
pub const KILL_SWITCH: &str = "kill-switch";

/// The answer of [`step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing changes; this is what the next move waits for, a person aside.
    Stay(Vec<Blocker>),
    /// One change. Whoever has done it asks again: there may be more.
    Go(Box<Transition>),
}

/// What cutover does now. The gravest thing comes first, one at a time.
pub fn step(at: &Moment<'_>) -> Step {
    let rules = [danger, prudence, going_back, drilling, changed, listening, expiring, due];
    if let Some(transition) = rules.into_iter().find_map(|rule| rule(at)) {
        return Step::Go(Box::new(transition));
    }
    let waits = next_move(at).map(|wanted| blockers(at, wanted, &Actor::automation()));
    Step::Stay(waits.unwrap_or_default())
}

fn mark(at: &Moment<'_>, why: &str) -> Mark {
    Mark { by: Actor::automation(), why: why.into(), at: at.now }
}

fn noticed(at: &Moment<'_>, draft: Draft, cause: Cause, why: &str) -> Option<Transition> {
    Some(draft.seal(at, Actor::automation(), Event::Noticed(cause), why))
}

/// A gate that fails, or the hard switch: latch, and where reads are on `new`, go back.
fn danger(at: &Moment<'_>) -> Option<Transition> {
    let progress = at.progress();
    if !progress.position.is_judged() {
        return None;
    }
    let killed = at.seen.kill.is_some();
    let (gate, sentence, remedy) = match &at.seen.kill {
        Some(why) => (KILL_SWITCH, why, Remedy::RollBack),
        None => {
            let reading = at.seen.red(progress.epoch)?;
            (&*reading.gate, &reading.sentence, reading.remedy)
        }
    };
    let goes_back = remedy == Remedy::RollBack
        && progress.position.is_on_trial()
        && match &progress.withdrawal {
            Withdrawal::None | Withdrawal::Drill(_) => true,
            Withdrawal::Graded(_) => killed,
            Withdrawal::Whole(_) => false,
        };
    if remedy == Remedy::Hold || progress.latch.is_some() && !goes_back {
        return None;
    }
    let why = format!("{gate} failed: {sentence}");
    let mut to = progress.clone();
    to.latch = Some(Latch { gate: gate.into(), sentence: sentence.clone(), at: at.now });
    to.last_red = Some(at.now);
    to.opinions.clear();
    if goes_back {
        go_back(at, &mut to, mark(at, &why), killed);
    }
    let cause = if killed { Cause::Killed } else { Cause::Failed };
    let alert = format!("{}: {why}", at.course.name);
    noticed(at, Draft::of(to).alerting(alert), cause, &why)
}

/// A pause without proof. A person who resumes has looked, and is not asked again in this epoch.
fn prudence(at: &Moment<'_>) -> Option<Transition> {
    let progress = at.progress();
    let why = at.seen.precaution.as_ref().filter(|_| progress.position.is_judged())?;
    let withdrawn = progress.withdrawal != Withdrawal::None;
    if withdrawn || progress.heeded == Some(progress.epoch) || progress.paused.is_some() {
        return None;
    }
    let mut to = progress.clone();
    to.paused = Some(mark(at, why));
    to.heeded = Some(progress.epoch);
    let alert = format!("{}: paused as a precaution: {why}", at.course.name);
    noticed(at, Draft::of(to).alerting(alert), Cause::Precaution, why)
}

/// At once; over some time only if `old` is cold and nothing is worse than that.
fn go_back(at: &Moment<'_>, to: &mut Progress, mark: Mark, killed: bool) {
    let from = to.reads().read_percent;
    let over = at.course.graded;
    let slowly = at.seen.old_is_cold && !killed && from > Percent::ZERO && !over.is_zero();
    if slowly {
        to.withdrawal = Withdrawal::Graded(Graded { mark, over, from, percent: from });
    } else {
        to.withdraw(mark, at.now);
    }
}

/// The next part of a graded rollback. It ends as a whole one.
fn going_back(at: &Moment<'_>) -> Option<Transition> {
    let Withdrawal::Graded(graded) = &at.progress().withdrawal else { return None };
    let share = share_left(graded, at.now);
    if share >= graded.percent {
        return None;
    }
    let mut to = at.progress().clone();
    if share == Percent::ZERO {
        to.withdraw(graded.mark.clone(), at.now);
    } else {
        to.withdrawal = Withdrawal::Graded(Graded { percent: share, ..graded.clone() });
    }
    let why = format!("graded rollback by {}", graded.mark);
    noticed(at, Draft::of(to), Cause::GoingBack, &why)
}

/// The share that still reads from `new`: it falls by a part at the end of each part of the time.
fn share_left(graded: &Graded, now: Timestamp) -> Percent {
    let (elapsed, over) = (now.since(graded.mark.at).as_millis(), graded.over.as_millis().max(1));
    let gone = elapsed.saturating_mul(u128::from(PARTS)) / over;
    let left = PARTS.saturating_sub(u32::try_from(gone).unwrap_or(PARTS));
    Percent::from_thousandths(graded.from.thousandths() * left / PARTS)
}

/// A drill's next turn. What restores the reads is still the order of who began it.
fn drilling(at: &Moment<'_>) -> Option<Transition> {
    let progress = at.progress();
    let Withdrawal::Drill(drill) = &progress.withdrawal else { return None };
    let rule = at.course.drill.unwrap_or_default();
    let held = progress.paused.is_some() || progress.frozen.is_some() || progress.latch.is_some();
    let mut to = progress.clone();
    match turn(drill, rule, at.seen, at.now, held) {
        DrillTurn::Wait => None,
        DrillTurn::Recovered(time) => {
            let recovered = super::drill::Drill { recovered: Some(time), ..drill.clone() };
            to.withdrawal = Withdrawal::Drill(recovered);
            noticed(at, Draft::of(to), Cause::Recovered, &format!("drill by {}", drill.mark))
        }
        DrillTurn::Over(record) => {
            to.withdrawal = Withdrawal::None;
            to.drilled = Some(record.clone());
            let mut draft = Draft::of(to);
            if record.outcome != DrillOutcome::Good {
                draft = draft.alerting(format!("{}: drill {record}", at.course.name));
            }
            let why = record.to_string();
            let event = Event::Noticed(Cause::Drilled(record));
            Some(draft.seal(at, drill.mark.by.clone(), event, &why))
        }
    }
}

/// Other backends, rules or plugins: what was seen says nothing about them.
fn changed(at: &Moment<'_>) -> Option<Transition> {
    let progress = at.progress();
    let about = at.course.about(at.seen.fingerprint, &progress.added);
    if progress.fingerprint == about {
        return None;
    }
    let mut to = progress.clone();
    to.fingerprint = about;
    to.epoch = Epoch(to.epoch.0 + 1);
    to.opinions.clear();
    let why = "backends, rules or plugins changed";
    noticed(at, Draft::of(to), Cause::Changed, why)
}

/// Evidence that stopped growing, or grows again.
fn listening(at: &Moment<'_>) -> Option<Transition> {
    let progress = at.progress();
    let awaited = progress.position.is_judged() && progress.withdrawal == Withdrawal::None;
    // Who has just arrived, or begun anew, has not had the time to be heard.
    let since = progress.entered.max(at.seen.begun);
    let fresh = at.now.since(since) <= at.course.silence;
    let silent = awaited && silence(at) && !fresh;
    let mut to = progress.clone();
    if silent && progress.inconclusive.is_none() {
        let why = "evidence has stopped growing";
        to.inconclusive = Some(mark(at, why));
        let alert = format!("{}: {why}: is there traffic?", at.course.name);
        return noticed(at, Draft::of(to).alerting(alert), Cause::Silent, why);
    }
    if !silence(at) && progress.inconclusive.is_some() {
        to.inconclusive = None;
        return noticed(at, Draft::of(to), Cause::Heard, "evidence grows again");
    }
    None
}

/// When the flag must be gone: at its configured end, or 30 days after its cutover.
pub fn expiry(at: &Moment<'_>) -> Timestamp {
    end_of(at.course, at.progress())
}

/// The same, where nothing else is known.
pub fn end_of(course: &Course, progress: &Progress) -> Timestamp {
    let after = progress.cut_over.map(|cut_over| cut_over.plus(AFTER_CUTOVER));
    after.map_or(course.expires, |after| after.min(course.expires))
}

/// Past its end, or no more. Traffic stays where it is.
fn expiring(at: &Moment<'_>) -> Option<Transition> {
    let progress = at.progress();
    if progress.position == Position::Retired {
        return None;
    }
    let (end, mut to) = (expiry(at), progress.clone());
    match &progress.expired {
        None if at.now >= end => {
            let why = format!("expired at {end}");
            to.expired = Some(mark(at, &why));
            let alert =
                format!("{}: {why}; it moves no traffic, but blocks its group", at.course.name);
            noticed(at, Draft::of(to).alerting(alert), Cause::Expired, &why)
        }
        Some(mark) if mark.by.is_cutover() && at.now < end => {
            to.expired = None;
            noticed(at, Draft::of(to), Cause::Extended, &format!("expires at {end}"))
        }
        Some(_) | None => None,
    }
}

/// A step that was declared to need no person, and that nothing stands in the way of.
fn due(at: &Moment<'_>) -> Option<Transition> {
    let wanted = next_move(at).ok()?;
    let Position::Canary(percent) = wanted.to else { return None };
    let automation = Actor::automation();
    if percent > at.course.auto.percent() || !blockers(at, wanted, &automation).is_empty() {
        return None;
    }
    let why =
        format!("every gate passes, and steps up to {} need no person", at.course.auto.percent());
    noticed(at, Draft::of(moved(at, wanted)), Cause::Due, &why)
}
