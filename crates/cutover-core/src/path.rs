//! The normal form of a path: what is matched is what is forwarded.
//!
//! A path is in normal form if it begins with `/`, escapes no character that needs no escape
//! (letters, digits, `-`,
//! `.`, `_`, `~`), and has no segment `.` or `..`. Such a path stays as it is, byte for byte.
//! Another one is brought into normal form as RFC 3986, 6.2.2.2 and 6.2.2.3 say: escapes first,
//! then dot segments, so that `%2e%2e` is `..`.
//!
//! Nothing else changes. `//` is kept, for it is an empty segment and some systems give it a
//! meaning. So is the case of escapes that stay (`%3a` and `%3A` are two paths here, though 6.2.2.1
//! calls them one): upstreams that check signatures over the path must see what was signed.

use std::borrow::Cow;
use std::fmt;

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

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "the path does not begin with `/`",
            Self::EncodedSlash => "the path contains an encoded slash or a backslash",
            Self::Nul => "the path contains a NUL",
            Self::BadEscape => "the path contains a `%` without two hex digits",
        })
    }
}

impl std::error::Error for PathError {}

/// The path in normal form; borrowed if it already is.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    if is_plain(path.as_bytes()) || is_normal(path)? {
        return Ok(Cow::Borrowed(path));
    }
    Ok(Cow::Owned(rewrite(path)))
}

/// Has nothing that needs a closer look? One pass without branches; most paths end here.
fn is_plain(path: &[u8]) -> bool {
    let mut odd = false;
    for &byte in path {
        odd |= (byte == b'%') | (byte == b'\\') | (byte == 0);
    }
    for (&before, &byte) in path.iter().zip(&path[1..]) {
        odd |= (before == b'/') & (byte == b'.');
    }
    !odd
}

/// In normal form? Refuses what has none.
fn is_normal(path: &str) -> Result<bool, PathError> {
    let bytes = path.as_bytes();
    let mut normal = true;
    for (at, byte) in bytes.iter().enumerate() {
        let meant = match byte {
            b'%' => escaped(&bytes[at..]).ok_or(PathError::BadEscape)?,
            other => *other,
        };
        match meant {
            0 => return Err(PathError::Nul),
            b'\\' => return Err(PathError::EncodedSlash),
            b'/' if *byte == b'%' => return Err(PathError::EncodedSlash),
            _ => normal &= *byte != b'%' || !is_unreserved(meant),
        }
    }
    Ok(normal && !path.split('/').any(|segment| segment == "." || segment == ".."))
}

/// Writes the normal form of a path that [`is_normal`] did not refuse.
fn rewrite(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let start = out.len();
        out.push('/');
        unescape_into(segment, &mut out);
        let keep = match &out[start + 1..] {
            "." => start,
            ".." => out[..start].rfind('/').unwrap_or(0),
            _ => continue,
        };
        out.truncate(keep);
        if segments.peek().is_none() {
            out.push('/');
        }
    }
    out
}

/// Appends a segment with every escaped unreserved character written plainly.
fn unescape_into(segment: &str, out: &mut String) {
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let plain = escaped(escape.as_bytes()).filter(|byte| is_unreserved(*byte));
        let taken = if let Some(byte) = plain {
            out.push(char::from(byte));
            3
        } else {
            out.push('%');
            1
        };
        rest = &escape[taken..];
    }
    out.push_str(rest);
}

/// The byte that an escape at the beginning stands for.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normal_paths_are_borrowed() {
        for path in [
            "/",
            "//",
            "/a/b/",
            "//a//b",
            "/a%20b",
            "/%C3%A9",
            "/%3a",
            "/%3A",
            "/.well-known/x",
            "/a/...",
            "/..a",
            "/a..",
            "/é",
            "/%2570",
            "/a;b=1,c",
            "/..;/a",
        ] {
            assert!(matches!(normalise(path), Ok(Cow::Borrowed(same)) if same == path), "{path}");
        }
    }

    #[test]
    fn others_are_rewritten() {
        for (path, normal) in [
            ("/%70", "/p"),
            ("/%7Euser", "/~user"),
            ("/%7euser", "/~user"),
            ("/.", "/"),
            ("/..", "/"),
            ("/./", "/"),
            ("/../", "/"),
            ("/a/.", "/a/"),
            ("/a/..", "/"),
            ("/a/../", "/"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/../../../../c", "/c"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e/b", "/b"),
            ("/a//../b", "/a/b"),
            ("/a/..//b", "//b"),
            ("/a/%2e/%3a", "/a/%3a"),
            ("/%61%20%62", "/a%20b"),
            ("/é/%61", "/é/a"),
            // RFC 3986, 5.4: the paths of its examples, merged with the base `/b/c/d;p`.
            ("/b/c/./g", "/b/c/g"),
            ("/b/c/../../../g", "/g"),
            ("/b/c/g;x=1/../y", "/b/c/y"),
            ("/b/c/./g/.", "/b/c/g/"),
        ] {
            assert_eq!(normalise(path).as_deref(), Ok(normal), "{path}");
        }
    }

    #[test]
    fn what_two_servers_would_read_differently_is_refused() {
        for (path, error) in [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("a/b", PathError::NotAbsolute),
            ("/a%2Fb", PathError::EncodedSlash),
            ("/a%2fb", PathError::EncodedSlash),
            ("/a%5cb", PathError::EncodedSlash),
            ("/a\\b", PathError::EncodedSlash),
            ("/..\\", PathError::EncodedSlash),
            ("/%2e%2e%2f", PathError::EncodedSlash),
            ("/a%00", PathError::Nul),
            ("/a\0", PathError::Nul),
            ("/%", PathError::BadEscape),
            ("/%4", PathError::BadEscape),
            ("/%zz", PathError::BadEscape),
            ("/%+1", PathError::BadEscape),
            ("/a%é", PathError::BadEscape),
        ] {
            assert_eq!(normalise(path), Err(error), "{path:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_normal_form_is_normal(path in "(/|a|\\.|%2e|%2E|%70|%3a|%25|é|%41|~|%|\\\\){0,24}") {
            let path = format!("/{path}");
            let Ok(normal) = normalise(&path) else { return Ok(()) };
            prop_assert!(normal.starts_with('/'));
            prop_assert!(!normal.split('/').any(|segment| segment == "." || segment == ".."));
            prop_assert!(matches!(normalise(&normal), Ok(Cow::Borrowed(_))), "{normal} is not normal");
            // The same by RFC 3986, 5.2.4, word for word.
            let mut unescaped = String::new();
            unescape_into(&path, &mut unescaped);
            prop_assert_eq!(&*normal, remove_dot_segments(&unescaped));
        }
    }

    /// RFC 3986, 5.2.4 for absolute paths, as it is written there.
    fn remove_dot_segments(path: &str) -> String {
        let mut input = path.to_owned();
        let mut output = String::new();
        while !input.is_empty() {
            if input.starts_with("/./") || input == "/." {
                input.replace_range(..input.len().min(3), "/");
            } else if input.starts_with("/../") || input == "/.." {
                input.replace_range(..input.len().min(4), "/");
                output.truncate(output.rfind('/').unwrap_or(0));
            } else {
                let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
                output.push_str(&input[..end]);
                input.replace_range(..end, "");
            }
        }
        output
    }
}
