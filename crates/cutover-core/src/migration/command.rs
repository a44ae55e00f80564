//! What people may ask of a migration, as data; parsing words and paths is the edge's matter.

use super::observation::EvidenceHash;
use super::people::Actor;
use super::time::Spelled;
use crate::compare::{IgnoreList, IgnoreRule};
use crate::{Generation, Percent};
use std::fmt;
use std::time::Duration;

/// A command, without who gives it and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// One step forward, or to a percent, or to everybody.
    Promote(Goal),
    /// This share of the users reads from `new`; upward it obeys the gates like a promotion.
    SetWeight(Percent),
    /// This share of the reads is mirrored.
    MirrorTraffic(Percent),
    /// Everybody reads from `new`, and is meant to stay.
    SwitchReads,
    /// Not built yet.
    SwitchWrites,
    /// All reads back to `old`, as `rollback` does it.
    ReverseReads,
    /// Not built yet.
    ReverseWrites,
    /// No weight grows until `resume`; judging goes on.
    Pause,
    /// As `pause`, for an incident or a change freeze; on-call lifts it.
    Freeze,
    /// Lifts `pause`, `freeze`, and an expiry that a person declared.
    Resume,
    /// Reads go back to `old`.
    Rollback(Back),
    /// Gives the attempt up: back to `off`, whatever is under way.
    Abort,
    /// After a rollback, or a gate that failed: gather new evidence.
    Retry,
    /// Agrees to a move, having seen this evidence.
    Approve {
        /// The move.
        goal: Goal,
        /// What was seen.
        evidence: EvidenceHash,
    },
    /// Objects to a move, having seen this evidence.
    Reject {
        /// The move.
        goal: Goal,
        /// What was seen.
        evidence: EvidenceHash,
    },
    /// The point of no return; confirmed by typing the migration's name.
    Complete {
        /// What was typed.
        confirm: Box<str>,
    },
    /// Practises a rollback on live traffic, measures it, and restores.
    Drill,
    /// Treat the migration as past its expiry; moves no traffic.
    Expire,
    /// From now on this does not count in comparisons.
    Ignore(IgnoreRule),
    /// It counts again.
    Unignore(IgnoreRule),
}

/// Where a move forward leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The next step.
    Next,
    /// This share of the users. Beyond the next step it skips steps, which needs four eyes.
    To(Percent),
    /// Everybody, skipping what lies between.
    Full,
    /// `reads-new`.
    ReadsNew,
    /// `complete`.
    Complete,
}

/// How reads go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// All of them, at once.
    Now,
    /// All of them, over this time, for an `old` that is cold.
    Graded(Duration),
    /// Only so far that this share still reads from `new`.
    To(Percent),
}

/// A command with who gives it, why, and upon which state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub command: Command,
    /// Who.
    pub by: Actor,
    /// Why; goes to the audit log.
    pub why: Box<str>,
    /// The generation that the person saw (`If-Match`). Moves forward need it. Going back does
    /// without, and `abort` does not look at it: it wins whatever happened meanwhile.
    pub seen: Option<Generation>,
}

impl Command {
    /// The verb, as typed.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Promote(_) => "promote",
            Self::SetWeight(_) => "set-weight",
            Self::MirrorTraffic(_) => "mirror-traffic",
            Self::SwitchReads | Self::SwitchWrites => "switch-traffic",
            Self::ReverseReads | Self::ReverseWrites => "reverse-traffic",
            Self::Pause => "pause",
            Self::Freeze => "freeze",
            Self::Resume => "resume",
            Self::Rollback(_) => "rollback",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Complete { .. } => "complete",
            Self::Drill => "drill",
            Self::Expire => "expire",
            Self::Ignore(_) => "ignore",
            Self::Unignore(_) => "unignore",
        }
    }

    /// Does it move reads forward? Then the generation seen must be told.
    pub(super) const fn is_forward(&self) -> bool {
        matches!(self, Self::Promote(_) | Self::SwitchReads | Self::Complete { .. })
    }

    /// As a person types it for the migration of this name.
    pub fn spelled(&self, migration: &str) -> String {
        let verb = self.verb();
        match self {
            Self::Promote(goal) => format!("{verb} {migration}{goal}"),
            Self::SetWeight(percent) | Self::MirrorTraffic(percent) => {
                format!("{verb} {migration} --percent {percent}")
            }
            Self::SwitchReads | Self::ReverseReads => format!("{verb} {migration} --reads"),
            Self::SwitchWrites | Self::ReverseWrites => format!("{verb} {migration} --writes"),
            Self::Rollback(back) => format!("{verb} {migration}{back}"),
            Self::Approve { goal, evidence } | Self::Reject { goal, evidence } => {
                format!("{verb} {migration}{goal} --evidence {evidence}")
            }
            Self::Complete { confirm } => format!("{verb} {migration} --confirm {confirm}"),
            Self::Ignore(rule) | Self::Unignore(rule) => {
                let order = match rule.list() {
                    IgnoreList::Ignore => "",
                    IgnoreList::Unordered => " --unordered",
                };
                format!("{verb} {migration} {}{order}", quoted(rule.text()))
            }
            Self::Pause
            | Self::Freeze
            | Self::Resume
            | Self::Abort
            | Self::Retry
            | Self::Drill
            | Self::Expire => format!("{verb} {migration}"),
        }
    }
}

/// As one word of a shell, which would take `*` for files.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => Ok(()),
            Self::To(percent) => write!(f, " --to {percent}"),
            Self::Full => f.write_str(" --full"),
            Self::ReadsNew => f.write_str(" --to reads-new"),
            Self::Complete => f.write_str(" --to complete"),
        }
    }
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => Ok(()),
            Self::Graded(over) => write!(f, " --graded {}", Spelled(*over)),
            Self::To(percent) => write!(f, " --to {percent}"),
        }
    }
}
