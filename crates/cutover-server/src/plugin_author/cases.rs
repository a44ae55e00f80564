//! Files of requests and expectations: how they are spelt, and what each case asks.
//!
//! `docs/plugins.md` describes the format. Everything wrong with a file is told at once, by case.

use cutover::config::parse_toml_value;
use cutover::core::Percent;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it shows.
    pub(super) name: String,
    /// The plugin's configuration; the file's if it says none.
    pub(super) config: Option<Value>,
    #[serde(default)]
    pub(super) request: Request,
    /// The user's bucket, if the request has a key.
    pub(super) bucket: Option<u32>,
    #[serde(default)]
    share: Share,
    /// The backend of a rewrite, or of the one reply that is made comparable.
    pub(super) backend: Option<Side>,
    pub(super) reply: Option<Reply>,
    /// Both, to be made comparable.
    pub(super) replies: Option<Replies>,
    pub(super) failure: Option<Failed>,
    pub(super) expect: Expect,
}

/// A request. Only its path is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Request {
    #[serde(default = "get")]
    pub(super) method: String,
    /// With a query, if it has one.
    pub(super) path: String,
    #[serde(default)]
    pub(super) host: String,
    #[serde(default)]
    pub(super) headers: Headers,
    #[serde(default)]
    pub(super) cookies: BTreeMap<String, String>,
    /// Parameters of the route's path.
    #[serde(default)]
    pub(super) params: BTreeMap<String, String>,
    pub(super) peer: Option<IpAddr>,
    #[serde(default)]
    pub(super) tls: bool,
    #[serde(default)]
    pub(super) has_body: bool,
    #[serde(default)]
    pub(super) websocket: bool,
    #[serde(default)]
    pub(super) now_ms: u64,
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
pub(super) type Headers = BTreeMap<String, Lines>;

/// The values of one header.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Lines {
    One(String),
    Many(Vec<String>),
}

impl Lines {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
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
enum Share {
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
pub(super) enum Side {
    Old,
    #[default]
    New,
}

impl Side {
    /// Its index among a migration's backends.
    pub(super) fn index(self) -> u16 {
        match self {
            Self::Old => 0,
            Self::New => 1,
        }
    }
}

/// The replies of both sides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replies {
    pub(super) old: Reply,
    pub(super) new: Reply,
}

/// A reply of a backend, before it is rewritten or made comparable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    #[serde(default = "ok")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: Headers,
    /// Only a plugin that makes replies comparable gets to see it.
    pub(super) body: Option<String>,
}

fn ok() -> u16 {
    200
}

/// A failed attempt. Only its cause is needed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Failed {
    pub(super) cause: CauseName,
    #[serde(default)]
    pub(super) backend: Side,
    #[serde(default = "first")]
    pub(super) attempt: u8,
    /// 0 if there was no reply.
    #[serde(default)]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) elapsed_ms: u32,
    #[serde(default)]
    pub(super) left_ms: u32,
    /// By default the method says it.
    pub(super) idempotent: Option<bool>,
    #[serde(default = "yes")]
    pub(super) replayable: bool,
    #[serde(default)]
    pub(super) response_started: bool,
}

fn first() -> u8 {
    1
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CauseName {
    Connect,
    Reset,
    Timeout,
    #[serde(alias = "5xx")]
    Status,
    CircuitOpen,
}

/// What must come of it. Only what is named is compared.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Expect {
    pub(super) backend: Option<Side>,
    /// Empty: no reason is given.
    pub(super) reason: Option<String>,
    /// 0: the migration's stays.
    pub(super) deadline_ms: Option<u32>,
    /// All of them, in order.
    pub(super) edits: Option<Vec<String>>,
    pub(super) action: Option<String>,
    /// What is compared in place of the reply's body.
    pub(super) body: Option<String>,
    /// Are both replies the same then?
    pub(super) same: Option<bool>,
    /// A part of the reason for which a reply cannot be compared.
    pub(super) cannot: Option<String>,
    /// A part of the message with which `configure` refuses.
    pub(super) refused: Option<String>,
    /// The kind of a fault, or a part of its message.
    pub(super) fault: Option<String>,
}

