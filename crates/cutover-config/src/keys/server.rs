//! Keys of `[server]`, `[admin]` and `[state]`.

use super::Presence::{Default, Optional, Required};
use super::{Key, Kind, Section};

pub(crate) static SERVER: Section = Section {
    meaning: "Where requests come in, and their limits. Changes need a restart, or \
              `cutover run --upgrade`, which loses no request.",
    keys: &[
        Key {
            name: "listen",
            kind: Kind::List(&Kind::Either(&[Kind::Socket, Kind::Table(&LISTEN)])),
            presence: Default("[\"127.0.0.1:8080\"]"),
            meaning: "Addresses to listen on, `ip:port`. Port 0 lets the system choose.",
        },
        Key {
            name: "tls",
            kind: Kind::Table(&LISTEN_TLS),
            presence: Optional("plain HTTP"),
            meaning: "HTTPS, with HTTP/2 by ALPN, on every listener that does not say otherwise.",
        },
        Key {
            name: "threads",
            kind: Kind::Count(0, 1_024),
            presence: Default("0"),
            meaning: "Worker threads; 0 is one per core.",
        },
        Key {
            name: "header-timeout",
            kind: Kind::Duration,
            presence: Default("10s"),
            meaning: "Limit for a request's whole header, from the first byte or the handshake on.",
        },
        Key {
            name: "idle-timeout",
            kind: Kind::Duration,
            presence: Default("60s"),
            meaning: "Limit between two reads of a request's body, and between two requests of \
                      one connection.",
        },
        Key {
            name: "max-header-bytes",
            kind: Kind::Size,
            presence: Default("64KiB"),
            meaning: "Largest request header, request line included; above it the answer is 431, \
                      or 414 if the request's target alone is too long. 1KiB to 1023KiB.",
        },
        Key {
            name: "max-headers",
            kind: Kind::Count(1, 256),
            presence: Default("128"),
            meaning: "Most header fields in a request; above it the answer is 431.",
        },
        Key {
            name: "drain",
            kind: Kind::Duration,
            presence: Default("30s"),
            meaning: "Longest time from SIGTERM to exit; it ends earlier with the last exchange.",
        },
        Key {
            name: "debug-headers",
            kind: Kind::Flag,
            presence: Default("false"),
            meaning: "Replies carry `x-cutover-side` and `x-cutover-reason`. The access log and \
                      the metrics have these facts in any case.",
        },
        Key {
            name: "access-log",
            kind: Kind::Either(&[Kind::Word(LOG_FORMATS), Kind::Table(&ACCESS_LOG)]),
            presence: Default("json"),
            meaning: "Format of the access log on standard output, or a table to write a file.",
        },
        Key {
            name: "trusted-proxies",
            kind: Kind::List(&Kind::Text),
            presence: Default("[]"),
            meaning: "Networks, `10.0.0.0/8`, whose `Forwarded` and `X-Forwarded-*` headers are \
                      believed. Those of others are replaced.",
        },
    ],
    elsewhere: &[("cert", "write tls = { cert = \"…\", key = \"…\" }")],
};

/// Spellings of `LogFormat`.
pub(crate) const LOG_FORMATS: &[&str] = &["json", "text", "off"];

pub(crate) static LISTEN: Section = Section {
    meaning: "One listener with its own TLS: `{ address = \"0.0.0.0:443\", tls = { … } }`.",
    keys: &[
        Key {
            name: "address",
            kind: Kind::Socket,
            presence: Required("add address = \"127.0.0.1:8443\""),
            meaning: "Address to listen on, `ip:port`.",
        },
        Key {
            name: "tls",
            kind: Kind::Either(&[Kind::Table(&LISTEN_TLS), Kind::Flag]),
            presence: Optional("the server's `tls`"),
            meaning: "This listener's own certificate; `false` keeps it plain although the server \
                      has `tls`.",
        },
    ],
    elsewhere: &[],
};

pub(crate) static LISTEN_TLS: Section = Section {
    meaning: "Files of a certificate and its key, relative to this file's folder.",
    keys: &[
        Key {
            name: "cert",
            kind: Kind::Text,
            presence: Required("add cert = \"server.pem\", the chain with the leaf first"),
            meaning: "Certificate chain in PEM, the leaf first.",
        },
        Key {
            name: "key",
            kind: Kind::Text,
            presence: Required("add key = \"server.key\", the certificate's private key"),
            meaning: "Private key in PEM.",
        },
    ],
    elsewhere: &[],
};

pub(crate) static ACCESS_LOG: Section = Section {
    meaning: "An access log in a file: `{ format = \"json\", path = \"access.log\" }`.",
    keys: &[
        Key {
            name: "format",
            kind: Kind::Word(LOG_FORMATS),
            presence: Default("json"),
            meaning: "`json`: one object a line; `text`: one readable line; `off`: nothing.",
        },
        Key {
            name: "path",
            kind: Kind::Text,
            presence: Optional("standard output"),
            meaning: "File to append to, relative to this file's folder.",
        },
    ],
    elsewhere: &[],
};

pub(crate) static ADMIN: Section = Section {
    meaning: "The listener for operators: API, metrics, health. Another address needs a restart.",
    keys: &[
        Key {
            name: "listen",
            kind: Kind::Either(&[Kind::Socket, Kind::Word(&["off"])]),
            presence: Default("127.0.0.1:8081"),
            meaning: "Address to listen on; loopback only, unless there are tokens. `off` switches \
                      it off.",
        },
        Key {
            name: "tokens",
            kind: Kind::List(&Kind::Table(&TOKEN)),
            presence: Optional("whoever reaches the listener may do everything"),
            meaning: "Who may do what. With at least one, every request needs one of them, but \
                      `/livez` and `/readyz`. They change with a reload.",
        },
    ],
    elsewhere: &[(
        "token",
        "write tokens = [{ name = \"ana\", role = \"on-call\", hash = \"sha256:…\" }]; make one with \
         cutover token new",
    )],
};

/// Names of roles, in the core's order.
const ROLES: &[&str] = &["viewer", "operator", "on-call", "approver", "admin", "automation"];

pub(crate) static TOKEN: Section = Section {
    meaning: "Who a token belongs to. `cutover token new` makes the token and this line.",
    keys: &[
        Key {
            name: "name",
            kind: Kind::Text,
            presence: Required("add name = \"ana\": it stands in the audit log"),
            meaning: "Whose it is. Two tokens of one name are one person.",
        },
        Key {
            name: "role",
            kind: Kind::Word(ROLES),
            presence: Required("add role = \"on-call\""),
            meaning: "`viewer` looks. `automation` holds and goes back. `operator` also starts \
                      migrations and mirrors. `on-call` also moves reads forward, practises and \
                      tries again. `approver` holds, goes back, approves and completes. `admin` \
                      does everything.",
        },
        Key {
            name: "hash",
            kind: Kind::Text,
            presence: Required("make a token: cutover token new --name NAME --role ROLE"),
            meaning: "SHA-256 of the token: `sha256:` and 64 hexadecimal digits. The token itself \
                      stands nowhere.",
        },
    ],
    elsewhere: &[("token", "only its hash belongs into this file"), ("user", "it is called name")],
};

pub(crate) static STATE: Section = Section {
    meaning: "Where the state of migrations is kept. Changes need a restart.",
    keys: &[Key {
        name: "store",
        kind: Kind::Text,
        presence: Default("cutover.state"),
        meaning: "A folder, relative to this file's folder: where migrations stand, their evidence \
                  and the audit log. One process has it at a time.",
    }],
    elsewhere: &[],
};
