//! Keys of `[[routes]]`, of a migration's routes, and of native edits.

use super::Presence::{Default, Optional, Required};
use super::{Key, Kind, Section};

/// The keys that say what a request must look like; followed by those of the route's own kind.
macro_rules! matching {
    ($($own:expr),+ $(,)?) => {
        &[
            Key {
                name: "path",
                kind: Kind::Text,
                presence: Required("add path = \"/api/profile/{id}\""),
                meaning: "`/api/{id}/x`: `{id}` is one segment, `{*rest}` at the end is any rest, \
                          the empty one too.",
            },
            Key {
                name: "host",
                kind: Kind::Text,
                presence: Optional("any host"),
                meaning: "`api.example.com`, or `*.example.com` for every name below it.",
            },
            Key {
                name: "methods",
                kind: Kind::List(&Kind::Text),
                presence: Optional("any method"),
                meaning: "Any of these, in capital letters.",
            },
            Key {
                name: "headers",
                kind: Kind::Predicates,
                presence: Optional("any headers"),
                meaning: "All of these: `name = \"value\"` must be equal, `name = true` present.",
            },
            Key {
                name: "query",
                kind: Kind::Predicates,
                presence: Optional("any query"),
                meaning: "All of these parameters: `name = \"value\"` must be equal (not \
                          decoded), `name = true` present.",
            },
            $($own),+
        ]
    };
}

pub(crate) static ROUTE: Section = Section {
    meaning: "A request that looks like this goes to a backend.",
    keys: matching![
        Key {
            name: "backend",
            kind: Kind::Text,
            presence: Required("add backend = \"NAME\", one of [backends.NAME]"),
            meaning: "Name of the backend that answers.",
        },
        Key {
            name: "edits",
            kind: Kind::Table(&EDITS),
            presence: Optional("nothing is changed"),
            meaning: "Changes to the exchange.",
        },
    ],
    elsewhere: &[
        ("write", "only a migration's routes can be declared as writes"),
        ("plugins", "plugins take part in migrations: [migrations.NAME.plugins]"),
        ("fallback", "a route with one backend has nothing to fall back to; see [migrations.NAME]"),
        ("set", "write edits = { headers = { request = { set = { … } } } }"),
        ("strip-prefix", "write edits = { path = { strip-prefix = \"/x\" } }"),
        ("add-prefix", "write edits = { path = { add-prefix = \"/x\" } }"),
        ("migration", "list the route under [migrations.NAME] routes = [ … ] instead"),
    ],
};

pub(crate) static MIGRATION_ROUTE: Section = Section {
    meaning: "A request that looks like this belongs to the migration.",
    keys: matching![
        Key {
            name: "write",
            kind: Kind::Flag,
            presence: Default("false"),
            meaning: "`true`: safe methods count as writes too. Others always do.",
        },
        Key {
            name: "mirror",
            kind: Kind::Flag,
            presence: Optional("GET, HEAD and OPTIONS are copied, unless `write` is set"),
            meaning: "`true`: also other methods, which only read, are copied to the other side. \
                      `false`: nothing is.",
        },
        Key {
            name: "critical",
            kind: Kind::Flag,
            presence: Default("false"),
            meaning: "`true`: each of its `methods` that is copied must have been compared at least \
                      once before the gate `coverage` passes, however rare it is, and also if \
                      nobody has asked for it yet.",
        },
    ],
    elsewhere: &[
        ("backend", "a migration's routes go to its `old` and `new`; drop this key"),
        ("edits", "a migration's edits are [migrations.NAME.headers] and [migrations.NAME.path]"),
    ],
};

pub(crate) static EDITS: Section = Section {
    meaning: "Changes to the exchanges of one route.",
    keys: &[
        Key {
            name: "headers",
            kind: Kind::Table(&HEADERS),
            presence: Optional("nothing is changed"),
            meaning: "Header edits.",
        },
        Key {
            name: "path",
            kind: Kind::Table(&PATH_EDIT),
            presence: Optional("nothing is changed"),
            meaning: "Changes to the beginning of the path.",
        },
    ],
    elsewhere: &[
        ("request", "write headers = { request = { … } }"),
        ("response", "write headers = { response = { … } }"),
        ("strip-prefix", "write path = { strip-prefix = \"/x\" }"),
        ("add-prefix", "write path = { add-prefix = \"/x\" }"),
    ],
};

pub(crate) static HEADERS: Section = Section {
    meaning: "Header edits on the way in and on the way out.",
    keys: &[
        Key {
            name: "request",
            kind: Kind::Table(&HEADER_EDITS),
            presence: Optional("nothing is changed"),
            meaning: "On the way to the backend.",
        },
        Key {
            name: "response",
            kind: Kind::Table(&HEADER_EDITS),
            presence: Optional("nothing is changed"),
            meaning: "On the way to the client.",
        },
    ],
    elsewhere: &[
        ("set", "say which way: headers.request.set or headers.response.set"),
        ("append", "say which way: headers.request.append or headers.response.append"),
        ("remove", "say which way: headers.request.remove or headers.response.remove"),
    ],
};

pub(crate) static HEADER_EDITS: Section = Section {
    meaning: "Applied in the order remove, set, append.",
    keys: &[
        Key {
            name: "set",
            kind: Kind::Texts,
            presence: Optional("none"),
            meaning: "Replaces every value under the name.",
        },
        Key {
            name: "append",
            kind: Kind::Texts,
            presence: Optional("none"),
            meaning: "Adds a value after those under the name.",
        },
        Key {
            name: "remove",
            kind: Kind::List(&Kind::Text),
            presence: Optional("none"),
            meaning: "Names that are removed wherever present.",
        },
    ],
    elsewhere: &[("add", "it is called append, or set to replace what is there")],
};

pub(crate) static PATH_EDIT: Section = Section {
    meaning: "Prefixes begin with `/` and do not end with one.",
    keys: &[
        Key {
            name: "strip-prefix",
            kind: Kind::Text,
            presence: Optional("nothing is removed"),
            meaning: "Removed if the path is this prefix or continues it with a `/`.",
        },
        Key {
            name: "add-prefix",
            kind: Kind::Text,
            presence: Optional("nothing is added"),
            meaning: "Put in front afterwards.",
        },
    ],
    elsewhere: &[],
};
