//! A reply that is to be compared, and what is compared in its place.

use crate::Backend;

/// One of the two replies to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The backend that gave it.
    pub backend: Backend,
    /// Its status.
    pub status: u16,
    /// Its `Content-Type` as it came; empty if it has none.
    pub content_type: &'a str,
    /// Its whole body, its `Content-Encoding` taken off.
    pub body: &'a [u8],
}

/// What is compared in place of a reply's body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Comparable {
    /// The body as it is.
    Unchanged,
    /// This one. Only the comparison sees it: no client does.
    Body(Vec<u8>),
    /// Nothing: the two replies are not compared. With the reason.
    Cannot(String),
}

impl Comparable {
    /// These bytes in place of the body.
    pub fn body(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Body(bytes.into())
    }

    /// Why the reply cannot be compared.
    pub fn cannot(why: impl Into<String>) -> Self {
        Self::Cannot(why.into())
    }
}

impl Reply<'_> {
    /// Does it say that its body is JSON: `application/json`, `text/json` or `…+json`?
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default().trim();
        let suffix = essence.len().checked_sub(5).and_then(|at| essence.get(at..));
        essence.eq_ignore_ascii_case("application/json")
            || essence.eq_ignore_ascii_case("text/json")
            || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
    }
}
