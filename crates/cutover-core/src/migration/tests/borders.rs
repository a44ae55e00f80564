//! Where the machine meets the rest: what is stored, what gates say, what a snapshot is given.

use super::world::{World, course, percent};
use crate::backend::{Balance, Protocol};
use crate::evidence::{Batch, Counts, Epoch, Evidence, Gate, Limits, Look, Verdict};
use crate::migration::approval::{MOST_OPINIONS, note};
use crate::migration::{
    Actor, EvidenceHash, Fingerprint, Graded, Mark, Opinion, Plugins, Position, Progress, Reading,
    Remedy, Role, Standing, Timestamp, Unsound, Withdrawal, Writes,
};
use crate::{Migration, Percent, Phase, Side, Snapshot, TrafficState};
use std::time::Duration;

fn mark() -> Mark {
    let by = Actor::new("ana", Role::OnCall);
    Mark { by, why: "a reason".into(), at: Timestamp::default() }
}

fn stored(change: impl Fn(&mut Progress)) -> Progress {
    let mut progress = World::new(course()).standing.progress().clone();
    change(&mut progress);
    progress
}

#[test]
fn what_contradicts_itself_is_not_restored() {
    let at = |position| stored(|progress| progress.position = position);
    let withdrawn = |position, withdrawal: Withdrawal| {
        stored(|progress| {
            progress.position = position;
            progress.withdrawal = withdrawal.clone();
        })
    };
    let graded = |from, now| {
        let over = Duration::from_secs(30);
        Withdrawal::Graded(Graded {
            mark: mark(),
            over,
            from: percent(from),
            percent: percent(now),
        })
    };
    let canary = Position::Canary(percent(20));
    for (progress, owner, expected) in [
        (at(Position::Off), Side::Old, None),
        (at(canary), Side::New, Some(Unsound::WritesTooEarly(Phase::Canary))),
        (at(Position::Cutover), Side::New, Some(Unsound::WritesTooEarly(Phase::Cutover))),
        (at(Position::NewPrimary), Side::Old, Some(Unsound::WritesTooLate(Phase::NewPrimary))),
        (at(Position::NewPrimary), Side::New, None),
        (at(Position::Complete), Side::Old, None),
        (withdrawn(Position::Shadow, Withdrawal::Whole(mark())), Side::Old, None),
        (
            withdrawn(Position::Complete, Withdrawal::Whole(mark())),
            Side::Old,
            Some(Unsound::NothingToWithdraw(Phase::Complete)),
        ),
        (
            withdrawn(Position::Shadow, graded(0, 0)),
            Side::Old,
            Some(Unsound::NothingToWithdraw(Phase::Shadow)),
        ),
        (withdrawn(canary, graded(20, 10)), Side::Old, None),
        (withdrawn(canary, graded(10, 20)), Side::Old, Some(Unsound::GrowingRollback)),
        (withdrawn(canary, graded(30, 10)), Side::Old, Some(Unsound::GrowingRollback)),
    ] {
        let told = format!("{:?} with {:?}", progress.position, progress.withdrawal);
        assert_eq!(Standing::restore(progress, Writes::stored(owner)).err(), expected, "{told}");
    }
}

#[test]
fn the_configuration_may_begin_in_a_canary() {
    let first = |canary| {
        let (salt, now) = (course().salt, Timestamp::default());
        Standing::first(salt, canary, percent(10), Fingerprint::default(), now).traffic()
    };
    let off = first(None);
    assert_eq!((off.read_percent, off.mirror_percent), (Percent::ZERO, Percent::ZERO));
    let canary = first(Some(percent(5)));
    assert_eq!((canary.read_percent, canary.mirror_percent), (percent(5), percent(10)));
}

