//! Commands of people: each becomes a transition, or a refusal that says what is missing.

use super::approval::{Opinion, note};
use super::blocker::Blocker;
use super::command::{Back, Command, Goal, Order};
use super::forward::{Move, blockers, held, silence, toward};
use super::observation::{EvidenceHash, Remedy};
use super::people::{Actor, Deed, Mark};
use super::refusal::{Refusal, Unbuilt};
use super::standing::{Graded, PARTS, Position, Progress, Withdrawal};
use super::time::{Spelled, Timestamp};
use super::transition::{Draft, Event, Transition};
use super::{Moment, added, drill};
use crate::Percent;
use crate::evidence::Epoch;
use std::time::Duration;

/// A graded rollback is still a rollback.
const MOST_GRADED: Duration = Duration::from_secs(600);

/// What is mirrored when nobody said how much.
const FIRST_MIRROR: Percent = Percent::from_thousandths(1_000);

/// Does what was ordered, or says why not. Nothing has changed after a refusal.
pub fn apply(at: &Moment<'_>, order: &Order) -> Result<Transition, Refusal> {
    let (draft, missing) = propose(at, order)?;
    if !missing.is_empty() {
        return Err(Refusal::Missing(missing));
    }
    let event = Event::Ordered(order.command.clone());
    Ok(draft.seal(at, order.by.clone(), event, &order.why))
}

/// What the order would make, and what stands in its way.
pub(super) fn propose(at: &Moment<'_>, order: &Order) -> Result<(Draft, Vec<Blocker>), Refusal> {
    admit(at, order)?;
    let mark = || Mark { by: order.by.clone(), why: order.why.clone(), at: at.now };
    let progress = at.progress();
    let over = matches!(progress.position, Position::Complete | Position::Retired);
    let simple = |to: Progress| Ok((Draft::of(to), Vec::new()));
    let mut to = progress.clone();
    match &order.command {
        Command::Promote(goal) => promote(at, order, *goal),
        Command::SwitchReads => forward(at, order, toward(at, Goal::ReadsNew)?),
        Command::Complete { confirm } => complete(at, order, confirm),
        Command::SetWeight(percent) => set_weight(at, order, *percent),
        Command::MirrorTraffic(percent) => mirror(at, *percent),
        Command::SwitchWrites | Command::ReverseWrites => Err(Refusal::NotBuilt(Unbuilt::Writes)),
        Command::Rollback(Back::To(percent)) if *percent > Percent::ZERO => back_to(at, *percent),
        Command::Rollback(Back::Graded(over)) if !over.is_zero() => graded(at, mark(), *over),
        Command::Rollback(_) | Command::ReverseReads => rollback(at, mark()),
        Command::Abort => abort(at),
        Command::Retry => retry(at),
        Command::Drill => start_drill(at, mark()),
        Command::Approve { goal, evidence } => opine(at, order, *goal, *evidence, true),
        Command::Reject { goal, evidence } => opine(at, order, *goal, *evidence, false),
        Command::Ignore(rule) => added::add(at, order, rule),
        Command::Unignore(rule) => added::remove(at, rule),
        Command::Pause | Command::Freeze if over => {
            let why = "nothing moves any more";
            Err(Refusal::NotHere { from: progress.position, why })
        }
        Command::Pause if progress.paused.is_some() => Err(Refusal::AlreadySo("it is paused")),
        Command::Pause => {
            to.paused = Some(mark());
            simple(to)
        }
        Command::Freeze if progress.frozen.is_some() => Err(Refusal::AlreadySo("it is frozen")),
        Command::Freeze => {
            to.frozen = Some(mark());
            simple(to)
        }
        Command::Resume if progress.held_by_people() => {
            (to.paused, to.frozen) = (None, None);
            // What time has done, only a later time undoes.
            to.expired = to.expired.filter(|mark| mark.by.is_cutover());
            simple(to)
        }
        Command::Resume => Err(Refusal::AlreadySo("nobody has paused, frozen or expired it")),
        Command::Expire if progress.expired.is_some() => Err(Refusal::AlreadySo("it is expired")),
        Command::Expire => {
            to.expired = Some(mark());
            simple(to)
        }
    }
}

