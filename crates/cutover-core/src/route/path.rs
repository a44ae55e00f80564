//! Path patterns: `/api/{id}/x`, `/files/{*rest}`. Text to segments, and what is wrong with a text
//! that is none.

use super::MAX_PARAMS;
use crate::path::normalise;
use std::borrow::Cow;
use std::fmt;

/// Segments one pattern may have. Bounds the depth of the search.
pub const MAX_SEGMENTS: usize = 128;

/// One segment of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'p> {
    /// Exactly this text, which may be empty.
    Exact(&'p str),
    /// Any text but the empty one.
    Param(&'p str),
    /// All that is left, also nothing. Comes last.
    Rest(&'p str),
}

/// What is wrong with a path pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatternError<'p> {
    NotAbsolute,
    NotWhole(&'p str),
    Unbalanced(&'p str),
    NoName(&'p str),
    BadName(&'p str),
    Twice(&'p str),
    RestNotLast(&'p str),
    TooManyParams,
    TooManySegments,
    NotInPaths(&'p str),
    NotNormal(&'p str),
}

impl fmt::Display for PatternError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => write!(f, "a path begins with `/`"),
            Self::NotWhole(segment) => write!(
                f,
                "a parameter is a whole segment, so `{segment}` cannot be one; \
                 write `{{name}}` alone between two slashes"
            ),
            Self::Unbalanced(segment) => write!(f, "unbalanced braces in `{segment}`"),
            Self::NoName(segment) => write!(f, "the parameter `{segment}` has no name"),
            Self::BadName(segment) => write!(
                f,
                "the name in `{segment}` has characters other than letters, digits, `_` and `-`"
            ),
            Self::Twice(name) => write!(f, "two parameters are called `{name}`"),
            Self::RestNotLast(segment) => {
                write!(f, "`{segment}` takes all that is left, so nothing can follow it")
            }
            Self::TooManyParams => write!(f, "more than {MAX_PARAMS} parameters"),
            Self::TooManySegments => write!(f, "more than {MAX_SEGMENTS} segments"),
            Self::NotInPaths(segment) => write!(
                f,
                "`{segment}` has a character that paths do not have; \
                 a query is asked for by query predicates"
            ),
            Self::NotNormal(segment) => write!(
                f,
                "`{segment}` matches no request, because paths are matched in normal form: \
                 dot segments resolved, no needless escapes"
            ),
        }
    }
}

/// The segments of a pattern.
pub(crate) fn parse(pattern: &str) -> Result<Vec<Segment<'_>>, PatternError<'_>> {
    let rest = pattern.strip_prefix('/').ok_or(PatternError::NotAbsolute)?;
    let mut segments = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for text in rest.split('/') {
        if let Some(Segment::Rest(_)) = segments.last() {
            let at = pattern.find("{*").unwrap_or(0);
            let rest = pattern[at..].split('/').next().unwrap_or_default();
            return Err(PatternError::RestNotLast(rest));
        }
        let segment = parse_segment(text)?;
        if let Segment::Param(name) | Segment::Rest(name) = segment {
            if names.contains(&name) {
                return Err(PatternError::Twice(name));
            }
            names.push(name);
        }
        segments.push(segment);
    }
    if names.len() > MAX_PARAMS {
        return Err(PatternError::TooManyParams);
    }
    if segments.len() > MAX_SEGMENTS {
        return Err(PatternError::TooManySegments);
    }
    Ok(segments)
}

fn parse_segment(text: &str) -> Result<Segment<'_>, PatternError<'_>> {
    let opened = text.matches('{').count();
    if opened != text.matches('}').count() {
        return Err(PatternError::Unbalanced(text));
    }
    if opened == 0 {
        return parse_exact(text);
    }
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let inner = inner.ok_or(PatternError::NotWhole(text))?;
    if inner.contains(['{', '}']) {
        // `{a}{b}` is two parameters in one segment, `{{a}}` is a nested one.
        let nested = inner.starts_with('{');
        return Err(if nested { PatternError::Unbalanced } else { PatternError::NotWhole }(text));
    }
    let (name, is_rest) = match inner.strip_prefix('*') {
        Some(name) => (name, true),
        None => (inner, false),
    };
    if name.is_empty() {
        return Err(PatternError::NoName(text));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Err(PatternError::BadName(text));
    }
    Ok(if is_rest { Segment::Rest(name) } else { Segment::Param(name) })
}

fn parse_exact(text: &str) -> Result<Segment<'_>, PatternError<'_>> {
    if text.bytes().any(|b| b.is_ascii_control() || matches!(b, b' ' | b'?' | b'#')) {
        return Err(PatternError::NotInPaths(text));
    }
    match normalise(&format!("/{text}")) {
        Ok(Cow::Borrowed(_)) => Ok(Segment::Exact(text)),
        Ok(Cow::Owned(_)) | Err(_) => Err(PatternError::NotNormal(text)),
    }
}
