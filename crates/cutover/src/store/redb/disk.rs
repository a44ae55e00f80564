//! The file below the database: it remembers the first operation that failed, and can be told to
//! fail.

use crate::store::{Failing, Operation};
use ::redb::backends::FileBackend;
use ::redb::{BackendError, StorageBackend};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The first operation that failed. Afterwards the database refuses everything.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstFailure(Arc<Mutex<Option<(Operation, Arc<io::Error>)>>>);

impl FirstFailure {
    pub(super) fn get(&self) -> Option<(Operation, Arc<io::Error>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, operation: Operation, error: io::Error) -> io::Error {
        let told = io::Error::new(error.kind(), error.to_string());
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| (operation, Arc::new(error)));
        told
    }
}

/// The file of a store.
#[derive(Debug)]
pub(super) struct Disk {
    file: FileBackend,
    failing: Option<Arc<Failing>>,
    first: FirstFailure,
}

impl Disk {
    /// Opens the file, and makes it if need be. `None`: somebody else has it.
    pub(super) fn open(
        path: &Path,
        failing: Option<Arc<Failing>>,
    ) -> io::Result<Option<(Self, FirstFailure)>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if is_half_made(&file)? {
            file.set_len(0)?;
        }
        // A new file's name is not on the disk before its folder is.
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        let file = FileBackend::new(file).map_err(|error| io::Error::other(error.to_string()))?;
        let first = FirstFailure::default();
        Ok(Some((Self { file, failing, first: first.clone() }, first)))
    }

    fn act<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&FileBackend) -> io::Result<T>,
    ) -> io::Result<T> {
        let may = self.failing.as_ref().map_or(Ok(()), |failing| failing.may(operation));
        let done = may.and_then(|()| act(&self.file));
        done.map_err(|error| self.first.note(operation, error))
    }
}

/// Was the process that made this file killed before it had written the first bytes of a database?
/// Then there is nothing in it: they come before everything else.
fn is_half_made(file: &File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.take(8).read_to_end(&mut beginning)?;
    Ok(!beginning.is_empty() && beginning.iter().all(|byte| *byte == 0))
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.act(Operation::Read, FileBackend::len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.act(Operation::Read, |file| file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.act(Operation::Resize, |file| file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.act(Operation::Sync, FileBackend::sync_data)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let written = self.act(Operation::Write, |file| file.write(offset, data));
        if written.is_err() && self.failing.is_some() {
            // A full disk takes what it has room for.
            let _ = self.file.write(offset, &data[..data.len() / 2]);
        }
        written
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
