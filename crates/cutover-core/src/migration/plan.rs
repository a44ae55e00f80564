//! The dry run: what an order would do, in order, or what stands in its way; and how long the rest
//! of the migration takes at least.

use super::Moment;
use super::apply::propose;
use super::blocker::Blocker;
use super::command::{Back, Command, Order};
use super::forward::dwell;
use super::refusal::Refusal;
use super::standing::{Position, Progress, Withdrawal};
use super::time::Spelled;
use super::transition::{Effect, Event};
use crate::Percent;
use std::fmt;
use std::time::Duration;

/// Within which a rollback is in force everywhere, if nothing grades it.
const ROLLBACK: Duration = Duration::from_secs(5);

/// What an order would do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What stands in its way. Empty: the actions would be taken.
    pub missing: Vec<Blocker>,
    /// What would be done, in order.
    pub actions: Vec<Effect>,
    /// What the person should know.
    pub warnings: Vec<String>,
    /// How long things take afterwards.
    pub durations: Durations,
}

/// How long things take at least, if every gate passes at once and nobody is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Until everybody reads from `new`; `None` where they do, or nothing leads there.
    pub to_everybody: Option<Duration>,
    /// Until all reads are back on `old`; `None` where none are on `new`, or there is no way back.
    pub back: Option<Duration>,
}

/// What an order would do now, without doing it. A refusal for another reason than missing things
/// is one here too.
pub fn plan(at: &Moment<'_>, order: &Order) -> Result<Plan, Refusal> {
    let (draft, missing) = propose(at, order)?;
    let event = Event::Ordered(order.command.clone());
    let transition = draft.seal(at, order.by.clone(), event, &order.why);
    let mut durations = durations(&Moment { standing: &transition.standing, ..*at });
    // Whoever goes back wants to know how long that takes, not how long it would take afterwards.
    match order.command {
        Command::Rollback(Back::Graded(over)) => {
            durations.back = back(at.progress()).map(|time| time.saturating_add(over));
        }
        Command::Rollback(_) | Command::ReverseReads | Command::Abort => {
            durations.back = back(at.progress());
        }
        Command::Promote(_)
        | Command::SetWeight(_)
        | Command::MirrorTraffic(_)
        | Command::SwitchReads
        | Command::SwitchWrites
        | Command::ReverseWrites
        | Command::Pause
        | Command::Freeze
        | Command::Resume
        | Command::Retry
        | Command::Approve { .. }
        | Command::Reject { .. }
        | Command::Complete { .. }
        | Command::Drill
        | Command::Expire
        | Command::Ignore(_)
        | Command::Unignore(_) => {}
    }
    let (actions, warnings) = (transition.effects, transition.warnings);
    Ok(Plan { missing, actions, warnings, durations })
}

/// How long things take from where the migration stands.
pub fn durations(at: &Moment<'_>) -> Durations {
    let progress = at.progress();
    Durations { to_everybody: to_everybody(at, progress), back: back(progress) }
}

/// What is left of the time here, and the time of every step before the last.
fn to_everybody(at: &Moment<'_>, progress: &Progress) -> Option<Duration> {
    let left = dwell(at, progress).saturating_sub(at.now.since(progress.entered));
    let shadow = at.course.shadow_dwell;
    let (here, share) = match (progress.position, &progress.withdrawal) {
        (Position::Off, _) => (shadow, Percent::ZERO),
        (
            Position::Shadow | Position::Canary(_) | Position::ReadsNew,
            Withdrawal::Whole(_) | Withdrawal::Graded(_),
        ) => (shadow, Percent::ZERO),
        (Position::Shadow, _) => (left, Percent::ZERO),
        (Position::Canary(percent), _) if percent < Percent::FULL => (left, percent),
        (
            Position::Canary(_)
            | Position::ReadsNew
            | Position::Sync
            | Position::Cutover
            | Position::NewPrimary
            | Position::Complete
            | Position::Retired,
            _,
        ) => return None,
    };
    let ahead = at.course.steps.all().iter();
    let ahead = ahead.filter(|step| step.percent > share && step.percent < Percent::FULL);
    Some(ahead.fold(here, |sum, step| sum.saturating_add(step.dwell)))
}

fn back(progress: &Progress) -> Option<Duration> {
    let on_new = progress.position.is_on_trial() && progress.reads().read_percent > Percent::ZERO;
    on_new.then_some(ROLLBACK)
}

/// As a list to be read before it is done.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.missing.is_empty() {
            f.write_str("refused now:\n")?;
            self.missing.iter().try_for_each(|blocker| writeln!(f, "  - {blocker}"))?;
            f.write_str("otherwise:\n")?;
        }
        for (number, action) in (1..).zip(&self.actions) {
            writeln!(f, "  {number}. {action}")?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "  note: {warning}"))?;
        self.durations.fmt(f)
    }
}

impl fmt::Display for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(time) = self.to_everybody {
            writeln!(f, "  everybody reads from new after {} at least", Spelled(time))?;
        }
        if let Some(time) = self.back {
            writeln!(f, "  a rollback is in force everywhere within {}", Spelled(time))?;
        }
        Ok(())
    }
}
