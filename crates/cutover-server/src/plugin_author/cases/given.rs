//! What a case gives a plugin: a request, replies, a failure.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A request. Only its path is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Request {
    #[serde(default = "get")]
    pub(crate) method: String,
    /// With a query, if it has one.
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) host: String,
    #[serde(default)]
    pub(crate) headers: Headers,
    #[serde(default)]
    pub(crate) cookies: BTreeMap<String, String>,
    /// Parameters of the route's path.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) peer: Option<IpAddr>,
    #[serde(default)]
    pub(crate) tls: bool,
    #[serde(default)]
    pub(crate) has_body: bool,
    #[serde(default)]
    pub(crate) websocket: bool,
    #[serde(default)]
    pub(crate) now_ms: u64,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: get(),
            path: "/".to_owned(),
            host: String::new(),
            headers: Headers::new(),
            cookies: BTreeMap::new(),
            params: BTreeMap::new(),
            peer: None,
            tls: false,
            has_body: false,
            websocket: false,
            now_ms: 0,
        }
    }
}

fn get() -> String {
    "GET".to_owned()
}

/// Headers by name.
pub(crate) type Headers = BTreeMap<String, Lines>;

/// The values of one header.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Lines {
    One(String),
    Many(Vec<String>),
}

impl Lines {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let lines = match self {
            Self::One(line) => std::slice::from_ref(line),
            Self::Many(lines) => lines,
        };
        lines.iter().map(String::as_str)
    }
}

/// A percent: `5`, or `"0.5%"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Share {
    Number(serde_json::Number),
    Text(String),
}

impl Default for Share {
    fn default() -> Self {
        Self::Text("0%".to_owned())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Old,
    #[default]
    New,
}

impl Side {
    /// Its index among a migration's backends.
    pub(crate) fn index(self) -> u16 {
        match self {
            Self::Old => 0,
            Self::New => 1,
        }
    }
}

/// The replies of both sides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replies {
    pub(crate) old: Reply,
    pub(crate) new: Reply,
}

/// A reply of a backend, before it is rewritten or made comparable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    #[serde(default = "ok")]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: Headers,
    /// Only a plugin that makes replies comparable gets to see it.
    pub(crate) body: Option<String>,
}

fn ok() -> u16 {
    200
}

/// A failed attempt. Only its cause is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Failed {
    pub(crate) cause: CauseName,
    #[serde(default)]
    pub(crate) backend: Side,
    #[serde(default = "first")]
    pub(crate) attempt: u8,
    /// 0 if there was no reply.
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) elapsed_ms: u32,
    #[serde(default)]
    pub(crate) left_ms: u32,
    /// By default the method says it.
    pub(crate) idempotent: Option<bool>,
    #[serde(default = "yes")]
    pub(crate) replayable: bool,
    #[serde(default)]
    pub(crate) response_started: bool,
}

fn first() -> u8 {
    1
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CauseName {
    Connect,
    Reset,
    Timeout,
    #[serde(alias = "5xx")]
    Status,
    CircuitOpen,
}
