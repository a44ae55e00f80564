//! Transitions to be written, and a folder to write them to.

use cutover::core::migration::{
    Actor, Brief, Command, Entry, Event, EvidenceHash, Fingerprint, Goal, Position, Role, Standing,
    Timestamp,
};
use cutover::core::{Generation, Percent, Salt};
use cutover::store::{Commit, Redb};
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("the system has room for temporary files")
}

/// The store in a folder.
pub(crate) fn open(folder: &TempDir) -> Redb {
    Redb::open(folder.path()).unwrap_or_else(|error| panic!("{error}"))
}

/// A migration that stands in its canary, in this generation.
pub(crate) fn standing(migration: &str, generation: u64) -> Standing {
    let (salt, now) = (Salt::new(migration), Timestamp::from_millis(1_800_000_000_000));
    let first = Standing::first(salt, None, Percent::ZERO, Fingerprint([1; 32]), now);
    let mut progress = first.progress().clone();
    progress.position = Position::Canary(Percent::from_thousandths(generation as u32 % 100_000));
    progress.generation = Generation(generation);
    Standing::restore(progress, first.writes()).expect("it is a canary")
}

/// How a migration came to this generation.
pub(crate) fn commit(migration: &str, generation: u64) -> Commit {
    let standing = standing(migration, generation);
    let before = self::standing(migration, generation - 1);
    let entry = Entry {
        migration: migration.into(),
        at: Timestamp::from_millis(1_800_000_000_000 + generation),
        by: Actor::new("ana", Role::OnCall),
        event: Event::Ordered(Command::Promote(Goal::Next)),
        why: format!("step {generation}: \"all green\"").into(),
        from: Brief::of(&before),
        to: Brief::of(&standing),
        evidence: EvidenceHash([generation as u8; 32]),
        generation: standing.generation(),
    };
    let gates = vec!["errors: 0 of 4000, shown below 0.1%".into(), "mismatch: passes".into()];
    Commit { standing, entry, gates, evidence: Some(vec![1, generation, u64::MAX]) }
}
