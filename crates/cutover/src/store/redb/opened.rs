//! The database, open: looks at it and changes of it, and what their failures mean.

use super::disk::{Disk, FirstFailure};
use super::tables;
use super::trouble::Trouble;
use crate::store::{Failing, Operation, StoreError};
use ::redb::{Builder, Database, Error, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// By itself the database would take up to a gibibyte.
const CACHE_BYTES: usize = 4 << 20;

/// Where the file is, and how it fails in tests.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) failing: Option<Arc<Failing>>,
}

/// The database, open.
#[derive(Debug)]
pub(super) struct Opened {
    database: Database,
    first: FirstFailure,
    path: PathBuf,
}

impl Opened {
    /// Opens the file, and makes it if need be. `thorough`: every page is looked at, so that a
    /// damaged file is told from a good one.
    pub(super) fn open(place: &Place, thorough: bool) -> Result<Self, StoreError> {
        let disk = Disk::open(&place.path, place.failing.clone());
        let opened = Self::over(had(disk, &place.path)?, &place.path, thorough)?;
        if !opened.look(tables::are_made)? {
            opened.change(tables::make)?;
        }
        Ok(opened)
    }

    /// A copy of the file as it is now, to be read. The file is not touched. `ours`: this process
    /// has it, or had it.
    pub(super) fn copy(path: &Path, ours: bool) -> Result<Self, StoreError> {
        let opened = Self::over(had(Disk::copy(path, ours), path)?, path, true)?;
        if opened.look(tables::are_made)? {
            return Ok(opened);
        }
        let what = "it is no store of cutover, or an empty one".into();
        Err(StoreError::Damaged { path: path.to_owned(), what })
    }

    /// The database in a file, or in what stands for one.
    pub(super) fn over(disk: Disk, path: &Path, thorough: bool) -> Result<Self, StoreError> {
        let first = disk.first.clone();
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(thorough);
        let database = builder.create_with_backend(disk);
        let database = database.map_err(|error| explain(error.into(), &first, path))?;
        Ok(Self { database, first, path: path.to_owned() })
    }

    /// Looks at one state of it.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let looked = || look(&self.database.begin_read()?);
        looked().map_err(|trouble| explain(trouble, &self.first, &self.path))
    }

    /// Changes it, durably, or not at all.
    pub(super) fn change(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), Trouble>,
    ) -> Result<(), StoreError> {
        let changed = || {
            let transaction = self.database.begin_write()?;
            change(&transaction)?;
            Ok(transaction.commit()?)
        };
        changed().map_err(|trouble| explain(trouble, &self.first, &self.path))
    }

    /// Why the database refuses everything, if it does: also a look at it can have failed.
    pub(super) fn failure(&self) -> Option<StoreError> {
        let (operation, error) = self.first.get()?;
        Some(meaning(operation, error, &self.path))
    }

    /// Lets go of the file.
    pub(super) fn close(self) -> Result<(), StoreError> {
        let Self { database, first, path } = self;
        database.close().map_err(|error| explain(error.into(), &first, &path))
    }
}

/// A file, if it could be opened and nobody else has it.
fn had(disk: io::Result<Option<Disk>>, path: &Path) -> Result<Disk, StoreError> {
    let unopened = |error| StoreError::Unopened { path: path.to_owned(), error: Arc::new(error) };
    disk.map_err(unopened)?.ok_or_else(|| StoreError::InUse { path: path.to_owned() })
}

/// What an error means for people. The database tells its first error and forgets it: the file
/// below it has noted which operation failed, and that is what counts.
fn explain(trouble: Trouble, first: &FirstFailure, path: &Path) -> StoreError {
    let error = match trouble {
        Trouble::Told(error) => return error,
        Trouble::Database(error) => error,
    };
    if let Some((operation, error)) = first.get() {
        return meaning(operation, error, path);
    }
    let path = path.to_owned();
    if let Error::DatabaseAlreadyOpen = error {
        return StoreError::InUse { path };
    }
    StoreError::Damaged { path, what: error.to_string().into() }
}

/// What an operation on the file that failed means for people.
fn meaning(operation: Operation, error: Arc<io::Error>, path: &Path) -> StoreError {
    let path = path.to_owned();
    match (operation, error.kind()) {
        (Operation::Sync, _) => StoreError::Unsynced { path, error },
        (_, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            StoreError::Full { path, error }
        }
        _ => StoreError::Failed { path, error },
    }
}

#[cfg(test)]
mod tests;
