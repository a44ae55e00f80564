//! `cutover audit`: the log of who moved what, of a store that nobody has open.

use crate::process::{Process, Setup, cutover, stderr, stdout};
use ::cutover::core::migration::{
    Actor, Brief, Cause, Entry, Event, EvidenceHash, Fingerprint, Standing, Timestamp,
};
use ::cutover::core::{Generation, Percent, Salt};
use ::cutover::store::{AuditRecord, Commit, Redb, Store};
use cutover_test::dead_address;
use serde_json::{Value, json};
use std::process::Command;
use tempfile::TempDir;

/// How a migration that has never moved comes to this generation.
fn commit(generation: u64) -> Commit {
    let (salt, at) = (Salt::new("profile"), Timestamp::from_millis(1_800_000_000_000));
    let first = Standing::first(salt, None, Percent::ZERO, Fingerprint::default(), at);
    let mut progress = first.progress().clone();
    progress.generation = Generation(generation);
    let standing = Standing::restore(progress, first.writes()).expect("it is off");
    let entry = Entry {
        migration: "profile".into(),
        at,
        by: Actor::automation(),
        event: Event::Noticed(Cause::Changed),
        why: "backends, rules or plugins changed".into(),
        from: Brief::of(&first),
        to: Brief::of(&standing),
        evidence: EvidenceHash::default(),
        generation: standing.generation(),
    };
    Commit { standing, entry, gates: Vec::new(), evidence: None }
}

/// A folder with a store of five records, and an export of them.
fn five() -> (TempDir, Vec<AuditRecord>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Redb::open(folder.path().join("state")).expect("it is new");
    for generation in 1..=5 {
        store.commit(&commit(generation)).expect("it is the next");
    }
    let records = store.audit(0, usize::MAX, None).expect("it can be read");
    let lines: String = records.iter().map(|record| record.line() + "\n").collect();
    std::fs::write(folder.path().join("export.jsonl"), lines).expect("written");
    (folder, records)
}

#[test]
fn a_whole_log_is_told_to_be_whole_and_what_it_ends_with() {
    let (folder, records) = five();
    let last = records[4].receipt().to_string();
    for file in ["state", "state/state.redb", "export.jsonl"] {
        let told = cutover(folder.path(), &["audit", "verify", file, "--receipt", &last]);
        assert_eq!(told.status.code(), Some(0), "{file}: {}", stderr(&told));
        let expected = format!("records 1 to 5 are as they were written; the last is {last}");
        assert_eq!(stdout(&told).trim_end(), expected);
        let told = cutover(folder.path(), &["audit", "verify", file, "-o", "json"]);
        let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
        let last = serde_json::to_value(records[4].receipt()).expect("JSON");
        assert_eq!(told, json!({ "whole": true, "first": 1, "last": last, "missing": [] }));
    }
}

#[test]
fn a_part_of_an_export_is_checked_as_far_as_it_goes() {
    let (folder, records) = five();
    let lines = format!("{}\n{}\n", records[2].line(), records[3].line());
    std::fs::write(folder.path().join("part.jsonl"), lines).expect("written");
    let told = cutover(folder.path(), &["audit", "verify", "part.jsonl"]);
    let expected =
        format!("records 3 to 4 are as they were written; the last is {}", records[3].receipt());
    assert_eq!(stdout(&told).trim_end(), expected);
    std::fs::write(folder.path().join("empty.jsonl"), "").expect("written");
    let told = cutover(folder.path(), &["audit", "verify", "empty.jsonl"]);
    assert_eq!((told.status.code(), stdout(&told).trim_end()), (Some(0), "no records"));
}

