//! What outlives the process: where every migration stands, its evidence, and who did what and why.
//!
//! A [`Store`] keeps all of it together, so that a transition and its line in the audit log are one
//! transaction: what was not written has not happened. [`Redb`] is the store in a folder,
//! [`Memory`] one for tests and for gateways that keep nothing. A store is asked by whoever moves
//! migrations, and never on the path of a request.
//!
//! # The audit log
//! Records are numbered from 1 and chained: each has the SHA-256 of the one before, so that none
//! can be changed, taken out or put in without all later ones changing, too. The store keeps the
//! count and the hash of the last one beside them, so that a cut end is noticed.
//! [`Store::verify`] names the first record that is wrong.
//!
//! What no file can notice by itself is that the whole of it was put back to an earlier day, or was
//! written anew by somebody who may write it. For that there is the [`Receipt`] that every commit
//! answers with, and that people are shown: a receipt that is not in the log proves it.
//!
//! ## The form of a record
//! One line of JSON without spaces, as [`AuditRecord::line`] gives it: the fields of
//! [`AuditRecord`], in their order, named as they are there. The last one is `hash`, the SHA-256 of
//! the line without it, in hexadecimal. So anybody can check a record of an export:
//!
//! ```sh
//! sed -E 's/,"hash":"([0-9a-f]{64})"\}$/}/' record.json | tr -d '\n' | sha256sum
//! ```
//!
//! `previous` is the hash of the record before, 64 zeros in the first. Bytes count, not meaning: a
//! line that was formatted anew is another line.
//!
//! # Versions
//! Everything is stored with the version of its form. What another version of cutover has written
//! in a form that is not known here is refused and left as it is.

mod audit;
mod chain;
mod digest;
mod error;
mod failing;
mod image;
mod memory;
mod redb;
mod standing;
#[cfg(test)]
mod testing;

pub use audit::{AuditRecord, AuditState};
pub use chain::{Broken, Chain, Fault};
pub use digest::Digest;
pub use error::StoreError;
pub use failing::{Failing, Operation};
pub use memory::Memory;
pub use redb::Redb;

use crate::core::migration::{Entry, Standing, Transition};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Keeps the state of migrations and the audit log. Methods may block on a disk.
pub trait Store: fmt::Debug + Send + Sync {
    /// Everything as it was last acknowledged. It can be asked for also when nothing can be written.
    fn load(&self) -> Result<Loaded, StoreError>;

    /// Writes a transition: the standing, its line in the audit log and the evidence, or nothing of
    /// it. When it returns, they will be there after a crash.
    ///
    /// The standing must follow the stored one: its generation is the next, else
    /// [`StoreError::Stale`]. An error says that nothing was written, but for two, after which it is
    /// known when the process was restarted: [`StoreError::Unsynced`] and [`StoreError::Gone`].
    fn commit(&self, commit: &Commit) -> Result<Receipt, StoreError>;

    /// Takes evidence to be written soon, without waiting for it. What was taken last may be
    /// missing after a crash; what is there is whole. An error says that it was not taken.
    fn save_evidence(&self, evidence: &[(Box<str>, Vec<u64>)]) -> Result<(), StoreError>;

    /// Records of the audit log from a sequence number on, at most so many, of all migrations or of
    /// one.
    fn audit(
        &self,
        from: u64,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// The last records of the audit log, newest first.
    fn recent(&self, limit: usize, migration: Option<&str>)
    -> Result<Vec<AuditRecord>, StoreError>;

    /// Reads the whole audit log and holds it against its hashes, its head and the standings.
    fn verify(&self) -> Result<Verified, StoreError>;

    /// A key of this store: made of the machine's randomness when it is first asked for, and the
    /// same ever after.
    fn secret(&self, name: &str) -> Result<[u8; 32], StoreError>;

    /// Would a commit be taken now, as far as is known?
    fn health(&self) -> Result<(), StoreError>;

    /// Lets go of what the store is kept in, so that another process can have it. What was taken
    /// before is written; what comes later is refused with [`StoreError::HandingOver`].
    fn close(&self) -> Result<(), StoreError>;
}

/// A transition to be written, with what belongs to its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Where the migration stands afterwards.
    pub standing: Standing,
    /// The line in the audit log.
    pub entry: Entry,
    /// What the gates said at that moment.
    pub gates: Vec<Box<str>>,
    /// The evidence at that moment, as [`Evidence::words`](crate::core::evidence::Evidence::words)
    /// gives it; `None` leaves what is stored.
    pub evidence: Option<Vec<u64>>,
}

impl Commit {
    /// A transition, with what the gates said and the evidence.
    pub fn of(transition: &Transition, gates: Vec<Box<str>>, evidence: Option<Vec<u64>>) -> Self {
        let Transition { standing, entry, .. } = transition;
        Self { standing: standing.clone(), entry: entry.clone(), gates, evidence }
    }
}

/// What a store knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Where each migration stands, by name. Those that have never moved are not there.
    pub standings: BTreeMap<Box<str>, Standing>,
    /// Evidence by migration, for
    /// [`Evidence::from_words`](crate::core::evidence::Evidence::from_words).
    pub evidence: BTreeMap<Box<str>, Vec<u64>>,
    /// The last record of the audit log; number 0 if there is none.
    pub head: Receipt,
}

/// Names a record of the audit log so that it cannot be exchanged: `12:9f86d081884c7d65`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Receipt {
    /// Its number, from 1.
    pub seq: u64,
    /// Its hash, which covers all records before it.
    pub hash: Digest,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, &self.hash.to_string()[..16])
    }
}

/// An audit log without a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its last record; number 0 if there is none.
    pub head: Receipt,
}

/// `12 records, the last is 12:9f86d081884c7d65`.
impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.head.seq {
            0 => f.write_str("no records"),
            1 => write!(f, "1 record, {}", self.head),
            many => write!(f, "{many} records, the last is {}", self.head),
        }
    }
}
