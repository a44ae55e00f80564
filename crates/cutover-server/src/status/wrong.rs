//! What is wrong with a running proxy, and what to do about each.

use super::{ago, list};
use crate::admin_api::text;
use crate::paragraph::printable;
use serde::Serialize;
use serde_json::Value;

/// A side whose errors are fewer than this is too little to judge it by.
const FEW_ERRORS: u64 = 10;

/// One thing that is wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Wrong {
    /// What.
    pub(super) what: String,
    /// What to do; a command, if one helps. `{admin}` stands for the admin API's URL.
    pub(super) next: String,
}

/// Everything that is wrong, the worst first.
pub(super) fn of(status: &Value) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if status["ready"] != true {
        wrong.push(Wrong {
            what: "it is draining, and takes no new connections".to_owned(),
            next: "wait for its end, and look whether another process has taken over".to_owned(),
        });
    }
    wrong.extend(list(&status["migrations"]).iter().flat_map(of_migration));
    wrong.extend(list(&status["backends"]).iter().filter_map(of_backend));
    let last = &status["lastReload"];
    if last["outcome"] == "refused" {
        wrong.push(Wrong {
            what: format!(
                "the last reload was refused {} ago: generation {} stays in force",
                ago(status, last),
                text(status, "generation")
            ),
            next: format!("cutover check {}", text(status, "file")),
        });
    }
    wrong
}

fn of_migration(migration: &Value) -> Vec<Wrong> {
    let name = text(migration, "name");
    let mut wrong = went_back(migration, &name);
    let breaker = text(migration, "breaker");
    let stopped = migration["disabled"] == true || migration["rolledBack"] == true;
    if breaker != "closed" && !stopped {
        wrong.push(Wrong {
            what: format!(
                "{name}: the breaker is {breaker}: new failed too often, and old serves the reads \
                 of all its users. It closes by itself once new answers again"
            ),
            next: format!(
                "mend {}; or set disabled = true in [migrations.{name}], and then\n\
                 cutover reload --admin {{admin}} --reason '…'",
                text(migration, "new")
            ),
        });
    }
    wrong.extend(errors(migration, &name).filter(|_| !stopped));
    for plugin in list(&migration["plugins"]).iter().filter(|plugin| plugin["state"] != "serving") {
        let plugin_name = text(plugin, "name");
        wrong.push(Wrong {
            what: format!(
                "{name}: plugin {plugin_name} is {}: it failed again and again, and its on-error \
                 says what requests get",
                text(plugin, "state")
            ),
            next: format!(
                "look for {plugin_name} in the process's log; put back the component that worked, \
                 and then\ncutover reload --admin {{admin}} --reason '…'"
            ),
        });
    }
    wrong
}

/// What took reads back, stopped the migration, or cannot be written.
fn went_back(migration: &Value, name: &str) -> Vec<Wrong> {
    if migration["health"] != "failed" {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let trouble = text(migration, "trouble");
    if !trouble.is_empty() {
        wrong.push(Wrong {
            what: format!("{name}: nothing can be written: {trouble}"),
            next: format!(
                "until it is mended, disabled = true in [migrations.{name}] takes reads back"
            ),
        });
    }
    let (held, command) = (list(&migration["held"]), text(&migration["next"], "command"));
    let next = match &*command {
        "" => text(&migration["next"], "because"),
        command => format!("cutover {command} --reason '…'"),
    };
    wrong.extend(
        held.iter()
            .filter_map(Value::as_str)
            .map(|held| Wrong { what: format!("{name}: {}", printable(held)), next: next.clone() }),
    );
    let red = list(&migration["gates"]).iter().filter(|gate| gate["verdict"] == "fail");
    if wrong.is_empty() {
        wrong.extend(red.map(|gate| Wrong {
            what: format!("{name}: {}", printable(&text(gate, "text"))),
            next: format!("cutover rollback {name} --reason '…'"),
        }));
    }
    wrong
}

/// Does new fail much more often than old? Its fallbacks count: users did not see them, but new failed.
fn errors(migration: &Value, name: &str) -> Option<Wrong> {
    let count = |side: &str, role: &str, key: &str| {
        let all = list(&migration["answered"]).iter();
        let mut of = all.filter(|a| a["side"] == side && a["role"] == role);
        of.next().and_then(|answered| answered[key].as_u64()).unwrap_or_default()
    };
    let fallbacks = count("old", "fallback", "requests");
    let errors = count("new", "served", "errors") + fallbacks;
    let requests = count("new", "served", "requests") + fallbacks;
    let share = |errors: u64, requests: u64| 100.0 * errors as f64 / requests.max(1) as f64;
    let new = share(errors, requests);
    let old = share(count("old", "served", "errors"), count("old", "served", "requests"));
    (errors >= FEW_ERRORS && new > 1.0 && new > 2.0 * old).then(|| Wrong {
        what: format!(
            "{name}: of what new was asked since the process began {new:.1} % failed; of what old \
             was asked {old:.1} %"
        ),
        next: format!("look into the logs of {}", text(migration, "new")),
    })
}

fn of_backend(backend: &Value) -> Option<Wrong> {
    let addresses = list(&backend["addresses"]);
    let out = addresses.iter().filter(|address| address["usable"] != true).count();
    let name = text(backend, "backend");
    let what = match (out, addresses.len()) {
        (_, 0) => format!("{name}: no address is known; its names cannot be looked up"),
        (0, _) => return None,
        (_, 1) => format!("{name}: its address is left out: it cannot be reached, or is unhealthy"),
        (_, all) => {
            format!("{name}: {out} of {all} addresses are left out: not reached, or unhealthy")
        }
    };
    let first = addresses.iter().find(|address| address["usable"] != true);
    let next = first.map_or_else(
        || "look into the resolver of this machine".to_owned(),
        |address| format!("curl -v http://{}/", text(address, "address")),
    );
    Some(Wrong { what, next })
}
