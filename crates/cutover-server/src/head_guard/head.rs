//! One HTTP/1 request head, judged line by line as its bytes arrive.

use super::framing::{BodyLength, Head, Limits, Refusal};
use http::uri::Authority;
use pingora_http::authority::{RawTargetAuthority, raw_target_authority};
use std::ops::Range;

/// How far a head has been read, and what it said so far. Reset it for the next one.
#[derive(Debug, Default)]
pub struct HeadScan {
    /// No line end before this offset is still to be found.
    searched: usize,
    /// Where the present line begins.
    line: usize,
    /// The request line has been read.
    in_fields: bool,
    old: bool,
    fields: usize,
    /// Where a target stands that is more than a path.
    target: Option<Range<usize>>,
    /// Where the value of `Host` stands.
    host: Option<Range<usize>>,
    upgrade: bool,
    length: Option<u64>,
    chunked: bool,
}

/// Empty lines tolerated before a request line (RFC 9112, 2.2), in bytes.
const LEADING: usize = 4;
/// How much of a refused method or path is told.
const MOST_LOGGED: usize = 256;
/// Room for method and version beside the target in a request line.
const AROUND_TARGET: usize = 64;

impl HeadScan {
    /// Looks at a head of which `head` is everything received so far, from its first byte. `None`: more is needed.
    ///
    /// Each line is judged once, when it is complete, so the verdict does not depend on how the bytes were cut.
    ///
    /// # Errors
    /// The first thing in the head for which it is refused.
    pub fn advance(&mut self, head: &[u8], limits: &Limits) -> Result<Option<Head>, Refusal> {
        loop {
            let Some(found) = memchr::memchr(b'\n', &head[self.searched..]) else {
                self.searched = head.len();
                self.within(head.len(), limits)?;
                return Ok(None);
            };
            let end = self.searched + found + 1;
            self.searched = end;
            self.within(end, limits)?;
            let start = self.line;
            let [line @ .., b'\r', b'\n'] = &head[start..end] else {
                return Err(Refusal::BareLf);
            };
            let leading = !self.in_fields && line.is_empty() && start < LEADING;
            self.line = end;
            if leading {
                continue;
            }
            if !self.in_fields {
                self.request_line(line, start, limits)?;
                self.in_fields = true;
            } else if line.is_empty() {
                return self.finish(&head[..end]).map(Some);
            } else {
                self.field(line, start, limits)?;
            }
        }
    }

    /// Is a head whose first `end` bytes are known still within its limits?
    fn within(&self, end: usize, limits: &Limits) -> Result<(), Refusal> {
        if !self.in_fields && end - self.line > limits.target_bytes + AROUND_TARGET {
            return Err(Refusal::TargetTooLong);
        }
        if end > limits.header_bytes {
            return Err(Refusal::HeadTooLarge);
        }
        Ok(())
    }

    /// The request line, which stands at `start`.
    fn request_line(&mut self, line: &[u8], start: usize, limits: &Limits) -> Result<(), Refusal> {
        no_controls(line)?;
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::RequestLine);
        };
        if !is_token(method) || target.is_empty() || target.contains(&b'\t') {
            return Err(Refusal::RequestLine);
        }
        if target.len() > limits.target_bytes {
            return Err(Refusal::TargetTooLong);
        }
        if method == b"CONNECT" {
            return Err(Refusal::Connect);
        }
        if target[0] != b'/' {
            let start = start + method.len() + 1;
            self.target = Some(start..start + target.len());
        }
        self.old = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            other if other.starts_with(b"HTTP/") => return Err(Refusal::Version),
            _ => return Err(Refusal::RequestLine),
        };
        Ok(())
    }

    /// A field line, which stands at `start`.
    fn field(&mut self, line: &[u8], start: usize, limits: &Limits) -> Result<(), Refusal> {
        let (name, value) = split_field(line)?;
        self.fields += 1;
        if self.fields > limits.headers {
            return Err(Refusal::TooManyFields);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                if self.host.is_some() {
                    return Err(Refusal::DuplicateHost);
                }
                let after = line[name.len() + 1..].trim_ascii_start().len();
                let start = start + line.len() - after;
                self.host = Some(start..start + value.len());
                plausible_host(value)
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.upgrade = true;
                Ok(())
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                if self.length.is_some() || value.contains(&b',') {
                    return Err(Refusal::DuplicateLength);
                }
                self.length = Some(plain_number(value)?);
                Ok(())
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if std::mem::replace(&mut self.chunked, true) {
                    return Err(Refusal::TransferEncoding);
                }
                exactly_chunked(value)
            }
            _ => Ok(()),
        }
    }

    /// The head is complete.
    fn finish(&self, head: &[u8]) -> Result<Head, Refusal> {
        let body = match (self.chunked, self.length) {
            (true, _) if self.old => return Err(Refusal::TransferEncodingOld),
            (true, Some(_)) => return Err(Refusal::BothLengths),
            (true, None) => BodyLength::Chunked,
            (false, length) => BodyLength::Fixed(length.unwrap_or(0)),
        };
        if self.host.is_none() && !self.old {
            return Err(Refusal::NoHost);
        }
        let host = self.host.clone().map(|host| &head[host]);
        if let Some(target) = &self.target {
            one_authority(&head[target.clone()], host)?;
        }
        Ok(Head { bytes: head.len(), body, upgrade: self.upgrade && !self.old })
    }
}

