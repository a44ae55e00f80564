//! Verbs that ask a running proxy over its admin API, and `explain`, which may also ask a configuration.

use crate::admin_api::{Admin, Asked, Fault, text};
use crate::args::{Explain, Output, Reload};
use crate::exit::{Exit, print, say};
use crate::paragraph::printable;
use cutover::{Engine, EngineOptions};
use cutover_server::explain::Question;
use cutover_server::surroundings::Source;
use serde_json::{Value, json};
use std::path::Path;

pub(crate) fn explain(args: &Explain) -> Exit {
    let question = match Question::parse(&args.request, &args.headers) {
        Ok(question) => question,
        Err(error) => {
            say(format_args!("error: {error}"));
            return Exit::Usage;
        }
    };
    match &args.admin {
        Some(url) => {
            let admin = Admin { url, token_file: args.token_file.as_deref() };
            let asked = json!(question);
            let reply = admin.ask(&Asked::post("/admin/v1/decide", &asked));
            answer(reply, args.output, explained)
        }
        None => {
            let file = args.config.as_deref().unwrap_or(Path::new("cutover.toml"));
            explain_file(&question, file, args.output)
        }
    }
}

fn explain_file(question: &Question, file: &Path, output: Output) -> Exit {
    let explained = engine_of(file).and_then(|engine| question.ask(&engine));
    match explained {
        Ok(explanation) => {
            match output {
                Output::Text => print(explanation.to_string().trim_end()),
                Output::Json => print(format_args!("{:#}", json!(explanation))),
            }
            Exit::Done
        }
        Err(error) => {
            say(format_args!("error: {}", error.trim_end()));
            Exit::Failed
        }
    }
}

/// An engine with this configuration installed; nothing listens.
fn engine_of(file: &Path) -> Result<Engine, String> {
    let source = Source::new(file);
    let config =
        source.text().and_then(|text| source.check(&text)).map_err(|report| report.to_string())?;
    let options = EngineOptions { workers: 1, ..EngineOptions::default() };
    let engine = Engine::new(options).map_err(|error| error.to_string())?;
    let prepared = engine
        .prepare(config.snapshot, &config.plugins, &source)
        .map_err(|error| error.to_string())?;
    engine.install(prepared);
    Ok(engine)
}

/// The same lines as the library's, from JSON.
fn explained(explanation: &Value) -> String {
    let mut lines = vec![text(explanation, "request")];
    for step in explanation["steps"].as_array().into_iter().flatten() {
        lines.push(format!("  {:<12} {}", text(step, "step"), text(step, "text")));
    }
    lines.join("\n")
}

pub(crate) fn reload(args: &Reload) -> Exit {
    let asked = json!({ "reason": args.reason, "dryRun": args.dry_run });
    let asked = Asked::post("/admin/v1/config:reload", &asked).only_if(args.generation);
    let dry_run = args.dry_run;
    answer(args.target.admin().ask(&asked), args.target.output, move |reply| {
        let generation = &reply["generation"];
        let warnings = reply["warnings"].as_array().map_or(0, Vec::len);
        let done = match dry_run {
            true => format!("checked: would be installed after generation {generation}"),
            false => format!("reloaded: generation {generation} is in force"),
        };
        match warnings {
            0 => done,
            _ => format!("{done}\n{warnings} warnings; `cutover check` shows them"),
        }
    })
}

fn answer(
    reply: Result<Value, Fault>,
    output: Output,
    shown: impl FnOnce(&Value) -> String,
) -> Exit {
    match reply {
        Ok(reply) => {
            match output {
                Output::Text => print(shown(&reply)),
                Output::Json => print(format_args!("{reply:#}")),
            }
            Exit::Done
        }
        Err(error) => {
            // Line by line: findings have several, and control characters of whoever wrote them.
            let lines: Vec<String> = error.to_string().lines().map(printable).collect();
            say(format_args!("error: {}", lines.join("\n")));
            Exit::Failed
        }
    }
}
