//! What every store promises, in memory and in a file.

use super::kit::{commit, folder, open, standing};
use cutover::store::{Loaded, Memory, Store, StoreError};
use std::collections::BTreeSet;

/// Every promise, to an empty store.
fn keeps_its_promises(store: &dyn Store) {
    assert_eq!(store.load().expect("it is empty"), Loaded::default());
    assert_eq!(store.verify().expect("there is nothing").to_string(), "no records");

    let first = store.commit(&commit("profile", 1)).expect("it is the first");
    assert_eq!(first.seq, 1);
    let second = store.commit(&commit("cart", 7)).expect("another migration, seen first at 7");
    let third = store.commit(&commit("profile", 2)).expect("it is the next");
    assert_eq!((second.seq, third.seq), (2, 3));
    let loaded = store.load().expect("it can be read");
    assert_eq!(loaded.head, third);
    assert_eq!(loaded.standings["profile"], standing("profile", 2));
    assert_eq!(loaded.standings["cart"], standing("cart", 7));
    assert_eq!(loaded.evidence["profile"], [1, 2, u64::MAX]);

    for stale in [1, 2, 4] {
        let error = store.commit(&commit("profile", stale)).expect_err("3 is next");
        assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    }
    let mut mismatched = commit("profile", 3);
    mismatched.entry.generation.0 = 4;
    let error = store.commit(&mismatched).expect_err("entry and standing disagree");
    assert!(matches!(error, StoreError::Mismatched { .. }), "{error}");
    assert_eq!(store.load().expect("it can be read"), loaded, "nothing of it was written");

    store.save_evidence(&[("profile".into(), vec![9, 9])]).expect("it is taken");
    let mut without = commit("cart", 8);
    without.evidence = None;
    let fourth = store.commit(&without).expect("it is the next");
    let loaded = store.load().expect("it can be read");
    assert_eq!(loaded.evidence["profile"], [9, 9], "it was written before what came later");
    assert_eq!(loaded.evidence["cart"], [1, 7, u64::MAX], "none given, none changed");

    let told = store.verify().expect("it is whole");
    assert_eq!(told.head, fourth);
    assert_eq!(told.to_string(), format!("4 records, the last is {fourth}"));
    audit_is_told(store);

    let key = store.secret("redaction").expect("it is made");
    assert_eq!(store.secret("redaction").expect("it is kept"), key);
    assert_ne!(store.secret("another").expect("it is made"), key);

    store.close().expect("nothing is in the way");
    store.close().expect("once more changes nothing");
    let error = store.commit(&commit("profile", 3)).expect_err("it is closed");
    assert!(error.to_string().starts_with("this process is handing over"), "{error}");
    assert!(matches!(store.save_evidence(&[]), Err(StoreError::HandingOver)));
    assert!(matches!(store.health(), Err(StoreError::HandingOver)));
    assert_eq!(store.load().expect("what was known is known").head, fourth);
}

/// The log of the four commits above, forwards and backwards.
fn audit_is_told(store: &dyn Store) {
    let numbers = |from, limit, migration| {
        let records = store.audit(from, limit, migration).expect("it can be read");
        records.iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, 10, None), [1, 2, 3, 4]);
    assert_eq!(numbers(2, 2, None), [2, 3]);
    assert_eq!(numbers(2, 2, Some("cart")), [2, 4]);
    assert_eq!(numbers(5, 2, None), [0; 0]);
    assert_eq!(numbers(1, 0, None), [0; 0]);
    assert_eq!(numbers(1, 1, Some("nobody")), [0; 0]);
    let recent = |limit, migration| {
        let records = store.recent(limit, migration).expect("it can be read");
        records.iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(recent(3, None), [4, 3, 2]);
    assert_eq!(recent(9, Some("profile")), [3, 1]);

    let record = &store.audit(1, 1, None).expect("it can be read")[0];
    assert_eq!(record.command.as_deref(), Some("promote profile"));
    assert_eq!((&*record.by, &*record.role), ("ana", "on-call"));
    assert_eq!(&*record.to.text, "canary 0.001%");
    assert_eq!(record.gates.len(), 2);
}

#[test]
fn a_store_in_memory_keeps_its_promises() {
    keeps_its_promises(&Memory::new());
}

#[test]
fn a_store_in_a_folder_keeps_its_promises_and_what_it_was_given() {
    let folder = folder();
    let store = open(&folder);
    keeps_its_promises(&store);
    let (known, key) = (store.load().expect("it is known"), {
        drop(store);
        open(&folder).secret("redaction").expect("it is kept")
    });
    let store = open(&folder);
    assert_eq!(store.load().expect("it can be read"), known);
    assert_eq!(store.secret("redaction").expect("it is kept"), key);
    audit_is_told(&store);
    store.commit(&commit("profile", 3)).expect("it goes on where it was");
    assert_eq!(store.verify().expect("it is whole").head.seq, 5);
}

#[test]
fn one_process_has_it_at_a_time() {
    let folder = folder();
    let store = open(&folder);
    let error = cutover::store::Redb::open(folder.path()).expect_err("it is open").to_string();
    let path = folder.path().join("state.redb");
    let told = format!("another cutover has the store {} open", path.display());
    assert!(error.starts_with(&told), "{error}");
    store.close().expect("nothing is in the way");
    open(&folder).commit(&commit("profile", 1)).expect("the former one has let go of it");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let inner = folder.path().join("new").join("state");
    drop(cutover::store::Redb::open(&inner).expect("folders are made"));
    let mode =
        |path: &std::path::Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("state.redb")), 0o600);
}

#[test]
fn commits_from_many_threads_make_one_chain() {
    let folder = folder();
    let store = open(&folder);
    let receipts: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let store = &store;
                scope.spawn(move || {
                    let name = format!("migration-{number}");
                    let commits = (1..=10).map(|generation| commit(&name, generation));
                    commits.map(|commit| store.commit(&commit)).collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let done = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
        done.flat_map(|done| done.expect("all are the next")).map(|receipt| receipt.seq).collect()
    });
    assert_eq!(receipts.iter().collect::<BTreeSet<_>>().len(), 80, "no number twice");
    assert_eq!(store.verify().expect("it is whole").head.seq, 80);
}

#[test]
fn what_is_refused_in_memory_is_refused_as_wished() {
    let store = Memory::new();
    store.refuse(Some(StoreError::Busy));
    assert!(matches!(store.commit(&commit("profile", 1)), Err(StoreError::Busy)));
    assert!(matches!(store.health(), Err(StoreError::Busy)));
    store.refuse(None);
    store.commit(&commit("profile", 1)).expect("it is taken again");
}
