//! Keys of `[migrations.NAME]`.

use super::Presence::{Default, Optional, Required};
use super::course::{DRILL, GATES, PREFLIGHT, STEPS};
use super::mirror::{COMPARE, MIRROR};
use super::route::{HEADERS, MIGRATION_ROUTE, PATH_EDIT};
use super::{Key, Kind, Section};

pub(crate) static MIGRATION: Section = Section {
    meaning: "One extraction, one flag: its routes move from `old` to `new`, reads first.",
    keys: &[
        Key {
            name: "old",
            kind: Kind::Text,
            presence: Required("add old = \"NAME\", the backend that is being left"),
            meaning: "Backend that is being left.",
        },
        Key {
            name: "new",
            kind: Kind::Text,
            presence: Required("add new = \"NAME\", the backend that takes over"),
            meaning: "Backend that takes over.",
        },
        Key {
            name: "owner",
            kind: Kind::Text,
            presence: Required("add owner = \"identity team\": whom to ask about this flag"),
            meaning: "Who answers for it.",
        },
        Key {
            name: "expires",
            kind: Kind::Date,
            presence: Required("add expires = 2027-03-01: a flag without an end stays for ever"),
            meaning: "Day by which the flag should be gone. It never moves traffic by itself.",
        },
        Key {
            name: "group",
            kind: Kind::Text,
            presence: Optional("no group"),
            meaning: "No two migrations of a group are in canary at once.",
        },
        Key {
            name: "data",
            kind: Kind::Word(&["shared", "external", "cdc"]),
            presence: Default("shared"),
            meaning: "How `new` gets its data: the same database, synchronised by somebody else, \
                      or by cutover (later).",
        },
        Key {
            name: "key",
            kind: Kind::List(&Kind::Table(&KEY_SOURCE)),
            presence: Optional("nobody is recognised: by percent everybody reads from `old`"),
            meaning: "Where a user's key is looked for, in order; the first non-empty value counts.",
        },
        Key {
            name: "allow",
            kind: Kind::List(&Kind::Text),
            presence: Optional("nobody"),
            meaning: "Keys of users who always read from `new`.",
        },
        Key {
            name: "deny",
            kind: Kind::List(&Kind::Text),
            presence: Optional("nobody"),
            meaning: "Keys of users who always read from `old`; outranks everything else.",
        },
        Key {
            name: "qa-header",
            kind: Kind::Text,
            presence: Optional("no such header"),
            meaning: "Header by which testers choose a side: `side;expiry;signature`, the \
                      signature being HMAC-SHA256(`qa-secret`, \"migration;side;expiry\") in hex.",
        },
        Key {
            name: "qa-secret",
            kind: Kind::Table(&SECRET),
            presence: Optional("required with `qa-header`"),
            meaning: "Where the key of the signature is; never the key itself.",
        },
        Key {
            name: "disabled",
            kind: Kind::Flag,
            presence: Default("false"),
            meaning: "`true` is the kill switch: everything to `old`, nothing asked.",
        },
        Key {
            name: "salt",
            kind: Kind::Text,
            presence: Optional("the migration's name"),
            meaning: "Keeps the cohort independent of others'. `\"group\"` shares the group's \
                      cohort.",
        },
        Key {
            name: "bucketing",
            kind: Kind::Word(&["cutover-1", "flagd-v2", "unleash"]),
            presence: Default("cutover-1"),
            meaning: "Arithmetic from salt and key to a bucket. The others keep users where a flag \
                      service has put them; `unleash` knows whole percents only.",
        },
        Key {
            name: "routes",
            kind: Kind::List(&Kind::Table(&MIGRATION_ROUTE)),
            presence: Required("add routes = [{ path = \"/api/profile/{id}\" }]"),
            meaning: "What belongs to it.",
        },
        Key {
            name: "read-percent",
            kind: Kind::Percent,
            presence: Optional("phase off: everything to `old`"),
            meaning: "Share of users whose reads go to `new`; given, the phase is canary. 0 \
                      lets only named users read from `new`. Only the first state of a migration: \
                      once it has moved, `cutover set-weight` and `promote` say what counts.",
        },
        Key {
            name: "mirror-percent",
            kind: Kind::Percent,
            presence: Default("0%"),
            meaning: "Share of the reads that are copied to the side that does not serve them, \
                      and compared.",
        },
        Key {
            name: "fallback",
            kind: Kind::Table(&FALLBACK),
            presence: Optional("every default"),
            meaning: "When a read that failed on `new` is answered by `old`.",
        },
        Key {
            name: "headers",
            kind: Kind::Table(&HEADERS),
            presence: Optional("nothing is changed"),
            meaning: "Header edits in exchanges that `new` serves; `old` keeps what it has today.",
        },
        Key {
            name: "path",
            kind: Kind::Table(&PATH_EDIT),
            presence: Optional("nothing is changed"),
            meaning: "Path edits in exchanges that `new` serves.",
        },
        Key {
            name: "plugins",
            kind: Kind::Table(&MIGRATION_PLUGINS),
            presence: Optional("none"),
            meaning: "Where plugins take part.",
        },
        Key {
            name: "mirror",
            kind: Kind::Table(&MIRROR),
            presence: Optional("every default"),
            meaning: "Which reads are copied, and what that may cost.",
        },
        Key {
            name: "compare",
            kind: Kind::Table(&COMPARE),
            presence: Optional("every default"),
            meaning: "When two replies are the same, and what is kept of those that are not.",
        },
        Key {
            name: "preflight",
            kind: Kind::Table(&PREFLIGHT),
            presence: Optional("every default"),
            meaning: "What must be known of `old` before anything is copied to `new`.",
        },
        Key {
            name: "gates",
            kind: Kind::Table(&GATES),
            presence: Optional("every default"),
            meaning: "Limits that evidence is judged by.",
        },
        Key {
            name: "steps",
            kind: Kind::Table(&STEPS),
            presence: Optional("every default"),
            meaning: "Steps of the read percent.",
        },
        Key {
            name: "drill",
            kind: Kind::Table(&DRILL),
            presence: Optional("every default"),
            meaning: "Rollback drills.",
        },
    ],
    elsewhere: &[
        ("percent", "it is called read-percent"),
        ("weight", "it is called read-percent"),
        ("split", "the share of users is read-percent; a plugin is plugins = { split = \"NAME\" }"),
        ("write-percent", "writes follow their owner, never a percent"),
        ("backend", "a migration has two: old and new"),
        ("phase", "a migration starts in off, or in canary if read-percent is given"),
        ("dwell", "it belongs in [migrations.NAME.steps]"),
        ("approvals", "it belongs in [migrations.NAME.steps]"),
        ("on-error", "it belongs in [plugins.NAME]"),
        ("deadline", "it belongs in [migrations.NAME.fallback]"),
    ],
};

