//! Rules: what does not count when two replies are compared.
//!
//! Everything counts until a rule says otherwise: a difference that is told can be judged, one that
//! is hidden cannot. Rules are compiled once into a trie over the steps of their paths; a
//! comparison walks it along with the document.

use super::header::HeaderRules;
use super::number::{Numbers, Tolerance};
use super::pointer::{Pattern, Pointer, PointerError, Step};
use http::{HeaderName, StatusCode};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// Rules as they are written.
///
/// A path is a JSON pointer in which `*` stands for any one step: `/items/*/etag`. A member that is
/// named `*` is written `~2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSpec {
    /// Paths, and `header:NAME`, that are not compared. The empty path is the whole body.
    pub ignore: Vec<String>,
    /// `header:NAME` of headers to compare although by default they are not (see
    /// [`NEVER`](super::NEVER_COMPARED), [`PRESENCE`](super::COMPARED_FOR_PRESENCE)).
    pub compare: Vec<String>,
    /// Paths of arrays whose order says nothing. Rules for one index (`/tags/3`) do not apply in
    /// them, nor in keyed ones.
    pub unordered: Vec<String>,
    /// Paths of arrays whose elements belong together by a key, with the pointer of that key in an
    /// element: `("/items", "/id")`.
    pub keyed: Vec<(String, String)>,
    /// Paths of numbers, with how far apart they may be: `("/price", "0.01")`, `("/score", "1%")`.
    pub numbers: Vec<(String, String)>,
    /// Paths of times, with how far apart they may be. Zones, and the difference between RFC 3339
    /// and a number of seconds, milli-, micro- or nanoseconds, do not count.
    pub times: Vec<(String, Duration)>,
    /// A member that is `null` is as good as none.
    pub null_is_missing: bool,
    /// When numbers without a tolerance are the same.
    pub number: Numbers,
    /// When status codes are the same.
    pub status: Statuses,
}

/// When two status codes are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Statuses {
    /// When they are equal. The default.
    #[default]
    Exact,
    /// When their first digit is.
    Class,
}

/// What is wrong with a rule, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// The list of [`RuleSpec`] it stands in.
    pub list: &'static str,
    /// Its position there, from 0.
    pub index: usize,
    /// As it was written.
    pub rule: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for RuleFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}: {}", self.list, self.rule, self.what, self.help)
    }
}

/// Compiled rules.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(super) headers: HeaderRules,
    pub(super) null_is_missing: bool,
    pub(super) number: Numbers,
    pub(super) status: Statuses,
    /// Empty if no rule concerns the body; else the root comes first.
    nodes: Vec<Node>,
}

/// What holds at the places a pattern reaches.
#[derive(Clone, Debug, Default)]
struct Node {
    named: BTreeMap<Box<str>, u32>,
    any: Option<u32>,
    ignore: bool,
    list: Option<List>,
    tolerance: Option<Tolerance>,
    time: Option<i128>,
}

/// How the elements of an array belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum List {
    Unordered,
    Keyed(Pointer),
}

/// The rules that hold at one place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ruling<'r> {
    pub(super) ignore: bool,
    pub(super) list: Option<&'r List>,
    pub(super) tolerance: Option<&'r Tolerance>,
    /// In nanoseconds.
    pub(super) time: Option<i128>,
}

/// One step down a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Down<'d> {
    Name(&'d str),
    Index(usize),
    /// To an element whose place means nothing.
    Anywhere,
}

impl Rules {
    /// Compiles rules, or tells everything that is wrong with them.
    pub fn compile(spec: &RuleSpec) -> Result<Self, Vec<RuleFinding>> {
        let mut compiler = Compiler { rules: Self::default(), findings: Vec::new() };
        compiler.rules.null_is_missing = spec.null_is_missing;
        compiler.rules.number = spec.number;
        compiler.rules.status = spec.status;
        compiler.read(spec);
        if compiler.findings.is_empty() { Ok(compiler.rules) } else { Err(compiler.findings) }
    }

    /// Are the bodies of replies with these statuses compared at all?
    pub fn look_at_bodies(&self, old: StatusCode, new: StatusCode) -> bool {
        let failed = old.is_server_error() || new.is_server_error();
        !failed && self.same_status(old, new) && !self.ignores_body()
    }

    /// Is all of the body left out?
    pub(super) fn ignores_body(&self) -> bool {
        self.nodes.first().is_some_and(|root| root.ignore)
    }

    /// The states at the root of a document.
    pub(super) fn start(&self, states: &mut Vec<u32>) -> Range<usize> {
        states.clear();
        if !self.nodes.is_empty() {
            states.push(0);
        }
        0..states.len()
    }

    /// Appends the states one step further down.
    pub(super) fn descend(
        &self,
        states: &mut Vec<u32>,
        from: Range<usize>,
        step: Down<'_>,
    ) -> Range<usize> {
        let start = states.len();
        for at in from {
            let node = &self.nodes[states[at] as usize];
            if !node.named.is_empty() {
                let child = match step {
                    Down::Name(name) => node.named.get(name),
                    Down::Index(index) => node.named.get(index.to_string().as_str()),
                    Down::Anywhere => None,
                };
                states.extend(child);
            }
            states.extend(node.any);
        }
        start..states.len()
    }

