//! A connection for a WebSocket's handshake: the backend's reply is not read before the end of the request is taken.
//!
//! Pingora puts the end of the request's empty body into a queue, and then takes what is ready, that end or the backend's
//! reply, in random order. If `101` comes first, it takes the end of the handshake's body for the end of the WebSocket
//! (cloudflare/pingora#946). So the connection says "nothing yet" until that end is in the queue, and once more: whatever
//! Pingora asks first then, the end is what it gets first. See decision 0019, which also says when this may go.

use async_trait::async_trait;
use futures_util::task::AtomicWaker;
use pingora::connectors::l4::Connect;
use pingora::protocols::ALPN;
use pingora::protocols::l4::ext;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, Result};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Reads pass: before the request, so that TLS may shake hands, and after the reply has been let in.
const OPEN: u8 = 0;
/// Reads wait for the end of the request.
const HELD: u8 = 1;
/// The end is in the queue; the next read comes away empty-handed, so that the end is taken first.
const RELEASED: u8 = 2;

/// When the reply on one connection may be read.
#[derive(Debug, Default)]
pub struct FirstRead {
    state: AtomicU8,
    reader: AtomicWaker,
}

impl FirstRead {
    /// Makes the peer's next connection one that waits. `None` if it speaks HTTP/2 only, where nothing is upgraded.
    pub fn of(peer: &mut HttpPeer) -> Option<Arc<Self>> {
        if peer.options.alpn.get_min_http_version() == 2 {
            return None;
        }
        let first_read = Arc::new(Self::default());
        peer.options.custom_l4 = Some(Arc::new(Connector(Arc::clone(&first_read))));
        peer.options.alpn = ALPN::H1;
        // Neither taken from the pool, where connections do not wait, nor found in it: the pool tells connections apart
        // by their descriptor, and to Pingora this one has none.
        peer.group_key = nobody_elses(peer.group_key);
        peer.options.idle_timeout = Some(Duration::ZERO);
        Some(first_read)
    }

    /// The request is about to be sent: from now on the reply waits.
    pub fn hold(&self) {
        self.state.store(HELD, Ordering::SeqCst);
    }

    /// The request's end is put into Pingora's queue before anything else is polled.
    pub fn release(&self) {
        let held = self.state.compare_exchange(HELD, RELEASED, Ordering::SeqCst, Ordering::SeqCst);
        if held.is_ok() {
            self.reader.wake();
        }
    }

    fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        match self.state.load(Ordering::SeqCst) {
            HELD => {
                self.reader.register(cx.waker());
                if self.state.load(Ordering::SeqCst) != HELD {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
            RELEASED => {
                self.state.store(OPEN, Ordering::SeqCst);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

/// A key of the pool that no other connection has.
fn nobody_elses(group: u64) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = DefaultHasher::new();
    (group, NEXT.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
    hasher.finish()
}

#[derive(Debug)]
struct Connector(Arc<FirstRead>);

#[async_trait]
impl Connect for Connector {
    async fn connect(&self, address: &SocketAddr) -> Result<Stream> {
        let Some(address) = address.as_inet() else {
            return Error::e_explain(ErrorType::ConnectError, "backends have addresses of TCP");
        };
        let tcp = ext::connect(address, None).await?;
        let waiting = Waiting { tcp, first_read: Arc::clone(&self.0) };
        Ok(VirtualSocketStream::new(Box::new(waiting)).into())
    }
}

/// The connection.
#[derive(Debug)]
struct Waiting {
    tcp: TcpStream,
    first_read: Arc<FirstRead>,
}

impl VirtualSocket for Waiting {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        match option {
            VirtualSockOpt::NoDelay => self.tcp.set_nodelay(true),
            VirtualSockOpt::KeepAlive(keepalive) => {
                ext::set_tcp_keepalive(&self.tcp, &keepalive).map_err(io::Error::other)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl AsyncRead for Waiting {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.first_read.poll_open(cx));
        Pin::new(&mut this.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Waiting {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
