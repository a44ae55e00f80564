//! What the parts of a migration must be together.

use super::Names;
use crate::document::{MigrationDocument, SecretSource};
use crate::place::{Sink, Span};
use crate::reader::nearest;
use crate::settings::Surroundings;
use crate::units::{print_duration, print_size};
use cutover_core::evidence::Gate;
use cutover_core::key::KeySource;
use cutover_core::{Bucketing, Percent};
use std::collections::{HashMap, HashSet};

/// A secret shorter than this can be guessed.
const SHORT_SECRET: usize = 16;

pub(super) fn check(
    migration: &MigrationDocument,
    names: &Names<'_>,
    around: &dyn Surroundings,
    sink: &Sink,
) {
    let about = About { migration, sink };
    names.backend(&migration.old, sink, || about.key("old"));
    names.backend(&migration.new, sink, || about.key("new"));
    if !migration.old.is_empty() && migration.old == migration.new {
        let help = "name the backend that takes over; both may have the same addresses";
        about.error("new", migration.new.span, "old and new are the same backend", help);
    }
    for (hook, name) in migration.plugins.given() {
        names.plugin(name, &about.key(&format!("plugins.{hook}")), sink);
    }
    about.lists();
    about.path_keys();
    about.sticky();
    about.salt();
    about.secret(around);
    about.expiry(around);
    about.critical();
    about.deadline(names);
    about.room(names);
}

/// One migration under inspection.
struct About<'d> {
    migration: &'d MigrationDocument,
    sink: &'d Sink,
}

impl About<'_> {
    fn key(&self, key: &str) -> String {
        format!("migrations.{}.{key}", self.migration.name.value)
    }

    fn error(&self, key: &str, span: Span, what: impl ToString, help: impl ToString) {
        self.sink.error(span, self.key(key), what, help);
    }

    fn warning(&self, key: &str, span: Span, what: impl ToString, help: impl ToString) {
        self.sink.warning(span, self.key(key), what, help);
    }

    fn lists(&self) {
        let denied: HashSet<&str> = self.migration.deny.iter().map(|user| user.as_str()).collect();
        for user in self.migration.allow.iter().filter(|user| denied.contains(user.as_str())) {
            let what = format!("{:?} is on both lists; deny wins", user.value);
            self.warning("allow", user.span, what, "remove it from one of them");
        }
        let first = self.migration.allow.first().or(self.migration.deny.first());
        if let Some(user) = first.filter(|_| self.migration.key.is_empty()) {
            let what = "nobody can be found on a list without a key";
            self.error("key", user.span, what, "add key = [{ header = \"x-user-id\" }]");
        }
    }

    /// A key in the path must be a parameter of a route.
    fn path_keys(&self) {
        let params: HashSet<&str> = self
            .migration
            .routes
            .iter()
            .flat_map(|route| params(&route.matching.spec.path))
            .collect();
        for source in &self.migration.key {
            let KeySource::Path(name) = &source.value else { continue };
            if params.contains(&**name) {
                continue;
            }
            let help = match nearest(name, params.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("name it in a route: path = \"/user/{{{name}}}\""),
            };
            let what = format!("no route of the migration has a parameter {{{name}}}");
            self.error("key", source.span, what, help);
        }
    }

    /// A percent needs a key, or it moves nobody.
    fn sticky(&self) {
        let migration = self.migration;
        let Some(percent) = migration.read_percent else { return };
        let moves = percent.value > Percent::ZERO && migration.plugins.split.is_none();
        if moves && migration.key.is_empty() {
            let what = "without a key nobody has a bucket: every read goes to old";
            let help = "add key = [{ header = \"x-user-id\" }, { cookie = \"sid\" }]";
            self.error("read-percent", percent.span, what, help);
        }
        let fraction = !percent.value.thousandths().is_multiple_of(1_000);
        if fraction && migration.bucketing == Bucketing::Unleash {
            let what = "unleash knows whole percents only: the whole percent below counts";
            self.warning("read-percent", percent.span, what, "write a whole percent");
        }
    }

    fn salt(&self) {
        let Some(salt) = &self.migration.salt else { return };
        if salt.value == "group" && self.migration.plan.group.is_none() {
            let what = "salt = \"group\" shares the group's cohort, but there is no group";
            self.error("salt", salt.span, what, "add group = \"accounts\", or remove salt");
        }
    }

    fn secret(&self, around: &dyn Surroundings) {
        let Some(qa) = &self.migration.qa else { return };
        let span = qa.secret.span;
        match read_secret(&qa.secret, around) {
            Ok(secret) if secret.len() < SHORT_SECRET => {
                let what = format!("a secret of fewer than {SHORT_SECRET} bytes can be guessed");
                self.error("qa-secret", span, what, "make one: openssl rand -hex 32");
            }
            Ok(_) => {}
            Err((what, help)) => self.error("qa-secret", span, what, help),
        }
    }

    fn expiry(&self, around: &dyn Surroundings) {
        let Some((year, month, day)) = around.today() else { return };
        let expires = self.migration.plan.expires;
        if expires.year > 0 && (expires.year, expires.month, expires.day) < (year, month, day) {
            let what = format!("the migration expired on {expires}; traffic is not moved by that");
            let help = "finish and remove it, or set a later day";
            self.warning("expires", self.migration.expires, what, help);
        }
    }

    /// Critical routes are the gate `coverage`'s affair.
    fn critical(&self) {
        let Some(at) = self.migration.routes.iter().position(|route| route.critical) else {
            return;
        };
        let gates = &self.migration.plan.course.gates;
        if gates.iter().any(|name| **name == *Gate::Coverage.name()) {
            return;
        }
        let what = "no step waits for critical routes: the gate `coverage` is not required";
        let help = "add \"coverage\" to gates.required, or remove `critical`";
        let span = self.migration.routes[at].matching.path;
        self.warning(&format!("routes[{at}].critical"), span, what, help);
    }

    /// What `new` is given of the deadline must be enough to find out that an address of it is dead.
    fn deadline(&self, names: &Names<'_>) {
        let policy = &self.migration.fallback;
        let all = &names.document.backends;
        let new = all.iter().find(|backend| backend.name.value == self.migration.new.value);
        let Some(new) = new.filter(|_| !policy.on.is_empty()) else { return };
        let (given, wanted) = (policy.deadline * 3 / 4, new.backend.connect_timeout);
        if given >= wanted {
            return;
        }
        let [deadline, given, wanted] = [policy.deadline, given, wanted].map(print_duration);
        let what = format!(
            "of {deadline} new has three quarters, {given}: less than the {wanted} of its \
             connect-timeout, so that an address that is silent is tried again and again"
        );
        let help = format!(
            "raise the deadline, or set connect-timeout in [backends.{}] to less than {given}",
            new.name.value
        );
        self.warning("fallback.deadline", self.migration.fallback_deadline, what, help);
    }

    /// A plugin that takes bodies apart holds several of them: the one it gets, what it reads of it, what it makes of it.
    fn room(&self, names: &Names<'_>) {
        let Some(name) = &self.migration.plugins.normalise else { return };
        let plugin = names.document.plugins.iter().find(|plugin| plugin.name == *name);
        let body = self.migration.plan.compare.max_body;
        let Some(plugin) = plugin.filter(|plugin| plugin.memory < body.saturating_mul(4)) else {
            return;
        };
        let what = format!(
            "its memory of {} is less than four bodies of {}, as compare.max-body allows: a plugin \
             that fails at them leaves them out of the comparisons",
            print_size(plugin.memory),
            print_size(body)
        );
        let help = format!("raise memory in [plugins.{}], or lower compare.max-body", name.value);
        self.warning("plugins.normalise", name.span, what, help);
    }
}

