//! Keys of `[migrations.NAME.preflight]`, `gates`, `steps` and `drill`.
//!
//! The defaults are those of the core's `Course` and `Limits`; a test holds them together.

use super::Presence::Default;
use super::{Key, Kind, Section};

/// Names of the gates that may be required, in the order of the core.
pub(crate) const GATE_NAMES: &[&str] =
    &["errors", "fallbacks", "latency", "mismatch", "coverage", "mirror", "freshness"];

pub(crate) static GATES: Section = Section {
    meaning: "Limits that evidence is judged by. A share is shown to be below its limit, at any \
              time and with 95 %, before a person may go forward.",
    keys: &[
        Key {
            name: "errors",
            kind: Kind::Percent,
            presence: Default("0.1%"),
            meaning: "Largest share of errors of `new`; 0.001% to 50%.",
        },
        Key {
            name: "fallbacks",
            kind: Kind::Percent,
            presence: Default("0.1%"),
            meaning: "Largest share of the cohort's requests that `old` has to answer; 0.001% to \
                      50%.",
        },
        Key {
            name: "latency",
            kind: Kind::Ratio,
            presence: Default("1.10"),
            meaning: "How much slower than the p99 of `old` a request of `new` may be; 2 in 100 \
                      may be slower still.",
        },
        Key {
            name: "mismatch",
            kind: Kind::Percent,
            presence: Default("0.1%"),
            meaning: "Largest share of replies that differ; 0.001% to 50%.",
        },
        Key {
            name: "coverage",
            kind: Kind::Percent,
            presence: Default("95%"),
            meaning: "Least share of the traffic whose route and method was also compared.",
        },
        Key {
            name: "shed",
            kind: Kind::Percent,
            presence: Default("5%"),
            meaning: "Largest share of copies that may be shed; above it comparisons are no fair \
                      sample, and prove nothing.",
        },
        Key {
            name: "silence",
            kind: Kind::Duration,
            presence: Default("10m"),
            meaning: "Evidence that has not grown for this long is inconclusive.",
        },
        Key {
            name: "data",
            kind: Kind::Duration,
            presence: Default("5m"),
            meaning: "Longest time without an observation for the gate `freshness`.",
        },
        Key {
            name: "required",
            kind: Kind::List(&Kind::Word(GATE_NAMES)),
            presence: Default("[\"errors\", \"latency\", \"mismatch\", \"coverage\"]"),
            meaning: "Gates that must pass before reads move forward. The others are watched.",
        },
        Key {
            name: "rollback",
            kind: Kind::Flag,
            presence: Default("true"),
            meaning: "Errors, fallbacks or latency that fail take reads back to `old`. `false`: \
                      they only stop the migration.",
        },
    ],
    elsewhere: &[
        ("drill", "it is a table of its own: [migrations.NAME.drill]"),
        ("dwell", "it belongs in [migrations.NAME.steps]"),
        ("approvals", "it belongs in [migrations.NAME.steps]"),
        ("mirror", "the largest share of copies that may be shed is called shed"),
    ],
};

/// Names of the gates that may be required before shadow, in the order of the core.
pub(crate) const PREFLIGHT_NAMES: &[&str] = &["baseline", "old"];

pub(crate) static PREFLIGHT: Section = Section {
    meaning: "What must be known of `old` before the migration leaves `off` and anything is copied to \
              `new`.",
    keys: &[
        Key {
            name: "required",
            kind: Kind::List(&Kind::Word(PREFLIGHT_NAMES)),
            presence: Default("[\"baseline\", \"old\"]"),
            meaning: "Gates that must pass: `baseline`, users' requests were answered by `old`, as \
                      many and for as long as said here; `old`, it answered users within \
                      `gates.data`, or answers health checks now, and most of the last minute's \
                      requests. An empty list asks nothing.",
        },
        Key {
            name: "observe",
            kind: Kind::Wait,
            presence: Default("1m"),
            meaning: "Least time from the first of these requests to the last. A day shows the hours \
                      that differ, and what is asked for rarely.",
        },
        Key {
            name: "requests",
            kind: Kind::Count(1, 1_000_000_000),
            presence: Default("100"),
            meaning: "Least number of requests that `old` has answered, writes too.",
        },
    ],
    elsewhere: &[
        ("dwell", "it is called observe"),
        ("data", "it belongs in [migrations.NAME.gates]"),
    ],
};

pub(crate) static STEPS: Section = Section {
    meaning: "Steps of the read percent, and what must have passed before each.",
    keys: &[
        Key {
            name: "percents",
            kind: Kind::List(&Kind::Percent),
            presence: Default("[1, 5, 20, 50, 100]"),
            meaning: "Ascending, the last one 100.",
        },
        Key {
            name: "dwell",
            kind: Kind::List(&Kind::Wait),
            presence: Default("[\"1h\", \"1h\", \"4h\", \"4h\", \"24h\"]"),
            meaning: "Shortest stay at each step; as many as `percents`.",
        },
        Key {
            name: "auto",
            kind: Kind::Percent,
            presence: Default("0%"),
            meaning: "Steps up to this may advance without a person; at most 5%.",
        },
        Key {
            name: "shadow-dwell",
            kind: Kind::Wait,
            presence: Default("0s"),
            meaning: "Shortest stay in shadow, before the first step.",
        },
        Key {
            name: "soak",
            kind: Kind::Wait,
            presence: Default("7d"),
            meaning: "Shortest stay in reads-new before the migration may be complete.",
        },
        Key {
            name: "quiet",
            kind: Kind::Wait,
            presence: Default("3d"),
            meaning: "Time without a failed gate before the migration may be complete.",
        },
        Key {
            name: "approvals",
            kind: Kind::Count(0, 10),
            presence: Default("0"),
            meaning: "How many other people must approve the move into a canary, and every move \
                      after it. Skipped steps and `complete` need one in any case.",
        },
        Key {
            name: "approval-lasts",
            kind: Kind::Duration,
            presence: Default("24h"),
            meaning: "How long an approval holds. A gate that fails ends it sooner.",
        },
        Key {
            name: "graded",
            kind: Kind::Wait,
            presence: Default("30s"),
            meaning: "Over how long cutover itself goes back when `old` is cold. The hard stop, \
                      and a person who asks for it, go back at once.",
        },
    ],
    elsewhere: &[
        ("percent", "it is called percents, a list"),
        ("silence", "it belongs in [migrations.NAME.gates]"),
    ],
};

pub(crate) static DRILL: Section = Section {
    meaning: "Rollback drills: going back, practised on live traffic, before it is needed.",
    keys: &[
        Key {
            name: "required",
            kind: Kind::Flag,
            presence: Default("true"),
            meaning: "The migration cannot be complete without a good drill that is recent.",
        },
        Key {
            name: "good-for",
            kind: Kind::Duration,
            presence: Default("7d"),
            meaning: "A drill older than this counts no more.",
        },
        Key {
            name: "within",
            kind: Kind::Duration,
            presence: Default("5s"),
            meaning: "Time in which all reads must be on `old`, or the drill has failed.",
        },
        Key {
            name: "away",
            kind: Kind::Duration,
            presence: Default("10s"),
            meaning: "How long they stay there before they are restored.",
        },
    ],
    elsewhere: &[],
};