    /// What holds in these states. Where several patterns meet, the one that is literal earlier in
    /// its path wins.
    pub(super) fn ruling(&self, states: &[u32]) -> Ruling<'_> {
        let mut ruling = Ruling::default();
        for &state in states {
            let node = &self.nodes[state as usize];
            ruling.ignore |= node.ignore;
            ruling.list = ruling.list.or(node.list.as_ref());
            ruling.tolerance = ruling.tolerance.or(node.tolerance.as_ref());
            ruling.time = ruling.time.or(node.time);
        }
        ruling
    }
}

struct Compiler {
    rules: Rules,
    findings: Vec<RuleFinding>,
}

impl Compiler {
    fn read(&mut self, spec: &RuleSpec) {
        for (index, text) in spec.ignore.iter().enumerate() {
            let at = ("ignore", index, text.as_str());
            match header_name(text) {
                Some(name) => {
                    let name = self.told(at, name);
                    self.rules.headers.ignored.extend(name);
                }
                None => self.set(at, |node| put(&mut node.ignore, true, &false)),
            }
        }
        for (index, text) in spec.compare.iter().enumerate() {
            let name = header_name(text).unwrap_or_else(|| {
                let what = "only headers can be named here".to_owned();
                let help = "write header:NAME; all of the body is compared anyway".to_owned();
                Err(PointerError { what, help })
            });
            let name = self.told(("compare", index, text), name);
            self.rules.headers.compared.extend(name);
        }
        for (index, text) in spec.unordered.iter().enumerate() {
            let at = ("unordered", index, text.as_str());
            self.set(at, |node| put(&mut node.list, Some(List::Unordered), &None));
        }
        for (index, (text, key)) in spec.keyed.iter().enumerate() {
            let at = ("keyed", index, text.as_str());
            let pointer = self.told(("keyed", index, key), Pointer::parse(key));
            let list = pointer.map(List::Keyed);
            self.set(at, |node| put(&mut node.list, list, &None));
        }
        for (index, (text, tolerance)) in spec.numbers.iter().enumerate() {
            let read = tolerance.parse::<Tolerance>().map_err(|error| {
                let help = "write \"0.01\" for a distance, \"1%\" for a share".to_owned();
                let what = error.to_string();
                let what = what.split(':').next().unwrap_or_default().to_owned();
                PointerError { what, help }
            });
            let tolerance = self.told(("numbers", index, tolerance), read);
            let at = ("numbers", index, text.as_str());
            self.set(at, |node| put(&mut node.tolerance, tolerance, &None));
        }
        for (index, (text, tolerance)) in spec.times.iter().enumerate() {
            let nanos = Some(tolerance.as_nanos() as i128);
            let at = ("times", index, text.as_str());
            self.set(at, |node| put(&mut node.time, nanos, &None));
        }
    }

    /// The value, or a finding.
    fn told<T>(&mut self, at: Written<'_>, read: Result<T, PointerError>) -> Option<T> {
        read.map_err(|error| self.find(at, error)).ok()
    }

    fn find(
        &mut self,
        (list, index, rule): Written<'_>,
        PointerError { what, help }: PointerError,
    ) {
        let rule = rule.to_owned();
        self.findings.push(RuleFinding { list, index, rule, what, help });
    }

    /// Sets something at the end of a path; `set` says whether it was free to be set.
    fn set(&mut self, at: Written<'_>, set: impl FnOnce(&mut Node) -> bool) {
        let Some(pattern) = self.told(at, Pattern::parse(at.2)) else { return };
        let node = self.node(&pattern);
        if !set(&mut self.rules.nodes[node]) {
            let what = "another rule says something else about the same path".to_owned();
            let help = "keep one of the two".to_owned();
            self.find(at, PointerError { what, help });
        }
    }

    fn node(&mut self, pattern: &Pattern) -> usize {
        let nodes = &mut self.rules.nodes;
        if nodes.is_empty() {
            nodes.push(Node::default());
        }
        let mut at = 0;
        for step in &pattern.0 {
            let next = nodes.len() as u32;
            let node = &mut nodes[at];
            let child = match step {
                Step::Any => *node.any.get_or_insert(next),
                Step::Named(name) => *node.named.entry(name.clone()).or_insert(next),
            };
            if child == next {
                nodes.push(Node::default());
            }
            at = child as usize;
        }
        at
    }
}

/// List, position in it, text.
type Written<'t> = (&'static str, usize, &'t str);

/// Puts a value where there is none yet, or the same.
fn put<T: PartialEq>(place: &mut T, value: T, free: &T) -> bool {
    let may = place == free || *place == value;
    *place = value;
    may
}

/// The name in `header:NAME`; `None` if the rule is about the body.
pub(super) fn header_name(text: &str) -> Option<Result<Box<str>, PointerError>> {
    if text.starts_with('/') {
        return None;
    }
    let (before, name) = text.split_once(':')?;
    // A star may stand in a name, but in no name that a reply has.
    if name.contains('*') {
        let what = "names of headers have no wildcards".to_owned();
        let help = "name one header: header:date".to_owned();
        return Some(Err(PointerError { what, help }));
    }
    let exact = HeaderName::try_from(name.trim()).ok().map(|name| format!("header:{name}"));
    if before == "header"
        && name == name.trim()
        && let Some(exact) = &exact
    {
        return Some(Ok(exact["header:".len()..].into()));
    }
    let what = match exact {
        Some(_) => "a header is named as header:NAME".to_owned(),
        None => format!("`{}` is not the name of a header", name.trim()),
    };
    let help = match exact {
        Some(exact) => format!("write {exact}"),
        None => "write the name as it stands in the reply, without its value".to_owned(),
    };
    Some(Err(PointerError { what, help }))
}