/// Names of the parameters of a path pattern.
fn params(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_prefix('*').unwrap_or(name))
    })
}

/// The secret, or what is wrong and how to mend it.
pub(crate) fn read_secret(
    source: &SecretSource,
    around: &dyn Surroundings,
) -> Result<Box<[u8]>, (String, String)> {
    let (secret, place) = match source {
        SecretSource::Variable(name) => {
            let value = around.variable(name).ok_or_else(|| {
                let help = format!("set it before starting: export {name}=…");
                (format!("the environment has no variable {name}"), help)
            })?;
            (value.into_bytes(), name)
        }
        SecretSource::File(path) => {
            let content = around.file(path).map_err(|error| {
                let help = "the path is relative to this file's folder".to_owned();
                (format!("{path} cannot be read: {error}"), help)
            })?;
            (content, path)
        }
    };
    let secret = secret.strip_suffix(b"\n").unwrap_or(&secret);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.is_empty() {
        return Err((
            format!("{place} is empty"),
            "make a secret: openssl rand -hex 32".to_owned(),
        ));
    }
    Ok(secret.into())
}

/// No two migrations of a group are in canary at once.
pub(super) fn check_groups(migrations: &[MigrationDocument], sink: &Sink) {
    let mut canaries: HashMap<&str, &MigrationDocument> = HashMap::new();
    for migration in migrations {
        let Some(group) = migration.plan.group.as_deref() else { continue };
        let Some(percent) = migration.read_percent else { continue };
        if migration.disabled || percent.value == Percent::FULL {
            continue;
        }
        let Some(other) = canaries.insert(group, migration) else { continue };
        let what = format!(
            "group {group:?} has two canaries at once: {} and {} (line {{line}})",
            migration.name.value, other.name.value
        );
        let help = "remove read-percent from one until the other is through";
        let key = format!("migrations.{}.read-percent", migration.name.value);
        sink.clash(percent.span, other.name.span, key, what, help);
    }
}
