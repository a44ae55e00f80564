//! What went wrong for users of other tools, as stories that must end well here.

use super::world::{World, course};
use expect_test::{Expect, expect};

/// A canary of 20 %, about to be promoted.
fn canary() -> World {
    let mut world = World::fine(course());
    world.quietly(
        "oli operator: promote
         ana on-call: promote
         wait 1h
         ana on-call: promote
         wait 1h
         ana on-call: promote
         wait 4h",
    );
    world
}

fn check(mut world: World, script: &str, expected: &Expect) {
    expected.assert_eq(&world.play(script));
}

#[test]
fn errors_rise_while_an_approval_is_awaited() {
    let mut course = course();
    course.approvals = 1;
    let mut world = World::fine(course);
    world.quietly(
        "oli operator: promote
         ben approver: approve
         ana on-call: promote
         wait 1h",
    );
    check(
        world,
        "ana on-call: promote
         next ana on-call
         ben approver: approve
         gate errors fails: 61 of 4,000 requests, limit 0.1%
         ben approver: approve
         wait 1h
         gates pass
         ana on-call: promote
         next ana on-call",
        &expect![[r#"
            ana on-call: promote
                refused: not yet:
                  - 0 of 1 approvals by others for canary 5%
            next ana on-call
                approve profile --to 5% --evidence 080808080808: to canary 5%: somebody else approves
            ben approver: approve
                4 ben: approve: canary 1%, mirror 10%
            gate errors fails: 61 of 4,000 requests, limit 0.1%
                5 cutover: failed: canary 1%, mirror 10% -> canary 1% (now 0%), rolled-back, failed (errors failed: 61 of 4,000 requests, limit 0.1%)
            ben approver: approve
                refused: not yet:
                  - errors failed at 2026-12-01 01:00:00Z: 61 of 4,000 requests, limit 0.1%; mend it, then retry
            wait 1h
            gates pass
            ana on-call: promote
                refused: not yet:
                  - rolled back by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%; mend it, then retry
                  - errors failed at 2026-12-01 01:00:00Z: 61 of 4,000 requests, limit 0.1%; mend it, then retry
                  - 0 of 1 approvals by others for canary 5%
            next ana on-call
                retry profile: rolled back by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%; when it is mended
        "#]],
    );
}

#[test]
fn an_approval_is_void_after_newer_red_data() {
    let world = canary();
    check(
        world,
        "ben approver: approve --full
         gate mismatch fails: 9 of 1,000 comparisons, limit 0.1%
         gates pass
         ana on-call: retry
         gates pass
         ana on-call: promote --full
         ben approver: approve --full
         configuration changes
         gates pass
         ana on-call: promote --full
         ben approver: approve --full unseen
         ben approver: approve --full
         wait 24h
         ana on-call: promote --full",
        &expect![[r#"
            ben approver: approve --full
                5 ben: approve: canary 20%, mirror 10%
            gate mismatch fails: 9 of 1,000 comparisons, limit 0.1%
                6 cutover: failed: canary 20%, mirror 10% -> canary 20%, mirror 10%, failed (mismatch failed: 9 of 1,000 comparisons, limit 0.1%)
            gates pass
            ana on-call: retry
                7 ana: retry: canary 20%, mirror 10%, failed -> canary 20%, mirror 10%
            gates pass
            ana on-call: promote --full
                refused: not yet:
                  - 0 of 1 approvals by others for canary 100%, which skips steps
            ben approver: approve --full
                8 ben: approve: canary 20%, mirror 10%
            configuration changes
                9 cutover: changed: canary 20%, mirror 10% (backends, rules or plugins changed)
            gates pass
            ana on-call: promote --full
                refused: not yet:
                  - 0 of 1 approvals by others for canary 100%, which skips steps
            ben approver: approve --full unseen
                refused: this evidence is not of the present epoch, or is shown no more: look again, and name the evidence you saw
            ben approver: approve --full
                10 ben: approve: canary 20%, mirror 10%
            wait 24h
            ana on-call: promote --full
                refused: not yet:
                  - 0 of 1 approvals by others for canary 100%, which skips steps
        "#]],
    );
}

#[test]
fn four_eyes_are_those_of_two_people() {
    let world = canary();
    check(
        world,
        "ana on-call: approve --full
         ana on-call: promote --full
         ana admin: approve --full
         ana on-call: promote --full
         ben approver: reject --full
         ana on-call: promote --full
         ben approver: approve --full
         ana on-call: promote --full",
        &expect![[r#"
            ana on-call: approve --full
                5 ana: approve: canary 20%, mirror 10%
            ana on-call: promote --full
                refused: not yet:
                  - 0 of 1 approvals by others for canary 100%, which skips steps
            ana admin: approve --full
                6 ana: approve: canary 20%, mirror 10%
            ana on-call: promote --full
                refused: not yet:
                  - 0 of 1 approvals by others for canary 100%, which skips steps
            ben approver: reject --full
                7 ben: reject: canary 20%, mirror 10%
            ana on-call: promote --full
                refused: not yet:
                  - rejected by ben (approver): as planned; it counts until they approve, it ends or evidence begins anew
                  - 0 of 1 approvals by others for canary 100%, which skips steps
            ben approver: approve --full
                8 ben: approve: canary 20%, mirror 10%
            ana on-call: promote --full
                9 ana: promote: canary 20%, mirror 10% -> canary 100%, mirror 10%
        "#]],
    );
}

#[test]
fn traffic_stops_in_the_middle_of_a_step() {
    let world = canary();
    check(
        world,
        "traffic stops
         wait 60s
         wait 1m
         ana on-call: promote
         wait 1h
         traffic flows
         wait 1m
         ana on-call: promote",
        &expect![[r#"
            traffic stops
            wait 60s
            wait 1m
                5 cutover: silent: canary 20%, mirror 10% -> canary 20%, mirror 10%, inconclusive (evidence has stopped growing)
            ana on-call: promote
                refused: not yet:
                  - evidence has not grown since 2026-12-01 06:00:00Z: is there traffic?
            wait 1h
            traffic flows
                6 cutover: heard: canary 20%, mirror 10%, inconclusive -> canary 20%, mirror 10% (evidence grows again)
            wait 1m
            ana on-call: promote
                7 ana: promote: canary 20%, mirror 10% -> canary 50%, mirror 10%
        "#]],
    );
}

#[test]
fn nothing_measured_is_no_pass() {
    let mut world = canary();
    world.seen.gates.clear();
    check(
        world,
        "ana on-call: promote",
        &expect![[r#"
        ana on-call: promote
            refused: not yet:
              - errors: nothing measured in this epoch
              - latency: nothing measured in this epoch
              - mismatch: nothing measured in this epoch
              - coverage: nothing measured in this epoch
    "#]],
    );
    let mut none = course();
    none.gates = Box::default();
    let mut world = World::fine(none);
    world.quietly("oli operator: promote");
    world.seen.gates.clear();
    check(
        world,
        "ana on-call: promote",
        &expect![[r#"
        ana on-call: promote
            refused: not yet:
              - no gate measures anything: declare at least one
    "#]],
    );
}

#[test]
fn abort_outranks_a_promotion_that_is_under_way() {
    let world = canary();
    check(
        world,
        "proxies lag
         ana on-call: promote
         ana on-call: promote
         # somebody who saw generation 4 gives up
         oli operator @4: abort
         ana on-call @5: promote
         proxies follow
         wait 1h",
        &expect![[r#"
            proxies lag
            ana on-call: promote
                5 ana: promote: canary 20%, mirror 10% -> canary 50%, mirror 10%
            ana on-call: promote
                refused: not yet:
                  - generation 5 has not reached every proxy (all have 4)
                  - 4h left of 4h here
            # somebody who saw generation 4 gives up
            oli operator @4: abort
                6 oli: abort: canary 50%, mirror 10% -> off
            ana on-call @5: promote
                refused: you saw generation 5, and it is 6 now: look again, then decide
            proxies follow
            wait 1h
        "#]],
    );
}

#[test]
fn who_saw_another_generation_decides_anew() {
    let world = canary();
    check(
        world,
        "ana on-call @3: promote
         ana on-call @-: promote
         ana on-call @3: pause
         ana on-call @-: pause
         ana on-call @3: rollback
         ana on-call @-: rollback",
        &expect![[r#"
            ana on-call @3: promote
                refused: you saw generation 3, and it is 4 now: look again, then decide
            ana on-call @-: promote
                refused: say upon which generation you act; it is 4 now
            ana on-call @3: pause
                refused: you saw generation 3, and it is 4 now: look again, then decide
            ana on-call @-: pause
                5 ana: pause: canary 20%, mirror 10% -> canary 20%, mirror 10%, paused
            ana on-call @3: rollback
                refused: you saw generation 3, and it is 5 now: look again, then decide
            ana on-call @-: rollback
                6 ana: rollback: canary 20%, mirror 10%, paused -> canary 20% (now 0%), rolled-back, paused
        "#]],
    );
}

#[test]
fn a_failure_latches_and_outranks_a_pass() {
    let world = canary();
    check(
        world,
        "gate mismatch fails: 9 of 1,000 comparisons, limit 0.1%
         gates pass
         wait 1h
         ana on-call: promote
         ana on-call: drill
         # worse comes: the latch does not keep from going back
         gate latency fails: 5% slower than T, limit 1%
         wait 1h
         gates pass
         wait 24h
         oli operator: retry
         ana on-call: freeze
         ana on-call: retry
         ana on-call: resume
         ana on-call: retry",
        &expect![[r#"
            gate mismatch fails: 9 of 1,000 comparisons, limit 0.1%
                5 cutover: failed: canary 20%, mirror 10% -> canary 20%, mirror 10%, failed (mismatch failed: 9 of 1,000 comparisons, limit 0.1%)
            gates pass
            wait 1h
            ana on-call: promote
                refused: not yet:
                  - mismatch failed at 2026-12-01 06:00:00Z: 9 of 1,000 comparisons, limit 0.1%; mend it, then retry
            ana on-call: drill
                refused: not yet:
                  - mismatch failed at 2026-12-01 06:00:00Z: 9 of 1,000 comparisons, limit 0.1%; mend it, then retry
            # worse comes: the latch does not keep from going back
            gate latency fails: 5% slower than T, limit 1%
                6 cutover: failed: canary 20%, mirror 10%, failed -> canary 20% (now 0%), rolled-back, failed (latency failed: 5% slower than T, limit 1%)
            wait 1h
            gates pass
            wait 24h
            oli operator: retry
                refused: oli (operator) may not retry here; these roles may: on-call, admin
            ana on-call: freeze
                7 ana: freeze: canary 20% (now 0%), rolled-back, failed -> canary 20% (now 0%), rolled-back, failed, frozen
            ana on-call: retry
                refused: not yet:
                  - frozen by ana (on-call): as planned; resume lifts it
            ana on-call: resume
                8 ana: resume: canary 20% (now 0%), rolled-back, failed, frozen -> canary 20% (now 0%), rolled-back, failed
            ana on-call: retry
                9 ana: retry: canary 20% (now 0%), rolled-back, failed -> shadow, mirror 10%
        "#]],
    );
}

#[test]
fn the_kill_switch_waits_for_nothing() {
    let mut world = canary();
    world.quietly("old is cold\nana on-call: freeze");
    check(
        world,
        "kill: 24 of 40 requests failed in 5 s
         wait 1h
         ana on-call: resume
         ana on-call: retry
         no kill
         ana on-call: retry",
        &expect![[r#"
            kill: 24 of 40 requests failed in 5 s
                6 cutover: killed: canary 20%, mirror 10%, frozen -> canary 20% (now 0%), rolled-back, failed, frozen (kill-switch failed: 24 of 40 requests failed in 5 s)
            wait 1h
            ana on-call: resume
                7 ana: resume: canary 20% (now 0%), rolled-back, failed, frozen -> canary 20% (now 0%), rolled-back, failed
            ana on-call: retry
                refused: not yet:
                  - kill switch: 24 of 40 requests failed in 5 s
            no kill
            ana on-call: retry
                8 ana: retry: canary 20% (now 0%), rolled-back, failed -> shadow, mirror 10%
        "#]],
    );
}

#[test]
fn cutover_grades_its_own_rollback_when_old_is_cold() {
    let mut world = canary();
    world.quietly("old is cold");
    check(
        world,
        "gate errors fails: 61 of 4,000 requests, limit 0.1%
         wait 15s
         kill: 24 of 40 requests failed in 5 s
         wait 1h",
        &expect![[r#"
            gate errors fails: 61 of 4,000 requests, limit 0.1%
                5 cutover: failed: canary 20%, mirror 10% -> canary 20%, mirror 10%, going-back, failed (errors failed: 61 of 4,000 requests, limit 0.1%)
            wait 15s
                6 cutover: going-back: canary 20%, mirror 10%, going-back, failed -> canary 20% (now 18%), mirror 10%, going-back, failed (graded rollback by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%)
                7 cutover: going-back: canary 20% (now 18%), mirror 10%, going-back, failed -> canary 20% (now 16%), mirror 10%, going-back, failed (graded rollback by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%)
                8 cutover: going-back: canary 20% (now 16%), mirror 10%, going-back, failed -> canary 20% (now 14%), mirror 10%, going-back, failed (graded rollback by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%)
                9 cutover: going-back: canary 20% (now 14%), mirror 10%, going-back, failed -> canary 20% (now 12%), mirror 10%, going-back, failed (graded rollback by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%)
                10 cutover: going-back: canary 20% (now 12%), mirror 10%, going-back, failed -> canary 20% (now 10%), mirror 10%, going-back, failed (graded rollback by cutover (automation): errors failed: 61 of 4,000 requests, limit 0.1%)
            kill: 24 of 40 requests failed in 5 s
                11 cutover: killed: canary 20% (now 10%), mirror 10%, going-back, failed -> canary 20% (now 0%), rolled-back, failed (kill-switch failed: 24 of 40 requests failed in 5 s)
            wait 1h
        "#]],
    );
}

#[test]
fn a_failure_during_a_drill_leaves_everybody_on_old() {
    let world = canary();
    check(
        world,
        "ana on-call: drill
         gate errors fails: 61 of 4,000 requests, limit 0.1%
         wait 1h",
        &expect![[r#"
            ana on-call: drill
                5 ana: drill: canary 20%, mirror 10% -> canary 20% (now 0%), mirror 10%, drilling
                6 cutover: recovered: canary 20% (now 0%), mirror 10%, drilling (drill by ana (on-call): as planned)
            gate errors fails: 61 of 4,000 requests, limit 0.1%
                7 cutover: failed: canary 20% (now 0%), mirror 10%, drilling -> canary 20% (now 0%), rolled-back, failed (errors failed: 61 of 4,000 requests, limit 0.1%)
            wait 1h
        "#]],
    );
}

#[test]
fn a_group_has_one_canary_and_no_new_ones_past_an_expiry() {
    let mut world = World::fine(course());
    world.seen.group.expired = Some("orders".into());
    check(
        world,
        "oli operator: promote",
        &expect![[r#"
        oli operator: promote
            refused: not yet:
              - orders, of the same group, is past its expiry: finish it first
    "#]],
    );
    let mut world = World::fine(course());
    world.quietly("oli operator: promote");
    world.seen.group.canary = Some("orders".into());
    check(
        world,
        "ana on-call: promote",
        &expect![[r#"
        ana on-call: promote
            refused: not yet:
              - orders, of the same group, has a canary: one at a time
    "#]],
    );
}

#[test]
fn what_is_not_built_is_refused_with_its_reason() {
    let mut cdc = course();
    cdc.data = crate::migration::Data::Cdc;
    check(
        World::fine(cdc),
        "oli operator: promote\nnext ana on-call",
        &expect![[r#"
        oli operator: promote
            refused: data = "cdc" needs phase sync, which this version cannot run: use "shared" if both use one database, or "external" if somebody else keeps the data in step
        next ana on-call
            nothing: data = "cdc" needs phase sync, which this version cannot run: use "shared" if both use one database, or "external" if somebody else keeps the data in step
    "#]],
    );
    let mut writes = canary();
    writes.course.write_routes = true;
    writes.quietly(
        "ben approver: approve --to reads-new
         ana on-call: drill
         wait 15s
         ana on-call: switch-traffic --reads
         wait 7d",
    );
    check(
        writes,
        "ann approver: complete profile
         ana on-call: promote
         ana on-call: switch-traffic --writes
         next ana on-call",
        &expect![[r#"
            ann approver: complete profile
                refused: moving writes (phases cutover and new-primary) is not in this version: writes stay on old, and reads can stay where they are
            ana on-call: promote
                refused: moving writes (phases cutover and new-primary) is not in this version: writes stay on old, and reads can stay where they are
            ana on-call: switch-traffic --writes
                refused: moving writes (phases cutover and new-primary) is not in this version: writes stay on old, and reads can stay where they are
            next ana on-call
                nothing: moving writes (phases cutover and new-primary) is not in this version: writes stay on old, and reads can stay where they are
        "#]],
    );
}

#[test]
fn users_are_not_reshuffled_on_the_way() {
    let mut world = canary();
    world.course.salt = crate::Salt::new("another");
    check(
        world,
        "ana on-call: promote
         ana on-call: abort
         gates pass
         oli operator: promote
         ana on-call: promote",
        &expect![[r#"
            ana on-call: promote
                refused: not yet:
                  - the configuration has another salt or bucketing than the users were chosen by: put it back, or abort and begin anew
            ana on-call: abort
                5 ana: abort: canary 20%, mirror 10% -> off
            gates pass
            oli operator: promote
                6 oli: promote: off -> shadow, mirror 10%
            ana on-call: promote
                7 ana: promote: shadow, mirror 10% -> canary 1%, mirror 10%
        "#]],
    );
}

/// Whoever reads one line only must not take what has failed for what only waits.
#[test]
fn what_has_failed_is_told_before_what_waits() {
    check(
        canary(),
        "gate errors is unsure
         gate coverage fails: POST /orders was never compared
         ana on-call: promote",
        &expect![[r#"
            gate errors is unsure
            gate coverage fails: POST /orders was never compared
            ana on-call: promote
                refused: not yet:
                  - coverage (fail): POST /orders was never compared
                  - errors (inconclusive): not enough seen
        "#]],
    );
}