/// `GET http://host/path`: the host must be the one of `Host`. Pingora would refuse it too, without a word in any log.
fn one_authority(target: &[u8], host: Option<&[u8]>) -> Result<(), Refusal> {
    let agreed = match raw_target_authority(target) {
        RawTargetAuthority::None => true,
        RawTargetAuthority::AmbiguousAuthority => false,
        RawTargetAuthority::Absolute { authority, .. } => {
            Authority::try_from(authority).is_ok()
                && !authority.contains(&b'@')
                && host.is_none_or(|host| host == authority)
        }
    };
    if agreed { Ok(()) } else { Err(Refusal::Authority) }
}

/// Method and path of a head that was refused, as far as they can be made out; without the query, which may hold
/// secrets.
pub(super) fn first_line(head: &[u8]) -> Option<(&str, &str)> {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    let mut parts = line.split(|byte| *byte == b' ');
    let method = parts.next().filter(|method| is_token(method) && method.len() <= MOST_LOGGED)?;
    let path = parts.next().unwrap_or_default().split(|byte| *byte == b'?').next()?;
    let path = &path[..path.len().min(MOST_LOGGED)];
    Some((str::from_utf8(method).ok()?, str::from_utf8(path).unwrap_or_default()))
}

/// Splits a field line into its name and its value, trimmed.
pub(super) fn split_field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if let [b' ' | b'\t', ..] = line {
        return Err(Refusal::Folded);
    }
    no_controls(line)?;
    let colon = memchr::memchr(b':', line).ok_or(Refusal::FieldName)?;
    let name = &line[..colon];
    if let [.., b' ' | b'\t'] = name {
        return Err(Refusal::SpaceBeforeColon);
    }
    if !is_token(name) {
        return Err(Refusal::FieldName);
    }
    Ok((name, line[colon + 1..].trim_ascii()))
}

/// No NUL, CR or other control character but the tab. Written as one pass without branches, so that it vectorises.
fn no_controls(line: &[u8]) -> Result<(), Refusal> {
    let control = |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7f;
    if !line.iter().fold(false, |found, byte| found | control(*byte)) {
        Ok(())
    } else if line.contains(&b'\r') {
        Err(Refusal::BareCr)
    } else {
        Err(Refusal::Control)
    }
}

/// RFC 9110, 5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    const TOKEN: [bool; 256] = table(true, b"!#$%&'*+-.^_`|~");
    !bytes.is_empty() && bytes.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// A set of bytes: those of `special`, and letters and digits if they are wanted.
const fn table(alphanumeric: bool, special: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = alphanumeric && (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < special.len() {
        table[special[at] as usize] = true;
        at += 1;
    }
    table
}

/// One authority without user information. Routing reads it more closely.
fn plausible_host(value: &[u8]) -> Result<(), Refusal> {
    const ODD: [bool; 256] = table(false, b" \t,/\\@?#<>\"");
    if value.iter().any(|byte| ODD[usize::from(*byte)]) { Err(Refusal::BadHost) } else { Ok(()) }
}

/// RFC 9110, 8.6: digits alone. Nineteen digits always fit.
fn plain_number(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadLength);
    }
    Ok(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

fn exactly_chunked(value: &[u8]) -> Result<(), Refusal> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    // A well-formed list that ends with `chunked` is understood but not implemented (RFC 9112, 6.1).
    let mut codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).rev();
    let chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(chunked)
        && codings.all(|coding| is_token(coding) && !chunked(coding))
    {
        return Err(Refusal::TransferCoding);
    }
    Err(Refusal::TransferEncoding)
}
