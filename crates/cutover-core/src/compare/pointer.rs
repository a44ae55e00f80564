//! JSON pointers (RFC 6901), and patterns made of them, in which `*` stands for any one step.

use super::json::{At, Document, Shape};
use std::fmt;

/// A place in a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pointer(Box<[Box<str>]>);

/// A pointer with wildcards: `/items/*/etag`.
///
/// `*` as a whole step stands for any element and any member. A member that is itself named `*` is
/// written `~2`, which RFC 6901 leaves free.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern(pub(super) Box<[Step]>);

/// One step of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Any,
    /// A member of this name, or the element whose index is written like this.
    Named(Box<str>),
}

/// What is wrong with the text of a pointer, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerError {
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for PointerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.help)
    }
}

impl std::error::Error for PointerError {}

impl Pointer {
    /// Reads the string form: empty, or steps that each begin with `/`.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        steps(text, false)?.map(unescape).collect::<Result<_, _>>().map(Self)
    }

    /// Is there a value in the document at this place?
    pub fn is_in(&self, document: &Document) -> bool {
        self.find(document, document.root()).is_some()
    }

    /// The value at this place, counted from another.
    pub(super) fn find(&self, document: &Document, from: At) -> Option<At> {
        self.0.iter().try_fold(from, |at, step| match document.shape(at) {
            Shape::Array => document.children(at).nth(index(step)?),
            // The first of duplicates.
            Shape::Object => document.children(at).find(|&child| *document.name(child) == **step),
            Shape::Null | Shape::False | Shape::True | Shape::Number | Shape::String => None,
        })
    }
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, PointerError> {
        let step = |raw| match raw {
            "*" => Ok(Step::Any),
            raw => unescape(raw).map(Step::Named),
        };
        steps(text, true)?.map(step).collect::<Result<_, _>>().map(Self)
    }
}

/// As [`Pattern::parse`] reads it, escaped only where it must be.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Any => f.write_str("/*"),
            Step::Named(name) if **name == *"*" => f.write_str("/~2"),
            Step::Named(name) => {
                let mut text = String::new();
                push_step(&mut text, name);
                f.write_str(&text)
            }
        })
    }
}

/// An index as RFC 6901 (section 4) writes it: digits without leading zeros.
fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    if plain { step.parse().ok() } else { None }
}

/// The steps as written. `pattern` decides what a remedy may say.
fn steps(text: &str, pattern: bool) -> Result<impl Iterator<Item = &str>, PointerError> {
    let error = |what: &str, help: String| PointerError { what: what.to_owned(), help };
    if !text.is_empty() && !text.starts_with('/') {
        let help = match rewritten(text) {
            better if pattern => format!("write {better}"),
            better => format!("write {}", better.replace("/*", "/0")),
        };
        return Err(error("a pointer begins with `/`", help));
    }
    // `/` alone, and a `/` at the end, are members with an empty name: in a rule surely a slip.
    if pattern && text.ends_with('/') {
        let help = match text.trim_end_matches('/') {
            "" => "write \"\" for the whole body".to_owned(),
            shorter => format!("write {shorter}, or {shorter}/* for everything below it"),
        };
        return Err(error("it ends with `/`, which names a member without a name", help));
    }
    let mut steps = text.split('/');
    steps.next();
    Ok(steps)
}

fn unescape(step: &str) -> Result<Box<str>, PointerError> {
    if !step.contains('~') {
        return Ok(step.into());
    }
    let mut out = String::with_capacity(step.len());
    let mut rest = step.chars();
    while let Some(c) = rest.next() {
        out.push(match c {
            '~' => match rest.next() {
                Some('0') => '~',
                Some('1') => '/',
                Some('2') => '*',
                Some(_) | None => {
                    let what = format!("`~` in `{step}` is not followed by 0, 1 or 2");
                    let help = "write ~0 for `~`, ~1 for `/`, ~2 for `*`".to_owned();
                    return Err(PointerError { what, help });
                }
            },
            c => c,
        });
    }
    Ok(out.into())
}

/// What somebody meant who wrote `items.etag`, `$.items[*].etag` or `#/items`.
fn rewritten(text: &str) -> String {
    let path = text.trim_start_matches(['$', '#']).trim_start_matches(['.', '/']);
    let mut out = String::from("/");
    for c in path.chars() {
        match c {
            '.' | '[' if !out.ends_with('/') => out.push('/'),
            '.' | '[' | ']' | '\'' | '"' => {}
            c => out.push(c),
        }
    }
    out
}

/// Adds a step to the text of a pointer.
pub(super) fn push_step(pointer: &mut String, name: &str) {
    pointer.push('/');
    if !name.bytes().any(|b| matches!(b, b'~' | b'/')) {
        return pointer.push_str(name);
    }
    for c in name.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// Does a member's name look like a field's, rather than like an id, a date or somebody's address?
///
/// Other names become `*` in a normalised path: objects keyed by ids would make a path for each,
/// and the ids are people's.
pub(super) fn is_field_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$' | b'@');
    let starts =
        name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b"_$@".contains(&b));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    starts && name.len() <= 40 && digits <= 3 && name.bytes().all(word)
}