/// What a case asks of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    Configure,
    Split,
    OnRequest,
    OnResponse,
    OnFailure,
    Normalise,
}

impl Asks {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Configure => "configure",
            Self::Split => "split",
            Self::OnRequest => "on-request",
            Self::OnResponse => "on-response",
            Self::OnFailure => "on-failure",
            Self::Normalise => "normalise",
        }
    }
}

impl Case {
    /// A plain request, for a check, and for a bench without cases.
    pub(super) fn plain(asks: Asks, config: &str) -> Self {
        let failure = json!({ "cause": "timeout", "left-ms": 1000 });
        let reply = match asks {
            Asks::OnResponse => json!({}),
            Asks::Normalise => json!({
                "headers": { "content-type": "application/json" },
                "body": r#"{"id":7,"name":"plain","at":"2026-11-27T16:39:46Z","tags":["a","b"]}"#,
            }),
            Asks::Configure | Asks::Split | Asks::OnRequest | Asks::OnFailure => Value::Null,
        };
        Self {
            name: "a plain request".to_owned(),
            config: serde_json::from_str(config).ok(),
            request: Request::default(),
            bucket: Some(50_000),
            share: Share::Text("50%".to_owned()),
            backend: (asks == Asks::OnRequest).then_some(Side::New),
            reply: serde_json::from_value(reply).ok(),
            replies: None,
            failure: serde_json::from_value(failure).ok().filter(|_| asks == Asks::OnFailure),
            expect: Expect::default(),
        }
    }

    /// The read percent.
    pub(super) fn share(&self) -> Result<Percent, String> {
        let text = match &self.share {
            Share::Number(number) => number.to_string(),
            Share::Text(text) => text.clone(),
        };
        text.parse().map_err(|error| format!("share: {error}"))
    }

    /// The configuration, as the plugin gets it.
    pub(super) fn config(&self) -> String {
        self.config.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string)
    }

    /// Which hook it is for. What it is given says that, or else what it expects.
    pub(super) fn asks(&self) -> Asks {
        match self {
            Self { expect: Expect { refused: Some(_), .. }, .. } => Asks::Configure,
            Self { failure: Some(_), .. } => Asks::OnFailure,
            Self { replies: Some(_), .. }
            | Self { reply: Some(Reply { body: Some(_), .. }), .. } => Asks::Normalise,
            Self { reply: Some(_), .. } => Asks::OnResponse,
            Self { backend: Some(_), .. } | Self { expect: Expect { edits: Some(_), .. }, .. } => {
                Asks::OnRequest
            }
            Self { .. } => Asks::Split,
        }
    }

    /// What contradicts itself.
    fn check(&self) -> Result<(), String> {
        let Expect { backend, reason, deadline_ms, edits, action, .. } = &self.expect;
        let Expect { body, same, cannot, refused, fault, .. } = &self.expect;
        let asks = self.asks();
        let named = [
            ("backend", backend.is_some(), &[Asks::Split][..]),
            ("reason", reason.is_some(), &[Asks::Split]),
            ("deadline-ms", deadline_ms.is_some(), &[Asks::Split]),
            ("edits", edits.is_some(), &[Asks::OnRequest, Asks::OnResponse]),
            ("action", action.is_some(), &[Asks::OnFailure]),
            ("body", body.is_some(), &[Asks::Normalise]),
            ("same", same.is_some(), &[Asks::Normalise]),
            ("cannot", cannot.is_some(), &[Asks::Normalise]),
            ("refused", refused.is_some(), &[Asks::Configure]),
            (
                "fault",
                fault.is_some(),
                &[Asks::Split, Asks::OnRequest, Asks::OnResponse, Asks::OnFailure, Asks::Normalise],
            ),
        ];
        if !named.iter().any(|(_, there, _)| *there) {
            return Err("`expect` names nothing: say at least one thing that must hold".to_owned());
        }
        for (name, _, of) in named.iter().filter(|(_, there, _)| *there) {
            if !of.contains(&asks) {
                let hint = match *name {
                    "action" => "; give the case a `failure`",
                    "body" | "cannot" => "; give the case a `reply` with a `body`",
                    "same" => "; give the case `replies`",
                    _ => "",
                };
                return Err(format!("`{name}` is nothing that {} answers{hint}", asks.name()));
            }
        }
        if asks == Asks::Normalise {
            self.check_replies()?;
        }
        if self.bucket.is_some_and(|bucket| bucket >= 100_000) {
            return Err("`bucket` is 0 to 99999".to_owned());
        }
        self.share().map(drop)
    }

    /// One reply has a body, two are the same or not; and no plugin is asked about an empty body.
    fn check_replies(&self) -> Result<(), String> {
        let Self { reply, replies, expect, .. } = self;
        if replies.is_some() && (reply.is_some() || self.backend.is_some()) {
            return Err("`replies` are of both sides: leave `reply` and `backend` out".to_owned());
        }
        let pair = replies.as_ref().map(|pair| [&pair.old, &pair.new]);
        let mut all = pair.into_iter().flatten().chain(reply);
        if all.any(|reply| reply.body.as_deref().unwrap_or_default().is_empty()) {
            return Err(
                "a `reply` has no `body`: a plugin is not asked about an empty one".to_owned()
            );
        }
        match (replies, expect.body.is_some(), expect.same.is_some()) {
            (Some(_), true, _) => {
                Err("`body` is of one `reply`; of two say if they are the `same`".to_owned())
            }
            (None, _, true) => Err("`same` wants two: `replies.old` and `replies.new`".to_owned()),
            _ => Ok(()),
        }
    }
}

