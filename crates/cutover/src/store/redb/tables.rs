//! The tables of the database: what is read from them, and written to them.

use super::trouble::Trouble;
use crate::store::image::Image;
use crate::store::{
    AuditRecord, Broken, Chain, Fault, Receipt, StoreError, Verified, chain, standing,
};
use ::redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};
use std::collections::BTreeMap;

/// The version of the tables.
const FORMAT: u32 = 1;

const META: TableDefinition<'_, &str, u32> = TableDefinition::new("meta");
const STANDINGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("standings");
const EVIDENCE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("evidence");
const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
/// Beside the log and not in it, so that a log that was cut is told from one that ends there.
const HEAD: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("head");
const SECRETS: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("secrets");

/// The name under which the version of the tables is kept.
const FORMAT_KEY: &str = "format";
/// The name under which the head of the audit log is kept.
const HEAD_KEY: &str = "audit";

/// Keys, by the names under which they are asked for.
pub(super) type Secrets = BTreeMap<Box<str>, [u8; 32]>;

/// One thing to write.
#[derive(Debug)]
pub(super) enum Write {
    Standing(Box<str>, Vec<u8>),
    Evidence(Box<str>, Vec<u8>),
    Record(Box<AuditRecord>),
    Secret(Box<str>, [u8; 32]),
}

/// Which records of the audit log are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) from: u64,
    pub(super) until: u64,
    pub(super) newest_first: bool,
    pub(super) limit: usize,
    pub(super) migration: Option<&'a str>,
}

/// Are the tables there, and of the version that is known here?
pub(super) fn are_made(view: &ReadTransaction) -> Result<bool, Trouble> {
    let meta = match view.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    match meta.get(FORMAT_KEY)?.map(|format| format.value()) {
        Some(FORMAT) => Ok(true),
        Some(found) => {
            let what = "the store".into();
            Err(StoreError::Version { what, found, known: FORMAT }.into())
        }
        None => Ok(false),
    }
}

/// Makes the tables.
pub(super) fn make(transaction: &WriteTransaction) -> Result<(), Trouble> {
    transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
    transaction.open_table(STANDINGS)?;
    transaction.open_table(EVIDENCE)?;
    transaction.open_table(AUDIT)?;
    transaction.open_table(HEAD)?;
    transaction.open_table(SECRETS)?;
    Ok(())
}

/// Writes all of it.
pub(super) fn write(transaction: &WriteTransaction, writes: &[Write]) -> Result<(), Trouble> {
    let mut standings = transaction.open_table(STANDINGS)?;
    let mut evidence = transaction.open_table(EVIDENCE)?;
    let mut audit = transaction.open_table(AUDIT)?;
    let mut head = transaction.open_table(HEAD)?;
    let mut secrets = transaction.open_table(SECRETS)?;
    for write in writes {
        match write {
            Write::Standing(name, bytes) => {
                standings.insert(&**name, &**bytes)?;
            }
            Write::Evidence(name, bytes) => {
                evidence.insert(&**name, &**bytes)?;
            }
            Write::Record(record) => {
                audit.insert(record.seq, record.line().as_bytes())?;
                let receipt = serde_json::to_vec(&record.receipt());
                head.insert(HEAD_KEY, &*receipt.expect("a receipt can be written as JSON"))?;
            }
            Write::Secret(name, secret) => {
                secrets.insert(&**name, secret)?;
            }
        }
    }
    Ok(())
}

/// Everything but the audit log, of which only the end is looked at.
pub(super) fn image(view: &ReadTransaction) -> Result<Image, Trouble> {
    let mut image = Image::default();
    for row in view.open_table(STANDINGS)?.iter()? {
        let (name, bytes) = row?;
        let standing = standing::decode(name.value(), bytes.value())?;
        image.0.standings.insert(name.value().into(), standing);
    }
    for row in view.open_table(EVIDENCE)?.iter()? {
        let (name, bytes) = row?;
        let words = standing::decode_evidence(name.value(), bytes.value())?;
        image.0.evidence.insert(name.value().into(), words);
    }
    image.0.head = head(view)?;
    check_end(view, image.0.head)?;
    Ok(image)
}

/// The keys that were made.
pub(super) fn secrets(view: &ReadTransaction) -> Result<Secrets, Trouble> {
    let mut secrets = Secrets::new();
    for row in view.open_table(SECRETS)?.iter()? {
        let (name, secret) = row?;
        secrets.insert(name.value().into(), *secret.value());
    }
    Ok(secrets)
}

/// The last record, as it is noted beside the log.
pub(super) fn head(view: &ReadTransaction) -> Result<Receipt, Trouble> {
    let head = view.open_table(HEAD)?;
    let Some(bytes) = head.get(HEAD_KEY)? else {
        return Ok(Receipt::default());
    };
    serde_json::from_slice(bytes.value()).map_err(|error| {
        let what = "the head of the audit log".into();
        StoreError::Nonsense { what, why: error.to_string().into() }.into()
    })
}

/// Does the log end where its head says?
fn check_end(view: &ReadTransaction, head: Receipt) -> Result<(), Trouble> {
    let audit = view.open_table(AUDIT)?;
    let last = match audit.last()? {
        None => Receipt::default(),
        Some((seq, line)) => {
            let seq = seq.value();
            let record = chain::read(line.value()).map_err(|fault| Broken { seq, fault })?;
            Receipt { seq, hash: record.hash }
        }
    };
    chain::end(last, head)?;
    Ok(())
}

/// Records of the audit log.
pub(super) fn records(
    view: &ReadTransaction,
    wanted: &Wanted<'_>,
) -> Result<Vec<AuditRecord>, Trouble> {
    let audit = view.open_table(AUDIT)?;
    let mut rows = audit.range(wanted.from..=wanted.until)?;
    let mut records = Vec::new();
    while records.len() < wanted.limit {
        let row = if wanted.newest_first { rows.next_back() } else { rows.next() };
        let Some(row) = row else { break };
        let (seq, line) = row?;
        let unread = |fault: Fault| Broken { seq: seq.value(), fault };
        let record = chain::read(line.value()).map_err(unread)?;
        if wanted.migration.is_none_or(|name| *record.migration == *name) {
            records.push(record);
        }
    }
    Ok(records)
}

/// Walks the whole audit log.
pub(super) fn verify(
    view: &ReadTransaction,
    each: &mut dyn FnMut(&AuditRecord),
) -> Result<Verified, Trouble> {
    let mut chain = Chain::default();
    for row in view.open_table(AUDIT)?.iter()? {
        let (_, line) = row?;
        each(&chain.push(line.value())?);
    }
    let verified = chain.end(head(view)?)?;
    let standings = image(view)?.0.standings;
    chain.agree(|name| standings.get(name).map(|standing| standing.generation().0))?;
    Ok(verified)
}