/// May this person give this command here, as far as roles are concerned?
///
/// # Errors
/// If not, with the roles that may.
pub fn admits(at: &Moment<'_>, command: &Command, person: &Actor) -> Result<(), Refusal> {
    let progress = at.progress();
    let grows = matches!(command, Command::MirrorTraffic(want) if *want > progress.mirror);
    let deed = Deed::of(command, progress.position, progress.frozen.is_some(), grows);
    if deed.open_to(person.role) {
        return Ok(());
    }
    Err(Refusal::NotAllowed { by: person.clone(), verb: command.verb(), roles: deed.roles() })
}

/// Reason, role and generation.
fn admit(at: &Moment<'_>, order: &Order) -> Result<(), Refusal> {
    let (progress, command) = (at.progress(), &order.command);
    if order.why.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    admits(at, command, &order.by)?;
    let now = progress.generation;
    match order.seen {
        // Whoever gives up has seen enough, whatever happened meanwhile.
        _ if *command == Command::Abort => Ok(()),
        Some(seen) if seen != now => Err(Refusal::Stale { seen, now }),
        None if command.is_forward() => Err(Refusal::NoGeneration { now }),
        Some(_) | None => Ok(()),
    }
}

pub(super) type Proposed = Result<(Draft, Vec<Blocker>), Refusal>;

fn promote(at: &Moment<'_>, order: &Order, goal: Goal) -> Proposed {
    let wanted = toward(at, goal)?;
    if wanted.to == Position::Complete {
        let why = "the next move is the last one, and has a verb of its own: complete";
        return Err(Refusal::NotHere { from: at.progress().position, why });
    }
    forward(at, order, wanted)
}

fn forward(at: &Moment<'_>, order: &Order, wanted: Move) -> Proposed {
    Ok((Draft::of(moved(at, wanted)), blockers(at, wanted, &order.by)))
}

/// The progress after a move forward.
pub(super) fn moved(at: &Moment<'_>, wanted: Move) -> Progress {
    let mut to = at.progress().clone();
    if wanted.to == Position::Shadow {
        to.salt = at.course.salt.clone();
        if to.mirror == Percent::ZERO {
            to.mirror = FIRST_MIRROR;
        }
    }
    if wanted.to == Position::Complete {
        to.cut_over = Some(at.now);
    }
    to.reach(wanted.to, at.now);
    to
}

fn complete(at: &Moment<'_>, order: &Order, confirm: &str) -> Proposed {
    let wanted = toward(at, Goal::Complete)?;
    if *confirm != *at.course.name {
        return Err(Refusal::Unconfirmed { name: at.course.name.clone() });
    }
    forward(at, order, wanted)
}

fn set_weight(at: &Moment<'_>, order: &Order, percent: Percent) -> Proposed {
    let from = at.progress().position;
    match from {
        Position::Canary(have) if have == percent => Err(Refusal::AlreadySo("it has that weight")),
        Position::Canary(have) if have > percent => back_to(at, percent),
        Position::ReadsNew if percent < Percent::FULL => back_to(at, percent),
        Position::ReadsNew => Err(Refusal::AlreadySo("it has that weight")),
        Position::Off
        | Position::Sync
        | Position::Shadow
        | Position::Canary(_)
        | Position::Cutover
        | Position::NewPrimary
        | Position::Complete
        | Position::Retired => forward(at, order, toward(at, Goal::To(percent))?),
    }
}

