//! Verbs that move migrations: each is one order to the admin API, and the next useful command.

use crate::admin_api::{Admin, Asked, Fault, text};
use crate::args::verbs::{
    Change, Complete, Goal, Opinion, Plain, Plan, Promote, ReadsOrWrites, Rollback, Rule, Share,
    Traffic,
};
use crate::args::{Output, Target};
use crate::exit::{Exit, print, say};
use crate::paragraph::{labelled, printable};
use serde_json::{Map, Value, json};

/// An order on its way.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    name: &'a str,
    /// The address below the migration's: `:pause`, `/approvals`.
    path: &'static str,
    members: Map<String, Value>,
    /// It moves reads forward, or is about what somebody saw: what it acts upon is read first, and shown.
    looks_first: bool,
    reason: Option<&'a str>,
    dry_run: bool,
    target: &'a Target,
}

impl<'a> Order<'a> {
    fn new(name: &'a str, path: &'static str, change: &'a Change) -> Self {
        let Change { reason, dry_run, target } = change;
        let (members, reason) = (Map::new(), reason.as_deref());
        Self { name, path, members, looks_first: false, reason, dry_run: *dry_run, target }
    }

    pub(crate) fn plain(path: &'static str, args: &'a Plain) -> Self {
        Self::new(&args.name, path, &args.change)
    }

    pub(crate) fn promote(args: &'a Promote) -> Self {
        Self::new(&args.name, ":promote", &args.change).looking_first().toward(&args.goal)
    }

    /// What a promotion would do.
    pub(crate) fn plan(args: &'a Plan) -> Self {
        let order = Self {
            name: &args.name,
            path: ":promote",
            members: Map::new(),
            looks_first: true,
            reason: None,
            dry_run: true,
            target: &args.target,
        };
        order.toward(&args.goal)
    }

    pub(crate) fn set_weight(args: &'a Share) -> Self {
        let order = Self::new(&args.name, ":setWeight", &args.change).looking_first();
        order.with("percent", json!(args.percent))
    }

    pub(crate) fn mirror_traffic(args: &'a Share) -> Self {
        let order = Self::new(&args.name, ":mirrorTraffic", &args.change);
        order.with("percent", json!(args.percent))
    }

    /// Going back looks at nothing first: it must work at once.
    pub(crate) fn rollback(args: &'a Rollback) -> Self {
        let order = Self::new(&args.name, ":rollback", &args.change);
        match (&args.graded, &args.to) {
            (Some(over), _) => order.with("graded", json!(over)),
            (None, Some(to)) => order.with("to", json!(to)),
            (None, None) => order,
        }
    }

    pub(crate) fn opinion(approves: bool, args: &'a Opinion) -> Self {
        let order = Self::new(&args.name, "/approvals", &args.change).toward(&args.goal);
        order.with("evidence", json!(args.evidence)).with("approves", json!(approves))
    }

    pub(crate) fn switch(args: &'a Traffic) -> Self {
        Self::new(&args.name, ":switchTraffic", &args.change).looking_first().of(&args.what)
    }

    pub(crate) fn reverse(args: &'a Traffic) -> Self {
        Self::new(&args.name, ":reverseTraffic", &args.change).of(&args.what)
    }

    pub(crate) fn complete(args: &'a Complete) -> Self {
        let order = Self::new(&args.name, ":complete", &args.change).looking_first();
        order.with("confirm", json!(args.confirm))
    }

