//! Walks along an audit log, line by line, and names the first that is wrong.

use super::audit::{self, AuditRecord, covered};
use super::{Digest, Receipt, Verified};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// An audit log that is not as it was written, and where that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number of the first record that is wrong or missing.
    pub seq: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The record is not there, and a later one is.
    Missing,
    /// Its bytes are not those that were hashed.
    Altered,
    /// It is whole, and does not follow the record before it.
    Unlinked,
    /// It cannot be read.
    Unreadable(Box<str>),
    /// It is of a version that is not known here.
    Version(u32),
    /// The log ends before this record, which was the last.
    CutOff(Receipt),
    /// The log goes on after what was its last record.
    TooLong(Receipt),
    /// Another record of this number was acknowledged.
    Exchanged(Receipt),
    /// It is the last of its migration, and the stored standing is not of its generation.
    Standing {
        /// The migration.
        migration: Box<str>,
        /// The generation of the stored standing, if there is one.
        stored: Option<u64>,
        /// The generation in the audit log.
        told: u64,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audit record {}: ", self.seq)?;
        match &self.fault {
            Fault::Missing => f.write_str("it is missing"),
            Fault::Altered => f.write_str("it was altered after it was written"),
            Fault::Unlinked => {
                f.write_str("it does not follow the record before it: that one was exchanged")
            }
            Fault::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Fault::Version(found) => write!(
                f,
                "it is of version {found}, and this cutover reads version {}: use the one that \
                 wrote it",
                audit::VERSION
            ),
            Fault::CutOff(head) => write!(f, "the log ends before it, and had {head} as its last"),
            Fault::TooLong(head) => write!(f, "it comes after {head}, which was the last"),
            Fault::Exchanged(receipt) => {
                write!(f, "it is not the one that was receipted {receipt}")
            }
            Fault::Standing { migration, stored: Some(stored), told } => write!(
                f,
                "it brought migration {migration} to generation {told}, and the stored state is of \
                 generation {stored}"
            ),
            Fault::Standing { migration, stored: None, told } => write!(
                f,
                "it brought migration {migration} to generation {told}, and no state is stored"
            ),
        }
    }
}

impl std::error::Error for Broken {}

/// Reads an audit log from its first line on, as stored or exported.
#[derive(Debug, Default)]
pub struct Chain {
    last: Receipt,
    generations: BTreeMap<Box<str>, (u64, u64)>,
}

/// All that is looked at before the version is known.
#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

impl Chain {
    /// From the middle of a log on: what follows this record, which is believed.
    pub fn after(record: Receipt) -> Self {
        Self { last: record, ..Self::default() }
    }

    /// Takes the next line.
    pub fn push(&mut self, line: &[u8]) -> Result<AuditRecord, Broken> {
        let seq = self.last.seq + 1;
        let broken = |fault| Broken { seq, fault };
        let record = read(line).map_err(broken)?;
        let whole = covered(line).is_some_and(|covered| Digest::of(&covered) == record.hash);
        if !whole {
            return Err(broken(Fault::Altered));
        }
        if record.seq > seq {
            return Err(broken(Fault::Missing));
        }
        if record.seq != seq || record.previous != self.last.hash {
            return Err(broken(Fault::Unlinked));
        }
        self.last = record.receipt();
        self.generations.insert(record.migration.clone(), (record.generation, seq));
        Ok(record)
    }

    /// The last line that was taken.
    pub fn last(&self) -> Receipt {
        self.last
    }

    /// There are no more lines: is that the end?
    pub fn end(&self, head: Receipt) -> Result<Verified, Broken> {
        end(self.last, head)
    }

    /// Does every standing have the generation that its last record tells?
    pub(super) fn agree(&self, stored: impl Fn(&str) -> Option<u64>) -> Result<(), Broken> {
        for (migration, (told, seq)) in &self.generations {
            let (stored, told) = (stored(migration), *told);
            if stored != Some(told) {
                let migration = migration.clone();
                return Err(Broken {
                    seq: *seq,
                    fault: Fault::Standing { migration, stored, told },
                });
            }
        }
        Ok(())
    }
}

/// Is the last record the one that the head names?
pub(super) fn end(last: Receipt, head: Receipt) -> Result<Verified, Broken> {
    let (seq, fault) = if last.seq < head.seq {
        (last.seq + 1, Fault::CutOff(head))
    } else if last.seq > head.seq {
        (head.seq + 1, Fault::TooLong(head))
    } else if last != head {
        (head.seq, Fault::Exchanged(head))
    } else {
        return Ok(Verified { head });
    };
    Err(Broken { seq, fault })
}

/// A stored line.
pub(super) fn read(line: &[u8]) -> Result<AuditRecord, Fault> {
    let unreadable = |error: serde_json::Error| Fault::Unreadable(error.to_string().into());
    let Versioned { v } = serde_json::from_slice(line).map_err(unreadable)?;
    if v != audit::VERSION {
        return Err(Fault::Version(v));
    }
    serde_json::from_slice(line).map_err(unreadable)
}
