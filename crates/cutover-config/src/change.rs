//! What would change if a running process took over another configuration, and what it cannot take over.

use crate::Config;
use crate::document::{Document, MigrationDocument};
use crate::finding::{Finding, Severity};
use cutover_core::Percent;
use std::collections::{HashMap, HashSet};

/// The difference between two configurations, from the running one's point of view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What would change, one sentence each; empty if nothing would.
    pub allowed: Vec<String>,
    /// What cannot change now, and what to do instead. If there is any, nothing may be taken over.
    pub refused: Vec<Finding>,
    /// What is taken over but changes nothing, and what would. Warnings.
    pub ignored: Vec<Finding>,
}

impl Change {
    /// Nothing differs?
    pub fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.refused.is_empty() && self.ignored.is_empty()
    }

    fn allow(&mut self, what: String) {
        self.allowed.push(what);
    }

    fn refuse(&mut self, key: &str, what: &str, help: &str) {
        self.refused.push(Finding::whole(Severity::Error, key, what, Some(help)));
    }
}

/// What an operator does about settings that a process keeps from its start to its end.
const RESTART: &str = "restart, or start the new one beside it with `cutover run --upgrade`, which \
                       loses no request";

/// What a configuration cannot know of a migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Motion {
    /// Reads may be on `new`, so that users would notice if it became another migration.
    pub moving: bool,
    /// It has left the first state that the configuration gives it.
    pub moved: bool,
}

/// Compares the configuration in force with the one that is to follow it. `motion` says how far the migration of that
/// name has come.
pub fn change(old: &Config, new: &Config, motion: &dyn Fn(&str) -> Motion) -> Change {
    let mut change = Change::default();
    let (old, new) = (&old.document, &new.document);
    process(old, new, &mut change);
    let backend = |entry: &crate::document::BackendDocument| entry.name.value.clone();
    named("backend", &old.backends, &new.backends, backend, &mut change);
    named("plugin", &old.plugins, &new.plugins, |p| p.name.value.clone(), &mut change);
    routes(old, new, &mut change);
    for before in &old.migrations {
        let motion = motion(&before.name.value);
        match new.migrations.iter().find(|after| after.name == before.name) {
            None => removed(before, motion.moving, &mut change),
            Some(after) => migration(before, after, motion, &mut change),
        }
    }
    for after in &new.migrations {
        if old.migrations.iter().all(|before| before.name != after.name) {
            change.allow(format!("migration {} is added", after.name.value));
        }
    }
    change
}

/// Settings that a process keeps from its start to its end.
fn process(old: &Document, new: &Document, change: &mut Change) {
    let (a, b) = (&old.server, &new.server);
    let mut fixed = |key: &str, differs: bool, noun: &str| {
        if differs {
            change.refuse(key, &format!("{noun} cannot change under a running process"), RESTART);
        }
    };
    fixed("server.listen", a.listen != b.listen, "listeners");
    fixed("server.threads", a.threads != b.threads, "the number of threads");
    fixed("server.header-timeout", a.header_timeout != b.header_timeout, "the header's limit");
    fixed("server.idle-timeout", a.idle_timeout != b.idle_timeout, "the idle limit");
    let limits = |s: &crate::ServerSettings| (s.max_header_bytes, s.max_headers);
    fixed("server.max-header-bytes", limits(a) != limits(b), "limits of headers");
    fixed("server.access-log", a.access_log != b.access_log, "the access log");
    fixed("admin.listen", old.admin.listen != new.admin.listen, "the admin listener");
    fixed("state.store", old.state != new.state, "the store");
    if old.admin.tokens != new.admin.tokens {
        change.allow("admin.tokens change".to_owned());
    }
    if a.drain != b.drain {
        change.allow(format!("server.drain becomes {}", crate::units::print_duration(b.drain)));
    }
    if a.debug_headers != b.debug_headers {
        change.allow(format!("server.debug-headers becomes {}", b.debug_headers));
    }
    if old.telemetry != new.telemetry {
        change.allow("telemetry changes".to_owned());
    }
    if a.trusted_proxies != b.trusted_proxies {
        change.allow("server.trusted-proxies changes".to_owned());
    }
}

/// Named things that may come, go and change at any time.
fn named<T: PartialEq>(
    noun: &str,
    old: &[T],
    new: &[T],
    name: impl Fn(&T) -> String,
    change: &mut Change,
) {
    let before: HashMap<String, &T> = old.iter().map(|entry| (name(entry), entry)).collect();
    let after: HashSet<String> = new.iter().map(&name).collect();
    for entry in new {
        let entry_name = name(entry);
        match before.get(&entry_name) {
            None => change.allow(format!("{noun} {entry_name} is added")),
            Some(known) if *known != entry => {
                change.allow(format!("{noun} {entry_name} changes"));
            }
            Some(_) => {}
        }
    }
    for gone in old.iter().map(&name).filter(|known| !after.contains(known)) {
        change.allow(format!("{noun} {gone} is removed"));
    }
}

