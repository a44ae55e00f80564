//! A JSON body, read once into a flat table: numbers stay text, duplicate names stay apart, and
//! neither depth nor size can hurt.

use json_event_parser::{JsonEvent, SliceJsonParser};

/// How deep a body may nest. Also the bound of every recursion over a [`Document`].
pub const MAX_DEPTH: usize = 128;

/// How many values a body may have: 24 bytes of memory each, 2.4 MB in all.
pub const MAX_VALUES: usize = 100_000;

/// A body of JSON.
#[derive(Debug)]
pub struct Document {
    /// In the order of the text, so that a value's descendants follow it.
    values: Vec<Value>,
    /// Names, strings and numbers, without escapes.
    text: String,
}

/// Why a body cannot be read as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// Not JSON, from this byte on.
    Malformed {
        /// Offset of the first byte that does not fit.
        at: u64,
    },
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More than [`MAX_VALUES`] values, or 4 GiB.
    TooLarge,
}

/// A value of a [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(u32);

/// What kind of value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Shape {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

impl Shape {
    pub(super) fn is_container(self) -> bool {
        matches!(self, Self::Array | Self::Object)
    }
}

#[derive(Debug)]
struct Value {
    shape: Shape,
    /// Of a member of an object.
    name: Span,
    /// Of a string or a number; the length alone, of a container's children.
    text: Span,
    /// The first value after this one's descendants.
    end: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

impl Document {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        if u32::try_from(body.len()).is_err() {
            return Err(Unreadable::TooLarge);
        }
        // A value takes some ten bytes in usual replies.
        let values = Vec::with_capacity((body.len() / 10 + 1).min(MAX_VALUES));
        let mut document = Self { values, text: String::with_capacity(body.len()) };
        document.read(&mut SliceJsonParser::new(body))?;
        Ok(document)
    }

    fn read(&mut self, parser: &mut SliceJsonParser<'_>) -> Result<(), Unreadable> {
        let mut open: Vec<u32> = Vec::new();
        let mut name = Span::default();
        loop {
            let event = parser.parse_next();
            let event =
                event.map_err(|e| Unreadable::Malformed { at: e.location().start.offset })?;
            let (shape, text) = match event {
                JsonEvent::ObjectKey(text) => {
                    name = self.keep(&text);
                    continue;
                }
                JsonEvent::EndArray | JsonEvent::EndObject => {
                    let end = self.values.len() as u32;
                    if let Some(container) = open.pop() {
                        self.values[container as usize].end = end;
                    }
                    continue;
                }
                JsonEvent::Eof => break,
                JsonEvent::StartArray => (Shape::Array, Span::default()),
                JsonEvent::StartObject => (Shape::Object, Span::default()),
                JsonEvent::Null => (Shape::Null, Span::default()),
                JsonEvent::Boolean(false) => (Shape::False, Span::default()),
                JsonEvent::Boolean(true) => (Shape::True, Span::default()),
                JsonEvent::Number(text) => (Shape::Number, self.keep(&text)),
                JsonEvent::String(text) => (Shape::String, self.keep(&text)),
            };
            let at = self.values.len();
            if at == MAX_VALUES {
                return Err(Unreadable::TooLarge);
            }
            if let Some(&parent) = open.last() {
                self.values[parent as usize].text.len += 1;
            }
            self.values.push(Value { shape, name, text, end: at as u32 + 1 });
            name = Span::default();
            if shape.is_container() {
                if open.len() == MAX_DEPTH {
                    return Err(Unreadable::TooDeep);
                }
                open.push(at as u32);
            }
        }
        if self.values.is_empty() { Err(Unreadable::Malformed { at: 0 }) } else { Ok(()) }
    }

    fn keep(&mut self, text: &str) -> Span {
        // Text without escapes is never longer than the body, whose length was checked.
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Span { start, len: text.len() as u32 }
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..(span.start + span.len) as usize]
    }

    fn value(&self, at: At) -> &Value {
        &self.values[at.0 as usize]
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn root(&self) -> At {
        At(0)
    }

    pub(super) fn shape(&self, at: At) -> Shape {
        self.value(at).shape
    }

    /// The name under which an object has this value.
    pub(super) fn name(&self, at: At) -> &str {
        self.slice(self.value(at).name)
    }

    /// A number as it was written, a string without escapes; empty for everything else.
    pub(super) fn text(&self, at: At) -> &str {
        let value = self.value(at);
        if value.shape.is_container() { "" } else { self.slice(value.text) }
    }

    /// Number of children.
    pub(super) fn count(&self, at: At) -> u32 {
        let value = self.value(at);
        if value.shape.is_container() { value.text.len } else { 0 }
    }

    /// The children of a container, in the order of the text.
    pub(super) fn children(&self, at: At) -> impl Iterator<Item = At> + use<'_> {
        let end = self.value(at).end;
        let mut next = at.0 + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(At(next))?;
            next = self.value(child).end;
            Some(child)
        })
    }
}
