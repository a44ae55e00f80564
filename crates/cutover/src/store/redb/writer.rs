//! The one thread that writes: whoever commits at the same moment shares one wait for the disk.

use super::new_secret;
use super::opened::{Opened, Place};
use super::tables::{self, Secrets, Wanted, Write};
use crate::store::image::Image;
use crate::store::{AuditRecord, Commit, Receipt, StoreError, Verified, standing};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// The most that waits to be written, and the most that is written at once.
pub(super) const MOST_JOBS: usize = 256;

/// Where the answer to a job goes.
pub(super) type Reply<T> = SyncSender<Result<T, StoreError>>;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    Commit(Box<Commit>, Reply<Receipt>),
    Evidence(Vec<(Box<str>, Vec<u64>)>),
    Secret(Box<str>, Reply<[u8; 32]>),
    Close(Reply<()>),
}

/// What the thread that writes and those that read have in common.
#[derive(Debug)]
pub(super) struct Shared {
    place: Place,
    known: Mutex<Known>,
    hold: RwLock<Hold>,
}

/// What was acknowledged. It can be told whatever the disk does.
#[derive(Clone, Debug)]
struct Known {
    image: Image,
    secrets: Secrets,
    /// Why nothing could be written last time.
    trouble: Option<StoreError>,
}

/// The file, as far as this process has it.
#[derive(Debug)]
enum Hold {
    Open(Opened),
    /// It failed, and is tried again before the next change.
    Down(StoreError),
    /// Nobody knows what is in it before this process has ended.
    Lost(StoreError),
    Closed,
}

/// A batch that is being put together.
struct Batch {
    known: Known,
    writes: Vec<Write>,
    commits: Vec<(Receipt, Reply<Receipt>)>,
    secrets: Vec<([u8; 32], Reply<[u8; 32]>)>,
    closing: Option<Reply<()>>,
}

impl Shared {
    pub(super) fn open(place: Place) -> Result<Self, StoreError> {
        let opened = Opened::open(&place, true)?;
        let (image, secrets) =
            opened.look(|view| Ok((tables::image(view)?, tables::secrets(view)?)))?;
        let known = Mutex::new(Known { image, secrets, trouble: None });
        Ok(Self { place, known, hold: RwLock::new(Hold::Open(opened)) })
    }

    /// Does jobs until there are no more, or one of them closes the store.
    pub(super) fn serve(&self, jobs: &Receiver<Job>) {
        let _mourner = Mourner(self);
        while let Ok(first) = jobs.recv() {
            let mut batch = Batch::new(self.known().clone());
            batch.add(first);
            for _ in 1..MOST_JOBS {
                if batch.closing.is_some() {
                    break;
                }
                let Ok(job) = jobs.try_recv() else { break };
                batch.add(job);
            }
            let closing = batch.closing.take();
            self.finish(batch);
            if let Some(reply) = closing {
                let _ = reply.send(self.close());
                return;
            }
        }
        // Nobody is left to be told.
        let _ = self.close();
    }

    /// Writes a batch, and tells everybody.
    fn finish(&self, batch: Batch) {
        let Batch { known, writes, commits, secrets, .. } = batch;
        let written = if writes.is_empty() { Ok(()) } else { self.write(&writes) };
        let before = match &written {
            Ok(()) if writes.is_empty() => None,
            Ok(()) => {
                std::mem::replace(&mut *self.known(), Known { trouble: None, ..known }).trouble
            }
            Err(error) => self.known().trouble.replace(error.clone()),
        };
        // Evidence has nobody who waits for an answer, so the log is told, once.
        match (&before, &written) {
            (None, Err(error)) => tracing::warn!("{error}"),
            (Some(_), Ok(())) => tracing::info!("the store can be written again"),
            _ => {}
        }
        // Who has stopped waiting does not want to know.
        for (receipt, reply) in commits {
            let _ = reply.send(written.clone().map(|()| receipt));
        }
        for (secret, reply) in secrets {
            let _ = reply.send(written.clone().map(|()| secret));
        }
    }

    fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        self.stand_up()?;
        let hold = self.hold();
        let opened = match &*hold {
            Hold::Open(opened) => opened,
            Hold::Down(error) | Hold::Lost(error) => return Err(error.clone()),
            Hold::Closed => return Err(StoreError::HandingOver),
        };
        let written = opened.change(|transaction| tables::write(transaction, writes));
        drop(hold);
        if let Err(error) = &written {
            self.fall(error);
        }
        written
    }

    /// The database refuses everything after its first error: let go of it, and open it anew.
    fn fall(&self, error: &StoreError) {
        let lost = matches!(error, StoreError::Unsynced { .. });
        let next = if lost { Hold::Lost(error.clone()) } else { Hold::Down(error.clone()) };
        self.exchange(next);
        if let Err(again) = self.stand_up() {
            tracing::debug!(error = %again, "the store stays closed until the next change");
        }
    }

    /// Opens the file anew if it failed. What is in it then must be what was acknowledged.
    fn stand_up(&self) -> Result<(), StoreError> {
        let failed = match &*self.hold() {
            Hold::Open(opened) => opened.failure(),
            Hold::Down(_) => None,
            Hold::Lost(_) | Hold::Closed => return Ok(()),
        };
        if let Some(error) = failed {
            self.exchange(Hold::Down(error));
        } else if matches!(&*self.hold(), Hold::Open(_)) {
            return Ok(());
        }
        let opened = match Opened::open(&self.place, false) {
            Ok(opened) => opened,
            Err(error @ StoreError::Unsynced { .. }) => {
                self.exchange(Hold::Lost(error.clone()));
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let (there, acknowledged) = (opened.look(tables::head)?, self.known().image.0.head);
        if there == acknowledged {
            self.exchange(Hold::Open(opened));
            return Ok(());
        }
        let error = io::Error::other(if there.seq > acknowledged.seq {
            "a change that failed is in the file all the same"
        } else {
            "changes that were acknowledged are not in the file: somebody has exchanged it"
        });
        let path = self.place.path.clone();
        let error = StoreError::Unsynced { path, error: Arc::new(error) };
        self.exchange(Hold::Lost(error.clone()));
        Err(error)
    }

    fn close(&self) -> Result<(), StoreError> {
        match self.exchange(Hold::Closed) {
            Hold::Open(opened) => opened.close(),
            Hold::Down(_) | Hold::Lost(_) | Hold::Closed => Ok(()),
        }
    }

    /// Everything that is known, in memory.
    pub(super) fn image(&self) -> Image {
        self.known().image.clone()
    }

    /// Why nothing could be written now, as far as is known.
    pub(super) fn health(&self) -> Result<(), StoreError> {
        match &*self.hold() {
            Hold::Closed => return Err(StoreError::HandingOver),
            Hold::Lost(error) => return Err(error.clone()),
            Hold::Open(_) | Hold::Down(_) => {}
        }
        self.known().trouble.clone().map_or(Ok(()), Err)
    }

    pub(super) fn records(&self, wanted: &Wanted<'_>) -> Result<Vec<AuditRecord>, StoreError> {
        let look = |opened: &Opened, wanted| opened.look(|view| tables::records(view, wanted));
        match &*self.hold() {
            Hold::Closed => Err(StoreError::HandingOver),
            Hold::Open(opened) if opened.failure().is_none() => look(opened, wanted),
            Hold::Open(_) | Hold::Down(_) | Hold::Lost(_) => {
                // What was refused may be in the file all the same. It is not told.
                let until = self.known().image.0.head.seq;
                look(&Opened::copy(&self.place.path, true)?, &Wanted { until, ..*wanted })
            }
        }
    }

    pub(super) fn verify(&self) -> Result<Verified, StoreError> {
        let look = |opened: &Opened| opened.look(|view| tables::verify(view, &mut |_| ()));
        match &*self.hold() {
            Hold::Closed => Err(StoreError::HandingOver),
            Hold::Open(opened) if opened.failure().is_none() => look(opened),
            Hold::Open(_) | Hold::Down(_) => look(&Opened::copy(&self.place.path, true)?),
            Hold::Lost(error) => Err(error.clone()),
        }
    }

    /// Puts something in the place of the file; what was there is dropped after the lock is.
    fn exchange(&self, next: Hold) -> Hold {
        let mut hold = self.hold.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *hold, next)
    }

    fn hold(&self) -> RwLockReadGuard<'_, Hold> {
        self.hold.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells everybody if the thread ends by a fault of ours.
struct Mourner<'a>(&'a Shared);

impl Drop for Mourner<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.exchange(Hold::Lost(StoreError::Gone));
        }
    }
}

impl Batch {
    fn new(known: Known) -> Self {
        let (writes, commits, secrets) = (Vec::new(), Vec::new(), Vec::new());
        Self { known, writes, commits, secrets, closing: None }
    }

    fn add(&mut self, job: Job) {
        match job {
            Job::Commit(commit, reply) => self.commit(&commit, reply),
            Job::Evidence(evidence) => {
                for (name, words) in evidence {
                    let bytes = standing::encode_evidence(&words);
                    self.writes.push(Write::Evidence(name.clone(), bytes));
                    self.known.image.0.evidence.insert(name, words);
                }
            }
            Job::Secret(name, reply) => self.secret(name, reply),
            Job::Close(reply) => self.closing = Some(reply),
        }
    }

    fn commit(&mut self, commit: &Commit, reply: Reply<Receipt>) {
        let record = match self.known.image.follow(commit) {
            Ok(record) => record,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        self.known.image.take(commit, &record);
        let name = &commit.entry.migration;
        self.writes.push(Write::Standing(name.clone(), standing::encode(&commit.standing)));
        if let Some(words) = &commit.evidence {
            self.writes.push(Write::Evidence(name.clone(), standing::encode_evidence(words)));
        }
        self.commits.push((record.receipt(), reply));
        self.writes.push(Write::Record(Box::new(record)));
    }

    fn secret(&mut self, name: Box<str>, reply: Reply<[u8; 32]>) {
        let secret = match self.known.secrets.get(&name) {
            Some(secret) => *secret,
            None => match new_secret() {
                Ok(secret) => {
                    self.writes.push(Write::Secret(name.clone(), secret));
                    self.known.secrets.insert(name, secret);
                    secret
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                    return;
                }
            },
        };
        self.secrets.push((secret, reply));
    }
}

#[cfg(test)]
mod tests;
