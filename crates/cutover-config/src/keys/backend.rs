//! Keys of `[backends.NAME]`.

use super::Presence::{Default, Optional, Required};
use super::{Key, Kind, Section};

pub(crate) static BACKEND: Section = Section {
    meaning: "A named upstream.",
    keys: &[
        Key {
            name: "addresses",
            kind: Kind::List(&Kind::Text),
            presence: Required("add addresses = [\"127.0.0.1:9001\"]"),
            meaning: "`host:port` of each instance, at least one.",
        },
        Key {
            name: "tls",
            kind: Kind::Either(&[Kind::Flag, Kind::Table(&BACKEND_TLS)]),
            presence: Default("false"),
            meaning: "`true` speaks TLS and verifies the certificate against the system's \
                      authorities; a table says more.",
        },
        Key {
            name: "protocol",
            kind: Kind::Word(&["http1", "http2", "auto"]),
            presence: Default("http1"),
            meaning: "HTTP version. `http2` is needed for gRPC: by ALPN with TLS, by prior \
                      knowledge (h2c) without. `auto` asks by ALPN and is `http1` without TLS.",
        },
        Key {
            name: "host",
            kind: Kind::Text,
            presence: Optional("the client's"),
            meaning: "`Host` header to send instead of the client's.",
        },
        Key {
            name: "balance",
            kind: Kind::Word(&["round-robin", "least-requests"]),
            presence: Default("round-robin"),
            meaning: "How one of several addresses is chosen.",
        },
        Key {
            name: "connect-timeout",
            kind: Kind::Duration,
            presence: Default("1s"),
            meaning: "Limit for connecting, TLS included.",
        },
        Key {
            name: "timeout",
            kind: Kind::Duration,
            presence: Default("30s"),
            meaning: "Limit for the first byte of the reply, and between two reads of its body.",
        },
        Key {
            name: "health",
            kind: Kind::Table(&HEALTH),
            presence: Optional("passive checks only"),
            meaning: "Active checks of every address.",
        },
    ],
    elsewhere: &[
        ("address", "it is a list here: addresses = [\"127.0.0.1:9001\"]"),
        ("url", "write addresses = [\"host:port\"], and tls = true for https"),
        ("fallback", "it belongs in the migration: [migrations.NAME.fallback]"),
    ],
};

pub(crate) static BACKEND_TLS: Section = Section {
    meaning: "TLS towards a backend.",
    keys: &[
        Key {
            name: "server-name",
            kind: Kind::Text,
            presence: Optional("the address's host"),
            meaning: "Name to send (SNI) and to verify.",
        },
        Key {
            name: "ca",
            kind: Kind::Text,
            presence: Optional("the system's authorities"),
            meaning: "A PEM file of certificate authorities, relative to this file's folder.",
        },
        Key {
            name: "verify",
            kind: Kind::Flag,
            presence: Default("true"),
            meaning: "`false` accepts any certificate: for tests only.",
        },
    ],
    elsewhere: &[],
};

pub(crate) static HEALTH: Section = Section {
    meaning: "GET `path`; 2xx and 3xx are healthy.",
    keys: &[
        Key {
            name: "path",
            kind: Kind::Text,
            presence: Required("add path = \"/healthz\""),
            meaning: "Path to ask, with its query.",
        },
        Key {
            name: "every",
            kind: Kind::Duration,
            presence: Default("5s"),
            meaning: "Time between two checks of one address.",
        },
        Key {
            name: "timeout",
            kind: Kind::Duration,
            presence: Default("1s"),
            meaning: "Limit for one check.",
        },
        Key {
            name: "unhealthy-after",
            kind: Kind::Count(1, 1_000),
            presence: Default("3"),
            meaning: "Consecutive failures after which an address is left out.",
        },
        Key {
            name: "healthy-after",
            kind: Kind::Count(1, 1_000),
            presence: Default("2"),
            meaning: "Consecutive successes after which it is used again.",
        },
    ],
    elsewhere: &[("interval", "it is called every")],
};