    /// About what is compared, and so about evidence that somebody has seen.
    pub(crate) fn rule(path: &'static str, args: &'a Rule) -> Self {
        let order = Self::new(&args.name, path, &args.change).looking_first();
        let list = if args.unordered { "unordered" } else { "ignore" };
        order.with("rule", json!(args.rule)).with("list", json!(list))
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    fn looking_first(self) -> Self {
        Self { looks_first: true, ..self }
    }

    fn toward(self, goal: &Goal) -> Self {
        match (&goal.to, goal.full) {
            (Some(to), _) => self.with("to", json!(to)),
            (None, true) => self.with("full", json!(true)),
            (None, false) => self,
        }
    }

    fn of(self, what: &ReadsOrWrites) -> Self {
        self.with(if what.reads { "reads" } else { "writes" }, json!(true))
    }

    /// Gives the order, and says what came of it.
    pub(crate) fn give(self) -> Exit {
        let Self { name, path, mut members, looks_first, reason, dry_run, target } = self;
        let (admin, output) = (target.admin(), target.output);
        let mut generation = None;
        if looks_first {
            match look(&admin, name) {
                Ok(before) => {
                    generation = before["generation"].as_u64();
                    if output == Output::Text {
                        say(acting_upon(&before));
                    }
                }
                Err(fault) => return refused(&fault, name, output),
            }
        }
        members.insert("reason".to_owned(), json!(reason.unwrap_or("a dry run")));
        members.insert("dryRun".to_owned(), json!(dry_run));
        let body = Value::Object(members);
        let path = format!("/admin/v1/migrations/{name}{path}");
        match admin.ask(&Asked::post(&path, &body).only_if(generation)) {
            Ok(reply) => answered(&reply, output),
            Err(fault) => refused(&fault, name, output),
        }
    }
}

/// The migration as it stands.
fn look(admin: &Admin<'_>, name: &str) -> Result<Value, Fault> {
    admin.ask(&Asked::get(&format!("/admin/v1/migrations/{name}")))
}

/// Nobody acts upon another state than the one they read here.
fn acting_upon(before: &Value) -> String {
    let evidence: String = text(before, "evidence").chars().take(12).collect();
    let (name, position) = (text(before, "name"), text(before, "position"));
    let generation = text(before, "generation");
    format!("acting upon {name}: {position}, generation {generation}, evidence {evidence}")
}

fn answered(reply: &Value, output: Output) -> Exit {
    let missing = reply["missing"].as_array().is_some_and(|missing| !missing.is_empty());
    match output {
        Output::Json => print(format_args!("{reply:#}")),
        Output::Text if reply["dryRun"] == true => print(planned(reply)),
        Output::Text => print(done(reply)),
    }
    if missing { held(&reply["missing"]) } else { Exit::Done }
}

fn planned(reply: &Value) -> String {
    let text = text(reply, "text");
    let lines = text.lines().map(|line| {
        let words = line.trim_start();
        let label = &line[..line.len() - words.len()];
        let (mark, words) = words.split_once(' ').unwrap_or((words, ""));
        labelled(&format!("{label}{mark} "), &printable(words))
    });
    let lines: Vec<String> = lines.collect();
    format!("{}\nnothing was done", lines.join("\n"))
}

fn done(reply: &Value) -> String {
    let name = text(reply, "migration");
    let micros = reply["tookMicros"].as_u64().unwrap_or_default();
    let took = match micros {
        0..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    };
    let what = format!(
        "{} -> {}; written and in force after {took}, generation {}, audit {}",
        text(reply, "from"),
        text(reply, "to"),
        text(reply, "generation"),
        text(reply, "receipt"),
    );
    let mut lines = vec![labelled(&format!("{name}: "), &what)];
    for warning in reply["warnings"].as_array().into_iter().flatten() {
        lines.push(labelled("note: ", warning.as_str().unwrap_or_default()));
    }
    lines.push(format!("next: cutover status {name}"));
    lines.join("\n")
}

/// What is missing says whether to wait, or that something went wrong.
fn held(missing: &Value) -> Exit {
    let wrong = ["failed", "rolled-back", "kill", "rejected", "expired"];
    let all = missing.as_array().into_iter().flatten();
    let mut names = all.filter_map(|blocker| blocker["name"].as_str());
    if names.any(|name| wrong.contains(&name)) { Exit::Failed } else { Exit::Held }
}

fn refused(fault: &Fault, name: &str, output: Output) -> Exit {
    let Fault::Refused(problem) = fault else {
        say(labelled("error: ", &fault.to_string()));
        return Exit::Failed;
    };
    let missing = &problem["missing"];
    let is_missing = missing.as_array().is_some_and(|missing| !missing.is_empty());
    if output == Output::Json {
        print(format_args!("{problem:#}"));
    } else if is_missing {
        say(format_args!("{}:", text(problem, "title").to_lowercase()));
        for blocker in missing.as_array().into_iter().flatten() {
            say(labelled("  - ", &printable(&text(blocker, "text"))));
        }
        say(format_args!("next: cutover status {name} --watch"));
    } else {
        say(labelled("error: ", &fault.to_string()));
    }
    if is_missing { held(missing) } else { Exit::Failed }
}