/// The cases of a file, or everything that is wrong with it, a line each.
pub(super) fn load(file: &Path) -> Result<Vec<Case>, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("{name} cannot be read: {error}; docs/plugins.md says what stands in it")
    })?;
    read(&text, &name.to_string())
}

fn read(text: &str, name: &str) -> Result<Vec<Case>, String> {
    let document = parse_toml_value(text, name).map_err(|report| report.to_string())?;
    let Value::Object(mut document) = document else {
        return Err(format!("{name}: not a table"));
    };
    let config = document.remove("config");
    let cases = match document.remove("case") {
        Some(Value::Array(cases)) if !cases.is_empty() => cases,
        Some(_) | None => return Err(format!("{name}: there is no [[case]]")),
    };
    let mut wrong: Vec<String> = document
        .keys()
        .map(|key| format!("{name}: unknown key `{key}`; there are `config` and `[[case]]`"))
        .collect();
    let mut sound = Vec::with_capacity(cases.len());
    for (number, value) in (1..).zip(cases) {
        match case(value, config.as_ref()) {
            Ok(case) => sound.push(case),
            Err((title, what)) => wrong.push(format!("{name}: case {number}{title}: {what}")),
        }
    }
    if wrong.is_empty() { Ok(sound) } else { Err(wrong.join("\n")) }
}

