//! The documented table of states and events is the test. `UPDATE_EXPECT=1` writes its cells anew;
//! then read the difference.

use super::world::{World, course};
use crate::migration::{Brief, Position, Progress, Refusal, Standing, Writes};
use crate::{Generation, Side};
use expect_test::expect_file;
use std::fmt::Write;

const PAGE: &str = include_str!("../transitions.md");

/// Events, and the script that makes each happen.
const EVENTS: &[(&str, &str)] = &[
    ("`promote`", "ada admin: promote"),
    ("`promote --to 50%`", "ada admin: promote --to 50%"),
    ("`promote --full`", "ada admin: promote --full"),
    ("`promote --full`, approved", "ben approver: approve --full\nada admin: promote --full"),
    ("`set-weight 50%`", "ada admin: set-weight 50%"),
    ("`set-weight 2%`", "ada admin: set-weight 2%"),
    ("`switch-traffic --reads`", "ada admin: switch-traffic --reads"),
    ("`switch-traffic --writes`", "ada admin: switch-traffic --writes"),
    ("`complete`", "ada admin: complete profile"),
    ("`complete`, approved", "ben approver: approve\nada admin: complete profile"),
    ("`mirror-traffic 20%`", "ada admin: mirror-traffic 20%"),
    ("`pause`", "ada admin: pause"),
    ("`freeze`", "ada admin: freeze"),
    ("`resume`", "ada admin: resume"),
    ("`rollback`", "ada admin: rollback"),
    ("`rollback --graded 30s`", "ada admin: rollback --graded 30s"),
    ("`rollback --to 2%`", "ada admin: rollback --to 2%"),
    ("`reverse-traffic --reads`", "ada admin: reverse-traffic --reads"),
    ("`reverse-traffic --writes`", "ada admin: reverse-traffic --writes"),
    ("`abort`", "ada admin: abort"),
    ("`retry`", "ada admin: retry"),
    ("`approve`", "ada admin: approve"),
    ("`reject`", "ada admin: reject"),
    ("`drill`", "ada admin: drill"),
    ("`expire`", "ada admin: expire"),
    ("`ignore /at`", "ada admin: ignore /at"),
    ("`ignore /at`, ignored", "ada admin: ignore /at\nada admin: ignore /at"),
    ("`unignore /at`", "ada admin: unignore /at"),
    ("`unignore /at`, ignored", "ada admin: ignore /at\nada admin: unignore /at"),
    ("errors fail", "gate errors fails: 61 of 4,000"),
    ("errors fail, old cold", "old is cold\ngate errors fails: 61 of 4,000"),
    ("mismatch fails", "gate mismatch fails: 9 of 1,000"),
    ("coverage fails", "gate coverage fails: 80%"),
    ("kill switch", "kill: 24 of 40 requests"),
    ("precaution", "precaution: 3 of 9,000"),
    ("configuration changes", "configuration changes"),
    ("no traffic for 2m", "traffic stops\nwait 120s"),
    ("15s pass", "wait 15s"),
    ("the expiry comes", "wait 100d"),
];

const CANARY: &str = "oli operator: promote
    ana on-call: promote
    wait 1h
    ana on-call: promote
    wait 1h
    ana on-call: promote
    wait 4h";

/// States, and the script that leads there from `off`. A phase that is not built has none.
fn world(state: &str) -> World {
    let mut world = World::fine(course());
    let canary = |more: &str| format!("{CANARY}\n{more}");
    let way = match state {
        "off" => String::new(),
        "shadow" => "oli operator: promote".to_owned(),
        "canary 20%" => canary(""),
        "canary 100%" => canary(
            "ben approver: approve --full\nana on-call: promote --full\nana on-call: drill\nwait 24h",
        ),
        "reads-new" | "complete" => {
            let reads_new = "ben approver: approve --to reads-new\nana on-call: drill\nwait 15s\n\
                             ana on-call: switch-traffic --reads\nwait 7d\nana on-call: drill\nwait 15s";
            let complete = "ben approver: approve\nann approver: complete profile";
            canary(&format!("{reads_new}\n{}", if state == "complete" { complete } else { "" }))
        }
        "paused" => canary("oli operator: pause"),
        "frozen" => canary("ana on-call: freeze"),
        "failed" => canary("gate mismatch fails: 9 of 1,000\ngates pass"),
        "inconclusive" => canary("traffic stops\nwait 120s"),
        "going-back" => canary("ana on-call: rollback --graded 60s"),
        "drilling" => canary("ana on-call: drill"),
        "rolled-back" => canary("ana on-call: rollback\ngates pass"),
        "expired" => canary("oli operator: expire"),
        _ => return unbuilt(world, state),
    };
    world.quietly(&way);
    world
}

