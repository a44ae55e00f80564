//! Disks that are full, or broken: what was acknowledged stays, what was refused has not happened.

use super::kit::{commit, folder, open};
use cutover::store::{Failing, Operation, Redb, Store, StoreError};
use std::sync::Arc;
use tempfile::TempDir;

/// "No space left on device".
const ENOSPC: i32 = 28;
/// "Input/output error".
const EIO: i32 = 5;

fn open_failing(folder: &TempDir) -> (Redb, Arc<Failing>) {
    let failing = Arc::new(Failing::default());
    let store = Redb::open_failing(folder.path(), Arc::clone(&failing));
    (store.unwrap_or_else(|error| panic!("{error}")), failing)
}

/// The numbers of the records that the audit log tells.
fn told(store: &dyn Store) -> Vec<u64> {
    let records = store.audit(0, usize::MAX, None).unwrap_or_else(|error| panic!("{error}"));
    records.iter().map(|record| record.seq).collect()
}

/// Has a commit fail like this at every point at which it can, one after the other.
fn sweep(operation: Operation, errno: i32, check: impl FnMut(Redb, &Failing, &StoreError)) {
    sweep_torn(operation, errno, false, check);
}

fn sweep_torn(
    operation: Operation,
    errno: i32,
    torn: bool,
    mut check: impl FnMut(Redb, &Failing, &StoreError),
) {
    let mut failed = 0;
    for after in 0.. {
        let folder = folder();
        let (store, failing) = open_failing(&folder);
        store.commit(&commit("profile", 1)).expect("the disk works");
        // As much as makes the file grow.
        let mut large = commit("profile", 2);
        large.evidence = Some(vec![u64::MAX; 200_000]);
        failing.fail(operation, after, errno);
        if torn {
            failing.tear();
        }
        let Err(error) = store.commit(&large) else { break };
        failed += 1;
        check(store, &failing, &error);
    }
    assert!(failed > 0, "a commit does this at least once: {operation:?}");
}