/// A case, or its name and what is wrong with it.
fn case(value: Value, config: Option<&Value>) -> Result<Case, (String, String)> {
    let title = value.get("name").and_then(Value::as_str);
    let title = title.map(|name| format!(" ({name})")).unwrap_or_default();
    let of_config = |value: &Value| {
        let table = value.as_object().cloned();
        table.ok_or_else(|| (title.clone(), "`config` is a table".to_owned()))
    };
    let mut case: Case =
        serde_json::from_value(value).map_err(|error| (title.clone(), error.to_string()))?;
    let own = case.config.as_ref().or(config).map(of_config).transpose()?;
    case.config = Some(Value::Object(own.unwrap_or_else(Map::new)));
    case.check().map_err(|what| (title, what))?;
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Case {
        let text = format!("[[case]]\nname = \"x\"\n{text}\n");
        let mut cases = read(&text, "cases.toml").expect("a good case");
        cases.remove(0)
    }

    #[test]
    fn what_a_case_is_given_and_expects_says_which_hook_it_asks() {
        for (text, asks) in [
            ("expect = { backend = \"new\" }", Asks::Split),
            ("expect = { fault = \"trap\" }", Asks::Split),
            ("expect = { edits = [] }", Asks::OnRequest),
            ("backend = \"old\"\nexpect = { fault = \"trap\" }", Asks::OnRequest),
            ("reply = {}\nexpect = { edits = [] }", Asks::OnResponse),
            ("failure = { cause = \"5xx\" }\nexpect = { action = \"propagate\" }", Asks::OnFailure),
            ("reply = { body = \"x\" }\nexpect = { body = \"\" }", Asks::Normalise),
            ("reply = { body = \"x\" }\nexpect = { fault = \"trap\" }", Asks::Normalise),
            (
                "replies = { old = { body = \"x\" }, new = { body = \"y\" } }\n\
                 expect = { same = false }",
                Asks::Normalise,
            ),
            ("expect = { refused = \"\" }", Asks::Configure),
        ] {
            assert_eq!(one(text).asks(), asks, "{text}");
        }
    }

    #[test]
    fn a_case_has_its_own_configuration_or_the_files() {
        let text = "config = { a = 1 }\n[[case]]\nname = \"x\"\nexpect = { edits = [] }\n\
                    [[case]]\nname = \"y\"\nconfig = { b = 2 }\nexpect = { edits = [] }\n";
        let cases = read(text, "cases.toml").expect("good cases");
        assert_eq!([cases[0].config(), cases[1].config()], ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(one("expect = { edits = [] }").config(), "{}");
    }

    #[test]
    fn a_share_is_a_number_or_a_text() {
        for share in ["5", "\"5%\"", "5.0", "\"5\""] {
            let case = one(&format!("share = {share}\nexpect = {{ backend = \"old\" }}"));
            assert_eq!(case.share().expect("a percent").thousandths(), 5_000, "{share}");
        }
    }

    #[test]
    fn everything_wrong_with_a_file_is_told_at_once_by_case() {
        let text = "cases = 1\n[[case]]\nname = \"first\"\nexpect = {}\n\
                    [[case]]\nname = \"second\"\nexpect = { backend = \"newer\" }\n\
                    [[case]]\nname = \"third\"\nexpect = { action = \"propagate\" }\n\
                    [[case]]\nname = \"fourth\"\nbucket = 100000\nexpect = { backend = \"new\" }\n\
                    [[case]]\nname = \"fifth\"\nshare = \"x\"\nexpect = { backend = \"new\" }\n\
                    [[case]]\nname = \"sixth\"\nrequest = { pat = \"/\" }\nexpect = { edits = [] }\n\
                    [[case]]\nname = \"seventh\"\nreply = { body = \"\" }\nexpect = { body = \"\" }\n\
                    [[case]]\nname = \"eighth\"\nreply = { body = \"x\" }\nexpect = { same = true }\n\
                    [[case]]\nname = \"ninth\"\nreply = {}\nexpect = { cannot = \"x\" }\n\
                    [[case]]\nname = \"tenth\"\nbackend = \"old\"\nexpect = { same = true }\n\
                    replies = { old = { body = \"x\" }, new = { body = \"x\" } }\n";
        let wrong = read(text, "cases.toml").expect_err("wrong");
        let parts = [
            "unknown key `cases`",
            "case 1 (first): `expect` names nothing",
            "case 2 (second): unknown variant `newer`",
            "case 3 (third): `action` is nothing that split answers",
            "case 4 (fourth): `bucket`",
            "case 5 (fifth): share",
            "case 6 (sixth): unknown field `pat`",
            "case 7 (seventh): a `reply` has no `body`",
            "case 8 (eighth): `same` wants two",
            "case 9 (ninth): `cannot` is nothing that on-response answers; give the case a `reply` with",
            "case 10 (tenth): `replies` are of both sides",
        ];
        assert_eq!(wrong.lines().count(), parts.len(), "{wrong}");
        for part in parts {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
        assert!(read("", "cases.toml").is_err_and(|wrong| wrong.contains("no [[case]]")));
    }
}
