//! The backend: 1 KiB for every request, with as little work as possible.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) fn serve(listen: SocketAddr) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        let mut reply =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1024\r\n\r\n".to_vec();
        reply.resize(reply.len() + 1024, b'x');
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
                        if stream.write_all(reply).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    })
}
