//! Reads `[migrations.NAME]`.

use super::course::{self, Moves};
use super::edit;
use super::mirror::{compare, mirror};
use super::route::{MigrationRouteDocument, nothing, read_migrations};
use crate::keys;
use crate::place::{At, Span};
use crate::plan::{Date, MigrationPlan};
use crate::reader::{Item, Reader};
use cutover_core::edit::Edits;
use cutover_core::fallback::{Cause, Causes, FallbackPolicy};
use cutover_core::key::KeySource;
use cutover_core::migration::{Course, Data, Steps};
use cutover_core::{Bucketing, Percent, Salt};
use http::HeaderName;
use std::time::Duration;

/// `[migrations.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MigrationDocument {
    pub(crate) name: At<String>,
    pub(crate) old: At<String>,
    pub(crate) new: At<String>,
    pub(crate) key: Vec<At<KeySource>>,
    pub(crate) allow: Vec<At<String>>,
    pub(crate) deny: Vec<At<String>>,
    pub(crate) qa: Option<QaDocument>,
    pub(crate) disabled: bool,
    pub(crate) salt: Option<At<String>>,
    pub(crate) bucketing: Bucketing,
    pub(crate) routes: Vec<MigrationRouteDocument>,
    pub(crate) read_percent: Option<At<Percent>>,
    pub(crate) fallback: FallbackPolicy,
    /// Where its deadline stands.
    pub(crate) fallback_deadline: Span,
    pub(crate) edits: Edits,
    pub(crate) plugins: HookNames,
    pub(crate) plan: MigrationPlan,
    /// Where `expires` stands.
    pub(crate) expires: Span,
}

/// `qa-header` and `qa-secret`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QaDocument {
    pub(crate) header: HeaderName,
    pub(crate) secret: At<SecretSource>,
}

/// Where a secret is. The secret itself is never kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretSource {
    Variable(String),
    File(String),
}

/// Names of plugins by hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HookNames {
    pub(crate) split: Option<At<String>>,
    pub(crate) rewrite: Option<At<String>>,
    pub(crate) fallback: Option<At<String>>,
    pub(crate) normalise: Option<At<String>>,
}

impl HookNames {
    /// The hooks that are given, by name.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, &At<String>)> {
        let all = [
            ("split", &self.split),
            ("rewrite", &self.rewrite),
            ("fallback", &self.fallback),
            ("normalise", &self.normalise),
        ];
        all.into_iter().filter_map(|(hook, name)| Some((hook, name.as_ref()?)))
    }
}

pub(super) fn read(name: At<String>, reader: &Reader<'_>) -> MigrationDocument {
    let text = |key| reader.require(key).unwrap_or_else(|| nothing(reader.span));
    let list = |key| reader.list(key).map(|at| at.value).unwrap_or_default();
    let (old, new) = (text("old"), text("new"));
    let (fallback, fallback_deadline) = fallback(reader);
    let (salt, bucketing) = (reader.get("salt"), reader.choice("bucketing", &Bucketing::ALL));
    let routes = read_migrations(reader);
    let group = reader.get::<String>("group").map(|at| at.value);
    let cohort = cohort(&name, salt.as_ref(), group.as_deref(), bucketing);
    let writes = routes.iter().any(MigrationRouteDocument::takes_writes);
    let read_percent = reader.get("read-percent");
    let Planned { mut plan, expires } = plan(&name, group, (cohort, writes), reader);
    plan.first = read_percent.map(|at| at.value);
    MigrationDocument {
        old,
        new,
        key: key(reader),
        allow: list("allow"),
        deny: list("deny"),
        qa: qa(reader),
        disabled: reader.get_or_default("disabled").value,
        salt,
        bucketing,
        routes,
        read_percent,
        fallback,
        fallback_deadline,
        edits: edit::edits(reader),
        plugins: plugins(reader),
        plan,
        expires,
        name,
    }
}

fn key(reader: &Reader<'_>) -> Vec<At<KeySource>> {
    let Some(list) = reader.item("key") else { return Vec::new() };
    if list.value.as_array().is_some_and(|array| array.is_empty()) {
        list.error("must name at least one source", "write key = [{ header = \"x-user-id\" }]");
    }
    let items = list.items().into_iter().flatten();
    let source = |item: Item<'_>| {
        let value = item.table(&keys::KEY_SOURCE, |reader| key_source(&item, reader)).flatten()?;
        Some(At { value, span: item.span })
    };
    items.filter_map(source).collect()
}

fn key_source(item: &Item<'_>, reader: &Reader<'_>) -> Option<KeySource> {
    let header = reader.item("header").map(|item| {
        let name = item.get::<String>().and_then(|text| edit::header_name(&item, &text));
        name.map(KeySource::Header)
    });
    let text = |name| {
        let item = reader.item(name)?;
        Some(item.get::<String>().map(|text| text.value.into_boxed_str()))
    };
    let given = [
        header,
        text("cookie").map(|name| name.map(KeySource::Cookie)),
        text("query").map(|name| name.map(KeySource::Query)),
        text("path").map(|name| name.map(KeySource::Path)),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(only), None) => only,
        (None, _) => {
            item.error(
                "names no source",
                "write { header = \"x-user-id\" } or { cookie = \"sid\" }",
            );
            None
        }
        (Some(_), Some(_)) => {
            let help =
                "write one table for each: [{ header = \"x-user-id\" }, { cookie = \"sid\" }]";
            item.error("names more than one source", help);
            None
        }
    }
}

