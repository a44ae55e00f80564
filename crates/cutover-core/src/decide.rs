//! The decision for one request: precedence inside a migration, stated once.
//!
//! Kill switch, phase `off` and rollback (everything to `old`, nothing asked) > writes follow their
//! owner > deny list > signed QA header > allow list > plugin split > percent > `old`. `explain`
//! runs this same code with a [`Witness`] that writes the steps down.

use crate::key::KeySource;
use crate::migration::Migration;
use crate::route::Params;
use crate::{BackendId, Bucket, MigrationId, Percent, PlaceId, RequestView, RouteId};
use std::time::Duration;

/// One of the two sides of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The system that is being left.
    Old,
    /// The system that is taking over.
    New,
}

impl Side {
    /// `old` or `new`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// The answer for one request. `Copy` and made of ids; they belong to the snapshot that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The route that matched.
    pub route: RouteId,
    /// Who answers.
    pub backend: BackendId,
    /// The migration the route belongs to, and the side chosen.
    pub migration: Option<(MigrationId, Side)>,
    /// Counts as a write: unsafe method, or a route declared `write`.
    pub write: bool,
    /// Why.
    pub reason: Reason,
    /// The user's bucket, if the request has a key and it was needed.
    pub bucket: Option<Bucket>,
    /// A shorter deadline than the migration's own, by a plugin's wish.
    pub deadline: Option<Duration>,
}

/// Why a request goes where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The route belongs to no migration.
    Route,
    /// The migration is disabled.
    KillSwitch,
    /// The phase serves nothing from `new`.
    Phase,
    /// The migration is rolled back.
    RolledBack,
    /// A write: it follows `write_owner`.
    WriteOwner,
    /// On the deny list.
    Deny,
    /// Asked for by a signed QA header.
    Qa,
    /// On the allow list.
    Allow,
    /// Chosen by a plugin, with its own reason if it gave one.
    Plugin(PlaceId, Option<u16>),
    /// The plugin failed; its `on-error` policy chose `old`.
    PluginFailed(PlaceId),
    /// In the cohort, or not.
    Percent,
    /// Everybody reads from `new` in this phase.
    ReadsNew,
    /// No key, so `old`.
    NoKey,
}

impl Reason {
    /// The name used in logs, metrics and debug headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::KillSwitch => "kill-switch",
            Self::Phase => "phase",
            Self::RolledBack => "rolled-back",
            Self::WriteOwner => "write-owner",
            Self::Deny => "deny",
            Self::Qa => "qa",
            Self::Allow => "allow",
            Self::Plugin(..) => "plugin",
            Self::PluginFailed(_) => "plugin-failed",
            Self::Percent => "percent",
            Self::ReadsNew => "reads-new",
            Self::NoKey => "no-key",
        }
    }
}

/// Why there is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No route matches: 404.
    NoRoute,
    /// A split plugin failed and its `on-error` is `reject`: 503.
    PluginRejected(MigrationId, PlaceId),
}

/// What a split plugin is asked.
#[derive(Clone, Copy, Debug)]
pub struct SplitQuestion<'q, 'r> {
    /// Where the plugin is used.
    pub place: PlaceId,
    /// The request.
    pub request: &'q RequestView<'r>,
    /// Its path parameters.
    pub params: &'q Params<'q>,
    /// The user's bucket under the migration's salt.
    pub bucket: Option<Bucket>,
    /// The migration's read percent.
    pub share: Percent,
}

/// What a split plugin answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitAnswer {
    /// This side.
    Choose {
        /// The side.
        side: Side,
        /// A shorter deadline.
        deadline: Option<Duration>,
        /// Index into the plugin's declared reasons.
        reason: Option<u16>,
    },
    /// It failed, or is quarantined; this is its policy.
    Failed(OnError),
}

/// What happens when a plugin fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnError {
    /// `old` serves.
    #[default]
    Old,
    /// The request is refused with 503.
    Reject,
    /// The native rule decides.
    Percent,
}

/// Asks split plugins. Called at most once per decision, only for reads in phases that serve reads
/// from `new`.
pub trait AskSplit {
    /// Which side?
    fn split(&mut self, question: SplitQuestion<'_, '_>) -> SplitAnswer;
}

/// For snapshots without split plugins: whoever asks one gets its failure policy `old`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPlugins;

impl AskSplit for NoPlugins {
    fn split(&mut self, _: SplitQuestion<'_, '_>) -> SplitAnswer {
        SplitAnswer::Failed(OnError::Old)
    }
}

