//! A collector that takes whatever comes over HTTP, and looks at none of it.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Serves until the process ends.
pub(crate) fn serve(listen: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut held = Vec::with_capacity(64 * 1024);
                while stream.read_buf(&mut held).await.is_ok_and(|read| read > 0) {
                    let Some(whole) = whole(&held) else { continue };
                    held.drain(..whole);
                    let taken = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    if stream.write_all(taken).await.is_err() {
                        return;
                    }
                }
            });
        }
    })
}

/// Bytes of the first request, once all of it is there.
fn whole(held: &[u8]) -> Option<usize> {
    let head = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&held[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let whole = head + length?.trim().parse::<usize>().ok()?;
    (held.len() >= whole).then_some(whole)
}
