//! Files that were changed by somebody else, or were never stores.

use super::kit::{commit, folder, open};
use cutover::store::{Chain, Receipt, Redb, Store, StoreError, Verified};
use redb::{Database, ReadableTable, TableDefinition};
use std::path::PathBuf;
use tempfile::TempDir;

const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
const HEAD: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("head");
const STANDINGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("standings");
const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");

/// A store of five commits that nobody has open.
fn five() -> TempDir {
    let folder = folder();
    let store = open(&folder);
    for generation in 1..=3 {
        store.commit(&commit("profile", generation)).expect("it is the next");
    }
    store.commit(&commit("cart", 1)).expect("it is the first");
    store.commit(&commit("profile", 4)).expect("it is the next");
    folder
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("state.redb")
}

fn inspect(folder: &TempDir) -> Result<Verified, StoreError> {
    Redb::inspect(file(folder), |_| ())
}

/// Changes the log below the store's feet.
fn tamper(folder: &TempDir, change: impl FnOnce(&mut redb::Table<'_, u64, &'static [u8]>)) {
    let database = Database::open(file(folder)).expect("nobody has it open");
    let transaction = database.begin_write().expect("nobody writes");
    change(&mut transaction.open_table(AUDIT).expect("it is there"));
    transaction.commit().expect("the disk works");
}

fn line(table: &redb::Table<'_, u64, &'static [u8]>, seq: u64) -> String {
    let line = table.get(seq).expect("it can be read").expect("it is there");
    String::from_utf8(line.value().to_vec()).expect("it is JSON")
}

fn verdict(folder: &TempDir) -> String {
    let error = inspect(folder).expect_err("it was tampered with");
    let StoreError::Broken(broken) = &error else { panic!("{error}") };
    let remedy = ". Somebody or something has changed the audit log: keep a copy of the file";
    assert!(error.to_string().starts_with(&format!("{broken}{remedy}")), "{error}");
    broken.to_string()
}

#[test]
fn a_whole_log_is_whole_and_looking_at_it_leaves_it_alone() {
    let folder = five();
    let before = std::fs::read(file(&folder)).expect("it is there");
    let mut told = Vec::new();
    let verified = Redb::inspect(file(&folder), |record| told.push(record.clone()));
    assert_eq!(verified.expect("it is whole").head, told[4].receipt());
    assert_eq!(std::fs::read(file(&folder)).expect("it is there"), before);
    let store = open(&folder);
    let error = inspect(&folder).expect_err("it is open");
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(store);
}

#[test]
fn the_first_record_that_was_altered_is_named() {
    let folder = five();
    tamper(&folder, |audit| {
        let altered = line(audit, 3).replace("all green", "all well!");
        audit.insert(3, altered.as_bytes()).expect("the disk works");
    });
    assert_eq!(verdict(&folder), "audit record 3: it was altered after it was written");
    // The log is looked at in the end only when it is opened: people can still go back.
    let store = open(&folder);
    assert!(matches!(store.verify(), Err(StoreError::Broken(broken)) if broken.seq == 3));
}

#[test]
fn a_record_that_was_sealed_anew_does_not_fit_the_next() {
    let folder = five();
    let other = five();
    let mut forged = String::new();
    // A true record of another store, in the place of ours.
    {
        let store = open(&other);
        let mut commit = commit("profile", 5);
        commit.entry.why = "another story".into();
        store.commit(&commit).expect("it is the next");
        forged.push_str(&store.audit(6, 1, None).expect("it is there")[0].line());
    }
    let forged = forged.replace("\"seq\":6", "\"seq\":3");
    let digest = |line: &str| {
        use sha2::Digest;
        let covered = format!("{}}}", &line[..line.len() - 75]);
        let hash = sha2::Sha256::digest(covered.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{},\"hash\":\"{hex}\"}}", &line[..line.len() - 75])
    };
    tamper(&folder, |audit| {
        let previous = line(audit, 3);
        let at = previous.find("\"previous\":").expect("it has one");
        let previous = &previous[at..at + 77];
        let at = forged.find("\"previous\":").expect("it has one");
        let forged = digest(&forged.replace(&forged[at..at + 77], previous));
        audit.insert(3, forged.as_bytes()).expect("the disk works");
    });
    assert_eq!(
        verdict(&folder),
        "audit record 4: it does not follow the record before it: that one was exchanged"
    );
}

#[test]
fn a_record_that_was_taken_out_is_named() {
    let folder = five();
    tamper(&folder, |audit| {
        audit.remove(2).expect("the disk works");
    });
    assert_eq!(verdict(&folder), "audit record 2: it is missing");
}

#[test]
fn a_log_that_was_cut_says_where_and_what_is_gone() {
    let folder = five();
    let head = inspect(&folder).expect("it is whole").head;
    tamper(&folder, |audit| {
        audit.remove(4).expect("the disk works");
        audit.remove(5).expect("the disk works");
    });
    let told = format!("audit record 4: the log ends before it, and had {head} as its last");
    assert_eq!(verdict(&folder), told);
    let error = Redb::open(folder.path()).expect_err("it does not go on from there");
    assert!(error.to_string().starts_with(&told), "{error}");
}