fn qa(reader: &Reader<'_>) -> Option<QaDocument> {
    let header = reader.item("qa-header");
    let secret = reader.item("qa-secret");
    match (&header, &secret) {
        (Some(header), None) => header.error(
            "without a secret everybody could choose a side",
            "add qa-secret = { env = \"CUTOVER_QA_SECRET\" } or { file = \"qa.secret\" }",
        ),
        (None, Some(secret)) => {
            secret.error("there is no header to verify", "add qa-header = \"x-cutover-qa\"");
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let header = header.and_then(|item| edit::header_name(&item, &item.get::<String>()?));
    let secret = secret.and_then(|item| secret_source(&item));
    Some(QaDocument { header: header?, secret: secret? })
}

fn secret_source(item: &Item<'_>) -> Option<At<SecretSource>> {
    let help = "write { env = \"CUTOVER_QA_SECRET\" } or { file = \"qa.secret\" }";
    if !item.is_table() {
        item.error("a secret does not belong into this file", help);
        return None;
    }
    let value = item.table(&keys::SECRET, |reader| {
        let variable = reader.item("env");
        let file = reader.item("file");
        match (variable, file) {
            (Some(variable), None) => Some(SecretSource::Variable(variable.get()?.value)),
            (None, Some(file)) => Some(SecretSource::File(file.get()?.value)),
            (None, None) => {
                item.error("does not say where the secret is", help);
                None
            }
            (Some(_), Some(_)) => {
                item.error("names two places", "keep `env` or `file`");
                None
            }
        }
    });
    Some(At { value: value??, span: item.span })
}

/// The policy, and where its deadline is said.
fn fallback(reader: &Reader<'_>) -> (FallbackPolicy, Span) {
    let read = reader.table("fallback", &keys::FALLBACK, |reader| {
        let At { value: deadline, span } = reader.get_or_default::<Duration>("deadline");
        let on = match reader.item("on") {
            Some(item) => causes(&item),
            None => Causes::ALL,
        };
        let budget = reader.get_or_default("budget").value;
        (FallbackPolicy { on, deadline, budget }, span)
    });
    read.unwrap_or_else(|| (FallbackPolicy::default(), reader.span))
}

fn causes(list: &Item<'_>) -> Causes {
    const CAUSES: [Cause; 4] = [Cause::Connect, Cause::Reset, Cause::Timeout, Cause::Status];
    let items = list.items().into_iter().flatten();
    items.filter_map(|item| item.choice(&CAUSES)).fold(Causes::default(), Causes::with)
}

fn plugins(reader: &Reader<'_>) -> HookNames {
    let read = reader.table("plugins", &keys::MIGRATION_PLUGINS, |reader| HookNames {
        split: reader.get("split"),
        rewrite: reader.get("rewrite"),
        fallback: reader.get("fallback"),
        normalise: reader.get("normalise"),
    });
    read.unwrap_or_default()
}

/// What keeps the cohort independent of others', or shares the group's.
fn cohort(
    name: &str,
    salt: Option<&At<String>>,
    group: Option<&str>,
    bucketing: Bucketing,
) -> Salt {
    let text = match (salt, group) {
        (Some(salt), Some(group)) if salt.value == "group" => group,
        (Some(salt), _) => salt,
        (None, _) => name,
    };
    Salt::with_bucketing(text, bucketing)
}

/// The plan, and the places of what checks look at.
struct Planned {
    plan: MigrationPlan,
    expires: Span,
}

fn plan(
    name: &str,
    group: Option<String>,
    (salt, write_routes): (Salt, bool),
    reader: &Reader<'_>,
) -> Planned {
    let owner = reader.require::<String>("owner").map(|at| at.value).unwrap_or_default();
    let end = reader.require::<Date>("expires");
    let expires = end.map_or(Date { year: 0, month: 1, day: 1 }, |at| at.value);
    let data = reader.choice("data", &[Data::Shared, Data::External, Data::Cdc]);
    let course = Course::new(name, data, Steps::usual(), expires.begins());
    let compare = in_table(reader, "compare", &keys::COMPARE, compare);
    let course = Course { write_routes, salt, rules: compare.rules.clone(), ..course };
    let Moves { course, limits, rollback } = course::read(&course, reader);
    let percent = reader.get_or_default::<Percent>("mirror-percent").value;
    let plan = MigrationPlan {
        migration: name.to_owned(),
        owner,
        expires,
        group,
        mirror: in_table(reader, "mirror", &keys::MIRROR, |reader| mirror(percent, reader)),
        compare,
        course,
        limits,
        rollback,
        first: None,
    };
    let expires = end.map_or(reader.span, |at| at.span);
    Planned { plan, expires }
}

/// Reads a table, or an empty one in its place: every key then has its default.
pub(super) fn in_table<T>(
    reader: &Reader<'_>,
    name: &'static str,
    section: &'static keys::Section,
    read: impl Fn(&Reader<'_>) -> T,
) -> T {
    reader.table(name, section, &read).unwrap_or_else(|| {
        let (empty, sink) = (toml::de::DeTable::new(), crate::place::Sink::default());
        read(&Reader::root(&empty, section, &sink))
    })
}
