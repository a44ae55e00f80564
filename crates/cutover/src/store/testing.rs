//! What the unit tests of stores share: transitions to be written.

use super::Commit;
use crate::core::migration::{
    Actor, Brief, Cause, Entry, Event, EvidenceHash, Fingerprint, Standing, Timestamp,
};
use crate::core::{Generation, Percent, Salt};

/// How a migration that has never moved came to this generation.
pub(super) fn commit(migration: &str, generation: u64) -> Commit {
    let (salt, at) = (Salt::new(migration), Timestamp::from_millis(1_800_000_000_000));
    let first = Standing::first(salt, None, Percent::ZERO, Fingerprint::default(), at);
    let mut progress = first.progress().clone();
    progress.generation = Generation(generation);
    let standing = Standing::restore(progress, first.writes()).expect("it is off");
    let entry = Entry {
        migration: migration.into(),
        at,
        by: Actor::automation(),
        event: Event::Noticed(Cause::Changed),
        why: "backends, rules or plugins changed".into(),
        from: Brief::of(&first),
        to: Brief::of(&standing),
        evidence: EvidenceHash::default(),
        generation: standing.generation(),
    };
    let evidence = Some(vec![1, generation]);
    Commit { standing, entry, gates: vec!["mismatch: 0 of 2000".into()], evidence }
}
