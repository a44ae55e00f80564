//! `cutover audit`: who did what and why, and whether the log is whole.

use crate::admin_api::{Asked, Fault, text};
use crate::args::verbs::Audit;
use crate::args::{ExportAudit, Output};
use crate::exit::{Exit, print, say};
use crate::paragraph::{counted, labelled, printable};
use cutover::core::migration::Timestamp;
use cutover::store::AuditRecord;
use serde::Deserialize as _;
use serde_json::Value;
use std::io::Write as _;

pub(crate) fn audit(args: &Audit) -> Exit {
    told(if args.verify { verify(args) } else { records(args) })
}

fn told(answer: Result<Exit, Fault>) -> Exit {
    answer.unwrap_or_else(|fault| {
        say(labelled("error: ", &fault.to_string()));
        Exit::Failed
    })
}

pub(crate) fn export(args: &ExportAudit) -> Exit {
    told(every_line(args))
}

/// Every record as the store has it, so that `audit verify` finds the bytes that were hashed.
fn every_line(args: &ExportAudit) -> Result<Exit, Fault> {
    let admin = args.target.admin();
    let mut out = std::io::stdout().lock();
    let mut from = Some(1);
    while let Some(seq) = from {
        let reply = admin.ask(&Asked::get(&format!("/admin/v1/audit?from={seq}&limit=100")))?;
        for record in reply["records"].as_array().into_iter().flatten() {
            let record = AuditRecord::deserialize(record);
            let newer = |error| Fault::NoAnswer(format!("a record of another version: {error}"));
            // A copy that lacks its end must not look like one that has it.
            writeln!(out, "{}", record.map_err(newer)?.line())
                .map_err(|error| Fault::NoAnswer(format!("the export broke off: {error}")))?;
        }
        from = reply["next"].as_u64();
    }
    Ok(Exit::Done)
}

fn verify(args: &Audit) -> Result<Exit, Fault> {
    let reply = args.target.admin().ask(&Asked::get("/admin/v1/audit:verify"))?;
    match args.target.output {
        Output::Json => print(format_args!("{reply:#}")),
        Output::Text => print(format_args!("the audit log is whole: {}", text(&reply, "text"))),
    }
    Ok(Exit::Done)
}

fn records(args: &Audit) -> Result<Exit, Fault> {
    let only = args.name.as_ref().map(|name| format!("&migration={name}")).unwrap_or_default();
    let path = format!("/admin/v1/audit?last={}{only}", args.last);
    let reply = args.target.admin().ask(&Asked::get(&path))?;
    let records = reply["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    match args.target.output {
        Output::Json => print(format_args!("{reply:#}")),
        Output::Text if records.is_empty() => print("nothing has moved yet"),
        Output::Text => {
            records.iter().for_each(|record| print(shown(record)));
            print(format_args!(
                "{}; next: cutover audit --verify",
                counted(records.len(), "record")
            ));
        }
    }
    Ok(Exit::Done)
}

/// A record, as a person reads it.
fn shown(record: &Value) -> String {
    let at = Timestamp::from_millis(record["at_ms"].as_u64().unwrap_or_default());
    let hash: String = text(record, "hash").chars().take(16).collect();
    let command = text(record, "command");
    let what = if command.is_empty() { text(record, "event") } else { command };
    let who = format!("{} ({})", text(record, "by"), text(record, "role"));
    let (from, to) = (text(&record["from"], "text"), text(&record["to"], "text"));
    [
        format!("{}:{hash}  {at}  {}", text(record, "seq"), printable(&text(record, "migration"))),
        labelled("    ", &format!("{} by {}", printable(&what), printable(&who))),
        labelled("    ", &format!("{from} -> {to}")),
        labelled("    why: ", &printable(&text(record, "why"))),
    ]
    .join("\n")
}
