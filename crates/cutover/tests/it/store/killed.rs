//! Processes that are killed while they commit: what they were told is there, and little else.

use super::kit::{commit, folder, open};
use cutover::store::{Redb, Store};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Where the child that is to be killed finds its store.
const CHILD: &str = "CUTOVER_TEST_KILLED_IN";
/// How many kills, if not the usual number.
const KILLS: &str = "CUTOVER_TEST_KILLS";
/// As many as are part of every run: some ten seconds.
const USUAL_KILLS: u32 = 500;
/// Kills that go on at once: most of their time they wait for the disk.
const LANES: u32 = 4;
/// Processes that are killed one after the other over the same store.
const KILLS_OF_ONE_STORE: u32 = 10;
/// Threads that commit in a child, each one commit at a time.
const COMMITTERS: [&str; 3] = ["cart", "order", "profile"];

/// What a child was told: migration, generation, number and hash.
#[derive(Debug)]
struct Told {
    migration: String,
    generation: u64,
    receipt: String,
}

#[test]
fn a_killed_process_loses_nothing_that_it_was_told() {
    if let Some(folder) = std::env::var_os(CHILD) {
        commit_for_ever(Path::new(&folder));
    }
    let kills = std::env::var_os(KILLS).map_or(USUAL_KILLS, |kills| {
        kills.to_str().and_then(|kills| kills.parse().ok()).expect("it is a number")
    });
    let per_lane = kills.div_ceil(LANES);
    let told: usize = std::thread::scope(|scope| {
        let lanes: Vec<_> =
            (0..LANES).map(|lane| scope.spawn(move || kill_many(lane, per_lane))).collect();
        lanes.into_iter().map(|lane| lane.join().expect("its assertions hold")).sum()
    });
    assert!(told > kills as usize, "they were killed before they did anything: {told}");
}

/// The child: commits from several threads, and tells each one that was acknowledged.
fn commit_for_ever(folder: &Path) -> ! {
    let store = Redb::open(folder).unwrap_or_else(|error| panic!("{error}"));
    let known = store.load().expect("it can be read").standings;
    std::thread::scope(|scope| {
        for migration in COMMITTERS {
            let (store, known) = (&store, known.get(migration));
            let from = known.map_or(0, |standing| standing.generation().0) + 1;
            scope.spawn(move || {
                for generation in from.. {
                    let done = store.commit(&commit(migration, generation));
                    let receipt = done.unwrap_or_else(|error| panic!("{error}"));
                    let told = format!("told {migration} {generation} {receipt}\n");
                    // One write: a kill leaves a line or none.
                    std::io::stdout().write_all(told.as_bytes()).expect("the parent reads");
                    std::io::stdout().flush().expect("the parent reads");
                }
            });
        }
    });
    unreachable!("generations do not end")
}

/// Kills one child after the other, and looks after each. How many commits they were told of.
fn kill_many(lane: u32, kills: u32) -> usize {
    let mut random = u64::from(lane) + 1;
    let (mut told, mut store) = (0, folder());
    for kill in 0..kills {
        let is_new = kill % KILLS_OF_ONE_STORE == 0;
        if is_new {
            store = folder();
        }
        // Not good randomness, but other numbers every time.
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = Duration::from_micros((random >> 33) % 20_000);
        // Some while they make or open the store, most at some point after a first commit.
        let acknowledged = kill_one(store.path(), wait, !is_new && random >> 60 != 0);
        look_after(&store, &acknowledged);
        told += acknowledged.len();
    }
    told
}

/// Starts a child and kills it after some time: from its start, or from its first commit.
fn kill_one(folder: &Path, wait: Duration, after_a_commit: bool) -> Vec<Told> {
    let mut child = Command::new(std::env::current_exe().expect("it is running"))
        .args(["--exact", "store::killed::a_killed_process_loses_nothing_that_it_was_told"])
        .args(["--nocapture", "--test-threads=1"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program can be run");
    let output = child.stdout.take().expect("it is piped");
    let (line, lines) = sync_channel(1 << 16);
    let mut told = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let said = BufReader::new(output).lines().map_while(Result::ok);
            let said = said.filter_map(|said| parse(&said));
            said.for_each(|said| line.send(said).expect("it is read to the end"));
        });
        if after_a_commit {
            // It ends without one only if it failed; then it says why below.
            told.extend(lines.recv());
        }
        // A wait for something that does not come: that is the moment of the kill.
        let (_never, silence) = sync_channel::<()>(0);
        assert_eq!(silence.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
        child.kill().expect("it is ours to kill");
        told.extend(lines);
    });
    let mut complaint = String::new();
    let stderr = child.stderr.take().expect("it is piped");
    std::io::Read::read_to_string(&mut BufReader::new(stderr), &mut complaint).expect("it is text");
    assert_eq!(complaint, "", "it did not fail by itself");
    child.wait().expect("it was killed");
    told
}

fn parse(line: &str) -> Option<Told> {
    let mut words = line.split_once("told ")?.1.split(' ');
    let (migration, generation) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    Some(Told { migration, generation, receipt: words.next()?.to_owned() })
}

/// The store after a kill.
fn look_after(folder: &tempfile::TempDir, acknowledged: &[Told]) {
    let store = open(folder);
    let loaded = store.load().expect("it can be read");
    let verified = store.verify().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(verified.head, loaded.head);
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for told in acknowledged {
        last.insert(&told.migration, told.generation);
    }
    // One commit at most of each thread was written and not told.
    for migration in COMMITTERS {
        let stored = loaded.standings.get(migration).map_or(0, |at| at.generation().0);
        if let Some(told) = last.get(migration) {
            assert!(
                (*told..=told + 1).contains(&stored),
                "{migration}: {told} told, {stored} there"
            );
        }
        // What was committed together is there together.
        if stored > 0 {
            assert_eq!(loaded.evidence[migration], [1, stored, u64::MAX]);
            let newest = store.recent(1, Some(migration)).expect("it can be read");
            assert_eq!(newest[0].generation, stored);
        }
    }
    for told in acknowledged {
        let (seq, _) = told.receipt.split_once(':').expect("a number and a hash");
        let seq = seq.parse().expect("it is a number");
        let records = store.audit(seq, 1, None).expect("it can be read");
        let record = records.first().expect("what was told is there");
        assert_eq!(record.receipt().to_string(), told.receipt);
        assert_eq!((&*record.migration, record.generation), (&*told.migration, told.generation));
    }
}
