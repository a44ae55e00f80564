//! The store in a folder: one file of an embedded database, and one thread that writes to it.

mod disk;
mod opened;
mod tables;
mod trouble;
mod writer;

use super::{AuditRecord, Commit, Failing, Loaded, Receipt, Store, StoreError, Verified};
use opened::{Opened, Place};
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tables::Wanted;
use writer::{Job, MOST_JOBS, Reply, Shared};

/// The name of the file in its folder.
const FILE: &str = "state.redb";

/// A store in a folder, in the file `state.redb`. One process has it at a time.
///
/// What is read is what was acknowledged last, kept in memory: a disk that is full or broken takes
/// nothing from it. If the disk is full or fails, the change is refused, and the file is opened anew
/// for the next one. Only if the disk does not confirm what was written, nothing more is taken until
/// the process is restarted: what is on the disk then is known to nobody before.
#[derive(Debug)]
pub struct Redb {
    shared: Arc<Shared>,
    jobs: SyncSender<Job>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Redb {
    /// Opens the store in a folder, and makes both if need be, for nobody else to read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_at(folder.as_ref(), None)
    }

    /// As [`Redb::open`], on a disk that can be made to fail.
    pub fn open_failing(
        folder: impl AsRef<Path>,
        failing: Arc<Failing>,
    ) -> Result<Self, StoreError> {
        Self::open_at(folder.as_ref(), Some(failing))
    }

    /// Verifies the audit log of a store that no process has open, and tells its records. The file
    /// is left untouched.
    pub fn inspect(
        file: impl AsRef<Path>,
        mut each: impl FnMut(&AuditRecord),
    ) -> Result<Verified, StoreError> {
        let copy = Opened::copy(file.as_ref(), false)?;
        copy.look(|view| tables::verify(view, &mut each))
    }

    fn open_at(folder: &Path, failing: Option<Arc<Failing>>) -> Result<Self, StoreError> {
        let unopened =
            |error| StoreError::Unopened { path: folder.to_owned(), error: Arc::new(error) };
        disk::make_folder(folder).map_err(unopened)?;
        let shared = Arc::new(Shared::open(Place { path: folder.join(FILE), failing })?);
        let (jobs, queue) = sync_channel(MOST_JOBS);
        let served = Arc::clone(&shared);
        let writer = std::thread::Builder::new().name("cutover-store".into());
        let writer = writer.spawn(move || served.serve(&queue)).map_err(unopened)?;
        Ok(Self { shared, jobs, writer: Mutex::new(Some(writer)) })
    }

    /// Has a job done, and waits for it.
    fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = sync_channel(1);
        self.jobs.send(job(reply)).map_err(|_| self.gone())?;
        answer.recv().map_err(|_| self.gone())?
    }

    /// Why there is nobody who writes.
    fn gone(&self) -> StoreError {
        self.shared.health().err().unwrap_or(StoreError::Gone)
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        // An error means that it was closed before.
        let _ = self.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

impl Store for Redb {
    fn load(&self) -> Result<Loaded, StoreError> {
        Ok(self.shared.image().0)
    }

    fn commit(&self, commit: &Commit) -> Result<Receipt, StoreError> {
        self.ask(|reply| Job::Commit(Box::new(commit.clone()), reply))
    }

    fn save_evidence(&self, evidence: &[(Box<str>, Vec<u64>)]) -> Result<(), StoreError> {
        self.jobs.try_send(Job::Evidence(evidence.to_vec())).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => self.gone(),
        })
    }

    fn audit(
        &self,
        from: u64,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.shared.records(&Wanted {
            from,
            until: u64::MAX,
            newest_first: false,
            limit,
            migration,
        })
    }

    fn recent(
        &self,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.shared.records(&Wanted {
            from: 0,
            until: u64::MAX,
            newest_first: true,
            limit,
            migration,
        })
    }

    fn verify(&self) -> Result<Verified, StoreError> {
        self.shared.verify()
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        self.ask(|reply| Job::Secret(name.into(), reply))
    }

    fn health(&self) -> Result<(), StoreError> {
        self.shared.health()
    }

    fn close(&self) -> Result<(), StoreError> {
        match self.ask(Job::Close) {
            // By somebody else, before.
            Err(StoreError::HandingOver) => Ok(()),
            closed => closed,
        }
    }
}

/// A key from the machine's randomness.
pub(super) fn new_secret() -> Result<[u8; 32], StoreError> {
    let mut secret = [0; 32];
    let made = getrandom::fill(&mut secret);
    made.map_err(|error| StoreError::NoRandomness(error.to_string().into()))?;
    Ok(secret)
}