#[test]
fn a_log_that_was_cut_with_its_head_contradicts_the_state() {
    let folder = five();
    let receipt = {
        let store = open(&folder);
        store.audit(4, 1, None).expect("it is there")[0].receipt()
    };
    tamper(&folder, |audit| {
        audit.remove(5).expect("the disk works");
    });
    let database = Database::open(file(&folder)).expect("nobody has it open");
    let transaction = database.begin_write().expect("nobody writes");
    let head = format!("{{\"seq\":4,\"hash\":\"{}\"}}", receipt.hash);
    transaction
        .open_table(HEAD)
        .expect("it is there")
        .insert("audit", head.as_bytes())
        .expect("the disk works");
    transaction.commit().expect("the disk works");
    drop(database);
    assert_eq!(
        verdict(&folder),
        "audit record 3: it brought migration profile to generation 3, and the stored state is of \
         generation 4"
    );
}

#[test]
fn a_state_that_makes_no_sense_is_refused_at_the_door() {
    for (old, new, words) in [
        ("{\"canary\":4}", "\"off\"", "in phase off writes cannot be owned by new"),
        ("\"v\":1", "\"v\":9", "is of version 9, and this cutover reads version 2"),
    ] {
        let folder = five();
        let database = Database::open(file(&folder)).expect("nobody has it open");
        let transaction = database.begin_write().expect("nobody writes");
        {
            let mut standings = transaction.open_table(STANDINGS).expect("it is there");
            let stored = standings.get("profile").expect("it can be read").expect("it is there");
            let bytes = stored.value().to_vec();
            drop(stored);
            let stored = String::from_utf8(bytes).expect("it is JSON");
            let changed = stored.replace(old, new).replace("\"old\"", "\"new\"");
            assert_ne!(stored, changed);
            standings.insert("profile", changed.as_bytes()).expect("the disk works");
        }
        transaction.commit().expect("the disk works");
        drop(database);
        let error = Redb::open(folder.path()).expect_err("it makes no sense").to_string();
        assert!(error.starts_with("the state of migration profile"), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_store_of_a_later_version_is_left_alone() {
    let folder = five();
    let database = Database::open(file(&folder)).expect("nobody has it open");
    let transaction = database.begin_write().expect("nobody writes");
    transaction.open_table(META).expect("it is there").insert("format", 2).expect("the disk works");
    transaction.commit().expect("the disk works");
    drop(database);
    let error = Redb::open(folder.path()).expect_err("it is newer").to_string();
    assert!(
        error.starts_with("the store is of version 2, and this cutover reads version 1: run"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    for content in ["no database", "\0\0\0\0\0\0\0\0but something behind it", "redb"] {
        let folder = folder();
        std::fs::write(file(&folder), content).expect("the disk works");
        let opened = Redb::open(folder.path());
        let error = opened.expect_err(content).to_string();
        assert!(error.contains("is damaged: "), "{error}");
        assert_eq!(std::fs::read_to_string(file(&folder)).expect("it is there"), content);
    }
}

/// The database makes its file long before it writes a first byte to it.
#[test]
fn a_file_that_was_never_finished_is_begun_anew() {
    for header in [vec![0; 64], [vec![0; 9], vec![1; 300]].concat()] {
        let folder = folder();
        let mut begun = header;
        begun.resize(1 << 20, 0);
        std::fs::write(file(&folder), begun).expect("the disk works");
        let store = open(&folder);
        assert_eq!(store.commit(&commit("profile", 1)).expect("it is new").seq, 1);
    }
}

/// Whatever a disk has made of it: it is refused, or it is whole.
#[test]
fn a_byte_that_has_turned_does_not_go_unseen() {
    let folder = five();
    let whole = std::fs::read(file(&folder)).expect("it is there");
    let head = inspect(&folder).expect("it is whole").head;
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut refused = 0;
    for at in used.iter().step_by(used.len() / 200) {
        let mut turned = whole.clone();
        turned[*at] ^= 0x10;
        std::fs::write(file(&folder), &turned).expect("the disk works");
        match inspect(&folder) {
            Ok(verified) => assert_eq!(verified.head, head, "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0, "most of the file is not in use, and some of it is");
}

#[test]
fn a_file_that_was_cut_is_refused_and_not_followed_blindly() {
    let folder = five();
    let whole = std::fs::read(file(&folder)).expect("it is there");
    for part in 1..16 {
        std::fs::write(file(&folder), &whole[..whole.len() * part / 16]).expect("the disk works");
        let error = Redb::open(folder.path()).expect_err("most of it is gone").to_string();
        assert!(error.contains("is damaged: "), "{error}");
    }
}

/// An export is checked without a store: line by line, and against a receipt.
#[test]
fn an_export_can_be_checked_by_itself() {
    let folder = five();
    let store = open(&folder);
    let records = store.audit(0, usize::MAX, None).expect("it can be read");
    let mut chain = Chain::default();
    for record in &records {
        let read = chain.push(record.line().as_bytes()).expect("it is whole");
        assert_eq!(&read, record);
    }
    let head = store.load().expect("it can be read").head;
    assert_eq!(chain.end(head).expect("it ends there").head, head);
    let mut part = Chain::after(records[1].receipt());
    part.push(records[2].line().as_bytes()).expect("it follows");
    let error = part.push(records[4].line().as_bytes()).expect_err("one is left out").to_string();
    assert_eq!(error, "audit record 4: it is missing");
    let earlier = Receipt { seq: 3, ..head };
    let error = chain.end(earlier).expect_err("it goes on").to_string();
    assert!(error.starts_with("audit record 4: it comes after 3:"), "{error}");
    let another = Receipt { hash: records[0].hash, ..head };
    let error = chain.end(another).expect_err("another receipt").to_string();
    assert!(error.starts_with("audit record 5: it is not the one that was receipted 5:"));
}
