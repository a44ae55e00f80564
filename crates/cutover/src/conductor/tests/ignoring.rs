//! Rules that people add: in force with the generation, and never in evidence that was about others.

use super::world::{CANARY, World, settle};
use crate::conductor::OrderError;
use crate::store::StoreError;
use cutover_core::compare::{IgnoreList, IgnoreRule};
use cutover_core::evidence::Gate;
use cutover_core::migration::{Command, Refusal, Role};
use http::StatusCode;

const OLD: &str = r#"{"id":7,"at":1,"tags":[1,2]}"#;
const LATER: &str = r#"{"id":7,"at":2,"tags":[1,2]}"#;
const OTHER: &str = r#"{"id":8,"at":1,"tags":[1,2]}"#;
const TURNED: &str = r#"{"id":7,"at":1,"tags":[2,1]}"#;

fn mirrored() -> String {
    CANARY.replace("read-percent = 5", "read-percent = 0\nmirror-percent = 100")
}

fn rule(text: &str) -> IgnoreRule {
    IgnoreRule::new(IgnoreList::Ignore, text).expect("a rule")
}

/// Comparisons of this epoch, and how many of them differ.
fn seen(world: &World) -> (u64, u64) {
    let share = *world.gate(Gate::Mismatch).share().expect("it counts");
    (share.counts.n(), share.counts.bad())
}

fn tick(world: &World) {
    world.seconds(1, 0, |_| StatusCode::OK);
}

#[test]
fn what_was_compared_before_counts_for_nothing_afterwards() {
    let world = World::new(&mirrored());
    assert!(!world.matched(OLD, LATER));
    tick(&world);
    assert_eq!(seen(&world), (1, 1));

    // One that nobody has looked at yet, and one that is still asked about.
    assert!(!world.matched(OLD, LATER));
    let mut doubt = world.compared(OLD, LATER).expect("it differs");
    let done = world.order(Command::Ignore(rule("/at"))).expect("ana is on call");
    assert_eq!(done.entry.generation.0, 1);
    assert!(done.warnings[0].starts_with("the evidence begins anew"), "{:?}", done.warnings);
    settle(&mut doubt, OLD, LATER);
    tick(&world);
    assert_eq!((seen(&world), world.shadow().differences().len()), ((0, 0), 0));

    assert!(world.matched(OLD, LATER));
    assert!(!world.matched(OLD, OTHER), "everything else counts as before");
    tick(&world);
    assert_eq!(seen(&world), (2, 1));
    assert_eq!(world.heard(), ["1 ignore"]);
    assert_eq!(world.records()[0].command.as_deref(), Some("ignore profile /at"));

    world.order(Command::Unignore(rule("/at"))).expect("ana is on call");
    assert!(!world.matched(OLD, LATER));
    tick(&world);
    assert_eq!(seen(&world), (1, 1));
}

#[test]
fn a_rule_survives_reloads_and_the_process() {
    let world = World::new(&mirrored());
    let unordered = IgnoreRule::new(IgnoreList::Unordered, "/tags").expect("a rule");
    world.order(Command::Ignore(rule("/at"))).expect("ana is on call");
    world.order(Command::Ignore(unordered)).expect("ana is on call");
    let again = world.restarted(&mirrored());
    assert!(again.matched(OLD, LATER) && again.matched(OLD, TURNED));
    tick(&again);
    assert_eq!((seen(&again), again.view().standing.progress().epoch.0), ((2, 0), 2));

    // It moves into the configuration: the evidence goes on.
    again.load(&(mirrored() + "[migrations.profile.compare]\nignore = [\"/at\"]\n"));
    tick(&again);
    assert!(again.matched(OLD, LATER) && again.matched(OLD, TURNED));
    assert_eq!((seen(&again), again.records().len()), ((2, 0), 2));

    // Now the configuration knows better how these lists belong together.
    again.load(&(mirrored() + "[migrations.profile.compare]\nkeyed = { \"/tags\" = \"/id\" }\n"));
    assert!(again.matched(OLD, LATER), "the other rule holds");
}

#[test]
fn nothing_changes_if_it_is_refused_or_cannot_be_written() {
    let world = World::new(&mirrored());
    let ignore = || Command::Ignore(rule("/at"));
    for role in [Role::Viewer, Role::Operator, Role::Approver, Role::Automation] {
        let refused = world.order_as("eve", role, ignore());
        assert!(
            matches!(refused, Err(OrderError::Refused(Refusal::NotAllowed { .. }))),
            "{refused:?}"
        );
    }
    world.store.fail(StoreError::HandingOver);
    world.order(ignore()).expect_err("the store says no");
    world.store.mend();
    assert!(!world.matched(OLD, LATER));
    tick(&world);
    assert_eq!((seen(&world), world.view().standing.generation().0), ((1, 1), 0));
}
