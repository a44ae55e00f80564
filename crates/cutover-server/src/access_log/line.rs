//! One line of the access log. No user keys, no headers but the host, and nothing a client sends can start a new line.

use super::time::Second;
use crate::digits;
use crate::problem::ReplyId;
use cutover::core::Bucket;
use cutover::{Generation, Reason, Role, Side};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

/// What is known of an exchange at its end.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Unix time in milliseconds at which it began.
    pub began_ms: u64,
    /// Its id, which an error reply shows too.
    pub id: ReplyId,
    /// The client.
    pub client: Option<IpAddr>,
    /// Method.
    pub method: &'a str,
    /// Host asked for.
    pub host: &'a str,
    /// Path in normal form, without the query (which may hold secrets).
    pub path: &'a str,
    /// `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// Status sent; 0 if none was.
    pub status: u16,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the reply's body.
    pub bytes_out: u64,
    /// From the request's header to the reply's last byte.
    pub took: Duration,
    /// Number of attempts.
    pub attempts: u8,
    /// The trace it belongs to.
    pub trace: Option<u128>,
    /// What was decided; `None` if the request was refused.
    pub decided: Option<Decided<'a>>,
    /// Why an attempt failed, if one did.
    pub failed: Option<&'a str>,
    /// Why cutover answered itself, or what broke.
    pub refused: Option<&'a str>,
}

/// What was decided for an exchange, and who answered.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    /// The migration and the side that answered.
    pub migration: Option<(&'a str, Side)>,
    /// As what it answered.
    pub role: Role,
    /// Why this side.
    pub reason: Reason,
    /// The user's bucket, if it was needed.
    pub cohort: Option<Bucket>,
    /// The generation that decided.
    pub generation: Generation,
    /// Name of the backend.
    pub backend: &'a str,
    /// Its address; `None` if none was reached.
    pub address: Option<&'a str>,
}

/// What stands before a text: in one piece, because a line has twenty of them.
macro_rules! member {
    ($name:literal) => {
        concat!(",\"", $name, "\":\"")
    };
}

/// What stands before a number.
macro_rules! count {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

impl Record<'_> {
    /// One JSON object and a newline.
    pub(super) fn json(&self, out: &mut Vec<u8>, second: &mut Second) {
        let mut line = Line(out);
        line.raw("{\"time\":\"");
        line.time(self.began_ms, second);
        line.raw("\",\"id\":\"");
        line.hex(&self.id.number().to_be_bytes());
        line.raw("\"");
        if let Some(client) = self.client {
            line.raw(",\"client\":\"");
            line.address(client);
            line.raw("\"");
        }
        line.text(member!("method"), self.method);
        line.text(member!("host"), self.host);
        line.text(member!("path"), self.path);
        line.word_of_ours(member!("protocol"), self.protocol);
        line.count(count!("status"), self.status.into());
        line.count(count!("bytes_in"), self.bytes_in);
        line.count(count!("bytes_out"), self.bytes_out);
        line.raw(",\"ms\":");
        line.milliseconds(self.took);
        line.count(count!("attempts"), self.attempts.into());
        if let Some(decided) = &self.decided {
            if let Some((migration, side)) = decided.migration {
                line.text(member!("migration"), migration);
                line.word_of_ours(member!("side"), side.name());
                line.word_of_ours(member!("role"), decided.role.name());
            }
            line.word_of_ours(member!("reason"), decided.reason.name());
            if let Some(bucket) = decided.cohort {
                line.count(count!("cohort"), bucket.number().into());
            }
            line.count(count!("generation"), decided.generation.0);
            line.text(member!("backend"), decided.backend);
            if let Some(address) = decided.address {
                line.text(member!("address"), address);
            }
        }
        if let Some(failed) = self.failed {
            line.text(member!("failed"), failed);
        }
        if let Some(refused) = self.refused {
            line.text(member!("refused"), refused);
        }
        if let Some(trace) = self.trace {
            line.raw(",\"trace_id\":\"");
            line.hex(&trace.to_be_bytes());
            line.raw("\"");
        }
        line.raw("}\n");
    }

    /// A readable line: fixed fields first, `key=value` after.
    pub(super) fn text(&self, out: &mut Vec<u8>, second: &mut Second) {
        let mut line = Line(out);
        line.time(self.began_ms, second);
        line.raw(" ");
        match self.client {
            Some(client) => drop(write!(line, "{client} ")),
            None => line.0.extend_from_slice(b"- "),
        }
        line.word(self.method);
        line.word(self.host);
        line.word(self.path);
        line.word(self.protocol);
        let _ = write!(
            line,
            "{} {} {} {}.{:03}ms",
            self.status,
            self.bytes_in,
            self.bytes_out,
            self.took.as_millis(),
            self.took.subsec_micros() % 1000
        );
        if let Some(decided) = &self.decided {
            if let Some((migration, side)) = decided.migration {
                let _ = write!(line, " side={} role={}", side.name(), decided.role.name());
                line.pair("migration", migration);
            }
            let _ =
                write!(line, " reason={} generation={}", decided.reason.name(), decided.generation);
            if let Some(bucket) = decided.cohort {
                let _ = write!(line, " cohort={}", bucket.number());
            }
            line.pair("backend", decided.backend);
            if let Some(address) = decided.address {
                line.pair("address", address);
            }
        }
        let _ = write!(line, " attempts={}", self.attempts);
        if let Some(failed) = self.failed {
            line.pair("failed", failed);
        }
        if let Some(refused) = self.refused {
            line.pair("refused", refused);
        }
        if let Some(trace) = self.trace {
            let _ = write!(line, " trace_id={trace:032x}");
        }
        let _ = writeln!(line, " id={}", self.id);
    }
}

