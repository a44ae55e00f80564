//! What people are shown, and what orders are answered with.

use super::part::Part;
use crate::store::{Receipt, StoreError};
use cutover_core::Percent;
use cutover_core::compare::{IgnoreList, IgnoreRule};
use cutover_core::evidence::Answer;
use cutover_core::migration::{
    Actor, Back, Blocker, Command, Course, Durations, Entry, EvidenceHash, Goal, Moment, Move,
    Next, Observation, Refusal, Standing, Timestamp, admits, blockers, durations, expiry,
    next_command, next_move,
};
use std::time::Duration;

/// A migration at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct View {
    /// Its name.
    pub name: Box<str>,
    /// The moment.
    pub at: Timestamp,
    /// Where it stands.
    pub standing: Standing,
    /// How it is to move.
    pub course: Course,
    /// What the gates say, with their numbers.
    pub gates: Vec<Answer>,
    /// What the state machine sees.
    pub seen: Observation,
    /// The next move, if there is one.
    pub next: Option<Move>,
    /// What stands in its way for the person who looks.
    pub missing: Vec<Blocker>,
    /// What that person does next.
    pub command: Next,
    /// How long the rest takes at least.
    pub durations: Durations,
    /// When the flag must be gone.
    pub expires: Timestamp,
    /// Slower than this, a reply of `new` counts against it; `None` before it is known how fast `old` is.
    pub slow: Option<Duration>,
    /// Verbs, as they are typed; and why this person's role may not give one here.
    pub barred: Vec<(&'static str, Option<String>)>,
    /// Why nothing can be written at present.
    pub trouble: Option<String>,
}

/// What verbs stand for when it is asked who may give them: moves forward, where a verb knows both ways.
fn asked(migration: &str) -> Vec<Command> {
    let evidence = EvidenceHash([0; 32]);
    let any = IgnoreRule::new(IgnoreList::Ignore, "/any").expect("it names a field");
    vec![
        Command::Ignore(any.clone()),
        Command::Unignore(any),
        Command::Promote(Goal::Next),
        Command::SetWeight(Percent::FULL),
        Command::MirrorTraffic(Percent::FULL),
        Command::Pause,
        Command::Freeze,
        Command::Resume,
        Command::Rollback(Back::Now),
        Command::Abort,
        Command::Retry,
        Command::SwitchReads,
        Command::ReverseReads,
        Command::Drill,
        Command::Complete { confirm: migration.into() },
        Command::Approve { goal: Goal::Next, evidence },
        Command::Reject { goal: Goal::Next, evidence },
    ]
}

impl View {
    pub(super) fn of(part: &Part, moment: &Moment<'_>, person: &Actor) -> Self {
        let next = next_move(moment).ok();
        Self {
            name: moment.course.name.clone(),
            at: moment.now,
            standing: moment.standing.clone(),
            course: moment.course.clone(),
            gates: part.answers(moment.now),
            seen: moment.seen.clone(),
            missing: next.map(|next| blockers(moment, next, person)).unwrap_or_default(),
            next,
            command: next_command(moment, person),
            durations: durations(moment),
            expires: expiry(moment),
            slow: part.slow(),
            barred: asked(&moment.course.name)
                .iter()
                .map(|command| barred(moment, command, person))
                .collect(),
            trouble: None,
        }
    }
}

fn barred(
    moment: &Moment<'_>,
    command: &Command,
    person: &Actor,
) -> (&'static str, Option<String>) {
    (command.verb(), admits(moment, command, person).err().map(|refusal| refusal.to_string()))
}

/// An order that was carried out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Done {
    /// Its line in the audit log.
    pub entry: Entry,
    /// What the person should know.
    pub warnings: Vec<String>,
    /// Names the line, so that nobody can deny it.
    pub receipt: Receipt,
    /// From the order until it was in force.
    pub took: Duration,
}

/// A transition that is in force.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Happened {
    /// Its line in the audit log.
    pub entry: Entry,
    /// Names the line.
    pub receipt: Receipt,
}

/// Why an order was not carried out. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// There is no such migration.
    #[error("there is no migration {asked:?}; the configuration has: {}", .known.join(", "))]
    Unknown {
        /// What was asked for.
        asked: Box<str>,
        /// Those that there are.
        known: Vec<Box<str>>,
    },
    /// It is refused.
    #[error("{0}")]
    Refused(Refusal),
    /// It could not be written.
    #[error("it could not be written, and was not done: {0}")]
    Store(#[from] StoreError),
}

impl From<Refusal> for OrderError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