/// Phase, share, mirror, and whether all goes to `old`, as a snapshot is given them.
fn in_force(world: &World) -> (Phase, Percent, Percent, bool) {
    let mut builder = Snapshot::builder();
    let backend = |name: &str| crate::Backend {
        name: name.into(),
        addresses: ["127.0.0.1:1".into()].into(),
        tls: None,
        protocol: Protocol::default(),
        host: None,
        balance: Balance::default(),
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: None,
    };
    let (old, new) = (builder.backend(backend("old")), builder.backend(backend("new")));
    let mut migration = Migration {
        name: "profile".into(),
        old,
        new,
        key: Box::default(),
        salt: crate::Salt::new("another"),
        allow: crate::key::UserList::default(),
        deny: crate::key::UserList::default(),
        qa: None,
        disabled: false,
        phase: Phase::Off,
        state: TrafficState::default(),
        rolled_back: false,
        edits: crate::edit::Edits::default(),
        fallback: crate::fallback::FallbackPolicy::default(),
        plugins: Plugins::default(),
        ignored: Default::default(),
    };
    world.standing.put_in_force(&mut migration);
    assert_eq!(migration.salt, world.course.salt);
    assert_eq!(migration.state.write_owner, Side::Old);
    assert_eq!(migration.state.generation, world.standing.generation());
    let state = migration.state;
    (migration.phase, state.read_percent, state.mirror_percent, migration.rolled_back)
}

#[test]
fn a_snapshot_is_given_what_the_standing_means() {
    let mut world = World::fine(course());
    assert_eq!(in_force(&world), (Phase::Off, Percent::ZERO, Percent::ZERO, false));
    world.quietly("oli operator: promote\nana on-call: promote");
    assert_eq!(in_force(&world), (Phase::Canary, percent(1), percent(10), false));
    world.quietly("ana on-call: drill");
    assert_eq!(in_force(&world), (Phase::Canary, Percent::ZERO, percent(10), true));
    world.quietly("ana on-call: rollback");
    assert_eq!(in_force(&world), (Phase::Canary, Percent::ZERO, Percent::ZERO, true));
}

#[test]
fn what_gates_say_is_taken_over() {
    let epoch = Epoch(3);
    let mut evidence = Evidence::new(epoch, Limits::default(), 0);
    let errors = Counts::new(10_000, 9_000);
    evidence.record(&Batch { errors, ..Batch::default() }, 1_000);
    let look = Look { now_ms: 1_000, ..Look::default() };
    let reading = |gate| Reading::of(&evidence.answer(gate, &look), epoch);
    let errors = reading(Gate::Errors).expect("a gate of ours");
    assert_eq!((&*errors.gate, errors.verdict), ("errors", Verdict::Fail));
    assert_eq!((errors.remedy, errors.epoch), (Remedy::RollBack, epoch));
    assert!(!errors.sentence.is_empty() && !errors.sentence.contains("errors:"), "{errors:?}");
    let mismatch = reading(Gate::Mismatch).expect("a gate of ours");
    assert_eq!((mismatch.verdict, mismatch.remedy), (Verdict::Inconclusive, Remedy::Latch));
    assert_eq!(reading(Gate::Drill), None);
}

#[test]
fn a_person_has_one_opinion_on_a_move_and_there_are_not_many() {
    let opinion = |name: &str, approves| Opinion {
        by: Actor::new(name, Role::Approver),
        approves,
        to: Position::ReadsNew,
        evidence: EvidenceHash::default(),
        epoch: Epoch(0),
        why: "a reason".into(),
        at: Timestamp::default(),
    };
    let mut opinions = Vec::new();
    for number in 0..MOST_OPINIONS {
        assert_eq!(note(&mut opinions, opinion(&format!("p{number}"), true)), Some(()));
    }
    assert_eq!(note(&mut opinions, opinion("one-more", true)), None);
    assert_eq!(note(&mut opinions, opinion("p0", false)), Some(()));
    assert_eq!(opinions.len(), MOST_OPINIONS);
    assert_eq!(opinions.iter().filter(|opinion| &*opinion.by.name == "p0").count(), 1);
}
