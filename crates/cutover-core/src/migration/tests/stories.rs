//! Stories as transcripts: a migration from its beginning to its end, and the ways back.

use super::world::{World, course};
use expect_test::{Expect, expect};

fn check(world: &mut World, script: &str, expected: &Expect) {
    expected.assert_eq(&world.play(script));
}

#[test]
fn from_off_to_complete() {
    let mut world = World::fine(course());
    check(
        &mut world,
        "next vic viewer
         oli operator: promote
         next ana on-call
         plan ana on-call: promote
         ana on-call: promote
         ana on-call: promote
         wait 1h
         ana on-call: promote
         wait 1h
         ana on-call: promote
         wait 4h
         ana on-call: promote
         wait 4h
         ana on-call: promote
         wait 24h
         next ana on-call
         ana on-call: promote
         ana on-call: drill
         wait 15s
         next ana on-call
         ana on-call: promote
         next ana on-call
         wait 7d
         waits
         ana on-call: drill
         wait 15s
         next ana on-call
         ana on-call: complete profile
         ann approver: complete profile
         ben approver: approve
         ann approver: complete profil
         ann approver: complete profile
         next ana on-call
         ana on-call: rollback
         wait 30d
         restart",
        &expect![[r#"
            next vic viewer
                promote profile: to shadow (roles: operator, on-call, admin)
            oli operator: promote
                1 oli: promote: off -> shadow, mirror 10%
            next ana on-call
                promote profile: to canary 1%
            plan ana on-call: promote
                  1. record the transition and its evidence in the audit log
                  2. install generation 2: 1% of the users read from new, mirror 10%
                  3. measure latency anew in this step
                  4. watch until every proxy has generation 2
                  everybody reads from new after 10h at least
                  a rollback is in force everywhere within 5s
            ana on-call: promote
                2 ana: promote: shadow, mirror 10% -> canary 1%, mirror 10%
            ana on-call: promote
                refused: not yet:
                  - 1h left of 1h here
            wait 1h
            ana on-call: promote
                3 ana: promote: canary 1%, mirror 10% -> canary 5%, mirror 10%
            wait 1h
            ana on-call: promote
                4 ana: promote: canary 5%, mirror 10% -> canary 20%, mirror 10%
            wait 4h
            ana on-call: promote
                5 ana: promote: canary 20%, mirror 10% -> canary 50%, mirror 10%
            wait 4h
            ana on-call: promote
                6 ana: promote: canary 50%, mirror 10% -> canary 100%, mirror 10%
            wait 24h
            next ana on-call
                drill profile: to reads-new needs a rollback drill
            ana on-call: promote
                refused: not yet:
                  - no rollback drill yet: run drill
            ana on-call: drill
                7 ana: drill: canary 100%, mirror 10% -> canary 100% (now 0%), mirror 10%, drilling
                8 cutover: recovered: canary 100% (now 0%), mirror 10%, drilling (drill by ana (on-call): as planned)
            wait 15s
                9 ana: drilled: canary 100% (now 0%), mirror 10%, drilling -> canary 100%, mirror 10% (good: all reads on old after 0ms, 0 of 1000 requests failed)
            next ana on-call
                promote profile: to reads-new
            ana on-call: promote
                10 ana: promote: canary 100%, mirror 10% -> reads-new, mirror 10%
            next ana on-call
                nothing: to complete, in 7d
            wait 7d
            waits
                - the last rollback drill, at 2026-12-02 10:00:10Z, was good: all reads on old after 0ms, 0 of 1000 requests failed; a good one of the last 7d is needed: run drill
                - 0 of 1 approvals by others for complete
            ana on-call: drill
                11 ana: drill: reads-new, mirror 10% -> reads-new (now 0%), mirror 10%, drilling
                12 cutover: recovered: reads-new (now 0%), mirror 10%, drilling (drill by ana (on-call): as planned)
            wait 15s
                13 ana: drilled: reads-new (now 0%), mirror 10%, drilling -> reads-new, mirror 10% (good: all reads on old after 0ms, 0 of 1000 requests failed)
            next ana on-call
                approve profile --to complete --evidence 1d1d1d1d1d1d: to complete: somebody else approves (roles: approver, admin)
            ana on-call: complete profile
                refused: ana (on-call) may not complete here; these roles may: approver, admin
            ann approver: complete profile
                refused: not yet:
                  - 0 of 1 approvals by others for complete
            ben approver: approve
                14 ben: approve: reads-new, mirror 10%
            ann approver: complete profil
                refused: there is no way back from complete: confirm by typing the name, profile
            ann approver: complete profile
                15 ann: complete: reads-new, mirror 10% -> complete
            next ana on-call
                nothing: delete the migration from the configuration by 2027-01-08 10:00:30Z
            ana on-call: rollback
                refused: not in complete: there is no way back: start a migration in the other direction
            wait 30d
                16 cutover: expired: complete -> complete, expired (expired at 2027-01-08 10:00:30Z)
            restart
        "#]],
    );
}

#[test]
fn back_again_and_another_try() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote\nana on-call: promote\nwait 1h\nana on-call: promote");
    check(
        &mut world,
        "plan oli operator: rollback
         oli operator: rollback
         oli operator: rollback
         ana on-call: promote
         next ana on-call
         ana on-call: retry
         waits
         gates pass
         ana on-call: promote
         wait 1h
         ana on-call: promote
         wait 1h
         ana on-call: promote
         ana on-call: rollback --to 5%
         ana on-call: set-weight 2%
         ana on-call: set-weight 3%
         wait 1h
         ana on-call: set-weight 3%
         ana on-call: abort
         ana on-call: abort",
        &expect![[r#"
            plan oli operator: rollback
                  1. record the transition and its evidence in the audit log
                  2. install generation 4: everything on old, mirror 0%
                  3. begin evidence anew, epoch 1
                  4. watch until every proxy has generation 4
                  everybody reads from new after 10h at least
                  a rollback is in force everywhere within 5s
            oli operator: rollback
                4 oli: rollback: canary 5%, mirror 10% -> canary 5% (now 0%), rolled-back
            oli operator: rollback
                refused: nothing to do: it is rolled back
            ana on-call: promote
                refused: not yet:
                  - rolled back by oli (operator): as planned; mend it, then retry
                  - errors (inconclusive): 0 seen in this epoch
                  - latency (inconclusive): 0 seen in this epoch
                  - mismatch (inconclusive): 0 seen in this epoch
                  - coverage (inconclusive): 0 seen in this epoch
                  - 1h left of 1h here
            next ana on-call
                retry profile: rolled back by oli (operator): as planned; when it is mended
            ana on-call: retry
                5 ana: retry: canary 5% (now 0%), rolled-back -> shadow, mirror 10%
            waits
                - errors (inconclusive): 0 seen in this epoch
                - latency (inconclusive): 0 seen in this epoch
                - mismatch (inconclusive): 0 seen in this epoch
                - coverage (inconclusive): 0 seen in this epoch
            gates pass
            ana on-call: promote
                6 ana: promote: shadow, mirror 10% -> canary 1%, mirror 10%
            wait 1h
            ana on-call: promote
                7 ana: promote: canary 1%, mirror 10% -> canary 5%, mirror 10%
            wait 1h
            ana on-call: promote
                8 ana: promote: canary 5%, mirror 10% -> canary 20%, mirror 10%
            ana on-call: rollback --to 5%
                9 ana: rollback: canary 20%, mirror 10% -> canary 5%, mirror 10%
            ana on-call: set-weight 2%
                10 ana: set-weight: canary 5%, mirror 10% -> canary 2%, mirror 10%
            ana on-call: set-weight 3%
                refused: not yet:
                  - 1h left of 1h here
            wait 1h
            ana on-call: set-weight 3%
                11 ana: set-weight: canary 2%, mirror 10% -> canary 3%, mirror 10%
            ana on-call: abort
                12 ana: abort: canary 3%, mirror 10% -> off
            ana on-call: abort
                refused: nothing to do: everything is on old
        "#]],
    );
}

#[test]
fn a_drill_is_measured_and_restores() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote\nana on-call: promote");
    check(
        &mut world,
        "ana on-call: drill
         ana on-call: promote
         next ana on-call
         wait 9s
         wait 1s
         # proxies that do not follow make a drill fail, but not last
         proxies lag
         ana on-call: drill
         wait 20s
         proxies follow
         # nothing is restored while somebody holds it
         ana on-call: drill
         oli operator: pause
         wait 60s
         oli operator: resume
         # who has nobody to serve has shown nothing
         traffic stops
         ana on-call: drill
         wait 10s",
        &expect![[r#"
            ana on-call: drill
                3 ana: drill: canary 1%, mirror 10% -> canary 1% (now 0%), mirror 10%, drilling
                4 cutover: recovered: canary 1% (now 0%), mirror 10%, drilling (drill by ana (on-call): as planned)
            ana on-call: promote
                refused: not yet:
                  - a drill is under way: wait for its end, or roll back
                  - 1h left of 1h here
            next ana on-call
                nothing: a drill is under way
            wait 9s
            wait 1s
                5 ana: drilled: canary 1% (now 0%), mirror 10%, drilling -> canary 1%, mirror 10% (good: all reads on old after 0ms, 0 of 1000 requests failed)
            # proxies that do not follow make a drill fail, but not last
            proxies lag
            ana on-call: drill
                6 ana: drill: canary 1%, mirror 10% -> canary 1% (now 0%), mirror 10%, drilling
            wait 20s
                7 ana: drilled: canary 1% (now 0%), mirror 10%, drilling -> canary 1%, mirror 10% (too-slow: not all reads came to old in time, 0 of 600 requests failed)
            proxies follow
            # nothing is restored while somebody holds it
            ana on-call: drill
                8 ana: drill: canary 1%, mirror 10% -> canary 1% (now 0%), mirror 10%, drilling
                9 cutover: recovered: canary 1% (now 0%), mirror 10%, drilling (drill by ana (on-call): as planned)
            oli operator: pause
                10 oli: pause: canary 1% (now 0%), mirror 10%, drilling -> canary 1% (now 0%), mirror 10%, drilling, paused
            wait 60s
            oli operator: resume
                11 oli: resume: canary 1% (now 0%), mirror 10%, drilling, paused -> canary 1% (now 0%), mirror 10%, drilling
                12 ana: drilled: canary 1% (now 0%), mirror 10%, drilling -> canary 1%, mirror 10% (good: all reads on old after 0ms, 0 of 6000 requests failed)
            # who has nobody to serve has shown nothing
            traffic stops
            ana on-call: drill
                13 ana: drill: canary 1%, mirror 10% -> canary 1% (now 0%), mirror 10%, drilling
                14 cutover: recovered: canary 1% (now 0%), mirror 10%, drilling (drill by ana (on-call): as planned)
            wait 10s
                15 ana: drilled: canary 1% (now 0%), mirror 10%, drilling -> canary 1%, mirror 10% (no-traffic: all reads on old after 0ms, 0 of 0 requests failed)
        "#]],
    );
}

#[test]
fn holds_and_what_lifts_them() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote\nana on-call: promote\nwait 1h");
    check(
        &mut world,
        "oli operator: pause
         ana on-call: freeze
         ana on-call: promote
         next ana on-call
         oli operator: resume
         ana on-call: resume
         precaution: 3 of 9,000 comparisons of the last hour differ
         ana on-call: promote
         # who resumes has looked, and is not asked again
         ana on-call: resume
         ana on-call: promote",
        &expect![[r#"
            oli operator: pause
                3 oli: pause: canary 1%, mirror 10% -> canary 1%, mirror 10%, paused
            ana on-call: freeze
                4 ana: freeze: canary 1%, mirror 10%, paused -> canary 1%, mirror 10%, paused, frozen
            ana on-call: promote
                refused: not yet:
                  - paused by oli (operator): as planned; resume lifts it
                  - frozen by ana (on-call): as planned; resume lifts it
            next ana on-call
                resume profile: held by ana (on-call): as planned
            oli operator: resume
                refused: oli (operator) may not resume here; these roles may: on-call, admin
            ana on-call: resume
                5 ana: resume: canary 1%, mirror 10%, paused, frozen -> canary 1%, mirror 10%
            precaution: 3 of 9,000 comparisons of the last hour differ
                6 cutover: precaution: canary 1%, mirror 10% -> canary 1%, mirror 10%, paused (3 of 9,000 comparisons of the last hour differ)
            ana on-call: promote
                refused: not yet:
                  - paused by cutover (automation): 3 of 9,000 comparisons of the last hour differ; resume lifts it
            # who resumes has looked, and is not asked again
            ana on-call: resume
                7 ana: resume: canary 1%, mirror 10%, paused -> canary 1%, mirror 10%
            ana on-call: promote
                8 ana: promote: canary 1%, mirror 10% -> canary 5%, mirror 10%
        "#]],
    );
}

#[test]
fn expiry_alerts_and_moves_nothing() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote\nana on-call: promote\nwait 1h");
    check(
        &mut world,
        "wait 90d
         ana on-call: promote
         oli operator: rollback",
        &expect![[r#"
            wait 90d
                3 cutover: expired: canary 1%, mirror 10% -> canary 1%, mirror 10%, expired (expired at 2027-03-01 00:00:00Z)
            ana on-call: promote
                4 ana: promote: canary 1%, mirror 10%, expired -> canary 5%, mirror 10%, expired
            oli operator: rollback
                5 oli: rollback: canary 5%, mirror 10%, expired -> canary 5% (now 0%), rolled-back, expired
        "#]],
    );
    world.course.expires = world.now.plus(super::world::days(30));
    check(
        &mut world,
        "# the expiry is put off
         waits
         ana on-call: abort
         oli operator: expire
         gates pass
         oli operator: promote
         oli operator: resume
         oli operator: promote",
        &expect![[r#"
            # the expiry is put off
                6 cutover: extended: canary 5% (now 0%), rolled-back, expired -> canary 5% (now 0%), rolled-back (expires at 2027-03-31 01:00:00Z)
            waits
                - rolled back by oli (operator): as planned; mend it, then retry
                - errors (inconclusive): 0 seen in this epoch
                - latency (inconclusive): 0 seen in this epoch
                - mismatch (inconclusive): 0 seen in this epoch
                - coverage (inconclusive): 0 seen in this epoch
                - 1h left of 1h here
            ana on-call: abort
                7 ana: abort: canary 5% (now 0%), rolled-back -> off
            oli operator: expire
                8 oli: expire: off -> off, expired
            gates pass
            oli operator: promote
                refused: not yet:
                  - expired by oli (operator): as planned; resume lifts it
            oli operator: resume
                9 oli: resume: off, expired -> off
            oli operator: promote
                10 oli: promote: off -> shadow, mirror 10%
        "#]],
    );
}

#[test]
fn small_steps_may_need_no_person() {
    let mut course = course();
    course.auto = crate::migration::AutoLimit::new(crate::Percent::FULL);
    let mut world = World::fine(course);
    check(
        &mut world,
        "wait 2h
         oli operator: promote
         wait 59m
         wait 1m
         gate coverage is unsure
         wait 2h
         gate coverage passes
         oli operator: pause
         oli operator: resume
         wait 8h",
        &expect![[r#"
            wait 2h
            oli operator: promote
                1 oli: promote: off -> shadow, mirror 10%
                2 cutover: due: shadow, mirror 10% -> canary 1%, mirror 10% (every gate passes, and steps up to 5% need no person)
            wait 59m
            wait 1m
                3 cutover: due: canary 1%, mirror 10% -> canary 5%, mirror 10% (every gate passes, and steps up to 5% need no person)
            gate coverage is unsure
            wait 2h
            gate coverage passes
            oli operator: pause
                4 oli: pause: canary 5%, mirror 10% -> canary 5%, mirror 10%, paused
            oli operator: resume
                5 oli: resume: canary 5%, mirror 10%, paused -> canary 5%, mirror 10%
            wait 8h
        "#]],
    );
}

#[test]
fn a_cold_old_gets_its_users_back_by_and_by() {
    let mut world = World::fine(course());
    let way = "oli operator: promote\nana on-call: promote\nben approver: approve --full\n\
               wait 1h\nana on-call: promote --full\nold is cold";
    world.quietly(way);
    check(
        &mut world,
        "ana on-call: drill
         plan ana on-call: rollback
         plan ana on-call: rollback --graded 30s
         ana on-call: rollback --graded 11m
         ana on-call: rollback --graded 30s
         next ana on-call
         wait 3s
         ana on-call: promote
         ana on-call: rollback --graded 30s
         wait 27s
         wait 60s",
        &expect![[r#"
            ana on-call: drill
                refused: not yet:
                  - old is cold: mirror reads to it before all come back
            plan ana on-call: rollback
                  1. record the transition and its evidence in the audit log
                  2. install generation 5: everything on old, mirror 0%
                  3. begin evidence anew, epoch 1
                  4. watch until every proxy has generation 5
                  note: old is cold and takes 100% of the users at once
                  everybody reads from new after 10h at least
                  a rollback is in force everywhere within 5s
            plan ana on-call: rollback --graded 30s
                  1. record the transition and its evidence in the audit log
                  2. install generation 5: 100% of the users read from new, mirror 10%
                  3. watch until every proxy has generation 5
                  note: it goes back in 10 parts, one every 3s
                  everybody reads from new after 10h at least
                  a rollback is in force everywhere within 35s
            ana on-call: rollback --graded 11m
                refused: a graded rollback takes 10m at most
            ana on-call: rollback --graded 30s
                5 ana: rollback: canary 100%, mirror 10% -> canary 100%, mirror 10%, going-back
                note: it goes back in 10 parts, one every 3s
            next ana on-call
                nothing: reads go back to old, now at 100%
            wait 3s
                6 cutover: going-back: canary 100%, mirror 10%, going-back -> canary 100% (now 90%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
            ana on-call: promote
                refused: not yet:
                  - a graded rollback is under way, now at 90%
                  - 23h59m left of 1d here
                  - no rollback drill yet: run drill
            ana on-call: rollback --graded 30s
                refused: nothing to do: reads are on old, or on their way: rollback ends that
            wait 27s
                7 cutover: going-back: canary 100% (now 90%), mirror 10%, going-back -> canary 100% (now 80%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                8 cutover: going-back: canary 100% (now 80%), mirror 10%, going-back -> canary 100% (now 70%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                9 cutover: going-back: canary 100% (now 70%), mirror 10%, going-back -> canary 100% (now 60%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                10 cutover: going-back: canary 100% (now 60%), mirror 10%, going-back -> canary 100% (now 50%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                11 cutover: going-back: canary 100% (now 50%), mirror 10%, going-back -> canary 100% (now 40%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                12 cutover: going-back: canary 100% (now 40%), mirror 10%, going-back -> canary 100% (now 30%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                13 cutover: going-back: canary 100% (now 30%), mirror 10%, going-back -> canary 100% (now 20%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                14 cutover: going-back: canary 100% (now 20%), mirror 10%, going-back -> canary 100% (now 10%), mirror 10%, going-back (graded rollback by ana (on-call): as planned)
                15 cutover: going-back: canary 100% (now 10%), mirror 10%, going-back -> canary 100% (now 0%), rolled-back (graded rollback by ana (on-call): as planned)
            wait 60s
        "#]],
    );
}
