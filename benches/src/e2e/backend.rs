//! The backend: the same 1 KiB of one byte for every request, with as little work as possible, at once or after a pause.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Bytes of a reply's body.
pub const BODY_BYTES: usize = 1024;

/// Serves until the process ends. Each reply comes `after` its request.
///
/// # Errors
/// If it cannot listen.
pub fn serve(listen: SocketAddr, after: Duration, byte: u8) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
        );
        let mut reply = head.into_bytes();
        reply.resize(reply.len() + BODY_BYTES, byte);
        let reply: &'static [u8] = reply.leak();
        loop {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let mut held = Vec::with_capacity(4096);
                while stream.read_buf(&mut held).await.is_ok_and(|read| read > 0) {
                    // Requests have no body here, and none is pipelined: a blank line is the end of one.
                    if held.ends_with(b"\r\n\r\n") {
                        held.clear();
                        if !after.is_zero() {
                            tokio::time::sleep(after).await;
                        }
                        if stream.write_all(reply).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    })
}
