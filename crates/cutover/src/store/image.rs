//! What a store knows, in memory: the last acknowledged state, and the rules for the next one.

use super::{AuditRecord, Commit, Loaded, StoreError};

/// The state as a store keeps it beside its file, so that it can be read whatever the disk does.
#[derive(Clone, Debug, Default)]
pub(super) struct Image(pub(super) Loaded);

impl Image {
    /// The record that this commit adds to the audit log, if it may.
    pub(super) fn follow(&self, commit: &Commit) -> Result<AuditRecord, StoreError> {
        let (given, told) = (commit.standing.generation(), commit.entry.generation);
        if given != told {
            return Err(StoreError::Mismatched { standing: given, entry: told });
        }
        let migration = &commit.entry.migration;
        if let Some(stored) = self.0.standings.get(migration) {
            let stored = stored.generation();
            if stored.0.checked_add(1) != Some(given.0) {
                return Err(StoreError::Stale { migration: migration.clone(), stored, given });
            }
        }
        Ok(AuditRecord::follow(self.0.head, commit))
    }

    /// The commit was written as this record.
    pub(super) fn take(&mut self, commit: &Commit, record: &AuditRecord) {
        let migration = &commit.entry.migration;
        self.0.standings.insert(migration.clone(), commit.standing.clone());
        if let Some(words) = &commit.evidence {
            self.0.evidence.insert(migration.clone(), words.clone());
        }
        self.0.head = record.receipt();
    }
}
