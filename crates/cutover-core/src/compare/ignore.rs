//! One rule that says what does not count, by itself: such as a person adds while the proxy runs.
//!
//! A rule that leaves out the whole body is none: it would make comparing pointless in one click,
//! so its place is the configuration, where others read it before it counts.

use super::difference::Kind;
use super::pointer::Pattern;
use super::rules::{RuleFinding, RuleSpec, Rules, header_name};
use super::sample::GroupKey;
use std::fmt;

/// Longest text of a rule that is added, in bytes.
pub const MAX_IGNORE_RULE_BYTES: usize = 512;

/// The list of a [`RuleSpec`] that a rule belongs into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IgnoreList {
    /// What is there is not compared.
    #[default]
    Ignore,
    /// Only the order of what is there is not.
    Unordered,
}

/// A rule that compiles, spelled in the one way in which equal rules are equal texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IgnoreRule {
    list: IgnoreList,
    text: Box<str>,
}

impl IgnoreList {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ignore, Self::Unordered];

    /// The name used in the configuration and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Unordered => "unordered",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.name() == name)
    }

    fn alone(self, text: &str) -> RuleSpec {
        let mut spec = RuleSpec::default();
        match self {
            Self::Ignore => spec.ignore.push(text.to_owned()),
            Self::Unordered => spec.unordered.push(text.to_owned()),
        }
        spec
    }
}

impl IgnoreRule {
    /// Reads a rule as the configuration would, or says what is wrong with it.
    pub fn new(list: IgnoreList, text: &str) -> Result<Self, RuleFinding> {
        let find = |what: &str, help: &str| Err(finding(list, text, what, help));
        if text.len() > MAX_IGNORE_RULE_BYTES {
            let help = "name the field by a shorter path: `*` stands for any one step";
            return find(&format!("it has more than {MAX_IGNORE_RULE_BYTES} bytes"), help);
        }
        if text.contains(char::is_control) {
            return find("it has a control character in it", "write it without");
        }
        let everything = text.split('/').all(|step| matches!(step, "" | "*"));
        if list == IgnoreList::Ignore && everything {
            let help = "name what differs, like /items/*/etag; or write it into \
                        compare.ignore of the configuration, and reload";
            return find("it would leave out the whole body", help);
        }
        if let Err(findings) = Rules::compile(&list.alone(text)) {
            return Err(findings.into_iter().next().expect("an error has a finding"));
        }
        Ok(Self { list, text: spelled(text).into() })
    }

    /// The list it belongs into.
    pub fn list(&self) -> IgnoreList {
        self.list
    }

    /// The rule, as it would stand in the configuration.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// That it cannot be had, and what to do instead.
    pub fn finding(&self, what: &str, help: &str) -> RuleFinding {
        finding(self.list, &self.text, what, help)
    }
}

/// `ignore /items/*/etag`.
impl fmt::Display for IgnoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.list.name(), self.text)
    }
}

impl GroupKey {
    /// The rule that would silence this field, or why there is none.
    pub fn rule(&self) -> Result<IgnoreRule, RuleFinding> {
        let list = match self.kind {
            Kind::Order => IgnoreList::Unordered,
            Kind::Missing
            | Kind::Extra
            | Kind::Type
            | Kind::Value
            | Kind::Length
            | Kind::Status
            | Kind::Header
            | Kind::Digest => IgnoreList::Ignore,
        };
        if self.kind == Kind::Status {
            let help = "mend new; compare.status = \"class\" compares their first digits only";
            return Err(finding(list, &self.path, "no rule leaves out a status", help));
        }
        IgnoreRule::new(list, &self.path)
    }
}

impl RuleSpec {
    /// The rules of both lists, as they would be if somebody had added them.
    pub fn ignores(&self) -> impl Iterator<Item = IgnoreRule> {
        let of = |list| move |text: &String| IgnoreRule { list, text: spelled(text).into() };
        let ignored = self.ignore.iter().map(of(IgnoreList::Ignore));
        ignored.chain(self.unordered.iter().map(of(IgnoreList::Unordered)))
    }

    /// Does it have this rule?
    pub fn has(&self, rule: &IgnoreRule) -> bool {
        self.ignores().any(|known| known == *rule)
    }

    /// Does it say something else about the same place?
    pub fn contradicts(&self, rule: &IgnoreRule) -> bool {
        let mut both = self.clone();
        both.add(rule);
        Rules::compile(self).is_ok() && Rules::compile(&both).is_err()
    }

    /// With rules that were added. What it says itself outranks one that contradicts it, which is
    /// left out: it may have been added when this said something else.
    #[must_use]
    pub fn with<'r>(&self, added: impl IntoIterator<Item = &'r IgnoreRule>) -> Self {
        let mut all = self.clone();
        let added = added.into_iter();
        added.filter(|rule| !self.contradicts(rule)).for_each(|rule| all.add(rule));
        all
    }

    fn add(&mut self, rule: &IgnoreRule) {
        let list = match rule.list {
            IgnoreList::Ignore => &mut self.ignore,
            IgnoreList::Unordered => &mut self.unordered,
        };
        list.push(rule.text.to_string());
    }
}

fn finding(list: IgnoreList, rule: &str, what: &str, help: &str) -> RuleFinding {
    let (rule, what, help) = (rule.to_owned(), what.to_owned(), help.to_owned());
    RuleFinding { list: list.name(), index: 0, rule, what, help }
}

/// The one spelling of a rule that compiles: names of headers in small letters, no more escapes in
/// a path than it takes.
fn spelled(text: &str) -> String {
    match header_name(text) {
        Some(Ok(name)) => format!("header:{name}"),
        Some(Err(_)) => text.to_owned(),
        None => {
            Pattern::parse(text).map_or_else(|_| text.to_owned(), |pattern| pattern.to_string())
        }
    }
}
