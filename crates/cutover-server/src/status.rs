//! `cutover status`: who is served by whom, what is wrong, and the next useful command, for whoever was woken.

use crate::admin_api::{Asked, text};
use crate::args::{List, Output, Status};
use crate::exit::{Exit, print, say};
use crate::paragraph::{labelled, printable, thousands};
use screen::{coloured, screen};
use serde_json::{Value, json};
use std::time::Duration;
use wrong::Wrong;

mod minute;
mod moving;
mod screen;
mod wrong;

/// How often a watched status is asked for.
const EVERY: Duration = Duration::from_secs(2);

pub(crate) fn status(args: &Status) -> Exit {
    if args.watch {
        return watch(args);
    }
    match ask(args) {
        Ok(told) => {
            match args.target.output {
                Output::Text => print(coloured(&told.text)),
                Output::Json => print(format_args!("{:#}", told.reply)),
            }
            told.exit
        }
        Err(error) => {
            say(labelled("error: ", &error));
            Exit::Failed
        }
    }
}

/// What somebody on call leaves open. What goes wrong with asking is shown, and asked again.
fn watch(args: &Status) -> Exit {
    let pause = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let pause = match pause {
        Ok(pause) => pause,
        Err(error) => {
            say(format_args!("error: cannot start: {error}"));
            return Exit::Failed;
        }
    };
    loop {
        match ask(args) {
            Ok(told) if args.target.output == Output::Json => print(told.reply),
            Ok(told) => print(screen(&told.text)),
            Err(error) => print(screen(&labelled("error: ", &error))),
        }
        pause.block_on(async { tokio::time::sleep(EVERY).await });
    }
}

/// A status, as it is told.
struct Told {
    reply: Value,
    text: String,
    exit: Exit,
}

fn ask(args: &Status) -> Result<Told, String> {
    let admin = args.target.admin();
    let reply = admin.ask(&Asked::get("/admin/v1/status")).map_err(|fault| fault.to_string())?;
    let mut reply = only(reply, args.name.as_deref())?;
    let wrong = wrong::of(&reply);
    let text = shown(&reply, &wrong, admin.url);
    reply["wrong"] = json!(wrong);
    let held = list(&reply["migrations"]).iter().any(|migration| migration["health"] == "held");
    let exit = match (wrong.is_empty(), held) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::Held,
        (true, false) => Exit::Done,
    };
    Ok(Told { reply, text, exit })
}

/// One line for each migration.
pub(crate) fn list_all(args: &List) -> Exit {
    let reply = args.target.admin().ask(&Asked::get("/admin/v1/migrations"));
    let reply = match reply {
        Ok(reply) => reply,
        Err(fault) => {
            say(labelled("error: ", &fault.to_string()));
            return Exit::Failed;
        }
    };
    if args.target.output == Output::Json {
        print(format_args!("{reply:#}"));
        return Exit::Done;
    }
    print(format_args!(
        "{:<30} {:<16} {:>7} {:>7}  HEALTH",
        "MIGRATION", "PHASE", "READS", "MIRROR"
    ));
    for migration in list(&reply["migrations"]) {
        print(format_args!(
            "{:<30} {:<16} {:>7} {:>7}  {}",
            cut(&text(migration, "name"), 30),
            text(migration, "position"),
            text(migration, "readPercent"),
            text(migration, "mirrorPercent"),
            text(migration, "health"),
        ));
    }
    Exit::Done
}

/// Only the migration of that name, and its backends.
fn only(mut reply: Value, name: Option<&str>) -> Result<Value, String> {
    let Some(name) = name else { return Ok(reply) };
    let migrations = reply["migrations"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let Some(migration) = migrations.into_iter().find(|migration| migration["name"] == name) else {
        return Err(format!("there is no migration `{name}`; `cutover status` lists them"));
    };
    if let Some(backends) = reply["backends"].as_array_mut() {
        backends.retain(|backend| {
            ["old", "new"].iter().any(|side| migration[*side] == backend["backend"])
        });
    }
    reply["migrations"] = json!([migration]);
    Ok(reply)
}

fn shown(reply: &Value, wrong: &[Wrong], admin: &str) -> String {
    let mut lines = heading(reply);
    let migrations = list(&reply["migrations"]);
    if migrations.is_empty() {
        lines.push("no migrations; [migrations.NAME] in the configuration makes one".to_owned());
    }
    for migration in migrations {
        lines.push(String::new());
        lines.extend(of_migration(migration));
    }
    lines.push(String::new());
    lines.extend(of_backends(list(&reply["backends"])));
    lines.push(String::new());
    if wrong.is_empty() {
        lines.push("nothing is wrong".to_owned());
        if migrations.iter().all(|migration| migration["next"].is_null()) {
            lines.push("next: cutover explain 'GET /path' -H 'name: value' --admin URL".to_owned());
        }
    }
    for Wrong { what, next } in wrong {
        lines.push(labelled("wrong: ", what));
        let next = next.replace("{admin}", admin);
        lines.push(labelled("next:  ", &next));
    }
    lines.join("\n")
}

fn heading(reply: &Value) -> Vec<String> {
    let (version, generation) = (text(reply, "version"), text(reply, "generation"));
    let ready = if reply["ready"] == true { "takes traffic" } else { "is draining" };
    let mut lines = vec![format!("cutover {version} {ready}, generation {generation}")];
    let last = &reply["lastReload"];
    if !last.is_null() {
        let ago = ago(reply, last);
        let what = format!(
            "{} {ago} ago by {}: {}",
            text(last, "outcome"),
            text(last, "trigger"),
            // Whoever reloaded chose it; it must not speak to this terminal.
            printable(&text(last, "reason"))
        );
        lines.push(labelled("last reload ", &what));
    }
    lines
}

/// How long ago, in one unit.
fn ago(reply: &Value, last: &Value) -> String {
    let ms = |value: &Value| value.as_u64().unwrap_or_default();
    let s = ms(&reply["nowMs"]).saturating_sub(ms(&last["atMs"])) / 1_000;
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", s / 60),
        7_200..172_800 => format!("{} h", s / 3_600),
        _ => format!("{} days", s / 86_400),
    }
}

