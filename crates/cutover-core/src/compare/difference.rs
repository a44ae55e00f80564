//! What a comparison finds: where two replies differ, in what kind, and what stood there.
//!
//! What stood there is somebody's data. It can be compared, and redacted (see
//! [`Redaction`](super::Redaction)); it cannot be printed.

use super::json::Unreadable;
use super::pointer::push_step;
use http::HeaderName;
use std::fmt;

/// How many differences of one comparison are kept; the others are counted.
pub const MAX_DIFFERENCES: usize = 64;

/// How much of a text is kept, in bytes.
const MAX_EXCERPT: usize = 256;

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Old has it, new does not.
    Missing,
    /// New has it, old does not.
    Extra,
    /// Both have it, of different JSON types.
    Type,
    /// Both have it, with different values.
    Value,
    /// The same elements in another order.
    Order,
    /// Arrays of different lengths.
    Length,
    /// Status codes.
    Status,
    /// A header.
    Header,
    /// Bodies that were compared byte by byte or by digest.
    Digest,
}

impl Kind {
    /// Its name in the API, in metrics and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Type => "type",
            Self::Value => "value",
            Self::Order => "order",
            Self::Length => "length",
            Self::Status => "status",
            Self::Header => "header",
            Self::Digest => "digest",
        }
    }

    /// The kind with the sides swapped.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Missing => Self::Extra,
            Self::Extra => Self::Missing,
            kind @ (Self::Type
            | Self::Value
            | Self::Order
            | Self::Length
            | Self::Status
            | Self::Header
            | Self::Digest) => kind,
        }
    }
}

/// Where a difference is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The status code.
    Status,
    /// A header.
    Header(HeaderName),
    /// A value of the body.
    Body(BodyPlace),
}

impl Place {
    /// The place as a rule would name it: `status`, `header:NAME` or the normalised path. What
    /// differences are grouped by; holds no names that look like ids.
    pub fn path(&self) -> String {
        match self {
            Self::Status => "status".to_owned(),
            Self::Header(name) => format!("header:{name}"),
            Self::Body(place) => place.path.clone(),
        }
    }
}

/// A place in a body of JSON; both texts are empty for the whole body.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct BodyPlace {
    pub(super) steps: Vec<PlaceStep>,
    pub(super) path: String,
}

/// One step of a [`BodyPlace`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum PlaceStep {
    Index(usize),
    /// A name that looks like a field's.
    Field(Box<str>),
    /// A name that may be somebody's data.
    Id(Box<str>),
}

impl BodyPlace {
    /// The pointer with `*` for indexes and for names that do not look like a field's.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// JSON pointer (RFC 6901) in old's body; in new's where old has no such value. Names of more
    /// than 256 bytes are cut. It may hold somebody's data: to show it, redact it.
    pub fn pointer(&self) -> String {
        self.pointer_with(|id| id.to_owned())
    }

    /// The pointer, with something else for names that may be somebody's data.
    pub(super) fn pointer_with(&self, id: impl Fn(&str) -> String) -> String {
        let mut pointer = String::new();
        for step in &self.steps {
            match step {
                PlaceStep::Index(index) => push_step(&mut pointer, &index.to_string()),
                PlaceStep::Field(name) => push_step(&mut pointer, name),
                PlaceStep::Id(name) => push_step(&mut pointer, &id(name)),
            }
        }
        pointer
    }
}

impl fmt::Debug for BodyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Why bodies were compared byte by byte although one of them says that it is JSON, and rules could
/// not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whole {
    /// Longer than what is kept of a body.
    BeyondCap,
    /// Encoded (`content-encoding`): the caller compares decoded bodies if it can.
    Encoded,
    /// Old's body cannot be read, or new's, or neither.
    Unreadable {
        /// Of old.
        old: Option<Unreadable>,
        /// Of new.
        new: Option<Unreadable>,
    },
    /// Rules for lists without order would have taken more steps than a comparison may.
    TooMuchWork,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// In what.
    pub kind: Kind,
    /// What old had there.
    pub old: Seen,
    /// What new had there.
    pub new: Seen,
    /// Of [`Kind::Digest`]: why JSON was not compared by structure.
    pub whole: Option<Whole>,
}

/// What stood in one reply. `Debug` and [`Seen::describe`] tell its type and size, never its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen(pub(super) Content);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Content {
    Nothing,
    Null,
    Boolean(bool),
    Number(Box<str>),
    /// A string or a header's values.
    Text(Box<str>),
    Array(u32),
    Object(u32),
    Status(u16),
    Bytes {
        len: u64,
        sha256: [u8; 32],
    },
}

impl Seen {
    pub(super) const NOTHING: Self = Self(Content::Nothing);

    pub(super) fn text(text: &str) -> Self {
        Self(Content::Text(excerpt(text).into()))
    }

    pub(super) fn number(text: &str) -> Self {
        Self(Content::Number(excerpt(text).into()))
    }

    /// Type and size: `a string`, `an array of 3`, `nothing`.
    pub fn describe(&self) -> String {
        match &self.0 {
            Content::Nothing => "nothing".to_owned(),
            Content::Null => "null".to_owned(),
            Content::Boolean(_) => "a boolean".to_owned(),
            Content::Number(_) => "a number".to_owned(),
            Content::Text(_) => "a string".to_owned(),
            Content::Array(count) => format!("an array of {count}"),
            Content::Object(count) => format!("an object of {count}"),
            Content::Status(code) => format!("status {code}"),
            Content::Bytes { len, .. } => format!("{len} bytes"),
        }
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Cut where a character ends.
pub(super) fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_EXCERPT)]
}

/// The differences of one comparison: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differences {
    pub(super) kept: Vec<Difference>,
    pub(super) more: usize,
}

impl Differences {
    /// Those that were kept, at most [`MAX_DIFFERENCES`].
    pub fn iter(&self) -> impl Iterator<Item = &Difference> {
        self.kept.iter()
    }

    /// How many there are, with those that were not kept.
    pub fn count(&self) -> usize {
        self.kept.len() + self.more
    }
}

/// Differences as they are found.
#[derive(Debug, Default)]
pub(super) struct Found {
    kept: Vec<Difference>,
    more: usize,
}

/// A moment in the search: what was found later can be taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    kept: usize,
    more: usize,
}

impl Found {
    /// Adds a difference, made only if there is room for it.
    pub(super) fn add(&mut self, difference: impl FnOnce() -> Difference) {
        if self.kept.len() < MAX_DIFFERENCES {
            self.kept.push(difference());
        } else {
            self.more += 1;
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { kept: self.kept.len(), more: self.more }
    }

    pub(super) fn grew_since(&self, mark: Mark) -> bool {
        self.kept.len() > mark.kept || self.more > mark.more
    }

    pub(super) fn take_back(&mut self, mark: Mark) {
        self.kept.truncate(mark.kept);
        self.more = mark.more;
    }

    /// Adds what another search found.
    pub(super) fn append(&mut self, other: Self) {
        let (more, kept) = (other.more, other.kept);
        kept.into_iter().for_each(|difference| self.add(|| difference));
        self.more += more;
    }

    /// `None` if there was no difference.
    pub(super) fn finish(self) -> Option<Differences> {
        let any = !self.kept.is_empty();
        any.then_some(Differences { kept: self.kept, more: self.more })
    }
}
