//! The normal form of paths, against RFC 3986 word for word.

use cutover_core::path::{PathError, normalise};
use std::borrow::Cow;

/// Any text is refused for something that is in it, or has a normal form.
pub fn check(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else { return };
    let offences = offences(path);
    match normalise(path) {
        Err(error) => assert!(offences.contains(&error), "{path:?}: {error}, but {offences:?}"),
        Ok(normal) => {
            assert!(offences.is_empty(), "{path:?} passes in spite of {offences:?}");
            assert!(normal.starts_with('/') && normal.len() <= path.len(), "{path:?}: {normal:?}");
            assert_eq!(normal, remove_dot_segments(&unescape(path)), "{path:?}");
            let again = normalise(&normal);
            assert!(matches!(again, Ok(Cow::Borrowed(same)) if same == normal), "{path:?}");
        }
    }
}

/// Everything for which a path may be refused.
fn offences(path: &str) -> Vec<PathError> {
    let mut found = Vec::new();
    if !path.starts_with('/') {
        found.push(PathError::NotAbsolute);
    }
    if path.contains('\0') || path.contains("%00") {
        found.push(PathError::Nul);
    }
    let lower = path.to_ascii_lowercase();
    if path.contains('\\') || lower.contains("%2f") || lower.contains("%5c") {
        found.push(PathError::EncodedSlash);
    }
    let escape = |after: &str| {
        let digits = after.as_bytes().iter().take(2).filter(|byte| byte.is_ascii_hexdigit());
        digits.count() == 2
    };
    if !path.split('%').skip(1).all(escape) {
        found.push(PathError::BadEscape);
    }
    found
}

/// RFC 3986, 6.2.2.2: no escape where none is needed.
fn unescape(path: &str) -> String {
    let mut text = path.to_owned();
    let unreserved = ('0'..='9').chain('a'..='z').chain('A'..='Z').chain("-._~".chars());
    // One pass, from the left, so that nothing that appears by it is taken for an escape.
    let plain: Vec<(String, char)> =
        unreserved.map(|c| (format!("%{:02x}", u32::from(c)), c)).collect();
    let mut at = 0;
    while let Some(found) = text[at..].find('%') {
        at += found;
        let escape = text.get(at..at + 3).map(str::to_ascii_lowercase);
        if let Some((_, c)) = plain.iter().find(|(code, _)| Some(code) == escape.as_ref()) {
            text.replace_range(at..at + 3, &c.to_string());
        }
        at += 1;
    }
    text
}

/// RFC 3986, 5.2.4, for absolute paths.
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
