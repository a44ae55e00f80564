//! Rules that people add: what they do to evidence and opinions, and what they are refused for.

use super::world::{World, course};
use crate::compare::{IgnoreList, IgnoreRule};
use crate::migration::{
    Actor, Command, Fingerprint, MOST_ADDED_RULES, Order, Role, Standing, Unsound, apply,
};
use expect_test::expect;

fn rule(text: &str) -> IgnoreRule {
    IgnoreRule::new(IgnoreList::Ignore, text).expect("a rule")
}

fn epoch(world: &World) -> u64 {
    world.standing.progress().epoch.0
}

#[test]
fn a_rule_makes_evidence_begin_anew_and_voids_what_people_thought_of_it() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote\nana on-call: promote\nwait 1h");
    let told = world.play(
        "ben approver: approve --full
         plan ana on-call: ignore /items/*/etag
         ana on-call: ignore /items/*/etag
         gates pass
         ana on-call: promote --full
         ana on-call: promote
         wait 1h
         ana on-call: unignore /items/*/etag
         restart",
    );
    expect![[r#"
        ben approver: approve --full
            3 ben: approve: canary 1%, mirror 10%
        plan ana on-call: ignore /items/*/etag
              1. record the transition and its evidence in the audit log
              2. install generation 4: 1% of the users read from new, mirror 10%
              3. begin evidence anew, epoch 1
              4. watch until every proxy has generation 4
              note: the evidence begins anew: mismatch needs about 2,995 more comparisons that match
              note: approvals and objections are void: they saw other evidence
              everybody reads from new after 9h at least
              a rollback is in force everywhere within 5s
        ana on-call: ignore /items/*/etag
            4 ana: ignore: canary 1%, mirror 10%
            note: the evidence begins anew: mismatch needs about 2,995 more comparisons that match
            note: approvals and objections are void: they saw other evidence
        gates pass
        ana on-call: promote --full
            refused: not yet:
              - 0 of 1 approvals by others for canary 100%, which skips steps
        ana on-call: promote
            5 ana: promote: canary 1%, mirror 10% -> canary 5%, mirror 10%
        wait 1h
        ana on-call: unignore /items/*/etag
            6 ana: unignore: canary 5%, mirror 10%
            note: the evidence begins anew: mismatch needs about 2,995 more comparisons that match
        restart
    "#]]
    .assert_eq(&told);
    assert_eq!(world.standing.progress().added, []);
}