fn mirror(at: &Moment<'_>, percent: Percent) -> Proposed {
    let progress = at.progress();
    if !progress.position.is_judged() {
        let why = "reads are mirrored in shadow, canary and reads-new";
        return Err(Refusal::NotHere { from: progress.position, why });
    }
    if progress.mirror == percent {
        return Err(Refusal::AlreadySo("that share is mirrored"));
    }
    let mut missing = Vec::new();
    if percent > progress.mirror {
        missing.extend(progress.paused.clone().map(Blocker::Paused));
        missing.extend(progress.frozen.clone().map(Blocker::Frozen));
    }
    let mut to = progress.clone();
    to.mirror = percent;
    Ok((Draft::of(to), missing))
}

/// May reads, or their mirroring, be taken back from here?
fn reversible(at: &Moment<'_>) -> Result<(), Refusal> {
    let from = at.progress().position;
    match from {
        Position::Shadow | Position::Canary(_) | Position::ReadsNew => Ok(()),
        Position::Off => Err(Refusal::AlreadySo("everything is on old")),
        Position::Sync => Err(Refusal::NotBuilt(Unbuilt::Cdc)),
        Position::Cutover | Position::NewPrimary => Err(Refusal::NotBuilt(Unbuilt::Writes)),
        Position::Complete | Position::Retired => {
            let why = "there is no way back: start a migration in the other direction";
            Err(Refusal::NotHere { from, why })
        }
    }
}

fn rollback(at: &Moment<'_>, mark: Mark) -> Proposed {
    reversible(at)?;
    let progress = at.progress();
    if matches!(progress.withdrawal, Withdrawal::Whole(_)) {
        return Err(Refusal::AlreadySo("it is rolled back"));
    }
    let mut to = progress.clone();
    to.withdraw(mark, at.now);
    let mut draft = Draft::of(to);
    let share = progress.reads().read_percent;
    if at.seen.old_is_cold && share > Percent::ZERO {
        let what = format!("old is cold and takes {share} of the users at once");
        draft.warnings.push(what);
    }
    Ok((draft, Vec::new()))
}

fn graded(at: &Moment<'_>, mark: Mark, over: Duration) -> Proposed {
    reversible(at)?;
    let progress = at.progress();
    if over > MOST_GRADED {
        return Err(Refusal::TooSlow { most: MOST_GRADED });
    }
    if progress.position == Position::Shadow {
        return rollback(at, mark);
    }
    if progress.withdrawal != Withdrawal::None {
        return Err(Refusal::AlreadySo("reads are on old, or on their way: rollback ends that"));
    }
    let mut to = progress.clone();
    let from = progress.reads().read_percent;
    to.withdrawal = Withdrawal::Graded(Graded { mark, over, from, percent: from });
    to.opinions.clear();
    let mut draft = Draft::of(to);
    draft
        .warnings
        .push(format!("it goes back in {PARTS} parts, one every {}", Spelled(over / PARTS)));
    Ok((draft, Vec::new()))
}

/// A part of the way back. The comparisons made so far still hold.
fn back_to(at: &Moment<'_>, percent: Percent) -> Proposed {
    reversible(at)?;
    let progress = at.progress();
    if progress.withdrawal != Withdrawal::None {
        return Err(Refusal::AlreadySo("reads are on old, or on their way: rollback ends that"));
    }
    let have = progress.position.read_percent();
    if percent >= have {
        return Err(Refusal::NotDown { have, want: percent });
    }
    let mut to = progress.clone();
    to.reach(Position::Canary(percent), at.now);
    Ok((Draft::of(to), Vec::new()))
}

fn abort(at: &Moment<'_>) -> Proposed {
    reversible(at)?;
    let mut to = at.progress().clone();
    to.withdrawal = Withdrawal::None;
    to.paused = None;
    to.epoch = Epoch(to.epoch.0 + 1);
    to.reach(Position::Off, at.now);
    Ok((Draft::of(to), Vec::new()))
}

