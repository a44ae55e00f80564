//! A JSON body as a flat table: numbers stay text, duplicate names stay apart, and neither depth
//! nor size can hurt.

use super::reader::Reader;

/// How deep a body may nest. Also the bound of every recursion over a [`Document`].
pub const MAX_DEPTH: usize = 128;

/// How many values a body may have: 24 bytes of memory each, 2.4 MB in all.
pub const MAX_VALUES: usize = 100_000;

/// A body of JSON.
#[derive(Debug)]
pub struct Document {
    /// In the order of the text, so that a value's descendants follow it.
    pub(super) values: Vec<Value>,
    /// Names, strings and numbers, without escapes. Never longer than the body.
    pub(super) text: String,
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
pub(super) struct Value {
    pub(super) shape: Shape,
    /// Of a member of an object.
    pub(super) name: Span,
    /// Of a string or a number; the length alone, of a container's children.
    pub(super) text: Span,
    /// The first value after this one's descendants.
    pub(super) end: u32,
}

/// A part of a document's text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    pub(super) len: u32,
}

impl Span {
    pub(super) fn between(start: usize, end: usize) -> Self {
        Self { start: start as u32, len: (end - start) as u32 }
    }
}

impl Document {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        if u32::try_from(body.len()).is_err() {
            return Err(Unreadable::TooLarge);
        }
        match std::str::from_utf8(body) {
            Ok(text) => Reader::new(text).read(),
            Err(error) => Err(Unreadable::Malformed { at: error.valid_up_to() as u64 }),
        }
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