/// Routes have no names: what counts is how many differ.
fn routes(old: &Document, new: &Document, change: &mut Change) {
    if old.routes == new.routes {
        return;
    }
    let (before, after) = (old.routes.len(), new.routes.len());
    if before == after {
        let differing = old.routes.iter().zip(&new.routes).filter(|(a, b)| a != b).count();
        change.allow(format!("{differing} of {after} routes change"));
    } else {
        change.allow(format!("{before} routes become {after}"));
    }
}

fn removed(before: &MigrationDocument, moves: bool, change: &mut Change) {
    let name = &before.name.value;
    if moves {
        let key = format!("migrations.{name}");
        let what = format!("migration {name} is moving and cannot be removed");
        let help = format!(
            "first `cutover abort {name}`, and remove it then; or give its routes to the new \
             backend when it is complete"
        );
        change.refuse(&key, &what, &help);
    } else {
        change.allow(format!("migration {name} is removed"));
    }
}

fn migration(
    before: &MigrationDocument,
    after: &MigrationDocument,
    motion: Motion,
    change: &mut Change,
) {
    if before == after {
        return;
    }
    let name = &before.name.value;
    let known = change.refused.len();
    if motion.moving {
        fixed_while_moving(before, after, change);
    }
    if change.refused.len() > known {
        return;
    }
    let allowed = change.allowed.len();
    if motion.moved {
        first_state(before, after, change);
    } else {
        percents(before, after, change);
    }
    if before.disabled != after.disabled {
        let state = if after.disabled { "disabled: everything to old" } else { "enabled again" };
        change.allow(format!("migration {name} is {state}"));
    }
    if without_percents(before) != without_percents(after) {
        let said = change.allowed.len() > allowed;
        let also = if said { "other settings change too" } else { "settings change" };
        change.allow(format!("migration {name}: {also}"));
    }
}

/// A migration, but for what has been said about it by then.
fn without_percents(migration: &MigrationDocument) -> MigrationDocument {
    let mut rest = MigrationDocument { read_percent: None, disabled: false, ..migration.clone() };
    rest.plan.first = None;
    rest.plan.mirror.percent = Percent::ZERO;
    rest
}

/// The first state of a migration that stands in it.
fn percents(before: &MigrationDocument, after: &MigrationDocument, change: &mut Change) {
    let name = &before.name.value;
    let percent = |m: &MigrationDocument| match m.read_percent {
        Some(at) => format!("canary at {}", at.value),
        None => "off".to_owned(),
    };
    if before.read_percent != after.read_percent {
        change.allow(format!("migration {name}: {} becomes {}", percent(before), percent(after)));
    }
    let [was, is] = [before, after].map(|m| m.plan.mirror.percent);
    if was != is {
        change.allow(format!("migration {name}: mirror-percent {was} becomes {is}"));
    }
}

/// The first state of a migration that has left it: the change is taken over, and changes nothing.
fn first_state(before: &MigrationDocument, after: &MigrationDocument, change: &mut Change) {
    let name = &before.name.value;
    let mut ignore = |key: &str, differs: bool, verb: &str| {
        if differs {
            let what =
                format!("migration {name} has moved: {key} is only its first state; use {verb}");
            let (key, help) = (format!("migrations.{name}.{key}"), format!("{verb} {name}"));
            change.ignored.push(Finding::whole(Severity::Warning, &key, &what, Some(&help)));
        }
    };
    ignore("read-percent", before.read_percent != after.read_percent, "cutover set-weight");
    let mirror = before.plan.mirror.percent != after.plan.mirror.percent;
    ignore("mirror-percent", mirror, "cutover mirror-traffic");
}

/// What would send users to the other side, or to another system, without anybody having decided it.
fn fixed_while_moving(before: &MigrationDocument, after: &MigrationDocument, change: &mut Change) {
    let name = &before.name.value;
    let mut refuse = |key: &str, what: &str, help: &str| {
        let key = format!("migrations.{name}.{key}");
        change.refuse(&key, &format!("migration {name} is moving: {what}"), help);
    };
    let off = format!("first `cutover abort {name}`; users then start again from old");
    let aside = format!("change the backend's addresses instead, or first `cutover abort {name}`");
    if before.key != after.key {
        refuse("key", "another key would send users to the other side", &off);
    }
    if before.plan.course.salt != after.plan.course.salt {
        refuse("salt", "another salt would send users to the other side", &off);
    }
    if before.old != after.old {
        refuse("old", "its old backend cannot be another one", &aside);
    }
    if before.new != after.new {
        refuse("new", "its new backend cannot be another one", &aside);
    }
}
