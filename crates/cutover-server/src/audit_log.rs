//! `cutover audit`: who did what and why, and whether the log is whole.

use crate::admin_api::{Asked, Fault, text};
use crate::args::Output;
use crate::args::verbs::Audit;
use crate::exit::{Exit, print, say};
use crate::paragraph::{counted, labelled, printable};
use cutover::core::migration::Timestamp;
use serde_json::Value;

pub(crate) fn audit(args: &Audit) -> Exit {
    let answer = if args.verify { verify(args) } else { records(args) };
    answer.unwrap_or_else(|fault| {
        say(labelled("error: ", &fault.to_string()));
        Exit::Failed
    })
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