pub(crate) static KEY_SOURCE: Section = Section {
    meaning: "One place where a user's key may be found: exactly one of these.",
    keys: &[
        Key {
            name: "header",
            kind: Kind::Text,
            presence: Optional("another source"),
            meaning: "First value of a header.",
        },
        Key {
            name: "cookie",
            kind: Kind::Text,
            presence: Optional("another source"),
            meaning: "A cookie.",
        },
        Key {
            name: "query",
            kind: Kind::Text,
            presence: Optional("another source"),
            meaning: "A query parameter, not decoded.",
        },
        Key {
            name: "path",
            kind: Kind::Text,
            presence: Optional("another source"),
            meaning: "A parameter of the route's path, by its name: `id` of `/user/{id}`.",
        },
    ],
    elsewhere: &[],
};

pub(crate) static SECRET: Section = Section {
    meaning: "Where a secret is: exactly one of these.",
    keys: &[
        Key {
            name: "env",
            kind: Kind::Text,
            presence: Optional("another source"),
            meaning: "Name of an environment variable.",
        },
        Key {
            name: "file",
            kind: Kind::Text,
            presence: Optional("another source"),
            meaning: "A file, relative to this file's folder; one line end at its end is ignored.",
        },
    ],
    elsewhere: &[],
};

pub(crate) static FALLBACK: Section = Section {
    meaning: "A safe request whose `new` side fails before the first byte of the reply goes to \
              `old`. Writes never do.",
    keys: &[
        Key {
            name: "on",
            kind: Kind::List(&Kind::Word(&["connect", "reset", "timeout", "5xx"])),
            presence: Default("[\"connect\", \"reset\", \"timeout\", \"5xx\"]"),
            meaning: "Failures that count; an empty list switches fallback off.",
        },
        Key {
            name: "deadline",
            kind: Kind::Duration,
            presence: Default("2s"),
            meaning: "Total time for all attempts of one request.",
        },
        Key {
            name: "budget",
            kind: Kind::Percent,
            presence: Default("10%"),
            meaning: "Share of the requests that may fall back over 10 s (floor: 20 requests) \
                      before the breaker opens and `old` serves everybody for a while.",
        },
    ],
    elsewhere: &[(
        "timeout",
        "the total is called deadline; an attempt's is the backend's timeout",
    )],
};

pub(crate) static MIGRATION_PLUGINS: Section = Section {
    meaning: "Names of `[plugins.NAME]`, by hook.",
    keys: &[
        Key {
            name: "split",
            kind: Kind::Text,
            presence: Optional("the percent decides"),
            meaning: "Asked which side serves a read.",
        },
        Key {
            name: "rewrite",
            kind: Kind::Text,
            presence: Optional("native edits only"),
            meaning: "Edits headers on the way in and out.",
        },
        Key {
            name: "fallback",
            kind: Kind::Text,
            presence: Optional("the native rule decides"),
            meaning: "Asked what becomes of a failed attempt.",
        },
        Key {
            name: "normalise",
            kind: Kind::Text,
            presence: Optional("replies are compared as they are"),
            meaning: "Makes the replies of both sides comparable. What it fails at is skipped, \
                      never a match or a mismatch.",
        },
    ],
    elsewhere: &[],
};
