//! The verbs of the API: what each is called, what it takes, and which command it is.

use cutover::View;
use cutover::config::duration;
use cutover::core::Percent;
use cutover::core::compare::{IgnoreList, IgnoreRule};
use cutover::core::migration::{Back, Command, EvidenceHash, Goal};
use serde::{Deserialize, Deserializer};

/// One verb.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    /// As it stands in the address.
    pub name: &'static str,
    /// Members of the body besides `reason` and `dryRun`.
    pub takes: &'static [&'static str],
}

const fn verb(name: &'static str, takes: &'static [&'static str]) -> Verb {
    Verb { name, takes }
}

/// Verbs of `POST /admin/v1/migrations/{id}:VERB`.
pub const VERBS: &[Verb] = &[
    verb("promote", &["to", "full"]),
    verb("setWeight", &["percent"]),
    verb("mirrorTraffic", &["percent"]),
    verb("pause", &[]),
    verb("freeze", &[]),
    verb("resume", &[]),
    verb("rollback", &["now", "graded", "to"]),
    verb("abort", &[]),
    verb("retry", &[]),
    verb("switchTraffic", &["reads", "writes"]),
    verb("reverseTraffic", &["reads", "writes"]),
    verb("complete", &["confirm"]),
    verb("drill", &[]),
    verb("ignore", &["rule", "list"]),
    verb("unignore", &["rule", "list"]),
];

/// An opinion on a move: `POST /admin/v1/migrations/{id}/approvals`.
pub const APPROVAL: Verb = verb("approvals", &["to", "full", "evidence", "approves"]);

/// What a verb is told. Which of it a verb takes is for [`Verb::takes`].
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Told {
    pub(super) reason: Option<String>,
    pub(super) dry_run: Option<bool>,
    #[serde(deserialize_with = "share")]
    to: Option<String>,
    full: bool,
    #[serde(deserialize_with = "share")]
    percent: Option<String>,
    now: bool,
    graded: Option<String>,
    evidence: Option<String>,
    approves: Option<bool>,
    confirm: Option<String>,
    reads: bool,
    writes: bool,
    rule: Option<String>,
    list: Option<String>,
}

/// `20`, `"20%"` or a word.
fn share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Share {
        Text(String),
        Number(serde_json::Number),
    }
    Ok(Option::<Share>::deserialize(from)?.map(|share| match share {
        Share::Text(text) => text,
        Share::Number(number) => number.to_string(),
    }))
}

impl Told {
    /// The command. `view` shows which evidence can be meant.
    pub(super) fn command(&self, verb: &Verb, view: &View) -> Result<Command, String> {
        Ok(match verb.name {
            "promote" => Command::Promote(self.goal()?),
            "setWeight" => Command::SetWeight(self.percent()?),
            "mirrorTraffic" => Command::MirrorTraffic(self.percent()?),
            "pause" => Command::Pause,
            "freeze" => Command::Freeze,
            "resume" => Command::Resume,
            "rollback" => Command::Rollback(self.back()?),
            "abort" => Command::Abort,
            "retry" => Command::Retry,
            "switchTraffic" => self.one_of(Command::SwitchReads, Command::SwitchWrites)?,
            "reverseTraffic" => self.one_of(Command::ReverseReads, Command::ReverseWrites)?,
            "complete" => {
                Command::Complete { confirm: self.confirm.as_deref().unwrap_or_default().into() }
            }
            "drill" => Command::Drill,
            "ignore" => Command::Ignore(self.rule()?),
            "unignore" => Command::Unignore(self.rule()?),
            _ => {
                let (goal, evidence) = (self.goal()?, self.evidence(view)?);
                match self.approves.unwrap_or(true) {
                    true => Command::Approve { goal, evidence },
                    false => Command::Reject { goal, evidence },
                }
            }
        })
    }

    fn goal(&self) -> Result<Goal, String> {
        match (self.to.as_deref(), self.full) {
            (Some(_), true) => Err("Give `to` or `full`, not both.".to_owned()),
            (None, true) => Ok(Goal::Full),
            (None, false) => Ok(Goal::Next),
            (Some("reads-new"), false) => Ok(Goal::ReadsNew),
            (Some("complete"), false) => Ok(Goal::Complete),
            (Some(text), false) => percent("to", text).map(Goal::To),
        }
    }

    fn rule(&self) -> Result<IgnoreRule, String> {
        let list = self.list.as_deref().unwrap_or_default();
        let list = match (list, IgnoreList::from_name(list)) {
            ("", _) => IgnoreList::default(),
            (_, Some(list)) => list,
            (_, None) => {
                let names = IgnoreList::ALL.map(IgnoreList::name).join(" or ");
                return Err(format!("`list` is {list:?}: write {names}."));
            }
        };
        let Some(rule) = &self.rule else {
            return Err("Give the `rule`, like \"/items/*/etag\" or \"header:date\".".to_owned());
        };
        IgnoreRule::new(list, rule).map_err(|finding| format!("{finding}."))
    }

    fn percent(&self) -> Result<Percent, String> {
        let Some(text) = &self.percent else {
            return Err("Give `percent`, like 20 or \"2.5%\".".to_owned());
        };
        percent("percent", text)
    }

    fn back(&self) -> Result<Back, String> {
        match (self.now, self.graded.as_deref(), self.to.as_deref()) {
            (_, None, None) => Ok(Back::Now),
            (false, Some(text), None) => {
                let over = duration(text);
                over.map(Back::Graded)
                    .ok_or_else(|| format!("`graded` is {text:?}: write a duration like \"30s\"."))
            }
            (false, None, Some(text)) => percent("to", text).map(Back::To),
            _ => Err("Give one of `now`, `graded` and `to`.".to_owned()),
        }
    }

    /// Never both, and never by default.
    fn one_of(&self, reads: Command, writes: Command) -> Result<Command, String> {
        match (self.reads, self.writes) {
            (true, false) => Ok(reads),
            (false, true) => Ok(writes),
            _ => Err("Give `reads` or `writes`: they move separately.".to_owned()),
        }
    }

    /// Twelve digits tell evidence apart, as they are shown to people.
    fn evidence(&self, view: &View) -> Result<EvidenceHash, String> {
        let Some(text) = self.evidence.as_deref().map(str::to_ascii_lowercase) else {
            return Err("Give the `evidence` you saw: GET shows it.".to_owned());
        };
        let digits = text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !digits || !(12..=64).contains(&text.len()) {
            return Err("`evidence` is 12 to 64 hexadecimal digits, as GET shows them.".to_owned());
        }
        let seen = &view.seen;
        let mut all = std::iter::once(seen.evidence).chain(seen.shown.iter().copied());
        let known = all.find(|hash| super::hex(&hash.0).starts_with(&text));
        // Of none that can be meant the state machine says so in its own words.
        Ok(known.unwrap_or_default())
    }
}

fn percent(member: &str, text: &str) -> Result<Percent, String> {
    text.parse().map_err(|error| format!("`{member}` is {text:?}: {error}."))
}
