//! A store that forgets: for tests, and for gateways that keep nothing.

use super::image::Image;
use super::redb::new_secret;
use super::{AuditRecord, Chain, Commit, Loaded, Receipt, Store, StoreError, Verified};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory. Nothing outlives it.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    image: Image,
    lines: Vec<String>,
    secrets: BTreeMap<Box<str>, [u8; 32]>,
    refusal: Option<StoreError>,
}

impl Memory {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on all that would change it is refused like this, or is taken again: to test what
    /// is done then.
    pub fn refuse(&self, refusal: Option<StoreError>) {
        self.kept().refusal = refusal;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn taken(&mut self) -> Result<&mut Self, StoreError> {
        self.refusal.clone().map_or(Ok(self), Err)
    }

    fn records(&self) -> impl DoubleEndedIterator<Item = AuditRecord> {
        let read = |line: &String| super::chain::read(line.as_bytes());
        self.lines.iter().map(move |line| read(line).expect("a line of ours can be read"))
    }
}

impl Store for Memory {
    fn load(&self) -> Result<Loaded, StoreError> {
        Ok(self.kept().image.0.clone())
    }

    fn commit(&self, commit: &Commit) -> Result<Receipt, StoreError> {
        let mut kept = self.kept();
        let kept = kept.taken()?;
        let record = kept.image.follow(commit)?;
        kept.image.take(commit, &record);
        kept.lines.push(record.line());
        Ok(record.receipt())
    }

    fn save_evidence(&self, evidence: &[(Box<str>, Vec<u64>)]) -> Result<(), StoreError> {
        self.kept().taken()?.image.0.evidence.extend(evidence.iter().cloned());
        Ok(())
    }

    fn audit(
        &self,
        from: u64,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let kept = self.kept();
        let wanted = kept.records().filter(|record| {
            record.seq >= from && migration.is_none_or(|name| *record.migration == *name)
        });
        Ok(wanted.take(limit).collect())
    }

    fn recent(
        &self,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let kept = self.kept();
        let newest = kept.records().rev();
        let wanted =
            newest.filter(|record| migration.is_none_or(|name| *record.migration == *name));
        Ok(wanted.take(limit).collect())
    }

    fn verify(&self) -> Result<Verified, StoreError> {
        let kept = self.kept();
        let mut chain = Chain::default();
        for line in &kept.lines {
            chain.push(line.as_bytes())?;
        }
        let standings = &kept.image.0.standings;
        chain.agree(|name| standings.get(name).map(|standing| standing.generation().0))?;
        Ok(chain.end(kept.image.0.head)?)
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        let mut kept = self.kept();
        if let Some(secret) = kept.secrets.get(name) {
            return Ok(*secret);
        }
        let secret = new_secret()?;
        kept.taken()?.secrets.insert(name.into(), secret);
        Ok(secret)
    }

    fn health(&self) -> Result<(), StoreError> {
        self.kept().taken().map(|_| ())
    }

    fn close(&self) -> Result<(), StoreError> {
        self.kept().refusal = Some(StoreError::HandingOver);
        Ok(())
    }
}
