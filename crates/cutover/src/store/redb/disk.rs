//! The file below the database, or a copy of it: it remembers the first operation that failed, and
//! can be told to fail.

use crate::store::{Failing, Operation};
use ::redb::backends::{FileBackend, InMemoryBackend};
use ::redb::{BackendError, StorageBackend};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The first operation that failed. Afterwards the database refuses everything.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstFailure(Arc<OnceLock<(Operation, Arc<io::Error>)>>);

impl FirstFailure {
    pub(super) fn get(&self) -> Option<(Operation, Arc<io::Error>)> {
        self.0.get().cloned()
    }

    fn note(&self, operation: Operation, error: io::Error) -> io::Error {
        let told = io::Error::new(error.kind(), error.to_string());
        self.0.get_or_init(|| (operation, Arc::new(error)));
        told
    }
}

/// The file of a store.
#[derive(Debug)]
pub(super) struct Disk {
    file: Box<dyn StorageBackend>,
    failing: Option<Arc<Failing>>,
    pub(super) first: FirstFailure,
}

impl Disk {
    /// Opens the file, and makes it if need be. `None`: somebody else has it.
    pub(super) fn open(path: &Path, failing: Option<Arc<Failing>>) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        if !is_locked(file.try_lock())? {
            return Ok(None);
        }
        if is_half_made(&file)? {
            file.set_len(0)?;
        }
        path.parent().map_or(Ok(()), sync_folder)?;
        let file = FileBackend::new(file).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Some(Self::over(Box::new(file), failing)))
    }

    /// A copy in memory, to be read: the file stays as it is. `None`: somebody has it. That is not
    /// asked if it is `ours`.
    pub(super) fn copy(path: &Path, ours: bool) -> io::Result<Option<Self>> {
        let mut file = File::open(path)?;
        if !ours && !is_locked(file.try_lock_shared())? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let copy = InMemoryBackend::new();
        copy.set_len(bytes.len() as u64)?;
        copy.write(0, &bytes)?;
        Ok(Some(Self::over(Box::new(copy), None)))
    }

    /// Over any file, or what stands for one.
    pub(super) fn over(file: Box<dyn StorageBackend>, failing: Option<Arc<Failing>>) -> Self {
        Self { file, failing, first: FirstFailure::default() }
    }

    fn act<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&dyn StorageBackend) -> io::Result<T>,
    ) -> io::Result<T> {
        let may = self.failing.as_ref().map_or(Ok(()), |failing| failing.may(operation));
        let done = may.and_then(|()| act(&*self.file));
        done.map_err(|error| self.first.note(operation, error))
    }
}

/// Makes a folder, and those above it, for nobody else to read.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if parent != folder {
        make_folder(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(parent)
}

/// A new file is not on the disk before its name is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened, and keeps its names by itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Was it locked, and not by somebody else?
fn is_locked(locked: Result<(), TryLockError>) -> io::Result<bool> {
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Was the process that made this file killed before there was anything in it? The database makes
/// the file long, writes its first page, and the first bytes of that page last of all.
fn is_half_made(mut file: &File) -> io::Result<bool> {
    const MAGIC: usize = 9;
    const PAGE: usize = 4096;
    let mut first = Vec::new();
    file.take(PAGE as u64).read_to_end(&mut first)?;
    if first.len() < PAGE || first[..MAGIC].iter().any(|byte| *byte != 0) {
        return Ok(false);
    }
    let mut page = [0; PAGE];
    loop {
        match file.read(&mut page)? {
            0 => return Ok(true),
            read if page[..read].iter().any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.act(Operation::Read, |file| file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.act(Operation::Read, |file| file.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.act(Operation::Resize, |file| file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.act(Operation::Sync, |file| file.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let written = self.act(Operation::Write, |file| file.write(offset, data));
        if written.is_err() && self.failing.as_ref().is_some_and(|failing| failing.tears()) {
            // It fails anyway; what matters is what is left behind.
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