/// What never needs an escape, whatever the format.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = byte > 0x20 && !matches!(byte, 0x22 | 0x5c | 0x7f | 0xc2);
        byte += 1;
    }
    plain
};

/// A line being written.
struct Line<'v>(&'v mut Vec<u8>);

impl std::fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Numbers are written without the formatting machinery: a line of this log is a cost of every request (benches/RESULTS.md).
impl Line<'_> {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.raw(itoa::Buffer::new().format(number));
    }

    fn hex(&mut self, number: &[u8]) {
        let start = self.0.len();
        self.0.resize(start + 2 * number.len(), 0);
        digits::hex(number, &mut self.0[start..]);
    }

    fn three(&mut self, number: u64) {
        self.0.push(b'0' + (number / 100 % 10) as u8);
        self.0.extend_from_slice(&digits::two(number));
    }

    /// `name` is what stands before the number, see `count!`.
    fn count(&mut self, name: &'static str, number: u64) {
        self.raw(name);
        self.number(number);
    }

    fn milliseconds(&mut self, took: Duration) {
        self.number(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        self.raw(".");
        self.three((took.subsec_micros() % 1000).into());
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => digits::dotted(address, |part| self.raw(part)),
            IpAddr::V6(address) => drop(write!(self, "{address}")),
        }
    }

    /// RFC 3339 in UTC, milliseconds.
    fn time(&mut self, unix_ms: u64, second: &mut Second) {
        self.0.extend_from_slice(second.text(unix_ms / 1000));
        self.three(unix_ms % 1000);
        self.raw("Z");
    }

    /// A member with the value escaped; `name` is what stands before it, see `member!`.
    fn text(&mut self, name: &'static str, value: &str) {
        self.raw(name);
        self.escaped(value, |byte| matches!(byte, b'"' | b'\\'));
        self.raw("\"");
    }

    /// The same for words of this program, which need no escape.
    fn word_of_ours(&mut self, name: &'static str, word: &'static str) {
        self.raw(name);
        self.raw(word);
        self.raw("\"");
    }

    /// The value and a blank; `-` if it is empty.
    fn word(&mut self, value: &str) {
        if value.is_empty() {
            self.0.push(b'-');
        }
        self.escaped(value, |byte| matches!(byte, b' ' | b'\\'));
        self.0.push(b' ');
    }

    /// ` name=value`.
    fn pair(&mut self, name: &str, value: &str) {
        self.0.push(b' ');
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.escaped(value, |byte| matches!(byte, b' ' | b'\\'));
    }

    /// Control characters become `\u00xx`, so that a value can neither end its line nor steer a terminal.
    fn escaped(&mut self, value: &str, special: impl Fn(u8) -> bool) {
        let bytes = value.as_bytes();
        // Most values need nothing.
        if bytes.iter().all(|byte| PLAIN[usize::from(*byte)]) {
            return self.0.extend_from_slice(bytes);
        }
        let mut plain = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let control = byte < 0x20 || byte == 0x7f;
            // U+0080 to U+009F: terminals obey them too.
            let c1 = byte == 0xc2 && bytes.get(at + 1).is_some_and(|next| *next < 0xa0);
            if !(control || c1 || special(byte)) {
                continue;
            }
            self.0.extend_from_slice(&bytes[plain..at]);
            plain = at + 1;
            match byte {
                b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', byte]),
                _ if c1 => {
                    let _ = write!(self, "\\u00{:02x}", bytes[at + 1]);
                    plain = at + 2;
                }
                _ => drop(write!(self, "\\u{byte:04x}")),
            }
        }
        self.0.extend_from_slice(&bytes[plain.min(bytes.len())..]);
    }
}
