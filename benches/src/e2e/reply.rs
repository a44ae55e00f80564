//! One whole reply, and what must be true of it.

use super::edited::is_edited;
use anyhow::{Context as _, ensure};
use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;

/// What must be true of every reply, besides its being a 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Bytes of its body.
    pub body_bytes: usize,
    /// Must the proxy have edited its header?
    pub edited: bool,
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// All of it.
    Whole {
        /// The first byte of its body.
        byte: u8,
        /// Does it say that the connection ends with it?
        last: bool,
    },
    /// Not its first byte, before the other side closed.
    Closed,
    /// Not all of it, in the time that the stream has for a read.
    Late,
}

/// Reads one reply, and nothing of another one.
///
/// # Errors
/// If it is not as wanted, or ends in the middle.
pub fn read(stream: &mut TcpStream, held: &mut [u8], wanted: Wanted) -> anyhow::Result<Came> {
    let mut have = 0;
    loop {
        let read = match stream.read(&mut held[have..]) {
            Ok(read) => read,
            Err(error) => {
                let kind = error.kind();
                if matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut) {
                    return Ok(Came::Late);
                }
                if kind == ErrorKind::ConnectionReset && have == 0 {
                    return Ok(Came::Closed);
                }
                if kind == ErrorKind::Interrupted {
                    continue;
                }
                return Err(error).context("no reply");
            }
        };
        if read == 0 && have == 0 {
            return Ok(Came::Closed);
        }
        ensure!(read > 0, "the connection ended in the middle of a reply");
        have += read;
        let Some(head) = held[..have].windows(4).position(|four| four == b"\r\n\r\n") else {
            ensure!(have < held.len(), "a header without an end");
            continue;
        };
        ensure!(held.starts_with(b"HTTP/1.1 200 "), "not a 200: {}", held[..head].escape_ascii());
        let whole = head + 4 + wanted.body_bytes;
        ensure!(have <= whole, "a reply longer than {} bytes", wanted.body_bytes);
        if have == whole {
            let edited = !wanted.edited || is_edited(&held[..head]);
            ensure!(edited, "its header was not edited: {}", held[..head].escape_ascii());
            return Ok(Came::Whole { byte: held[head + 4], last: closes(&held[..head]) });
        }
    }
}

/// Does this header say `connection: close`?
fn closes(head: &[u8]) -> bool {
    // Nearly all of them do not: no need to look at the lines of those.
    let close = b"close";
    head.windows(close.len()).any(|part| part.eq_ignore_ascii_case(close))
        && String::from_utf8_lossy(head).split("\r\n").any(|line| {
            let field = line.split_once(':');
            field.is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("connection")
                    && value.trim().eq_ignore_ascii_case("close")
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_header_connection_announces_the_end() {
        assert!(closes(b"HTTP/1.1 200 OK\r\nConnection: Close"));
        assert!(!closes(b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nx-note: close"));
    }
}