/// Refused, the last state readable, and taken again without a restart once the disk works.
fn goes_on_once_mended(store: &Redb, failing: &Failing, error: &StoreError) {
    let health = store.health().expect_err("it is known that nothing can be written");
    assert_eq!(health.to_string(), error.to_string());
    let known = store.load().expect("it is in memory");
    assert_eq!((known.head.seq, known.standings["profile"].generation().0), (1, 1));
    assert_eq!(known.evidence["profile"], [1, 1, u64::MAX]);
    assert_eq!(told(store), [1], "the log can be read meanwhile");
    store.commit(&commit("profile", 2)).expect_err("the disk still fails");
    assert_eq!(store.load().expect("it is in memory"), known);

    failing.mend();
    let receipt = store.commit(&commit("profile", 2)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(receipt.seq, 2);
    store.health().expect("it can be written again");
    assert_eq!(store.verify().expect("nothing of the failure is left").head, receipt);
    assert_eq!(told(store), [1, 2]);
    assert_eq!(store.load().expect("it is known").evidence["profile"], [1, 2, u64::MAX]);
}

#[test]
fn a_full_disk_refuses_changes_until_there_is_room() {
    sweep(Operation::Write, ENOSPC, |store, failing, error| {
        let told = error.to_string();
        assert!(matches!(error, StoreError::Full { .. }), "{told}");
        assert!(told.contains("state.redb: No space left on device"), "{told}");
        assert!(told.contains("Make room on the disk, then give the command again"), "{told}");
        goes_on_once_mended(&store, failing, error);
    });
}

#[test]
fn a_file_that_cannot_grow_refuses_changes_until_it_can() {
    sweep(Operation::Resize, ENOSPC, |store, failing, error| {
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        // What needs no more room is written all the same.
        let small = store.commit(&commit("profile", 2)).expect("the file is large enough");
        assert_eq!(small.seq, 2);
        store.health().expect("it can be written");
        failing.mend();
        assert_eq!(store.verify().expect("it is whole").head, small);
    });
}

#[test]
fn a_disk_that_cannot_be_written_refuses_changes_until_it_can() {
    sweep(Operation::Write, EIO, |store, failing, error| {
        let told = error.to_string();
        assert!(matches!(error, StoreError::Failed { .. }), "{told}");
        assert!(told.contains("state.redb failed: Input/output error"), "{told}");
        goes_on_once_mended(&store, failing, error);
    });
}

/// The last thing that is written, half of it, can be all that it takes to make a change. Then it
/// was refused and is there: nothing may be built on that.
#[test]
fn a_change_that_was_refused_and_is_there_all_the_same_is_noticed() {
    let mut there_all_the_same = 0;
    sweep_torn(Operation::Write, EIO, true, |store, failing, error| {
        assert!(matches!(error, StoreError::Failed { .. }), "{error}");
        failing.mend();
        match store.commit(&commit("profile", 2)) {
            Ok(receipt) => assert_eq!(store.verify().expect("it is whole").head, receipt),
            Err(error) => {
                assert!(matches!(error, StoreError::Unsynced { .. }), "{error}");
                assert!(error.to_string().contains("is in the file all the same"), "{error}");
                assert_eq!(told(&store), [1], "what was refused is not told");
                there_all_the_same += 1;
            }
        }
    });
    assert_eq!(there_all_the_same, 1, "the last write alone can do it, and it does");
}

#[test]
fn a_file_that_was_exchanged_meanwhile_is_not_gone_on_with() {
    let folder = folder();
    let (store, failing) = open_failing(&folder);
    store.commit(&commit("profile", 1)).expect("the disk works");
    failing.fail(Operation::Write, 0, ENOSPC);
    store.commit(&commit("profile", 2)).expect_err("the disk is full");
    // Somebody makes room.
    std::fs::remove_file(folder.path().join("state.redb")).expect("it is there");
    failing.mend();
    let error = store.commit(&commit("profile", 2)).expect_err("there is nothing to go on with");
    let words = error.to_string();
    assert!(matches!(error, StoreError::Unsynced { .. }), "{words}");
    assert!(words.contains("changes that were acknowledged are not in the file"), "{words}");
    assert_eq!(store.load().expect("it is in memory").head.seq, 1);
}

#[test]
fn what_the_disk_did_not_confirm_ends_all_changes_until_a_restart() {
    sweep(Operation::Sync, EIO, |store, failing, error| {
        let words = error.to_string();
        assert!(matches!(error, StoreError::Unsynced { .. }), "{words}");
        assert!(words.contains("no changes are taken until this process is restarted"), "{words}");
        failing.mend();
        let again = store.commit(&commit("profile", 2)).expect_err("nobody knows what is there");
        assert!(matches!(again, StoreError::Unsynced { .. }), "{again}");
        assert!(matches!(store.health(), Err(StoreError::Unsynced { .. })));
        let known = store.load().expect("it is in memory");
        assert_eq!(known.head.seq, 1);
        assert_eq!(told(&store), [1], "what was not acknowledged is not told");
        store.secret("new").expect_err("a key would have to be kept");
    });
}

#[test]
fn after_a_restart_it_is_known_what_the_disk_has() {
    let folder = folder();
    let (store, failing) = open_failing(&folder);
    store.commit(&commit("profile", 1)).expect("the disk works");
    failing.fail(Operation::Sync, 0, EIO);
    store.commit(&commit("profile", 2)).expect_err("the disk does not confirm it");
    drop(store);
    let store = open(&folder);
    let known = store.load().expect("it can be read");
    let generation = known.standings["profile"].generation().0;
    assert!((1..=2).contains(&generation), "the one or the other, and nothing between");
    assert_eq!(known.head.seq, generation);
    assert_eq!(store.verify().expect("it is whole").head, known.head);
    let next = store.commit(&commit("profile", generation + 1)).expect("it is the next");
    assert_eq!(next.seq, generation + 1);
}

#[test]
fn an_audit_log_that_could_not_be_read_can_be_read_later() {
    let folder = folder();
    drop(open(&folder));
    let (store, failing) = open_failing(&folder);
    let mut generation = 0;
    let mut commit_next = |store: &Redb| {
        generation += 1;
        let mut large = commit("profile", generation);
        large.entry.why = "why ".repeat(50_000).into();
        store.commit(&large)
    };
    // More than is kept in memory.
    for _ in 0..40 {
        commit_next(&store).expect("the disk works");
    }
    failing.fail(Operation::Read, 0, EIO);
    let error = store.verify().expect_err("it has to be read from the disk");
    assert!(error.to_string().contains("Input/output error"), "{error}");
    failing.mend();
    assert_eq!(store.verify().expect("another look").head.seq, 40);
    assert_eq!(commit_next(&store).expect("it is opened anew").seq, 41);
    assert_eq!(store.verify().expect("it is whole").head.seq, 41);
}

#[test]
fn a_store_that_cannot_be_opened_says_why() {
    let folder = folder();
    drop(open(&folder));
    for (operation, errno, words) in [
        (Operation::Read, EIO, "Input/output error"),
        (Operation::Write, ENOSPC, "No space left on device"),
    ] {
        let failing = Arc::new(Failing::default());
        failing.fail(operation, 0, errno);
        let error = Redb::open_failing(folder.path(), Arc::clone(&failing));
        let error = error.expect_err("the disk fails").to_string();
        assert!(error.contains("state.redb") && error.contains(words), "{error}");
    }
    let file = folder.path().join("state.redb");
    let error = Redb::open(&file).expect_err("a file is no folder").to_string();
    let inner = file.join("state.redb");
    let told = format!("the store {} cannot be opened: Not a directory", inner.display());
    assert!(error.starts_with(&told), "{error}");
}
