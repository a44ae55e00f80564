//! W3C trace context (level 1) and W3C baggage as text: what a header says, and what one must say. No header map, no
//! clock and no source of ids: those are the caller's.

#[cfg(test)]
mod tests;

use crate::digits::{hex, percent};

/// A `traceparent` has this many bytes in version 00; later versions may only add to them.
pub(crate) const TRACEPARENT_BYTES: usize = 55;

/// What the W3C asks every hop to carry of baggage: beyond it the next hop may throw all of it away.
pub(crate) const MAX_BAGGAGE_BYTES: usize = 8192;
/// The same, in members.
pub(crate) const MAX_BAGGAGE_MEMBERS: usize = 64;
/// Ours alone take less.
const USUAL_BAGGAGE_BYTES: usize = 128;
/// How the names of our own members of baggage begin.
pub(crate) const OURS: &str = "cutover.";

/// A trace and the span in it that is the parent of what comes next. Neither id is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace: u128,
    span: u64,
    sampled: bool,
}

impl TraceParent {
    /// `None` if an id is zero, which the W3C reserves for "none".
    pub(crate) fn new(trace: u128, span: u64, sampled: bool) -> Option<Self> {
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled })
    }

    /// The parent that a request's `traceparent` headers name. Two of them are as bad as a malformed one: nobody can
    /// say which is meant. `tracestate` must not be believed either if this is `None`.
    pub(crate) fn of<'a>(mut headers: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let first = headers.next()?;
        if headers.next().is_some() {
            return None;
        }
        Self::parse(first)
    }

    fn parse(header: &[u8]) -> Option<Self> {
        let (head, rest) = header.split_at_checked(TRACEPARENT_BYTES)?;
        if head[2] != b'-' || head[35] != b'-' || head[52] != b'-' {
            return None;
        }
        match number(&head[..2])? {
            0xff => return None,
            0 if !rest.is_empty() => return None,
            // A later version is read as far as this one goes, and what follows must be a field of its own.
            _ if !rest.is_empty() && rest[0] != b'-' => return None,
            _ => {}
        }
        let span = u64::try_from(number(&head[36..52])?).ok()?;
        Self::new(number(&head[3..35])?, span, number(&head[53..])? & 1 == 1)
    }

    /// The id of the whole trace.
    pub(crate) fn trace(self) -> u128 {
        self.trace
    }

    /// The id of the parent span.
    pub(crate) fn span(self) -> u64 {
        self.span
    }

    /// Whether the caller recorded its span.
    pub(crate) fn sampled(self) -> bool {
        self.sampled
    }

    /// The header of a request made by this span, in version 00 whatever came in: a hop writes what it knows.
    pub(crate) fn header(self) -> [u8; TRACEPARENT_BYTES] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex(&self.trace.to_be_bytes(), &mut out[3..35]);
        hex(&self.span.to_be_bytes(), &mut out[36..52]);
        hex(&[u8::from(self.sampled)], &mut out[53..]);
        out
    }
}

/// The members of a request's `baggage` headers that are not ours, with `members` after them. Ours begin with
/// [`OURS`], and what a client says under such a name is dropped. `None` if the whole outgrows what every hop carries:
/// then what came stays, since a caller's members matter more than ours.
pub(crate) fn baggage_with<'a>(
    incoming: impl Iterator<Item = &'a str>,
    members: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    let mut out = Members::default();
    let theirs = incoming.flat_map(|field| field.split(',')).map(str::trim_ascii);
    for member in theirs.filter(|member| !member.is_empty() && !member.starts_with(OURS)) {
        out.begin().push_str(member);
    }
    for (key, value) in members {
        let text = out.begin();
        text.push_str(key);
        text.push('=');
        encode(text, value);
    }
    out.fits().then_some(out.text)
}

/// The members of a baggage header.
#[derive(Default)]
struct Members {
    text: String,
    count: usize,
}

impl Members {
    /// Where the next one is written.
    fn begin(&mut self) -> &mut String {
        if self.count == 0 {
            self.text.reserve(USUAL_BAGGAGE_BYTES);
        } else {
            self.text.push(',');
        }
        self.count += 1;
        &mut self.text
    }

    fn fits(&self) -> bool {
        self.text.len() <= MAX_BAGGAGE_BYTES && self.count <= MAX_BAGGAGE_MEMBERS
    }
}

/// Percent-encodes what a baggage value may not hold as it is, and the percent sign.
fn encode(out: &mut String, value: &str) {
    percent(out, value, |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\' | b'%')
    });
}

/// Lower-case digits only: the W3C refuses the others, and so do its other readers.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((number << 4) | u128::from(value))
    })
}
