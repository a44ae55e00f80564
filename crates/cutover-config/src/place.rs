//! Places in the text, and the findings that are collected on the way through it.

use crate::finding::{Finding, Severity};
use std::cell::RefCell;
use std::ops::Range;

/// Bytes of the text. Comparing two values that carry places compares the values alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> At<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), span: self.span }
    }
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Collects findings by place; they get their lines at the end.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    drafts: RefCell<Vec<Draft>>,
}

#[derive(Debug)]
struct Draft {
    severity: Severity,
    span: Span,
    key: String,
    what: String,
    help: Option<String>,
    other: Option<Span>,
}

impl Sink {
    pub(crate) fn error(
        &self,
        span: Span,
        key: impl ToString,
        what: impl ToString,
        help: impl ToString,
    ) {
        self.push(Severity::Error, span, key, what, help);
    }

    pub(crate) fn warning(
        &self,
        span: Span,
        key: impl ToString,
        what: impl ToString,
        help: impl ToString,
    ) {
        self.push(Severity::Warning, span, key, what, help);
    }

    /// An error about two places; `{line}` in `what` becomes the line of the other.
    pub(crate) fn clash(
        &self,
        span: Span,
        other: Span,
        key: impl ToString,
        what: impl ToString,
        help: impl ToString,
    ) {
        self.error(span, key, what, help);
        if let Some(draft) = self.drafts.borrow_mut().last_mut() {
            draft.other = Some(other);
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "texts, names and arguments of formats are all written at the call"
    )]
    fn push(
        &self,
        severity: Severity,
        span: Span,
        key: impl ToString,
        what: impl ToString,
        help: impl ToString,
    ) {
        let (key, what, help) = (key.to_string(), what.to_string(), help.to_string());
        let help = (!help.is_empty()).then_some(help);
        let draft = Draft { severity, span, key, what, help, other: None };
        self.drafts.borrow_mut().push(draft);
    }

    /// How many errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.drafts.borrow().iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// The findings in the order of the text.
    pub(crate) fn finish(self, text: &str) -> Vec<Finding> {
        let mut drafts = self.drafts.into_inner();
        drafts.sort_by_key(|draft| draft.span.start);
        let lines = Lines::new(text);
        drafts.into_iter().map(|draft| lines.finding(draft)).collect()
    }
}

/// Where the lines of a text begin.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts: starts.collect() }
    }

    /// The line, from 1, in which a byte stands.
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&begin| begin <= at)
    }

    fn finding(&self, draft: Draft) -> Finding {
        let start = floor(self.text, draft.span.start);
        let end = floor(self.text, draft.span.end.max(start));
        let line = self.line(start);
        let begin = self.starts[line - 1];
        let source = self.text[begin..].split('\n').next().unwrap_or_default();
        let source = source.strip_suffix('\r').unwrap_or(source);
        let stop = end.min(begin + source.len()).max(start);
        Finding {
            severity: draft.severity,
            line,
            column: self.text[begin..start].chars().count() + 1,
            length: self.text[start..stop].chars().count().max(1),
            key: draft.key,
            what: match draft.other {
                Some(other) => draft.what.replace("{line}", &self.line(other.start).to_string()),
                None => draft.what,
            },
            help: draft.help,
            source: (!holds_secret(source)).then(|| source.to_owned()),
        }
    }
}

/// A person who wrote a secret into the file must not find it again in a log.
fn holds_secret(line: &str) -> bool {
    // An admin token where its hash belongs.
    if line.split(['"', '\'']).any(|part| part.starts_with("cut_")) {
        return true;
    }
    let mut values = line
        .split("secret")
        .skip(1)
        .filter_map(|rest| rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix('='));
    values.any(|value| !value.trim_start().starts_with('{'))
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