#[test]
fn a_receipt_shows_that_a_whole_store_was_put_back() {
    let (folder, records) = five();
    let before = std::fs::read(folder.path().join("state/state.redb")).expect("it is there");
    let store = Redb::open(folder.path().join("state")).expect("nobody has it");
    let receipt = store.commit(&commit(6)).expect("it is the next").to_string();
    drop(store);
    std::fs::write(folder.path().join("state/state.redb"), before).expect("written");
    let known = records[2].receipt().to_string();
    let told = cutover(
        folder.path(),
        &["audit", "verify", "state", "--receipt", &receipt, "--receipt", &known],
    );
    assert_eq!(told.status.code(), Some(1));
    let words = stderr(&told);
    assert!(words.starts_with(&format!("error: receipt {receipt} is not in it: ")), "{words}");
    assert!(!words.contains(&known), "{words}");
    let told = cutover(folder.path(), &["audit", "verify", "state", "--receipt", "6:abc"]);
    assert_eq!(told.status.code(), Some(64), "{}", stderr(&told));
}

#[test]
fn the_first_line_that_was_changed_is_named() {
    let (folder, _) = five();
    let export = folder.path().join("export.jsonl");
    let text = std::fs::read_to_string(&export).expect("it is there");
    let changed = text.replacen("\"generation\":3", "\"generation\":9", 1);
    assert_ne!(text, changed);
    std::fs::write(&export, changed).expect("written");
    let told = cutover(folder.path(), &["audit", "verify", "export.jsonl"]);
    assert_eq!(told.status.code(), Some(1));
    let words = stderr(&told);
    assert!(words.starts_with("error: audit record 3: it was altered"), "{words}");
    let told = cutover(folder.path(), &["audit", "verify", "export.jsonl", "-o", "json"]);
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(told["whole"], false);
}

#[test]
fn what_is_no_log_or_is_open_says_so() {
    let (folder, _) = five();
    let told = cutover(folder.path(), &["audit", "verify", "nothing"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(stderr(&told).starts_with("error: nothing: No such file"), "{}", stderr(&told));
    let _open = Redb::open(folder.path().join("state")).expect("nobody has it");
    let told = cutover(folder.path(), &["audit", "verify", "state"]);
    assert_eq!(told.status.code(), Some(1));
    let words = stderr(&told);
    assert!(words.starts_with("error: another cutover has the store state/state.redb open"));
    assert!(words.lines().all(|line| line.chars().count() <= 80), "{words}");
}

/// More than one answer of the admin API holds: each record comes once, byte for byte as it was hashed.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_running_proxy_is_every_line_of_its_log() {
    let nobody = dead_address().await;
    let setup = Setup::new("", nobody);
    let migration = "[migrations.profile]\nold = \"b\"\nnew = \"b2\"\nowner = \"team\"\n\
                     expires = 2099-01-01\nkey = [{ header = \"x-user-id\" }]\n\
                     routes = [{ path = \"/api/{id}\" }]\n";
    let new = format!("[backends.b2]\naddresses = [\"{nobody}\"]\n");
    setup.write("", nobody, &format!("{new}{migration}"));
    let store = Redb::open(setup.folder.path().join("cutover.state")).expect("it is new");
    for generation in 1..=250 {
        store.commit(&commit(generation)).expect("it is the next");
    }
    let records = store.audit(0, usize::MAX, None).expect("it can be read");
    drop(store);
    let process = Process::start(&setup.file, &["--no-watch"]);
    let admin = format!("http://{}", process.admin);
    let told = cutover(setup.folder.path(), &["audit", "export", "--admin", &admin]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
    let exported = stdout(&told);
    // What it has noticed since it started comes after them.
    let written: String = records.iter().map(|record| record.line() + "\n").collect();
    assert_eq!(records.len(), 250);
    assert!(exported.starts_with(&written), "{exported}");
    std::fs::write(setup.folder.path().join("whole.jsonl"), &exported).expect("written");

    let full = format!("\"$0\" audit export --admin {admin} > /dev/full");
    let told = Command::new("sh").args(["-c", &full, env!("CARGO_BIN_EXE_cutover")]).output();
    let told = told.expect("sh runs");
    assert_eq!(told.status.code(), Some(1), "a copy that lacks its end does not look whole");
    assert!(stderr(&told).contains("the export broke off"), "{}", stderr(&told));
    let last = records[249].receipt().to_string();
    let told =
        cutover(setup.folder.path(), &["audit", "verify", "whole.jsonl", "--receipt", &last]);
    assert_eq!(told.status.code(), Some(0), "{}", stderr(&told));
}
