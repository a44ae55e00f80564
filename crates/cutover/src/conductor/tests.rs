//! Migrations moved by a conductor over a real engine, with a clock that is turned by hand.

mod ignoring;
mod preflight;
mod world;

use super::OrderError;
use crate::store::StoreError;
use crate::{Outcome, Reason, Side};
use cutover_core::evidence::{Gate, Verdict};
use cutover_core::migration::{Back, Blocker, Command, Goal, Refusal, Role};
use cutover_core::{Percent, Phase};
use http::StatusCode;
use world::{CANARY, World, percent};

#[test]
fn a_person_promotes_when_the_gates_pass() {
    let world = World::new(CANARY);
    assert_eq!(world.share(), percent(5));

    world.minutes(11, 40);
    world.order(Command::Promote(Goal::Next)).expect_err("600 requests on new show nothing yet");
    let missing = world.missing();
    assert!(missing.contains("errors (inconclusive)"), "{missing}");
    assert!(missing.contains("more clean"), "{missing}");
    assert_eq!(world.share(), percent(5));

    world.minutes(11, 400);
    let done = world.order(Command::Promote(Goal::Next)).expect("nothing has failed");
    assert_eq!(done.receipt.seq, 1);
    assert_eq!(world.share(), percent(50));
    assert_eq!(done.entry.to.to_string(), "canary 50%, mirror 0%".replace(", mirror 0%", ""));
    let record = &world.records()[0];
    assert_eq!((&*record.migration, &*record.event), ("profile", "promote"));
    assert!(record.gates.iter().any(|gate| gate.starts_with("errors: ")), "{:?}", record.gates);
}

#[test]
fn a_new_service_that_fails_is_left_within_a_second_and_stays_left() {
    let world = World::new(CANARY);
    world.seconds(1, 1_000, |side| match side {
        Side::Old => StatusCode::OK,
        Side::New => StatusCode::BAD_GATEWAY,
    });
    let (side, reason) = world.request("user-0");
    assert_eq!((side, reason), (Side::Old, Reason::RolledBack));
    let record = &world.records()[0];
    assert_eq!((&*record.event, &*record.by), ("killed", "cutover"));
    assert!(record.why.contains("within five seconds"), "{}", record.why);

    world.minutes(30, 400);
    assert_eq!(world.request("user-0").0, Side::Old, "nothing is retried by itself");
    world.order(Command::Retry).expect("somebody has mended it");
    assert_eq!(world.view().standing.traffic().read_percent, Percent::ZERO);
    assert_eq!(world.phase(), Phase::Shadow);
}

#[test]
fn a_new_service_that_becomes_slow_is_left() {
    let world = World::new(&CANARY.replace("\"errors\"", "\"errors\", \"latency\""));
    for _ in 0..60 {
        world.second(400, |_| (StatusCode::OK, 20));
    }
    let latency = world.gate(Gate::Latency);
    assert_eq!(latency.verdict(), Verdict::Pass, "{latency}");
    for _ in 0..60 {
        world.second(400, |side| (StatusCode::OK, if side == Side::New { 60 } else { 20 }));
    }
    let record = &world.records()[0];
    assert_eq!(&*record.event, "failed", "{}", record.why);
    assert!(record.why.contains("latency failed"), "{}", record.why);
    assert_eq!(world.request("user-0").1, Reason::RolledBack);
}

#[test]
fn without_automatic_rollback_a_failed_gate_only_stops_the_migration() {
    let world = World::new(&CANARY.replace("required = [", "rollback = false\nrequired = ["));
    world.seconds(20, 400, |side| match side {
        Side::Old => StatusCode::OK,
        Side::New => StatusCode::BAD_GATEWAY,
    });
    assert_eq!(world.share(), percent(5));
    let missing = world.missing();
    assert!(missing.contains("errors (fail)"), "{missing}");
    assert!(world.records().is_empty(), "the file still says where it stands");
    world.order(Command::Promote(Goal::Next)).expect_err("something has failed");
    world.order(Command::Pause).expect("anybody may hold");
    world.seconds(1, 0, |_| StatusCode::OK);
    let missing = world.missing();
    assert!(missing.contains("errors failed"), "{missing}");
}

#[test]
fn a_rollback_is_in_force_when_the_command_returns() {
    let world = World::new(CANARY);
    let user = world.user_on_new();
    world.order(Command::Rollback(Back::Now)).expect("a rollback needs nobody's leave");
    assert_eq!(world.request(&user), (Side::Old, Reason::RolledBack));
    let error = world.order(Command::Rollback(Back::Now)).expect_err("it is done");
    assert!(matches!(error, OrderError::Refused(Refusal::AlreadySo(_))), "{error}");
}

