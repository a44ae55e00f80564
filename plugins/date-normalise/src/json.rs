//! Replaces values of named members in a document of JSON and leaves every other byte alone: numbers keep their digits
//! and objects their order, which a parser would not promise.

/// A value that is neither an object nor a list, nor `true`, `false` or `null`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    /// What stands between the quotes, as it is written.
    Text(&'a [u8]),
    /// A number, as it is written.
    Number(&'a [u8]),
}

/// Where the walk is.
#[derive(Clone, Copy)]
enum Inside {
    /// An object; is its next text a name, and does the last name count?
    Object { name_next: bool, named: bool },
    /// A list; does the member that holds it count?
    List { named: bool },
}

/// The document with the values of the members that are `named` replaced by the text that `new` makes of them; `None` if
/// that replaced nothing. Takes what is no JSON for as long as it looks like it, and changes little of it.
pub(crate) fn replace(
    document: &[u8],
    named: impl Fn(&str) -> bool,
    new: impl Fn(Scalar<'_>) -> Option<String>,
) -> Option<Vec<u8>> {
    let mut walk: Vec<Inside> = Vec::new();
    let mut replaced = Vec::new();
    // All before it is in `replaced` already.
    let (mut copied, mut at) = (0, 0);
    while let Some(&byte) = document.get(at) {
        let end = at + token(&document[at..]);
        let counts = walk.last().is_some_and(Inside::counts);
        match (byte, walk.last_mut()) {
            (b'{', _) => walk.push(Inside::Object { name_next: true, named: false }),
            (b'[', _) => walk.push(Inside::List { named: counts }),
            (b'}' | b']', _) => drop(walk.pop()),
            (b',', Some(Inside::Object { name_next, .. })) => *name_next = true,
            (b'"', Some(Inside::Object { name_next, named: last })) if *name_next => {
                *name_next = false;
                *last = name(&document[at..end]).is_some_and(|name| named(&name));
            }
            (b'"' | b'-' | b'0'..=b'9', _) if counts => {
                let token = &document[at..end];
                let inner = token.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
                let scalar = inner.map_or(Scalar::Number(token), Scalar::Text);
                if let Some(text) = new(scalar) {
                    replaced.extend_from_slice(&document[copied..at]);
                    replaced.extend(format!("\"{text}\"").bytes());
                    copied = end;
                }
            }
            _ => {}
        }
        at = end;
    }
    (copied > 0).then(|| {
        replaced.extend_from_slice(&document[copied..]);
        replaced
    })
}

impl Inside {
    /// Would a value here count?
    fn counts(&self) -> bool {
        match self {
            Self::Object { name_next, named } => !name_next && *named,
            Self::List { named } => *named,
        }
    }
}

/// How long the token is that begins here.
fn token(rest: &[u8]) -> usize {
    match rest[0] {
        b'"' => {
            let mut escaped = false;
            let end = rest[1..].iter().position(|&byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        }
        b'-' | b'0'..=b'9' => {
            let in_number = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            rest.iter().position(|byte| !in_number(byte)).unwrap_or(rest.len())
        }
        _ => 1,
    }
}

/// A member's name without quotes and escapes.
fn name(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}
