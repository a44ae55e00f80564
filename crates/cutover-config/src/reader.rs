//! Reads tables of the text by the vocabulary of [`keys`](crate::keys), collects what is wrong, and goes on.
//!
//! A value that cannot be read is a finding and then counts as absent, so that one run finds everything.

mod scalar;

use crate::keys::{Key, Kind, Presence, Section};
use crate::place::{At, Sink, Span};
pub(crate) use scalar::{Pattern, Scalar, Size, is_number};
use std::cell::Cell;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Dotted path of a key, built only when it is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'t> {
    parent: Option<&'t Self>,
    last: Segment<'t>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'t> {
    Root,
    Key(&'t str),
    Index(usize),
}

impl<'t> Path<'t> {
    fn key<'s>(&'s self, name: &'s str) -> Path<'s> {
        Path { parent: Some(self), last: Segment::Key(name) }
    }

    fn index(&'t self, at: usize) -> Self {
        Path { parent: Some(self), last: Segment::Index(at) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        let dot = if parent.parent.is_some() { "." } else { "" };
        match self.last {
            Segment::Root => Ok(()),
            Segment::Key(name) if is_bare(name) => write!(f, "{dot}{name}"),
            Segment::Key(name) => write!(f, "{dot}{name:?}"),
            Segment::Index(at) => write!(f, "[{at}]"),
        }
    }
}

/// Can the key stand without quotes?
pub(crate) fn is_bare(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A table that is being read. Ask for every key of its section, then call [`finish`](Self::finish).
pub(crate) struct Reader<'t> {
    table: &'t DeTable<'t>,
    /// Where findings about absent keys point.
    pub(crate) span: Span,
    section: &'static Section,
    pub(crate) path: Path<'t>,
    pub(crate) sink: &'t Sink,
    asked: Cell<u64>,
}

impl<'t> Reader<'t> {
    /// A reader of the whole file.
    pub(crate) fn root(table: &'t DeTable<'t>, section: &'static Section, sink: &'t Sink) -> Self {
        let path = Path { parent: None, last: Segment::Root };
        Self::new(table, Span::default(), section, path, sink)
    }

    fn new(
        table: &'t DeTable<'t>,
        span: Span,
        section: &'static Section,
        path: Path<'t>,
        sink: &'t Sink,
    ) -> Self {
        Self { table, span, section, path, sink, asked: Cell::new(0) }
    }

    /// The vocabulary's entry for a key; a reader that asks for others is a mistake in this crate.
    fn key(&self, name: &str) -> &'static Key {
        let at = self.section.keys.iter().position(|key| key.name == name);
        let at = at.expect("readers ask only for keys of their section");
        self.asked.set(self.asked.get() | 1 << at);
        &self.section.keys[at]
    }

    /// The value of a key, if it is there.
    pub(crate) fn item<'s>(&'s self, name: &'static str) -> Option<Item<'s>> {
        let key = self.key(name);
        let value: &'s Spanned<DeValue<'s>> = self.table.get(name)?;
        let (span, path) = (value.span().into(), self.path.key(name));
        Some(Item { value: value.get_ref(), span, kind: &key.kind, path, sink: self.sink })
    }

    /// The value of a key that must be there; its absence is a finding.
    pub(crate) fn required<'s>(&'s self, name: &'static str) -> Option<Item<'s>> {
        let item = self.item(name);
        if item.is_none()
            && let Presence::Required(help) = self.key(name).presence
        {
            self.sink.error(self.span, self.path, format_args!("`{name}` is missing"), help);
        }
        item
    }

    /// A scalar, if it is there and can be read.
    pub(crate) fn get<T: Scalar>(&self, name: &'static str) -> Option<At<T>> {
        self.item(name)?.get()
    }

    /// A scalar that must be there.
    pub(crate) fn require<T: Scalar>(&self, name: &'static str) -> Option<At<T>> {
        self.required(name)?.get()
    }

    /// A scalar, or the default of its key.
    pub(crate) fn get_or_default<T: Scalar>(&self, name: &'static str) -> At<T> {
        let found = self.get(name);
        found.unwrap_or_else(|| At { value: self.default(name), span: self.span })
    }

    fn default<T: Scalar>(&self, name: &'static str) -> T {
        let Presence::Default(text) = self.key(name).presence else {
            unreachable!("`{name}` has a default")
        };
        T::from_default(text).expect("defaults can be read: a test loads the empty file")
    }

    /// A list of scalars; what cannot be read is left out.
    pub(crate) fn list<T: Scalar>(&self, name: &'static str) -> Option<At<Vec<At<T>>>> {
        self.item(name)?.list()
    }

    /// A list of scalars, or the default of its key.
    pub(crate) fn list_or_default<T: Scalar>(&self, name: &'static str) -> At<Vec<At<T>>> {
        if let Some(list) = self.list(name) {
            return list;
        }
        let key = self.key(name);
        let Presence::Default(text) = key.presence else { unreachable!("`{name}` has a default") };
        let value = DeValue::parse(text).expect("defaults are TOML");
        let (span, path) = (self.span, self.path.key(name));
        let item = Item { value: value.get_ref(), span, kind: &key.kind, path, sink: self.sink };
        let list: At<Vec<At<T>>> = item.list().expect("defaults can be read");
        list.map(|list| list.into_iter().map(|at| At { span: self.span, ..at }).collect())
    }

    /// One of a key's words as the value at the same position, or the default of its key.
    pub(crate) fn choice<T: Copy>(&self, name: &'static str, values: &[T]) -> T {
        let chosen = self.item(name).and_then(|item| item.choice(values));
        chosen.unwrap_or_else(|| {
            let key = self.key(name);
            match (key.presence, key.kind.words()) {
                (Presence::Default(text), Some(words)) => {
                    let at = words.iter().position(|word| *word == text);
                    values[at.expect("the default is one of the words")]
                }
                _ => unreachable!("`{name}` is a word with a default"),
            }
        })
    }

    /// A table below this one, read by `read`, which must not forget to finish.
    pub(crate) fn table<T>(
        &self,
        name: &'static str,
        section: &'static Section,
        read: impl FnOnce(&Reader<'_>) -> T,
    ) -> Option<T> {
        self.item(name)?.table(section, read)
    }

    /// Named tables below this one, in the order of the text.
    pub(crate) fn named<T>(
        &self,
        name: &'static str,
        section: &'static Section,
        mut read: impl FnMut(At<String>, &Reader<'_>) -> T,
    ) -> Vec<T> {
        let Some(item) = self.item(name) else { return Vec::new() };
        let DeValue::Table(table) = item.value else {
            item.wrong_type();
            return Vec::new();
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut all = Vec::new();
        for (name, value) in entries {
            let at = At { value: name.get_ref().to_string(), span: name.span().into() };
            let path = item.path.key(name.get_ref());
            check_name(&at, path, self.sink);
            let span = value.span().into();
            let kind = item.kind;
            let entry = Item { value: value.get_ref(), span, kind, path, sink: self.sink };
            all.extend(entry.table(section, |reader| read(at, reader)));
        }
        all
    }

    /// Reports keys that nobody knows. Every key of the section must have been asked for.
    fn finish(&self) {
        let all = (1u64 << self.section.keys.len()) - 1;
        debug_assert_eq!(self.asked.get(), all, "a key of `{}` is never read", self.path);
        for (name, _) in self.table.iter() {
            let text: &str = name.get_ref();
            if self.section.keys.iter().all(|key| key.name != text) {
                let what = format!("`{text}` is not a key that is known here");
                let help = self.section.help_for(text);
                self.sink.error(name.span().into(), self.path.key(text), what, help);
            }
        }
    }
}

impl Section {
    /// What a person who wrote this unknown key may have meant.
    fn help_for(&self, unknown: &str) -> String {
        if let Some((_, help)) = self.elsewhere.iter().find(|(name, _)| *name == unknown) {
            return (*help).to_owned();
        }
        let names = || self.keys.iter().map(|key| key.name);
        match nearest(unknown, names()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known here: {}", names().collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Names stand in metrics, headers and addresses of the admin API.
fn check_name(name: &At<String>, path: Path<'_>, sink: &Sink) {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        let what = format!("{:?} cannot be a name", name.value);
        let help = "a name is 1 to 64 letters, digits, `-`, `_` or `.`: it stands in metrics, logs \
                    and addresses";
        sink.error(name.span, path, what, help);
    }
}

/// The candidate that looks most like `word`, if one does.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    // Beyond a thousand candidates nobody types from memory, and a large broken file must not take minutes.
    let candidates = candidates.into_iter().take(1_000);
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    let limit = (word.chars().count() / 3).max(1);
    let far = |name: &str| strsim::damerau_levenshtein(&word, &plain(name));
    let near = candidates.map(|name| (far(name), name)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, _)| *distance <= limit).map(|(_, name)| name)
}

/// One value: of a key, or of a list.
#[derive(Clone, Copy)]
pub(crate) struct Item<'t> {
    pub(crate) value: &'t DeValue<'t>,
    pub(crate) span: Span,
    pub(crate) kind: &'static Kind,
    pub(crate) path: Path<'t>,
    pub(crate) sink: &'t Sink,
}

impl Item<'_> {
    /// A finding about this value.
    pub(crate) fn error(&self, what: impl ToString, help: impl ToString) {
        self.sink.error(self.span, self.path, what, help);
    }

    /// The value is not what its key wants.
    pub(crate) fn wrong_type(&self) {
        let is = type_word(self.value);
        self.error(format_args!("must be {}, not {is}", self.kind.describe()), "");
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(crate) fn get<T: Scalar>(&self) -> Option<At<T>> {
        Some(At { value: T::read(self)?, span: self.span })
    }

    /// The elements of a list.
    pub(crate) fn items<'s>(&'s self) -> Option<impl Iterator<Item = Item<'s>>> {
        let (DeValue::Array(array), Kind::List(kind)) = (self.value, self.kind) else {
            self.wrong_type();
            return None;
        };
        Some(array.iter().enumerate().map(move |(at, value)| Item {
            value: value.get_ref(),
            span: value.span().into(),
            kind,
            path: self.path.index(at),
            sink: self.sink,
        }))
    }

    fn list<T: Scalar>(&self) -> Option<At<Vec<At<T>>>> {
        let value = self.items()?.filter_map(|item| item.get()).collect();
        Some(At { value, span: self.span })
    }

    /// One of the kind's words as the value at the same position.
    pub(crate) fn choice<T: Copy>(&self, values: &[T]) -> Option<T> {
        let words = self.kind.words().expect("a word is asked for only where one stands");
        debug_assert_eq!(words.len(), values.len(), "one value for each word of {}", self.path);
        let DeValue::String(text) = self.value else {
            self.wrong_type();
            return None;
        };
        if let Some(at) = words.iter().position(|word| word == text) {
            return Some(values[at]);
        }
        let help = match nearest(text, words.iter().copied()) {
            Some(word) => format!("did you mean {word:?}?"),
            None => String::new(),
        };
        self.error(format_args!("must be {}, not {text:?}", self.kind.describe()), help);
        None
    }

    /// A table, read by `read`.
    pub(crate) fn table<T>(
        &self,
        section: &'static Section,
        read: impl FnOnce(&Reader<'_>) -> T,
    ) -> Option<T> {
        debug_assert!(self.kind.leads_to(section), "{} is not that section", self.path);
        let DeValue::Table(table) = self.value else {
            self.wrong_type();
            return None;
        };
        let reader = Reader::new(table, self.span, section, self.path, self.sink);
        let result = read(&reader);
        reader.finish();
        Some(result)
    }

    /// The entries of a table whose keys are free, in the order of the text.
    pub(crate) fn entries<'s>(&'s self) -> Option<Vec<(At<&'s str>, Item<'s>)>> {
        let DeValue::Table(table) = self.value else {
            self.wrong_type();
            return None;
        };
        let mut entries: Vec<_> = table
            .iter()
            .map(|(name, value)| {
                let text: &str = name.get_ref();
                let item = Item {
                    value: value.get_ref(),
                    span: value.span().into(),
                    kind: self.kind,
                    path: self.path.key(text),
                    sink: self.sink,
                };
                (At { value: text, span: name.span().into() }, item)
            })
            .collect();
        entries.sort_by_key(|(name, _)| name.span.start);
        Some(entries)
    }
}

impl Reader<'_> {
    /// A finding about the value of one of this table's keys.
    pub(crate) fn error(&self, name: &str, span: Span, what: impl ToString, help: impl ToString) {
        self.sink.error(span, self.path.key(name), what, help);
    }

    /// A finding that does not stop anything, about the value of one of this table's keys.
    pub(crate) fn warning(&self, name: &str, span: Span, what: impl ToString, help: impl ToString) {
        self.sink.warning(span, self.path.key(name), what, help);
    }

    /// Finishes the reader of the whole file; others are finished where they are handed out.
    pub(crate) fn finish_root(&self) {
        self.finish();
    }
}

/// What a value is, in a person's words.
pub(crate) fn type_word(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
