//! The vocabulary of `cutover.toml`, stated once: every key with its type, default and meaning.
//!
//! The readers, the check for unknown keys, the JSON Schema and the reference page all come from these tables, so they
//! cannot drift apart: a reader may only ask for a key that is here, and must ask for all of them.

mod backend;
mod course;
mod migration;
mod mirror;
mod plugin;
mod route;
mod server;
mod telemetry;

pub(crate) use backend::{BACKEND, BACKEND_TLS, HEALTH};
pub(crate) use course::{DRILL, GATES, PREFLIGHT, STEPS};
pub(crate) use migration::{FALLBACK, KEY_SOURCE, MIGRATION, MIGRATION_PLUGINS, SECRET};
pub(crate) use mirror::{COMPARE, MIRROR};
pub(crate) use plugin::PLUGIN;
pub(crate) use route::{EDITS, HEADER_EDITS, HEADERS, MIGRATION_ROUTE, PATH_EDIT, ROUTE};
pub(crate) use server::{ACCESS_LOG, ADMIN, LISTEN, LISTEN_TLS, SERVER, STATE, TOKEN};
pub(crate) use telemetry::TELEMETRY;

/// A table of the file and the keys it may hold.
#[derive(Debug)]
pub(crate) struct Section {
    /// What the table is for, one sentence.
    pub(crate) meaning: &'static str,
    /// The keys, in the order of the reference.
    pub(crate) keys: &'static [Key],
    /// Keys that people look for here although they belong elsewhere, and where that is.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    /// What it means, in one or two sentences.
    pub(crate) meaning: &'static str,
}

/// Must a key be there, and what if not?
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presence {
    /// It must; this is how to mend its absence.
    Required(&'static str),
    /// It need not; this value is used then.
    Default(&'static str),
    /// It need not; this is what its absence means.
    Optional(&'static str),
}

/// What a value must be.
#[derive(Debug)]
pub(crate) enum Kind {
    Text,
    /// A place in a reply, `""` being the whole body.
    Pattern,
    Flag,
    /// A whole number between two bounds.
    Count(u64, u64),
    /// A factor from 1 to 100, in thousandths.
    Ratio,
    /// More than nothing.
    Duration,
    /// A duration that may be nothing.
    Wait,
    Percent,
    Size,
    Date,
    /// `ip:port`.
    Socket,
    /// One of these words.
    Word(&'static [&'static str]),
    List(&'static Self),
    /// A table.
    Table(&'static Section),
    /// A table whose keys are names, each leading to one of these.
    Named(&'static Section),
    /// Names to texts.
    Texts,
    /// Names to a text that must be equal, or `true` for presence.
    Predicates,
    /// Any table.
    Free,
    /// Any of these.
    Either(&'static [Self]),
}

/// The whole file.
pub(crate) static ROOT: Section = Section {
    meaning: "A file without any key is valid and routes nothing.",
    keys: &[
        Key {
            name: "server",
            kind: Kind::Table(&SERVER),
            presence: Presence::Optional("every default"),
            meaning: "Where requests come in, and their limits. Changes need a restart.",
        },
        Key {
            name: "admin",
            kind: Kind::Table(&ADMIN),
            presence: Presence::Optional("every default"),
            meaning: "The listener for operators, apart from the data.",
        },
        Key {
            name: "state",
            kind: Kind::Table(&STATE),
            presence: Presence::Optional("every default"),
            meaning: "Where the state of migrations is kept.",
        },
        Key {
            name: "telemetry",
            kind: Kind::Table(&TELEMETRY),
            presence: Presence::Optional("trace headers pass as they came"),
            meaning: "Distributed tracing.",
        },
        Key {
            name: "backends",
            kind: Kind::Named(&BACKEND),
            presence: Presence::Optional("none"),
            meaning: "Named upstreams.",
        },
        Key {
            name: "routes",
            kind: Kind::List(&Kind::Table(&ROUTE)),
            presence: Presence::Optional("none"),
            meaning: "Routes that belong to no migration. The order does not matter: the most \
                      specific route wins.",
        },
        Key {
            name: "migrations",
            kind: Kind::Named(&MIGRATION),
            presence: Presence::Optional("none"),
            meaning: "Extractions, each one flag: some routes move from `old` to `new`.",
        },
        Key {
            name: "plugins",
            kind: Kind::Named(&PLUGIN),
            presence: Presence::Optional("none"),
            meaning: "WebAssembly components that migrations use.",
        },
    ],
    elsewhere: &[
        ("listen", "it belongs in [server]"),
        ("old", "it belongs in [migrations.NAME]"),
        ("new", "it belongs in [migrations.NAME]"),
        ("addresses", "it belongs in [backends.NAME]"),
    ],
};

/// Every section with the place where it stands first, in the order of the reference; nested ones follow their parent.
pub(crate) fn sections() -> Vec<(String, &'static Section)> {
    let mut found = Vec::new();
    collect("", &ROOT, &mut found);
    found
}

fn collect(place: &str, section: &'static Section, found: &mut Vec<(String, &'static Section)>) {
    if found.iter().any(|(_, known)| std::ptr::eq(*known, section)) {
        return;
    }
    found.push((place.to_owned(), section));
    for key in section.keys {
        let dot = if place.is_empty() { "" } else { "." };
        collect_kind(&format!("{place}{dot}{}", key.name), &key.kind, found);
    }
}

fn collect_kind(place: &str, kind: &'static Kind, found: &mut Vec<(String, &'static Section)>) {
    match kind {
        Kind::Table(section) => collect(place, section, found),
        Kind::Named(section) => collect(&format!("{place}.NAME"), section, found),
        Kind::List(inner) => collect_kind(&format!("{place}[]"), inner, found),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| collect_kind(place, kind, found)),
        Kind::Text
        | Kind::Pattern
        | Kind::Flag
        | Kind::Count(..)
        | Kind::Ratio
        | Kind::Duration
        | Kind::Wait
        | Kind::Percent
        | Kind::Size
        | Kind::Date
        | Kind::Socket
        | Kind::Word(_)
        | Kind::Texts
        | Kind::Predicates
        | Kind::Free => {}
    }
}