#[test]
fn what_cannot_be_written_does_not_happen() {
    let world = World::new(CANARY);
    let user = world.user_on_new();
    world.store.fail(StoreError::HandingOver);
    let error = world.order(Command::Rollback(Back::Now)).expect_err("the store says no");
    assert!(matches!(error, OrderError::Store(StoreError::HandingOver)), "{error}");
    assert_eq!(world.request(&user).0, Side::New);
    world.seconds(5, 400, |_| StatusCode::BAD_GATEWAY);
    assert_eq!(world.share(), percent(5), "neither does what cutover would do by itself");

    world.store.mend();
    world.seconds(1, 0, |_| StatusCode::OK);
    assert_eq!(world.request(&user), (Side::Old, Reason::RolledBack), "it is tried again");
}

#[test]
fn a_process_that_starts_again_stands_where_it_stood() {
    let world = World::new(CANARY);
    world.minutes(11, 400);
    world.order(Command::Promote(Goal::Next)).expect("nothing has failed");
    let before = world.gate(Gate::Errors);
    let again = world.restarted(CANARY);
    assert_eq!(again.share(), percent(50), "whatever read-percent says");
    assert_eq!(again.gate(Gate::Errors).samples(), before.samples());
}

#[test]
fn the_configuration_says_where_a_migration_begins_until_it_has_moved() {
    let world = World::new(CANARY);
    let ten = CANARY.replace("read-percent = 5", "read-percent = 10");
    world.load(&ten);
    assert_eq!(world.share(), percent(10));
    world.order(Command::Pause).expect("anybody may hold");
    world.load(CANARY);
    assert_eq!(world.share(), percent(10));
}

#[test]
fn silence_does_not_take_a_migration_out_of_the_configurations_hands() {
    let world = World::new(CANARY);
    world.minutes(60, 0);
    assert!(world.records().is_empty(), "{:?}", world.records());
    let ten = CANARY.replace("read-percent = 5", "read-percent = 10");
    world.load(&ten);
    assert_eq!(world.share(), percent(10));
}

#[test]
fn evidence_survives_a_reload_and_other_limits_but_not_another_backend() {
    let world = World::new(CANARY);
    world.order(Command::Pause).expect("anybody may hold");
    world.minutes(2, 400);
    let before = world.gate(Gate::Errors).samples();
    assert!(before > 1_000, "{before}");
    world.load(&CANARY.replace("[5, 50, 100]", "[5, 20, 100]"));
    world.seconds(1, 0, |_| StatusCode::OK);
    assert_eq!(world.gate(Gate::Errors).samples(), before);
    world.load(&CANARY.replace("127.0.0.1:9002", "127.0.0.1:9003"));
    world.seconds(1, 0, |_| StatusCode::OK);
    assert_eq!(world.gate(Gate::Errors).samples(), 0);
    assert_eq!(&*world.records()[1].event, "changed");
}

#[test]
fn an_approval_names_evidence_that_was_shown() {
    let world = World::new(&CANARY.replace("percents =", "approvals = 1\npercents ="));
    world.minutes(11, 400);
    let evidence = world.view().seen.evidence;
    world.minutes(1, 400);
    let approve = |evidence| Command::Approve { goal: Goal::Next, evidence };
    let unknown = world.order_as("ben", Role::Approver, approve(Default::default()));
    assert!(matches!(unknown, Err(OrderError::Refused(Refusal::UnknownEvidence))));
    world.order_as("ben", Role::Approver, approve(evidence)).expect("a minute ago it was shown");
    world.order(Command::Promote(Goal::Next)).expect("somebody else has approved");
    assert_eq!(world.share(), percent(50));
}

#[test]
fn one_canary_of_a_group_at_a_time() {
    let two = |first: &str| {
        let other = CANARY.replace("migrations.profile", "migrations.orders");
        let other = other[other.find("[migrations.orders]").unwrap_or_default()..]
            .replace("/api/", "/orders/")
            .replace("read-percent = 5\n", first);
        CANARY.replace("data =", "group = \"accounts\"\ndata =")
            + &other.replace("data =", "group = \"accounts\"\ndata =")
    };
    let world = World::new(&two("preflight = { required = [] }\n"));
    let other = world.conductor.view("orders", &world.ana()).expect("it is configured");
    world.order_of("orders", Command::Promote(Goal::Next)).expect("shadow harms nobody");
    assert_eq!(other.standing.generation().0, 0);
    let other = world.conductor.view("orders", &world.ana()).expect("it is configured");
    assert!(other.missing.iter().any(|blocker| matches!(blocker, Blocker::GroupCanary(_))));
}

