//! What waits is written together, and everybody is told what became of theirs.

use super::*;
use crate::store::redb::disk::Disk;
use crate::store::testing::commit;
use crate::store::{Failing, Operation};
use ::redb::StorageBackend;
use ::redb::backends::InMemoryBackend;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use tempfile::TempDir;

/// A store whose thread has not begun, and its queue.
struct Waiting {
    shared: Shared,
    failing: Arc<Failing>,
    jobs: SyncSender<Job>,
    queue: Receiver<Job>,
    _folder: TempDir,
}

type Answer<T> = Receiver<Result<T, StoreError>>;

impl Waiting {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("the system has room");
        let failing = Arc::new(Failing::default());
        let path = folder.path().join("state.redb");
        let place = Place { path, failing: Some(Arc::clone(&failing)) };
        let shared = Shared::open(place).expect("the disk works");
        let (jobs, queue) = sync_channel(MOST_JOBS);
        Self { shared, failing, jobs, queue, _folder: folder }
    }

    fn commit(&self, migration: &str, generation: u64) -> Answer<Receipt> {
        let (reply, answer) = sync_channel(1);
        let job = Job::Commit(Box::new(commit(migration, generation)), reply);
        self.jobs.send(job).expect("there is room");
        answer
    }

    fn close(&self) -> Answer<()> {
        let (reply, answer) = sync_channel(1);
        self.jobs.send(Job::Close(reply)).expect("there is room");
        answer
    }

    /// Does what waits, and how often the disk was waited for until the store was closed.
    fn serve(&self) -> u64 {
        let before = self.failing.done(Operation::Sync);
        self.shared.serve(&self.queue);
        self.failing.done(Operation::Sync) - before
    }
}

fn answer<T>(answer: &Answer<T>) -> Result<T, StoreError> {
    answer.try_recv().expect("everybody is told")
}

#[test]
fn who_commits_at_the_same_moment_shares_one_wait_for_the_disk() {
    let waits = |commits: u64| {
        let waiting = Waiting::new();
        let name = |number: u64| format!("migration-{number}");
        let answers: Vec<_> =
            (1..=commits).map(|number| waiting.commit(&name(number), 1)).collect();
        let closed = waiting.close();
        let waits = waiting.serve();
        for (seq, told) in (1..).zip(&answers) {
            assert_eq!(answer(told).expect("it is the first").seq, seq);
        }
        answer(&closed).expect("nothing is in the way");
        waits
    };
    assert!(waits(1) > waits(0), "one commit waits for the disk");
    // More is to be closed, which may take another wait or two.
    assert!(waits(100) < waits(1) + 5);
}

#[test]
fn who_is_refused_does_not_take_the_others_along() {
    let waiting = Waiting::new();
    let first = waiting.commit("profile", 1);
    let stale = waiting.commit("profile", 1);
    let next = waiting.commit("profile", 2);
    waiting.close();
    waiting.serve();
    assert_eq!(answer(&first).expect("it is the first").seq, 1);
    assert!(matches!(answer(&stale), Err(StoreError::Stale { .. })));
    assert_eq!(answer(&next).expect("it follows what was written with it").seq, 2);
    assert_eq!(waiting.shared.image().0.head.seq, 2);
}

#[test]
fn what_fails_fails_for_all_of_them() {
    let waiting = Waiting::new();
    let answers = [waiting.commit("cart", 1), waiting.commit("profile", 1)];
    waiting.failing.fail(Operation::Write, 0, 28);
    let closed = waiting.close();
    waiting.serve();
    for told in &answers {
        assert!(matches!(answer(told), Err(StoreError::Full { .. })));
    }
    answer(&closed).expect("there is nothing to close");
    assert_eq!(waiting.shared.image().0.head, Receipt::default());
}

#[test]
fn who_comes_after_the_close_is_told_by_silence() {
    let waiting = Waiting::new();
    waiting.close();
    let late = waiting.commit("profile", 1);
    waiting.serve();
    let Waiting { shared, queue, .. } = waiting;
    drop(queue);
    assert!(late.recv().is_err(), "nobody answers");
    assert!(matches!(shared.health(), Err(StoreError::HandingOver)), "and here is why");
}

/// A file whose operations are a fault of the program.
#[derive(Debug)]
struct Faulty(InMemoryBackend);

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        assert_ne!(std::thread::current().name(), Some("faulty"), "a fault");
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn a_writer_that_ends_by_a_fault_is_missed() {
    let waiting = Waiting::new();
    let disk = Disk::over(Box::new(Faulty(InMemoryBackend::new())), None);
    let opened = Opened::over(disk, Path::new("faulty"), false).expect("memory works");
    waiting.shared.exchange(Hold::Open(opened));
    let told = waiting.commit("profile", 1);
    let Waiting { shared, queue, .. } = waiting;
    let shared = Arc::new(shared);
    let served = Arc::clone(&shared);
    let thread = std::thread::Builder::new().name("faulty".into());
    let thread = thread.spawn(move || served.serve(&queue)).expect("the system has threads");
    assert!(thread.join().is_err(), "it has panicked");
    assert!(told.recv().is_err(), "nobody answers");
    assert!(matches!(shared.health(), Err(StoreError::Gone)));
    assert_eq!(shared.image().0.head, Receipt::default());
}
