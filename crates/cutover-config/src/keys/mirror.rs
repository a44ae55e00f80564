//! Keys of `[migrations.NAME.mirror]` and `[migrations.NAME.compare]`.

use super::Presence::{Default, Optional};
use super::{Key, Kind, Section};

pub(crate) static MIRROR: Section = Section {
    meaning: "Which reads are copied, and what that may cost. What does not fit is not copied, and \
              counted.",
    keys: &[
        Key {
            name: "sample",
            kind: Kind::Word(&["request", "user"]),
            presence: Default("request"),
            meaning: "What mirror-percent is a share of: requests, or users by their key (always \
                      the same ones, and others than the cohort's).",
        },
        Key {
            name: "concurrency",
            kind: Kind::Count(1, 65_536),
            presence: Default("64"),
            meaning: "Copies in flight at once.",
        },
        Key {
            name: "max-body",
            kind: Kind::Size,
            presence: Default("1MiB"),
            meaning: "Largest body of a request that is copied.",
        },
        Key {
            name: "max-memory",
            kind: Kind::Size,
            presence: Default("64MiB"),
            meaning: "Bytes of requests and replies that are held at once.",
        },
        Key {
            name: "timeout",
            kind: Kind::Duration,
            presence: Default("10s"),
            meaning: "Time for a whole copy, from connecting to the last byte of its reply.",
        },
    ],
    elsewhere: &[
        ("percent", "it is the migration's mirror-percent"),
        ("ignore", "it belongs in [migrations.NAME.compare]"),
    ],
};

pub(crate) static COMPARE: Section = Section {
    meaning: "When two replies are the same. Everything counts that no rule takes out. A path is a \
              JSON pointer in which `*` is any one step: `/items/*/etag`.",
    keys: &[
        Key {
            name: "ignore",
            kind: Kind::List(&Kind::Pattern),
            presence: Optional("nothing is ignored"),
            meaning: "Paths, and `header:NAME`, that are not compared; `\"\"` is the whole body.",
        },
        Key {
            name: "include",
            kind: Kind::List(&Kind::Pattern),
            presence: Optional("none"),
            meaning: "`header:NAME` of headers to compare that by default are not, like `date`.",
        },
        Key {
            name: "unordered",
            kind: Kind::List(&Kind::Pattern),
            presence: Optional("order counts"),
            meaning: "Paths of arrays whose order says nothing.",
        },
        Key {
            name: "keyed",
            kind: Kind::Texts,
            presence: Optional("none"),
            meaning: "Paths of arrays whose elements belong together by a key: `\"/items\" = \
                      \"/id\"`.",
        },
        Key {
            name: "numbers",
            kind: Kind::Texts,
            presence: Optional("none"),
            meaning: "Paths of numbers, and how far apart they may be: `\"/price\" = \"0.01\"`, \
                      `\"/score\" = \"1%\"`.",
        },
        Key {
            name: "times",
            kind: Kind::Texts,
            presence: Optional("none"),
            meaning: "Paths of times, and how far apart they may be, whatever their zone and \
                      spelling: `\"/created\" = \"1s\"`.",
        },
        Key {
            name: "null-is-missing",
            kind: Kind::Flag,
            presence: Default("false"),
            meaning: "`true`: a member that is `null` is as good as none.",
        },
        Key {
            name: "number",
            kind: Kind::Word(&["written", "value"]),
            presence: Default("written"),
            meaning: "When other numbers are the same: written alike, or of one value (`1`, `1.0`).",
        },
        Key {
            name: "status",
            kind: Kind::Word(&["exact", "class"]),
            presence: Default("exact"),
            meaning: "When statuses are the same: equal, or of one class (`404`, `410`).",
        },
        Key {
            name: "show",
            kind: Kind::List(&Kind::Pattern),
            presence: Optional("samples hold digests of values, never values"),
            meaning: "Paths, and `header:NAME`, whose values samples may show in clear.",
        },
        Key {
            name: "max-body",
            kind: Kind::Size,
            presence: Default("1MiB"),
            meaning: "Bodies beyond it are compared by digest; not at all where a plugin has to \
                      make them comparable.",
        },
        Key {
            name: "recheck",
            kind: Kind::Duration,
            presence: Default("2s"),
            meaning: "Wait before both sides are asked again about a difference. Only one that is \
                      still there counts.",
        },
        Key {
            name: "noise",
            kind: Kind::Percent,
            presence: Default("5%"),
            meaning: "Share of the copied reads for which `old` is asked twice and compared with \
                      itself, to suggest what to ignore.",
        },
    ],
    elsewhere: &[
        ("headers", "write ignore = [\"header:NAME\"], or include = [\"header:NAME\"]"),
        ("redact", "everything is; show lists what is not"),
    ],
};