fn retry(at: &Moment<'_>) -> Proposed {
    let progress = at.progress();
    let whole = matches!(progress.withdrawal, Withdrawal::Whole(_));
    if progress.latch.is_none() && !whole {
        return Err(Refusal::AlreadySo("no gate failed, and it is not rolled back"));
    }
    let mut missing: Vec<Blocker> =
        progress.frozen.clone().map(Blocker::Frozen).into_iter().collect();
    missing.extend(at.seen.kill.clone().map(Blocker::Kill));
    let mut to = progress.clone();
    to.epoch = Epoch(to.epoch.0 + 1);
    to.opinions.clear();
    if to.latch.take().is_some() {
        to.last_red = Some(at.now);
    }
    if whole {
        // Forward is for gates and people to decide, step by step: a retry only gathers evidence.
        to.withdrawal = Withdrawal::None;
        to.reach(Position::Shadow, at.now);
    }
    Ok((Draft::of(to), missing))
}

fn start_drill(at: &Moment<'_>, mark: Mark) -> Proposed {
    let progress = at.progress();
    let share = progress.position.read_percent();
    if !progress.position.is_on_trial() || share == Percent::ZERO {
        let why = "a drill needs users who read from new, and a way back";
        return Err(Refusal::NotHere { from: progress.position, why });
    }
    let mut missing = Vec::new();
    held(at, &mut missing);
    missing.extend(at.seen.kill.clone().map(Blocker::Kill));
    let red = at.seen.red(progress.epoch).filter(|reading| reading.remedy != Remedy::Hold);
    missing.extend(red.cloned().map(Blocker::Gate));
    if at.seen.old_is_cold {
        missing.push(Blocker::OldIsCold);
    }
    if silence(at) {
        missing.push(Blocker::Silent { since: at.seen.heard });
    }
    let mut to = progress.clone();
    let generation = at.next_generation();
    let before = at.seen.served;
    to.withdrawal = Withdrawal::Drill(drill::Drill { mark, generation, before, recovered: None });
    Ok((Draft::of(to), missing))
}

fn opine(
    at: &Moment<'_>,
    order: &Order,
    goal: Goal,
    evidence: EvidenceHash,
    approves: bool,
) -> Proposed {
    let progress = at.progress();
    let wanted = toward(at, goal)?;
    if !at.seen.can_show(evidence) {
        return Err(Refusal::UnknownEvidence);
    }
    let mut missing = Vec::new();
    if approves {
        missing.extend(progress.latch.clone().map(Blocker::Failed));
        missing.extend(at.seen.kill.clone().map(Blocker::Kill));
        let failed = at.seen.gates.iter().filter(|reading| reading.fails(progress.epoch));
        missing.extend(failed.cloned().map(Blocker::Gate));
    }
    let mut to = progress.clone();
    let opinion = Opinion {
        by: order.by.clone(),
        approves,
        to: wanted.to,
        evidence,
        epoch: progress.epoch,
        why: order.why.clone(),
        at: at.now,
    };
    to.opinions.retain(|opinion| at.now < opinion.ends(at.course));
    note(&mut to.opinions, opinion).ok_or(Refusal::TooManyOpinions)?;
    Ok((Draft::of(to), missing))
}

impl Progress {
    /// Is there anything that `resume` lifts?
    fn held_by_people(&self) -> bool {
        let expired = self.expired.as_ref().is_some_and(|mark| !mark.by.is_cutover());
        self.paused.is_some() || self.frozen.is_some() || expired
    }

    /// Reaches a position: its time begins, and what people thought of the move is used up.
    pub(super) fn reach(&mut self, position: Position, now: Timestamp) {
        self.position = position;
        self.entered = now;
        self.opinions.clear();
        self.inconclusive = None;
    }

    /// All reads to `old`, and evidence anew.
    pub(super) fn withdraw(&mut self, mark: Mark, now: Timestamp) {
        self.withdrawal = Withdrawal::Whole(mark);
        self.epoch = Epoch(self.epoch.0 + 1);
        self.reach(self.position, now);
    }
}
