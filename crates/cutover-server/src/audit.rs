//! `cutover audit verify`: is an audit log as it was written? Of a file, without a running proxy.

use crate::args::{Output, VerifyAudit};
use crate::exit::{Exit, print, say};
use crate::paragraph::{labelled, thousands};
use cutover::store::{AuditRecord, Chain, Receipt, Redb};
use serde_json::json;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::str::FromStr;

/// A receipt as it was printed: a number, and the beginning of a hash.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    seq: u64,
    hash: String,
}

/// So few digits that another record could have them by chance, or be made to.
const FEWEST_DIGITS: usize = 12;

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
        let is_hash = |hash: &str| {
            (FEWEST_DIGITS..=64).contains(&hash.len())
                && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        match parts {
            Some((seq, hash)) if is_hash(hash) => Ok(Self { seq, hash: hash.to_owned() }),
            _ => Err("a receipt is a number and the digits printed with it, \
                      12:9f86d081884c7d65"
                .to_owned()),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// A log that is whole, as far as it can be seen.
struct Whole {
    first: u64,
    last: Receipt,
    /// Receipts that are not in it.
    missing: Vec<Wanted>,
}

pub(crate) fn verify(args: &VerifyAudit) -> Exit {
    let whole = match look(&args.file, &args.receipts) {
        Ok(whole) => whole,
        Err(error) => {
            match args.output {
                Output::Json => print(json!({ "whole": false, "error": error.to_string() })),
                Output::Text => say(labelled("error: ", &error.to_string())),
            }
            return Exit::Failed;
        }
    };
    let exit = if whole.missing.is_empty() { Exit::Done } else { Exit::Failed };
    match args.output {
        Output::Json => {
            let missing: Vec<_> = whole.missing.iter().map(ToString::to_string).collect();
            print(json!({
                "whole": missing.is_empty(),
                "first": whole.first,
                "last": whole.last,
                "missing": missing,
            }));
        }
        Output::Text => tell(&whole),
    }
    exit
}

fn tell(whole: &Whole) {
    if whole.last.seq == 0 {
        print("no records");
    } else {
        let (first, last) = (thousands(whole.first), thousands(whole.last.seq));
        print(labelled(
            "",
            &format!(
                "records {first} to {last} are as they were written; the last is {}",
                whole.last
            ),
        ));
    }
    for missing in &whole.missing {
        say(labelled(
            "error: ",
            &format!(
                "receipt {missing} is not in it: the log was put back to an earlier state, or \
                 written anew. Keep a copy of it for whoever looks into that"
            ),
        ));
    }
}

/// Reads a store, its folder, or an export.
fn look(file: &Path, wanted: &[Wanted]) -> anyhow::Result<Whole> {
    let named = |error: io::Error| anyhow::anyhow!("{}: {error}", file.display());
    if file.is_dir() {
        return look(&file.join("state.redb"), wanted);
    }
    let mut whole = Whole { first: 1, last: Receipt::default(), missing: wanted.to_vec() };
    let mut reader = BufReader::new(File::open(file).map_err(named)?);
    let is_export = reader.fill_buf().map_err(named)?.first().is_none_or(|byte| *byte == b'{');
    if !is_export {
        let verified = Redb::inspect(file, |record| whole.found(record))?;
        whole.last = verified.head;
        return Ok(whole);
    }
    let mut chain = Chain::default();
    for (index, line) in reader.split(b'\n').enumerate() {
        let line = line.map_err(named)?;
        if index == 0 {
            chain = Chain::after(before(&line));
        }
        let record = chain.push(&line)?;
        if index == 0 {
            whole.first = record.seq;
        }
        whole.found(&record);
    }
    whole.last = chain.last();
    Ok(whole)
}

/// What the first line of an export follows: it may be a part of a log.
fn before(line: &[u8]) -> Receipt {
    let record = serde_json::from_slice::<AuditRecord>(line).ok();
    record.map_or_else(Receipt::default, |record| Receipt {
        seq: record.seq.saturating_sub(1),
        hash: record.previous,
    })
}

impl Whole {
    fn found(&mut self, record: &AuditRecord) {
        let hash = record.hash.to_string();
        self.missing.retain(|wanted| wanted.seq != record.seq || !hash.starts_with(&wanted.hash));
    }
}