/// Somebody who saw other rules has not seen this evidence.
#[test]
fn what_evidence_is_about_follows_the_rules_and_not_who_wrote_them() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote");
    let before = world.standing.progress().fingerprint;
    world.quietly("ana on-call: ignore /at\nana on-call: ignore /on");
    let (added, anew) = (world.standing.progress().fingerprint, epoch(&world));
    assert_ne!(added, before);

    // One of them moves into the configuration, which is loaded: nothing else counts than before.
    world.course.rules.ignore.push("/at".to_owned());
    world.settle();
    assert_eq!((world.standing.progress().fingerprint, epoch(&world)), (added, anew));
    let told =
        world.play("ana on-call: ignore /at\nana on-call: unignore /at\nana on-call: unignore /at");
    expect![[r#"
        ana on-call: ignore /at
            refused: nothing to do: the configuration has this rule
        ana on-call: unignore /at
            4 ana: unignore: shadow, mirror 10%
            note: the configuration has the same rule, which stays in force
        ana on-call: unignore /at
            refused: ignore: `/at`: it stands in the configuration: take it out of compare there, and reload
    "#]].assert_eq(&told);
    assert_eq!((world.standing.progress().fingerprint, epoch(&world)), (added, anew));

    // What the configuration no longer ignores, counts.
    world.course.rules.ignore.clear();
    world.settle();
    assert_eq!(epoch(&world), anew + 1);
    world.quietly("ana on-call: unignore /on");
    assert_eq!(world.standing.progress().fingerprint, before, "as it was");
}

#[test]
fn the_order_of_rules_says_nothing() {
    let about = |ignore: &[&str], unordered: &[&str]| {
        let mut course = course();
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        (course.rules.ignore, course.rules.unordered) = (texts(ignore), texts(unordered));
        course.about(Fingerprint([7; 32]), &[])
    };
    assert_eq!(about(&["/a", "header:Date"], &[]), about(&["header:date", "/a", "/a"], &[]));
    assert_ne!(about(&["/a"], &[]), about(&["/b"], &[]));
    assert_ne!(about(&["/a"], &[]), about(&[], &["/a"]));
    assert_eq!(about(&[], &[]), Fingerprint([7; 32]), "without rules nothing is added");
}

#[test]
fn it_is_refused_in_words() {
    let mut world = World::fine(course());
    world.course.rules.keyed.push(("/items".to_owned(), "/id".to_owned()));
    world.course.rules.ignore.push("/at".to_owned());
    let told = world.play(
        "ana on-call: ignore /at
         ana on-call: unignore /at
         ana on-call: unignore /on
         ana on-call: ignore /items --unordered
         ana on-call @7: ignore /on
         ben approver: ignore /on
         ana on-call: ignore /on
         ana on-call: ignore /on",
    );
    expect![[r#"
        ana on-call: ignore /at
            refused: nothing to do: the configuration has this rule
            1 cutover: changed: off (backends, rules or plugins changed)
        ana on-call: unignore /at
            refused: ignore: `/at`: it stands in the configuration: take it out of compare there, and reload
        ana on-call: unignore /on
            refused: ignore: `/on`: no such rule was added: diff lists those that were
        ana on-call: ignore /items --unordered
            refused: unordered: `/items`: the configuration says something else about this path: change its compare, and reload
        ana on-call @7: ignore /on
            refused: you saw generation 7, and it is 1 now: look again, then decide
        ben approver: ignore /on
            refused: ben (approver) may not ignore here; these roles may: on-call, admin
        ana on-call: ignore /on
            2 ana: ignore: off
        ana on-call: ignore /on
            refused: nothing to do: this rule has been added
    "#]].assert_eq(&told);
}

#[test]
fn there_are_only_so_many_and_their_reasons_are_short() {
    let mut world = World::fine(course());
    for field in 0..MOST_ADDED_RULES {
        world.quietly(&format!("ana on-call: ignore /{field}"));
    }
    let told = world.play("ana on-call: ignore /one-more");
    assert!(told.contains("100 rules have been added already: move them into"), "{told}");
    assert_eq!(epoch(&world), MOST_ADDED_RULES as u64);

    let (mut progress, writes) = (world.standing.progress().clone(), world.standing.writes());
    progress.added[0].rule = rule("/1");
    let twice = Standing::restore(progress.clone(), writes);
    assert_eq!(twice, Err(Unsound::AddedRules), "one is there twice");

    progress.added.remove(0);
    world.standing = Standing::restore(progress, writes).expect("each is there once");
    let (command, by) = (Command::Ignore(rule("/last")), Actor::new("ana", Role::OnCall));
    let order = Order { command, by, why: "ä".repeat(1_000).into(), seen: None };
    let done = apply(&world.moment(), &order).expect("there is room for one");
    let added = done.standing.progress().added.last().expect("it was added");
    assert_eq!((added.rule.text(), added.mark.why.len()), ("/last", 512));
    assert_eq!(done.entry.why.len(), 2_000, "the audit log has all of it");
}

/// As a person would type it: a shell takes `*` for files.
#[test]
fn the_audit_log_has_the_rule_as_it_is_typed() {
    let unordered = IgnoreRule::new(IgnoreList::Unordered, "/tags").expect("a rule");
    for (command, typed) in [
        (Command::Ignore(rule("/updated_at")), "ignore profile /updated_at"),
        (Command::Ignore(rule("/items/*/etag")), "ignore profile '/items/*/etag'"),
        (Command::Ignore(rule("/it's")), r"ignore profile '/it'\''s'"),
        (Command::Ignore(unordered), "ignore profile /tags --unordered"),
        (Command::Unignore(rule("header:date")), "unignore profile header:date"),
    ] {
        assert_eq!(command.spelled("profile"), typed);
    }
}

/// Nobody is called because evidence that has just begun anew has not grown yet.
#[test]
fn evidence_that_begins_anew_is_not_silent_at_once() {
    let mut world = World::fine(course());
    world.quietly("oli operator: promote\nwait 1h\ntraffic stops\nana on-call: ignore /at");
    world.seen.heard = None;
    assert_eq!(world.play("wait 55s"), "wait 55s\n");
    let told = world.play("wait 10s");
    assert!(told.contains("evidence has stopped growing"), "{told}");
}
