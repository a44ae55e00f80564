//! Upstreams that misbehave on the wire: a script gets each TCP connection and does with it what it likes.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A running raw upstream; stops when dropped.
#[derive(Debug)]
pub struct RawUpstream {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl RawUpstream {
    /// Runs the script for each connection, with its number from 1.
    pub async fn start<F, R>(script: F) -> Self
    where
        F: Fn(TcpStream, usize) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback");
        let address = listener.local_addr().expect("it is bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            let mut scripts = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                scripts.spawn(script(stream, number));
                while scripts.try_join_next().is_some() {}
            }
        });
        Self { address, connections, accepting }
    }

    /// Reads each request's header, sends these bytes, and closes.
    pub async fn saying(bytes: &'static str) -> Self {
        Self::start(move |mut stream, _| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(bytes.as_bytes()).await;
        })
        .await
    }

    /// Reads each request and never answers.
    pub async fn silent() -> Self {
        Self::start(|mut stream, _| async move {
            let mut buffer = [0; 4096];
            while matches!(stream.read(&mut buffer).await, Ok(n) if n > 0) {}
        })
        .await
    }

    /// Resets each connection once it has read the request's header.
    pub async fn resetting() -> Self {
        Self::start(|mut stream, _| async move {
            read_request(&mut stream).await;
            let _ = stream.set_zero_linger();
        })
        .await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for RawUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn read_request(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(n) => head.extend_from_slice(&buffer[..n]),
        }
    }
}

/// An address of loopback that refuses connections.
pub async fn dead_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback");
    listener.local_addr().expect("it is bound")
}
