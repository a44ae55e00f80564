//! What must be known of `old` before a migration leaves `off`.

use super::world::{CANARY, World};
use crate::Side;
use cutover_core::Phase;
use cutover_core::evidence::{Gate, Verdict};
use cutover_core::migration::{Command, Goal};
use http::StatusCode;

/// A migration that nobody has begun.
fn off() -> String {
    CANARY.replace("read-percent = 5\n", "")
}

fn begin() -> Command {
    Command::Promote(Goal::Next)
}

#[test]
fn shadow_waits_until_old_has_answered_users_for_a_minute() {
    let world = World::new(&off());
    world.seconds(1, 0, |_| StatusCode::OK);
    let missing = world.missing();
    for part in [
        "baseline (inconclusive): old was asked nothing here yet; needs 100 answers over 60 s",
        "old (inconclusive): nothing was heard of it yet: send it requests",
    ] {
        assert!(missing.contains(part), "{missing}");
    }
    world.order(begin()).expect_err("nothing is known of old");
    world.seconds(30, 10, |_| StatusCode::OK);
    assert_eq!(world.gate(Gate::Old).verdict(), Verdict::Pass);
    let missing = world.missing();
    assert!(missing.contains("answered 300 of 300 requests in 29 s"), "{missing}");
    assert!(missing.contains("about 31 s at the current rate"), "{missing}");
    assert!(!missing.contains("errors"), "what new has to show comes later: {missing}");
    world.order(begin()).expect_err("it was observed too shortly");

    world.seconds(31, 10, |_| StatusCode::OK);
    assert_eq!(world.missing(), "");
    world.order(begin()).expect("enough is known");
    assert_eq!(world.phase(), Phase::Shadow);
    let record = &world.records()[0];
    assert!(record.gates.iter().any(|gate| gate.starts_with("baseline: ")), "{:?}", record.gates);
    let asked: Vec<_> = world.view().gates.iter().map(|answer| answer.gate).collect();
    assert!(!asked.contains(&Gate::Baseline) && !asked.contains(&Gate::Old), "{asked:?}");
}

#[test]
fn shadow_waits_for_an_old_that_fails() {
    let world = World::new(&off());
    world.minutes(2, 10);
    assert_eq!(world.missing(), "");
    world.seconds(59, 10, |_| StatusCode::BAD_GATEWAY);
    let missing = world.missing();
    assert!(missing.contains("old (inconclusive): answered 10 of 600 requests"), "{missing}");
    world.order(begin()).expect_err("nothing could go back to it");
    world.seconds(60, 10, |_| StatusCode::OK);
    world.order(begin()).expect("it was mended");
}

#[test]
fn an_old_of_which_nothing_is_heard_any_more_is_not_known_to_be_well() {
    let world = World::new(&off());
    world.minutes(2, 10);
    world.minutes(4, 0);
    assert_eq!(world.missing(), "", "four minutes are not long");
    world.minutes(2, 0);
    let missing = world.missing();
    assert!(missing.contains("old (inconclusive): last answer 6 min ago"), "{missing}");
    assert!(!missing.contains("baseline"), "{missing}");
}

#[test]
fn what_was_observed_survives_a_restart_but_not_another_backend() {
    let a_day = format!("{}[migrations.profile.preflight]\nobserve = \"2h\"\n", off());
    let world = World::new(&a_day);
    world.minutes(100, 1);
    let again = world.restarted(&a_day);
    assert_eq!(again.gate(Gate::Baseline).samples(), 6_000);
    again.minutes(25, 1);
    assert_eq!(again.missing(), "");
    assert!(again.records().is_empty(), "nothing has moved");

    again.load(&a_day.replace("127.0.0.1:9001", "127.0.0.1:9011"));
    assert_eq!(again.gate(Gate::Baseline).samples(), 0);
    again.minutes(1, 1);
    let elsewhere = again.restarted(&a_day);
    assert_eq!(elsewhere.gate(Gate::Baseline).samples(), 0, "that was another backend");
}

#[test]
fn what_is_asked_for_is_the_configurations_to_say() {
    let world = World::new(&off());
    world.minutes(1, 1);
    let missing = world.missing();
    assert!(missing.contains("needs 100 answers over 60 s"), "{missing}");
    let little = "[migrations.profile.preflight]\nobserve = \"5s\"\nrequests = 10\n";
    world.load(&format!("{}{little}", off()));
    assert_eq!(world.missing(), "", "what was observed still counts");
    world.load(&format!("{}[migrations.profile.preflight]\nrequired = []\n", off()));
    let asked: Vec<_> = world.view().gates.iter().map(|answer| answer.gate).collect();
    assert!(!asked.contains(&Gate::Baseline) && !asked.contains(&Gate::Old), "{asked:?}");
    world.order(begin()).expect("nothing is asked for");
}

#[test]
fn who_gives_up_and_begins_anew_observes_anew() {
    let world = World::new(&off());
    world.minutes(2, 10);
    world.order(begin()).expect("enough is known");
    let side = world.request("user-0").0;
    assert_eq!(side, Side::Old);
    world.order(Command::Abort).expect("anybody may");
    assert_eq!(world.gate(Gate::Baseline).samples(), 0);
    world.order(begin()).expect_err("the evidence has begun anew");
    world.minutes(2, 10);
    world.order(begin()).expect("it was observed again");
}

#[test]
fn another_old_is_not_known_by_what_the_former_did() {
    let world = World::new(&off());
    world.minutes(2, 10);
    world.order(begin()).expect("enough is known");
    world.order(Command::Abort).expect("anybody may");
    world.minutes(2, 10);
    assert_eq!(world.missing(), "");
    world.load(&off().replace("127.0.0.1:9001", "127.0.0.1:9011"));
    let told = world.order(begin()).expect_err("nobody has looked at it yet").to_string();
    assert!(told.contains("baseline") && told.contains("nothing was heard of it"), "{told}");
}
