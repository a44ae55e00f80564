//! Native edits: headers to set, append or remove, and path prefixes to change.

use crate::request::Headers;
use http::{HeaderName, HeaderValue};
use std::borrow::Cow;

/// Edits of one side of one migration, or of one plain route.
///
/// In a migration they apply only to what `new` serves: `old` keeps receiving exactly what it
/// receives today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// On the way in.
    pub request: HeaderEdits,
    /// On the way out.
    pub response: HeaderEdits,
    /// Of the path, on the way in.
    pub path: PathEdit,
}

/// Header edits, applied in the order remove, set, append.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Removed wherever present.
    pub remove: Box<[HeaderName]>,
    /// Replaces every value under the name.
    pub set: Box<[(HeaderName, HeaderValue)]>,
    /// Added after the values under the name.
    pub append: Box<[(HeaderName, HeaderValue)]>,
}

/// A change of the path's beginning. Both parts start with `/` and do not end with one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathEdit {
    /// Removed if the path is this prefix or continues it with a `/`.
    pub strip_prefix: Option<Box<str>>,
    /// Put in front afterwards.
    pub add_prefix: Option<Box<str>>,
}

impl HeaderEdits {
    /// Nothing to do?
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.append.is_empty()
    }

    /// Every name that is removed, set or appended to.
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let written = self.set.iter().chain(&self.append).map(|(name, _)| name);
        self.remove.iter().chain(written)
    }

    /// Applies the edits.
    pub fn apply(&self, headers: &mut dyn HeaderSink) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.set(name, value.clone());
        }
        for (name, value) in &self.append {
            headers.append(name, value.clone());
        }
    }
}

/// Headers that can be edited, and read beforehand: a rewrite plugin may have declared what it
/// reads of a reply.
///
/// Implemented for [`http::HeaderMap`]; a gateway with its own map implements three methods.
pub trait HeaderSink: Headers {
    /// Replaces every value under the name.
    fn set(&mut self, name: &HeaderName, value: HeaderValue);
    /// Adds a value after those under the name.
    fn append(&mut self, name: &HeaderName, value: HeaderValue);
    /// Removes every value under the name.
    fn remove(&mut self, name: &HeaderName);
}

impl HeaderSink for http::HeaderMap {
    fn set(&mut self, name: &HeaderName, value: HeaderValue) {
        self.insert(name.clone(), value);
    }

    fn append(&mut self, name: &HeaderName, value: HeaderValue) {
        Self::append(self, name.clone(), value);
    }

    fn remove(&mut self, name: &HeaderName) {
        Self::remove(self, name);
    }
}

impl PathEdit {
    /// Nothing to do?
    pub fn is_empty(&self) -> bool {
        self.strip_prefix.is_none() && self.add_prefix.is_none()
    }

    /// The path to forward; borrowed if nothing changes.
    pub fn apply<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let kept = self.strip_prefix.as_deref().and_then(|prefix| {
            path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let rest = match kept {
            Some("") => "/",
            Some(rest) => rest,
            None => path,
        };
        match &self.add_prefix {
            Some(prefix) => Cow::Owned(format!("{prefix}{rest}")),
            None => Cow::Borrowed(rest),
        }
    }
}

#[cfg(test)]
mod tests;
