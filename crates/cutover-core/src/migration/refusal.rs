//! Why a command is refused. Each says what to do instead.

use super::Phase;
use super::approval::MOST_OPINIONS;
use super::blocker::Blocker;
use super::people::Actor;
use super::standing::Position;
use super::time::Spelled;
use crate::compare::RuleFinding;
use crate::{Generation, Percent};
use std::fmt;
use std::time::Duration;

/// Why a command is refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No reason was given.
    NoReason,
    /// The role does not allow it.
    NotAllowed {
        /// Who asked.
        by: Actor,
        /// For what.
        verb: &'static str,
        /// The roles that may, in words.
        roles: String,
    },
    /// A move forward without the generation that was seen.
    NoGeneration {
        /// The generation now.
        now: Generation,
    },
    /// The state is not the one that was seen.
    Stale {
        /// What was seen.
        seen: Generation,
        /// The generation now.
        now: Generation,
    },
    /// Machinery that does not exist yet.
    NotBuilt(Unbuilt),
    /// It stands like that already.
    AlreadySo(&'static str),
    /// It makes no sense where the migration stands.
    NotHere {
        /// Where it stands.
        from: Position,
        /// Why not.
        why: &'static str,
    },
    /// No such move from there.
    NotFrom {
        /// Where it stands.
        from: Position,
        /// Where it was to go.
        to: Phase,
    },
    /// A promotion that does not go up.
    NotUp {
        /// The share now.
        have: Percent,
        /// The share asked for.
        want: Percent,
    },
    /// A step back that does not go down.
    NotDown {
        /// The share now.
        have: Percent,
        /// The share asked for.
        want: Percent,
    },
    /// Nothing comes after this phase.
    NothingFollows,
    /// A graded rollback over too long a time.
    TooSlow {
        /// The most there is.
        most: Duration,
    },
    /// The name typed is not the migration's.
    Unconfirmed {
        /// What is to be typed.
        name: Box<str>,
    },
    /// The evidence named is not of this epoch, or is shown no more.
    UnknownEvidence,
    /// Nobody can keep that many opinions.
    TooManyOpinions,
    /// This rule cannot be added, or taken away.
    Rule(Box<RuleFinding>),
    /// Other things come first: all of them.
    Missing(Vec<Blocker>),
}

/// What does not exist yet, and is not faked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbuilt {
    /// Copying of data.
    Cdc,
    /// Moving of writes.
    Writes,
    /// The proof that `old` is called no more.
    Retire,
}

impl fmt::Display for Unbuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cdc => {
                "data = \"cdc\" needs phase sync, which this version cannot run: use \"shared\" if \
                 both use one database, or \"external\" if somebody else keeps the data in step"
            }
            Self::Writes => {
                "moving writes (phases cutover and new-primary) is not in this version: writes \
                 stay on old, and reads can stay where they are"
            }
            Self::Retire => {
                "the proof that nobody calls old any more is not in this version: delete the \
                 migration from the configuration when you know"
            }
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReason => f.write_str("a reason is needed: it goes to the audit log"),
            Self::NotAllowed { by, verb, roles } => {
                write!(f, "{by} may not {verb} here; these roles may: {roles}")
            }
            Self::NoGeneration { now } => {
                write!(f, "say upon which generation you act; it is {now} now")
            }
            Self::Stale { seen, now } => {
                write!(f, "you saw generation {seen}, and it is {now} now: look again, then decide")
            }
            Self::NotBuilt(what) => what.fmt(f),
            Self::AlreadySo(what) => write!(f, "nothing to do: {what}"),
            Self::NotHere { from, why } => write!(f, "not in {from}: {why}"),
            Self::NotFrom { from, to } => {
                write!(f, "no move leads from {from} to {}: promote goes step by step", to.name())
            }
            Self::NotUp { have, want } => {
                write!(f, "{want} is no more than the present {have}: use rollback --to {want}")
            }
            Self::NotDown { have, want } => {
                write!(f, "{want} is no less than the present {have}: use promote --to {want}")
            }
            Self::NothingFollows => f.write_str("nothing follows: delete the migration"),
            Self::TooSlow { most } => {
                write!(f, "a graded rollback takes {} at most", Spelled(*most))
            }
            Self::Unconfirmed { name } => {
                write!(f, "there is no way back from complete: confirm by typing the name, {name}")
            }
            Self::UnknownEvidence => f.write_str(
                "this evidence is not of the present epoch, or is shown no more: look again, and \
                 name the evidence you saw",
            ),
            Self::TooManyOpinions => {
                write!(f, "there are {MOST_OPINIONS} opinions already; they end by themselves")
            }
            Self::Rule(finding) => finding.fmt(f),
            Self::Missing(blockers) => {
                f.write_str("not yet:")?;
                blockers.iter().try_for_each(|blocker| write!(f, "\n  - {blocker}"))
            }
        }
    }
}

impl std::error::Error for Refusal {}