/// One step of a decision, for `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A route matched.
    Matched(RouteId),
    /// The route belongs to this migration.
    InMigration(MigrationId),
    /// The request counts as a write.
    Write,
    /// A source of the key, and what was found there.
    Key(&'a KeySource, Option<&'a [u8]>),
    /// The user's bucket, against the share in force.
    Bucketed(Bucket, Percent),
    /// On the deny list or not.
    Denied(bool),
    /// What a signed QA header says.
    QaSide(Option<Side>),
    /// On the allow list or not.
    Allowed(bool),
    /// What the split plugin said.
    PluginSaid(PlaceId, SplitAnswer),
    /// The result.
    Decided(Side, Reason),
}

/// Watches a decision being made. The hot path uses [`Unwatched`], which compiles to nothing.
pub trait Witness {
    /// Called at each step, in order.
    fn step(&mut self, step: Step<'_>);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Witness for Unwatched {
    #[inline(always)]
    fn step(&mut self, _: Step<'_>) {}
}

/// The side of a migration that serves this request.
pub(crate) struct Choice {
    pub(crate) side: Side,
    pub(crate) reason: Reason,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) deadline: Option<Duration>,
}

impl Choice {
    fn plain(side: Side, reason: Reason, bucket: Option<Bucket>) -> Self {
        Self { side, reason, bucket, deadline: None }
    }
}

/// Chooses the side. `Err` is the place of a plugin that failed with `on-error = "reject"`.
pub(crate) fn choose(
    migration: &Migration,
    write: bool,
    request: &RequestView<'_>,
    params: &Params<'_>,
    plugins: &mut impl AskSplit,
    witness: &mut impl Witness,
) -> Result<Choice, PlaceId> {
    if let Some(reason) = closed(migration) {
        return Ok(Choice::plain(Side::Old, reason, None));
    }
    if write {
        witness.step(Step::Write);
        return Ok(Choice::plain(migration.state.write_owner, Reason::WriteOwner, None));
    }
    if !migration.phase.serves_reads_from_new() {
        return Ok(Choice::plain(Side::Old, Reason::Phase, None));
    }
    let key = migration.key.iter().find_map(|source| {
        let found = source.find(request, params);
        witness.step(Step::Key(source, found));
        found
    });
    let share = migration.state.read_percent;
    let bucket = key.map(|key| migration.salt.bucket(key));
    if let Some(bucket) = bucket {
        witness.step(Step::Bucketed(bucket, share));
    }
    if let Some((side, reason)) = named(migration, key, request, witness) {
        return Ok(Choice::plain(side, reason, bucket));
    }
    if let Some(place) = migration.plugins.split {
        let answer = plugins.split(SplitQuestion { place, request, params, bucket, share });
        witness.step(Step::PluginSaid(place, answer));
        match answer {
            SplitAnswer::Choose { side, deadline, reason } => {
                let reason = Reason::Plugin(place, reason);
                return Ok(Choice { side, reason, bucket, deadline });
            }
            SplitAnswer::Failed(OnError::Reject) => return Err(place),
            SplitAnswer::Failed(OnError::Old) => {
                return Ok(Choice::plain(Side::Old, Reason::PluginFailed(place), bucket));
            }
            SplitAnswer::Failed(OnError::Percent) => {}
        }
    }
    let (side, reason) = match bucket {
        _ if migration.phase.reads_are_new() && share == Percent::FULL => {
            (Side::New, Reason::ReadsNew)
        }
        Some(bucket) if share.admits(bucket) => (Side::New, Reason::Percent),
        Some(_) => (Side::Old, Reason::Percent),
        None => (Side::Old, Reason::NoKey),
    };
    Ok(Choice::plain(side, reason, bucket))
}

/// States in which everything goes to `old` and nothing is asked.
fn closed(migration: &Migration) -> Option<Reason> {
    if migration.disabled {
        Some(Reason::KillSwitch)
    } else if migration.phase == crate::Phase::Off {
        Some(Reason::Phase)
    } else if migration.rolled_back {
        Some(Reason::RolledBack)
    } else {
        None
    }
}

/// Users named one by one: deny list, signed QA header, allow list.
fn named(
    migration: &Migration,
    key: Option<&[u8]>,
    request: &RequestView<'_>,
    witness: &mut impl Witness,
) -> Option<(Side, Reason)> {
    if let Some(key) = key {
        let denied = migration.deny.contains(key);
        witness.step(Step::Denied(denied));
        if denied {
            return Some((Side::Old, Reason::Deny));
        }
    }
    if let Some(qa) = &migration.qa {
        let side = qa.side(&migration.name, request);
        witness.step(Step::QaSide(side));
        if let Some(side) = side {
            return Some((side, Reason::Qa));
        }
    }
    if let Some(key) = key {
        let allowed = migration.allow.contains(key);
        witness.step(Step::Allowed(allowed));
        if allowed {
            return Some((Side::New, Reason::Allow));
        }
    }
    None
}

#[cfg(test)]
mod tests;
