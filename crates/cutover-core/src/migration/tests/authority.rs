//! Who may do what: every role against every command, as a table.

use super::world::{World, course};
use crate::migration::{Refusal, Role};
use expect_test::expect;

const WAYS: &[(&str, &str)] = &[
    ("promote from off", ""),
    ("promote", "ada admin: promote"),
    ("set-weight 0%", "ada admin: promote"),
    ("mirror-traffic 20%", "ada admin: promote"),
    ("mirror-traffic 5%", "ada admin: promote"),
    ("pause", "ada admin: promote"),
    ("freeze", "ada admin: promote"),
    ("resume", "ada admin: promote\nada admin: pause"),
    ("resume from freeze", "ada admin: promote\nada admin: freeze"),
    ("rollback", "ada admin: promote\nada admin: promote"),
    ("abort", "ada admin: promote"),
    ("set-weight 0.5%", "ada admin: promote\nada admin: promote"),
    ("retry", "ada admin: promote\nada admin: rollback"),
    ("drill", "ada admin: promote\nada admin: promote"),
    ("approve", "ada admin: promote"),
    ("reject", "ada admin: promote"),
    ("expire", "ada admin: promote"),
    ("ignore /at", "ada admin: promote"),
    ("unignore /at", "ada admin: promote\nada admin: ignore /at"),
    ("approve complete", READS_NEW),
    ("complete profile", READS_NEW),
];

const READS_NEW: &str = "ada admin: promote
    ada admin: promote
    wait 1h
    ada admin: drill
    wait 15s
    ben approver: approve --to reads-new
    ada admin: switch-traffic --reads
    wait 7d
    ada admin: drill
    wait 15s
    ben approver: approve";

#[test]
fn every_role_against_every_command() {
    let roles: Vec<&str> = Role::ALL.into_iter().map(Role::name).collect();
    let mut table = format!("{:<20} {}\n", "", roles.join(" "));
    for (command, way) in WAYS {
        let mut row = format!("{command:<20}");
        for role in &roles {
            let mut world = World::fine(course());
            world.quietly(way);
            let typed = command.split(" from ").next().expect("a command");
            let typed = typed.replace("approve complete", "approve");
            world.play(&format!("eve {role}: {typed}"));
            let answer = match world.refusal {
                None => "yes",
                Some(Refusal::NotAllowed { .. }) => "-",
                Some(refusal) => panic!("{command} by {role}: {refusal}"),
            };
            row += &format!(" {answer:<width$}", width = role.len());
        }
        table += row.trim_end();
        table.push('\n');
    }
    expect![[r#"
                             viewer operator on-call approver admin automation
        promote from off     -      yes      yes     -        yes   -
        promote              -      -        yes     -        yes   -
        set-weight 0%        -      -        yes     -        yes   -
        mirror-traffic 20%   -      yes      yes     -        yes   -
        mirror-traffic 5%    -      yes      yes     yes      yes   yes
        pause                -      yes      yes     yes      yes   yes
        freeze               -      yes      yes     yes      yes   yes
        resume               -      yes      yes     -        yes   -
        resume from freeze   -      -        yes     -        yes   -
        rollback             -      yes      yes     yes      yes   yes
        abort                -      yes      yes     yes      yes   yes
        set-weight 0.5%      -      yes      yes     yes      yes   yes
        retry                -      -        yes     -        yes   -
        drill                -      -        yes     -        yes   -
        approve              -      -        yes     yes      yes   -
        reject               -      -        yes     yes      yes   -
        expire               -      yes      yes     yes      yes   yes
        ignore /at           -      -        yes     -        yes   -
        unignore /at         -      -        yes     -        yes   -
        approve complete     -      -        -       yes      yes   -
        complete profile     -      -        -       yes      yes   -
    "#]]
    .assert_eq(&table);
}

#[test]
fn a_reason_is_asked_of_everybody() {
    let world = World::fine(course());
    let by = crate::migration::Actor::new("ada", Role::Admin);
    let command = crate::migration::Command::Pause;
    let order = crate::migration::Order { command, by, why: "  ".into(), seen: None };
    assert_eq!(crate::migration::apply(&world.moment(), &order), Err(Refusal::NoReason));
}
