//! The backend: the same 1 KiB of one byte for every request, with as little work as possible, at once or after a pause.

use super::edited::{BACKENDS, NAME, is_edited};
use super::sides::{NEW, OLD};
use anyhow::{Context as _, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Bytes of a reply's body.
pub const BODY_BYTES: usize = 1024;

/// Asks how many requests it has had; this one does not count.
const SERVED: &[u8] = b"GET /served HTTP/1.1\r\n";
/// Digits of the answer.
const DIGITS: usize = 20;

/// What it fills its replies with.
#[derive(Clone, Copy, Debug)]
enum Fill {
    /// This byte.
    Always(u8),
    /// New's byte if the request's header was edited, old's if it was not. The reply has one to edit, too.
    ByEdit,
}

/// Serves until the process ends. Each reply comes `after` its request.
///
/// # Errors
/// If it cannot listen.
pub fn serve(listen: SocketAddr, after: Duration, byte: u8) -> anyhow::Result<()> {
    answer(listen, after, Fill::Always(byte))
}

/// Serves until the process ends, and says by its byte whether a request was edited.
///
/// # Errors
/// If it cannot listen.
pub fn serve_edited(listen: SocketAddr) -> anyhow::Result<()> {
    answer(listen, Duration::ZERO, Fill::ByEdit)
}

fn answer(listen: SocketAddr, after: Duration, fill: Fill) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let more = match fill {
            Fill::Always(_) => String::new(),
            Fill::ByEdit => format!("{NAME}: {BACKENDS}\r\n"),
        };
        let reply = |byte: u8| -> &'static [u8] {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{more}content-length: {BODY_BYTES}\r\n\r\n"
            );
            let mut reply = head.into_bytes();
            reply.resize(reply.len() + BODY_BYTES, byte);
            reply.leak()
        };
        let (plain, edited) = match fill {
            Fill::Always(byte) => (reply(byte), None),
            Fill::ByEdit => (reply(OLD), Some(reply(NEW))),
        };
        let served = Arc::new(AtomicU64::new(0));
        loop {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let served = Arc::clone(&served);
            tokio::spawn(async move {
                let mut held = Vec::with_capacity(4096);
                while stream.read_buf(&mut held).await.is_ok_and(|read| read > 0) {
                    // Requests have no body here, and none is pipelined: a blank line is the end of one.
                    if !held.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    let sent = if held.starts_with(SERVED) {
                        let count = served.load(Ordering::Relaxed);
                        let text = format!(
                            "HTTP/1.1 200 OK\r\ncontent-length: {DIGITS}\r\n\r\n{count:0DIGITS$}"
                        );
                        stream.write_all(text.as_bytes()).await
                    } else {
                        served.fetch_add(1, Ordering::Relaxed);
                        if !after.is_zero() {
                            tokio::time::sleep(after).await;
                        }
                        let edited = edited.filter(|_| is_edited(&held));
                        stream.write_all(edited.unwrap_or(plain)).await
                    };
                    held.clear();
                    if sent.is_err() {
                        return;
                    }
                }
            });
        }
    })
}

/// How many requests a backend has had.
///
/// # Errors
/// If it does not say.
pub fn served(backend: SocketAddr) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(backend)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(&[SERVED, b"\r\n"].concat())?;
    let mut held = Vec::new();
    let mut part = [0; 512];
    while !held.windows(4).any(|four| four == b"\r\n\r\n") || !ends_in_a_count(&held) {
        let read = stream.read(&mut part).context("the backend does not count")?;
        if read == 0 {
            bail!("the backend went away");
        }
        held.extend_from_slice(&part[..read]);
    }
    let digits = &held[held.len() - DIGITS..];
    Ok(std::str::from_utf8(digits)?.parse()?)
}

fn ends_in_a_count(held: &[u8]) -> bool {
    let end = held.len().checked_sub(DIGITS).map(|at| &held[at..]);
    end.is_some_and(|end| end.iter().all(u8::is_ascii_digit))
}

/// Takes every connection and never says anything, until the process ends.
///
/// # Errors
/// If it cannot listen.
pub fn hang(listen: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                // Whoever gives up is let go, or the next ones would find no file left.
                let mut thrown = [0; 4096];
                while stream.read(&mut thrown).await.is_ok_and(|read| read > 0) {}
            });
        }
    })
}
