//! Verbs that ask a running proxy over its admin API, and `explain`, which may also ask a configuration.

use crate::args::{Explain, Output, Reload};
use crate::exit::{Exit, print, say};
use crate::paragraph::printable;
use cutover::{Engine, EngineOptions};
use cutover_server::explain::Question;
use cutover_server::surroundings::Source;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// How long the admin API may take; plugins may have to be compiled.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Largest reply that is read.
const MAX_REPLY: usize = 64 * 1024 * 1024;

pub(crate) fn explain(args: &Explain) -> Exit {
    let question = match Question::parse(&args.request, &args.headers) {
        Ok(question) => question,
        Err(error) => {
            say(format_args!("error: {error}"));
            return Exit::Usage;
        }
    };
    match &args.admin {
        Some(admin) => {
            let asked = json!(question);
            let path = "/admin/v1/decide";
            answer(ask(Method::POST, admin, path, Some(&asked), None), args.output, explained)
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
    let reply =
        ask(Method::POST, &args.admin, "/admin/v1/config:reload", Some(&asked), args.generation);
    let dry_run = args.dry_run;
    answer(reply, args.output, move |reply| {
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

/// A member as text; empty if there is none.
pub(crate) fn text(value: &Value, key: &str) -> String {
    let value = &value[key];
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    }
}

fn answer(
    reply: Result<Value, String>,
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
            let lines: Vec<String> = error.lines().map(printable).collect();
            say(format_args!("error: {}", lines.join("\n")));
            Exit::Failed
        }
    }
}

/// One request to the admin API. The error is a sentence for people.
pub(crate) fn ask(
    method: Method,
    admin: &str,
    path: &str,
    body: Option<&Value>,
    generation: Option<u64>,
) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let admin = admin.trim_end_matches('/');
    let mut request = Request::builder().method(method).uri(format!("{admin}{path}"));
    if let Some(generation) = generation {
        request = request.header(header::IF_MATCH, format!("\"{generation}\""));
    }
    let body = body.map(ToString::to_string).unwrap_or_default();
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| format!("`{admin}` is not a URL: write --admin http://127.0.0.1:8081"))?;
    runtime.block_on(async {
        tokio::time::timeout(ANSWER_WITHIN, exchange(admin, request))
            .await
            .map_err(|_| format!("{admin} did not answer within {ANSWER_WITHIN:?}"))?
    })
}

async fn exchange(admin: &str, request: Request<Full<Bytes>>) -> Result<Value, String> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let reply = client.request(request).await.map_err(|error| {
        format!("no admin API at {admin} ({error}): is `cutover run` up? --admin gives another URL")
    })?;
    let status = reply.status();
    let body = Limited::new(reply.into_body(), MAX_REPLY).collect().await;
    let body = body.map_err(|error| format!("{admin}: the reply broke off: {error}"))?.to_bytes();
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| format!("{admin} answered {status}, but not with JSON: is it cutover?"))?;
    if status == StatusCode::OK {
        return Ok(body);
    }
    let (title, detail) = (text(&body, "title"), text(&body, "detail"));
    Err(format!("{title}: {}", detail.trim_end()))
}
