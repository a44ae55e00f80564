//! The next useful command for a person.

use super::Moment;
use super::blocker::Blocker;
use super::command::{Command, Goal};
use super::forward::{Move, blockers, next_move};
use super::people::{Actor, Deed};
use super::standing::{Position, Withdrawal};
use super::step::expiry;
use super::time::Spelled;
use std::time::Duration;

/// What a person does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The command; `None`: nothing, but wait or mend.
    pub command: Option<Command>,
    /// Why this one, or what is waited for.
    pub because: String,
    /// How long to wait, where only time is missing.
    pub after: Option<Duration>,
}

/// What `person` does next.
pub fn next_command(at: &Moment<'_>, person: &Actor) -> Next {
    let progress = at.progress();
    let say =
        |command: Command, because: String| Next { command: Some(command), because, after: None };
    let wait = |because: String| Next { command: None, because, after: None };
    match &progress.withdrawal {
        Withdrawal::Drill(_) => return wait("a drill is under way".into()),
        Withdrawal::Graded(graded) => {
            let because = format!("reads go back to old, now at {}", graded.percent);
            return wait(because);
        }
        Withdrawal::Whole(mark) => {
            return say(Command::Retry, format!("rolled back by {mark}; when it is mended"));
        }
        Withdrawal::None => {}
    }
    if let Some(latch) = &progress.latch {
        let because = format!("{} failed: {}; when it is mended", latch.gate, latch.sentence);
        return say(Command::Retry, because);
    }
    if let Some(mark) = progress.frozen.as_ref().or(progress.paused.as_ref()) {
        return say(Command::Resume, format!("held by {mark}"));
    }
    match next_move(at) {
        Ok(wanted) => toward(at, wanted, person),
        Err(_) if progress.position == Position::Complete => {
            wait(format!("delete the migration from the configuration by {}", expiry(at)))
        }
        Err(refusal) => wait(refusal.to_string()),
    }
}

fn toward(at: &Moment<'_>, wanted: Move, person: &Actor) -> Next {
    let missing = blockers(at, wanted, person);
    let command = match wanted.to {
        Position::Complete => Command::Complete { confirm: at.course.name.clone() },
        Position::Off
        | Position::Sync
        | Position::Shadow
        | Position::Canary(_)
        | Position::ReadsNew
        | Position::Cutover
        | Position::NewPrimary
        | Position::Retired => Command::Promote(Goal::Next),
    };
    let to = format!("to {}", wanted.to);
    let say = |command: Command, because, after| with_role(at, person, command, because, after);
    let after = missing.iter().filter_map(Blocker::left).max();
    let rest: Vec<&Blocker> = missing.iter().filter(|blocker| blocker.left().is_none()).collect();
    let peopled =
        |blocker: &&Blocker| matches!(blocker, Blocker::Approvals { .. } | Blocker::Drill { .. });
    match (after, rest.first()) {
        (Some(time), None) => say(command, format!("{to}, in {}", Spelled(time)), after),
        // Opinions and drills grow old: not before they can be used.
        (Some(time), Some(_)) if rest.iter().all(peopled) => {
            Next { command: None, because: format!("{to}, in {}", Spelled(time)), after }
        }
        (None, Some(Blocker::Drill { .. })) if rest.iter().all(peopled) => {
            say(Command::Drill, format!("{to} needs a rollback drill"), None)
        }
        (None, Some(_)) if rest.iter().all(peopled) => {
            let approve = Command::Approve { goal: wanted.goal(), evidence: at.seen.evidence };
            say(approve, format!("{to}: somebody else approves"), None)
        }
        (_, Some(first)) => {
            let more = match missing.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            Next { command: None, because: format!("{to}, waiting: {first}{more}"), after: None }
        }
        (None, None) => say(command, to, None),
    }
}

/// Names the roles, if the person's own is none of them.
fn with_role(
    at: &Moment<'_>,
    person: &Actor,
    command: Command,
    mut because: String,
    after: Option<Duration>,
) -> Next {
    let progress = at.progress();
    let deed = Deed::of(&command, progress.position, progress.frozen.is_some(), false);
    if !deed.open_to(person.role) {
        because = format!("{because} (roles: {})", deed.roles());
    }
    Next { command: Some(command), because, after }
}