fn of_migration(migration: &Value) -> Vec<String> {
    let (old, new) = (text(migration, "old"), text(migration, "new"));
    let stands = match (&migration["disabled"], &migration["rolledBack"]) {
        (Value::Bool(true), _) => "disabled: everything goes to old".to_owned(),
        (_, Value::Bool(true)) => "rolled back: everything goes to old".to_owned(),
        _ => format!(
            "{}, {} of users read from new, {} takes writes, breaker {}",
            text(migration, "phase"),
            text(migration, "readPercent"),
            text(migration, "writeOwner"),
            text(migration, "breaker"),
        ),
    };
    let mut lines = vec![labelled(&format!("{}: ", text(migration, "name")), &stands)];
    lines.extend(minute::lines(migration));
    lines.push(table_heading("SINCE THE PROCESS BEGAN"));
    for answered in list(&migration["answered"]) {
        let who = match (answered["side"].as_str(), answered["role"].as_str()) {
            (Some("new"), _) => format!("new ({new})"),
            (_, Some("fallback")) => "old, after new had failed".to_owned(),
            (_, Some("breaker")) => "old, while the breaker was open".to_owned(),
            _ => format!("old ({old})"),
        };
        let requests = answered["requests"].as_u64().unwrap_or_default();
        // What has never happened is left out, but for the two sides themselves.
        if requests == 0 && answered["role"] != "served" {
            continue;
        }
        lines.push(row(&who, answered));
    }
    for side in ["old", "new"] {
        let failed = list(&migration["failedAttempts"]).iter().filter(|f| f["side"] == side);
        let failed: Vec<_> = failed
            .map(|f| {
                format!(
                    "{} {}",
                    thousands(f["count"].as_u64().unwrap_or_default()),
                    text(f, "cause")
                )
            })
            .collect();
        if !failed.is_empty() {
            lines
                .push(labelled(&format!("  attempts that failed at {side}: "), &failed.join(", ")));
        }
    }
    lines.extend(list(&migration["plugins"]).iter().map(of_plugin));
    lines.extend(moving::lines(migration));
    lines
}

fn table_heading(what: &str) -> String {
    format!("  {what:<31} {:>11} {:>14} {:>8} {:>8}", "REQUESTS", "ERRORS", "P50", "P99")
}

/// Who has answered how much, and how.
fn row(who: &str, answered: &Value) -> String {
    let requests = answered["requests"].as_u64().unwrap_or_default();
    format!(
        "  {:<31} {:>11} {:>14} {:>8} {:>8}",
        cut(who, 31),
        thousands(requests),
        failed(answered["errors"].as_u64().unwrap_or_default(), requests),
        took(&answered["p50Ms"]),
        took(&answered["p99Ms"]),
    )
}

fn of_plugin(plugin: &Value) -> String {
    let count = |key: &str| thousands(plugin[key].as_u64().unwrap_or_default());
    let name = format!("  plugin {}: ", text(plugin, "name"));
    let (calls, faults) = (count("calls"), count("faults"));
    labelled(
        &name,
        &format!("{}, {calls} calls in this generation, {faults} failed", text(plugin, "state")),
    )
}

fn of_backends(backends: &[Value]) -> Vec<String> {
    let mut lines = vec![format!("{:<26} {:<24} {}", "BACKEND", "ADDRESS", "STATE")];
    for backend in backends {
        let name = text(backend, "backend");
        let addresses = list(&backend["addresses"]);
        if addresses.is_empty() {
            lines.push(format!("{:<26} {:<24} not looked up", cut(&name, 26), "none known"));
        }
        for address in addresses {
            let failures = address["connectFailures"].as_u64().unwrap_or_default();
            let flight = address["inFlight"].as_u64().unwrap_or_default();
            let state = match (address["usable"] == true, failures) {
                (true, 0) => format!("usable, {} in flight", thousands(flight)),
                (true, _) => format!("usable, {failures} connects failed"),
                (false, _) => "left out".to_owned(),
            };
            let address = text(address, "address");
            lines.push(format!("{:<26} {:<24} {state}", cut(&name, 26), cut(&address, 24)));
        }
    }
    if backends.is_empty() {
        lines.push("none".to_owned());
    }
    lines
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// A count of errors, and its share.
fn failed(errors: u64, requests: u64) -> String {
    match errors {
        0 => "0".to_owned(),
        _ => {
            let share = 100.0 * errors as f64 / requests.max(1) as f64;
            format!("{} ({share:.2}%)", thousands(errors))
        }
    }
}

/// Milliseconds as people say them; a dash of nothing.
fn took(ms: &Value) -> String {
    match ms.as_f64() {
        None => "-".to_owned(),
        Some(ms) if ms >= 10_000.0 => ">10 s".to_owned(),
        Some(ms) if ms >= 1_000.0 => format!("{:.1} s", ms / 1e3),
        Some(ms) if ms >= 10.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{ms:.1} ms"),
    }
}

#[cfg(test)]
mod tests;
