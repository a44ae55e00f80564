//! What can go wrong between the database and us, before it is said in words.

use crate::store::{Broken, StoreError};
use ::redb::Error;

/// An error of the database, or one that is in words already.
#[derive(Debug)]
pub(super) enum Trouble {
    Database(Error),
    Told(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Told(broken.into())
    }
}

/// The database has an error type for every call, and one for all of them.
macro_rules! from_database {
    ($($error:ident),*) => {$(
        impl From<::redb::$error> for Trouble {
            fn from(error: ::redb::$error) -> Self {
                Self::Database(error.into())
            }
        }
    )*};
}

from_database!(CommitError, DatabaseError, StorageError, TableError, TransactionError);
