//! Requests and expectations: how they are spelt, and what each case asks. `docs/plugins.md` describes the format.

mod file;
mod given;

pub(super) use file::load;
pub(super) use given::{CauseName, Failed, Headers, Replies, Reply, Request, Side};

use cutover::core::Percent;
use given::Share;
use serde::Deserialize;
use serde_json::{Value, json};

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