/// Phases that nothing leads to yet can still be stored, and must be safe to stand in.
fn unbuilt(mut world: World, state: &str) -> World {
    let (position, owner) = match state {
        "sync" => (Position::Sync, Side::Old),
        "cutover" => (Position::Cutover, Side::Old),
        "new-primary" => (Position::NewPrimary, Side::New),
        "retired" => (Position::Retired, Side::New),
        _ => panic!("which state? {state}"),
    };
    let progress = Progress { position, ..world.standing.progress().clone() };
    world.standing = Standing::restore(progress, Writes::stored(owner)).expect("sound");
    world
}

/// What an event makes of a state, in a word.
fn cell(state: &str, script: &str) -> String {
    let mut world = world(state);
    let before = (Brief::of(&world.standing), world.standing.generation());
    world.refusal = None;
    world.play(script);
    let after = Brief::of(&world.standing);
    if let Some(refusal) = &world.refusal {
        return match refusal {
            Refusal::NotBuilt(_) => "later",
            Refusal::AlreadySo(_) => "same",
            Refusal::Missing(_) => "waits",
            Refusal::NotHere { .. }
            | Refusal::NotFrom { .. }
            | Refusal::NotUp { .. }
            | Refusal::NotDown { .. }
            | Refusal::NothingFollows
            | Refusal::Rule(_) => "no",
            Refusal::NoReason
            | Refusal::NotAllowed { .. }
            | Refusal::NoGeneration { .. }
            | Refusal::Stale { .. }
            | Refusal::TooSlow { .. }
            | Refusal::Unconfirmed { .. }
            | Refusal::UnknownEvidence
            | Refusal::TooManyOpinions => panic!("{state}, {script}: {refusal}"),
        }
        .to_owned();
    }
    assert_eq!(after.write_owner, before.0.write_owner, "{state}, {script}: writes moved");
    if after == before.0 {
        return if world.standing.generation() == before.1 { "." } else { "noted" }.to_owned();
    }
    told(&after, &before.0)
}

fn told(after: &Brief, before: &Brief) -> String {
    let mut text = String::new();
    if after.position != before.position {
        write!(text, "{}", after.position).expect("text takes text");
    }
    if after.mirror_percent != before.mirror_percent
        && after.position == before.position
        && !after.overlays.contains(&"rolled-back")
    {
        write!(text, "mirror {}", after.mirror_percent).expect("text takes text");
    }
    let gone = before.overlays.iter().filter(|overlay| !after.overlays.contains(overlay));
    let come = after.overlays.iter().filter(|overlay| !before.overlays.contains(overlay));
    for (sign, overlay) in come.map(|o| ('+', o)).chain(gone.map(|o| ('-', o))) {
        let space = if text.is_empty() { "" } else { " " };
        write!(text, "{space}{sign}{overlay}").expect("text takes text");
    }
    if text.is_empty() {
        write!(text, "now {}", after.read_percent).expect("text takes text");
    }
    text
}

#[test]
fn the_documented_table_holds() {
    let mut page = String::new();
    let mut tables = 0;
    let mut lines = PAGE.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(page, "{line}").expect("text takes text");
        if !line.starts_with("| event |") {
            continue;
        }
        tables += 1;
        let states: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).skip(1).collect();
        writeln!(page, "|{}", "---|".repeat(states.len() + 1)).expect("text takes text");
        for (event, script) in EVENTS {
            let cells = states.iter().map(|state| cell(state, script));
            let cells = cells.collect::<Vec<_>>().join(" | ");
            writeln!(page, "| {event} | {cells} |").expect("text takes text");
        }
        while lines.peek().is_some_and(|line| line.starts_with('|')) {
            lines.next();
        }
    }
    assert_eq!(tables, 2);
    expect_file!["../transitions.md"].assert_eq(&page);
}

#[test]
fn every_state_is_as_it_is_called() {
    for state in ["paused", "frozen", "failed", "inconclusive", "going-back", "drilling"]
        .into_iter()
        .chain(["rolled-back", "expired"])
    {
        let brief = Brief::of(&world(state).standing);
        assert_eq!(brief.overlays, [state]);
        assert_eq!(brief.position.to_string(), "canary 20%");
    }
    for state in ["off", "shadow", "canary 20%", "canary 100%", "reads-new", "complete"] {
        let brief = Brief::of(&world(state).standing);
        assert_eq!((brief.position.to_string().as_str(), brief.overlays.len()), (state, 0));
    }
    assert!(world("off").standing.generation() == Generation(0));
}