#[test]
fn a_drill_is_measured_from_the_order_and_restores_what_was() {
    let world = World::new(CANARY);
    world.seconds(2, 400, |_| StatusCode::OK);
    let user = world.user_on_new();
    world.order(Command::Drill).expect("there are users on new");
    assert_eq!(world.request(&user), (Side::Old, Reason::RolledBack));
    world.seconds(11, 400, |_| StatusCode::OK);
    assert_eq!(world.request(&user).0, Side::New);
    let view = world.view();
    let told = view.standing.progress().drilled.as_ref().map(ToString::to_string);
    let told = told.expect("it is over");
    assert!(told.starts_with("good: all reads on old after 0ms, 0 of "), "{told}");
    assert_eq!(world.heard(), ["1 drill", "2 recovered", "3 drilled"]);
}

#[test]
fn a_drill_has_recovered_when_the_last_reply_of_new_has_ended() {
    let world = World::new(CANARY);
    world.seconds(2, 400, |_| StatusCode::OK);
    let open = world.open(&world.user_on_new());
    world.order(Command::Drill).expect("there are users on new");
    world.seconds(2, 400, |_| StatusCode::OK);
    assert_eq!(world.heard(), ["1 drill"]);
    open.finish(Outcome::Replied(StatusCode::OK));
    world.seconds(11, 400, |_| StatusCode::OK);
    let told = world.drilled();
    assert!(told.starts_with("good: all reads on old after 3s, 0 of "), "{told}");
}

#[test]
fn a_reply_of_new_that_does_not_end_makes_a_drill_too_slow() {
    let world = World::new(CANARY);
    world.seconds(2, 400, |_| StatusCode::OK);
    let _open = world.open(&world.user_on_new());
    world.order(Command::Drill).expect("there are users on new");
    world.seconds(11, 400, |_| StatusCode::OK);
    let told = world.drilled();
    assert!(told.starts_with("too-slow: not all reads came to old in time"), "{told}");
}

/// Neither a WebSocket, which ends when its user leaves, nor what `old` answers in the place of `new` is waited for.
#[test]
fn a_drill_waits_for_replies_of_new_alone() {
    let world = World::new(CANARY);
    world.seconds(2, 400, |_| StatusCode::OK);
    let user = world.user_on_new();
    let _open = (world.open_socket(&user), world.fallen_back(&user));
    world.order(Command::Drill).expect("there are users on new");
    world.seconds(11, 400, |_| StatusCode::OK);
    let told = world.drilled();
    assert!(told.starts_with("good: all reads on old after 0ms, 0 of "), "{told}");
}

#[test]
fn a_drill_across_a_restart_counts_what_the_new_process_serves() {
    for (status, expected) in [
        (StatusCode::OK, "good: all reads on old after 0ms, 0 of "),
        (StatusCode::BAD_GATEWAY, "failures: all reads on old after 0ms, "),
    ] {
        let world = World::new(CANARY);
        // More than the other process will ever serve.
        world.seconds(30, 400, |_| StatusCode::OK);
        world.order(Command::Drill).expect("there are users on new");
        world.seconds(2, 400, |_| StatusCode::OK);
        let again = world.restarted(CANARY);
        again.seconds(10, 10, |_| status);
        let told = again.drilled();
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn what_holds_a_migration_survives_a_restart() {
    for command in [Command::Pause, Command::Freeze, Command::Rollback(Back::Now)] {
        let world = World::new(CANARY);
        let user = world.user_on_new();
        world.order(command.clone()).expect("anybody may hold");
        let standing = world.view().standing;
        let again = world.restarted(CANARY);
        again.seconds(1, 0, |_| StatusCode::OK);
        assert_eq!(again.view().standing, standing, "{command:?}");
        assert_eq!(again.request(&user), world.request(&user), "{command:?}");
    }
}

#[test]
fn what_was_inconclusive_is_so_after_a_restart() {
    let world = World::new(CANARY);
    // What has never moved is left to its configuration.
    world.order(Command::Pause).expect("anybody may hold");
    world.order(Command::Resume).expect("and let go");
    world.minutes(1, 40);
    world.minutes(60, 0);
    let standing = world.view().standing;
    assert!(standing.progress().inconclusive.is_some(), "{:?}", world.heard());
    let again = world.restarted(CANARY);
    again.seconds(1, 0, |_| StatusCode::OK);
    assert_eq!(again.view().standing, standing);
}

#[test]
fn unknown_names_are_answered_with_those_that_there_are() {
    let world = World::new(CANARY);
    let error = world.order_of("prfile", Command::Pause).expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "there is no migration \"prfile\"; the configuration has: profile"
    );
}

#[test]
fn whoever_listens_is_told_of_every_transition() {
    let world = World::new(CANARY);
    world.order(Command::Pause).expect("anybody may hold");
    world.order(Command::Resume).expect("and let go");
    assert_eq!(world.heard(), ["1 pause", "2 resume"]);
}
