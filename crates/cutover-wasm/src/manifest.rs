//! Manifests: what a plugin says it will touch, checked once at load and compiled into what the calls need.

use crate::bindings::lifecycle;
use crate::said::printable;
use http::HeaderName;

/// Values a plugin may declare to read.
pub const MAX_READS: usize = 64;

/// Headers a plugin may declare to write.
pub const MAX_WRITES: usize = 64;

/// Reasons a plugin may declare; they become values of a metric's label.
pub const MAX_REASONS: usize = 64;

/// Bytes of one declared name.
pub const MAX_NAME_BYTES: usize = 128;

/// Headers that decide where a message ends or belong to one connection. To edit them is to smuggle requests.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// All a plugin may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What it reads; it sees nothing else.
    pub reads: Box<[Read]>,
    /// Headers it may write.
    pub writes: Box<[HeaderName]>,
    /// Its reasons, in its words.
    pub reasons: Box<[Box<str>]>,
}

/// One thing a plugin reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The host, without the port.
    Host,
    /// The path.
    Path,
    /// The raw query.
    Query,
    /// The client's address.
    Peer,
    /// A header; a repeated one is joined by `, `.
    Header(HeaderName),
    /// A cookie.
    Cookie(Box<str>),
    /// A query parameter, raw.
    QueryParam(Box<str>),
    /// A parameter of the route's path.
    PathParam(Box<str>),
    /// A header of the reply, in `on-response` and `make-comparable` alone; a repeated one is joined by line feeds.
    ReplyHeader(HeaderName),
}

impl Manifest {
    /// Checks what a plugin declared. The errors say which entries are wrong and how to mend them.
    pub(crate) fn check(declared: &lifecycle::Manifest) -> Result<Self, Vec<String>> {
        let lifecycle::Manifest { reads, writes, reasons } = declared;
        let counts = [
            (MAX_READS, reads.len(), "reads"),
            (MAX_WRITES, writes.len(), "writes"),
            (MAX_REASONS, reasons.len(), "reasons"),
        ];
        let mut wrong: Vec<String> = counts
            .into_iter()
            .filter_map(|(limit, found, what)| at_most(limit, found, what))
            .collect();
        if !wrong.is_empty() {
            // Too many to be looked at one by one.
            return Err(wrong);
        }
        let manifest = Self {
            reads: sound(reads.iter().map(read), &mut wrong),
            writes: sound(writes.iter().map(|name| writable(name)), &mut wrong),
            reasons: sound(reasons.iter().map(|name| reason(name)), &mut wrong),
        };
        if wrong.is_empty() { Ok(manifest) } else { Err(wrong) }
    }
}

/// The sound entries; what is wrong with the others joins the list.
fn sound<T>(entries: impl Iterator<Item = Result<T, String>>, wrong: &mut Vec<String>) -> Box<[T]> {
    entries.filter_map(|entry| entry.map_err(|why| wrong.push(why)).ok()).collect()
}

fn at_most(limit: usize, found: usize, what: &str) -> Option<String> {
    (found > limit).then(|| {
        format!("{found} {what} are declared, at most {limit} are allowed: declare those in use")
    })
}

fn read(field: &lifecycle::Field) -> Result<Read, String> {
    Ok(match field {
        lifecycle::Field::Host => Read::Host,
        lifecycle::Field::Path => Read::Path,
        lifecycle::Field::Query => Read::Query,
        lifecycle::Field::Peer => Read::Peer,
        lifecycle::Field::Header(name) => Read::Header(header(name)?),
        lifecycle::Field::ReplyHeader(name) => Read::ReplyHeader(header(name)?),
        lifecycle::Field::Cookie(name) => {
            let token = !name.is_empty() && name.bytes().all(is_cookie_byte);
            Read::Cookie(checked(name, token, "cookie")?)
        }
        lifecycle::Field::QueryParam(name) => {
            let findable = !name.is_empty() && !name.contains(['&', '=', '#']);
            Read::QueryParam(checked(name, findable, "query parameter")?)
        }
        lifecycle::Field::PathParam(name) => {
            let bare = !name.is_empty() && !name.contains(['{', '}', '*', '/']);
            Read::PathParam(checked(name, bare, "path parameter (write it without braces)")?)
        }
    })
}

/// Everything that can stand before the `=` of a cookie without ending it.
fn is_cookie_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'=' | b';' | b',')
}

fn checked(name: &str, valid: bool, what: &str) -> Result<Box<str>, String> {
    if valid && name.len() <= MAX_NAME_BYTES && !name.contains(char::is_control) {
        return Ok(name.into());
    }
    Err(format!("\"{}\" is not the name of a {what}", printable(name)))
}

fn header(name: &str) -> Result<HeaderName, String> {
    let valid = HeaderName::from_bytes(name.as_bytes()).ok();
    valid
        .filter(|_| name.len() <= MAX_NAME_BYTES)
        .ok_or_else(|| format!("\"{}\" is not the name of a header", printable(name)))
}

fn writable(name: &str) -> Result<HeaderName, String> {
    let name = header(name)?;
    if FRAMING.contains(&name.as_str()) {
        return Err(format!(
            "header \"{name}\" cannot be written: it frames the message or belongs to one \
             connection; remove it from `writes`"
        ));
    }
    Ok(name)
}

fn reason(text: &str) -> Result<Box<str>, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" -_.:/+".contains(&byte);
    if !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.bytes().all(plain) {
        return Ok(text.into());
    }
    Err(format!(
        "reason \"{}\" cannot be a metric label: use 1 to {MAX_NAME_BYTES} letters, digits, \
         spaces and - _ . : / +",
        printable(text)
    ))
}

#[cfg(test)]
mod tests;
