//! Guards what Pingora 0.9 leaves open about HTTP/1 request heads.
//!
//! Pingora limits the time of each *read*, not of a whole head; its header limits are fixed; and it repairs ambiguous
//! framing before a filter can see it. So [`Guarded`] stands between the listener and `HttpProxy`: it wraps each
//! connection in a [`GuardedStream`] that looks at the raw bytes, refuses what must not pass, and never hands over a
//! byte beyond the end of the present request. HTTP/2 is recognised and passed on; there the `h2` crate keeps the limits.

pub mod body;
pub mod framing;
pub mod head;
mod refused;
mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod uploads;

pub use framing::{Limits, Refusal};
pub use refused::{HearRefused, RefusedHead};
pub use stream::GuardedStream;
pub use uploads::Bounded;

use crate::metrics::{HEADS_REFUSED, OPEN_CONNECTIONS};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::apps::{HttpServerApp, ServerApp};
use pingora::protocols::http::ServerSession;
use pingora::protocols::{ALPN, Stream};
use pingora::server::ShutdownWatch;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::time::Sleep;

/// RFC 9113, 3.4.
const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long idle connections may still send a request after the listeners have closed. Who sends one is answered with
/// `connection: close`; who is silent is cut.
pub const IDLE_LINGER: Duration = Duration::from_millis(500);

/// What a connection may do. A reload changes it for new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardSettings {
    /// Limits of a head.
    pub limits: Limits,
    /// Limit for a whole head.
    pub header_timeout: Duration,
    /// Limit between two reads of a body, and between two requests.
    pub idle_timeout: Duration,
}

/// What all connections share.
pub struct Guard {
    settings: ArcSwap<GuardSettings>,
    hears: Option<Box<dyn HearRefused>>,
    refused: [AtomicU64; Refusal::ALL.len()],
    open: watch::Sender<usize>,
}

impl Guard {
    /// With these settings; `hears` is told of each refused head.
    pub fn new(settings: GuardSettings, hears: Option<Box<dyn HearRefused>>) -> Arc<Self> {
        Arc::new(Self {
            settings: ArcSwap::from_pointee(settings),
            hears,
            refused: [const { AtomicU64::new(0) }; Refusal::ALL.len()],
            open: watch::Sender::new(0),
        })
    }

    /// Changes the settings for connections that come.
    pub fn change(&self, settings: GuardSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// Limit between two parts of a body, now.
    fn idle_timeout(&self) -> Duration {
        self.settings.load().idle_timeout
    }

    /// How many connections are open, and when that changes.
    pub fn open(&self) -> watch::Receiver<usize> {
        self.open.subscribe()
    }

    /// Heads refused for this reason.
    pub fn refused(&self, refusal: Refusal) -> u64 {
        self.refused[refusal.index()].load(Ordering::Relaxed)
    }

    /// Appends its metrics.
    pub fn encode(&self, out: &mut String) {
        let (head, name) = (OPEN_CONNECTIONS.head(), OPEN_CONNECTIONS.exposed_name());
        let _ = writeln!(out, "{head}{name} {}", *self.open.borrow());
        out.push_str(&HEADS_REFUSED.head());
        let name = HEADS_REFUSED.exposed_name();
        for refusal in Refusal::ALL {
            let (reason, count) = (refusal.name(), self.refused(*refusal));
            let _ = writeln!(out, "{name}{{reason=\"{reason}\"}} {count}");
        }
    }

    /// Counts a refused head and tells of it. Who is flooded with them must not be flooded with lines of text too, so
    /// the process's own log has them only when asked for.
    fn refuse(&self, head: &RefusedHead<'_>) {
        self.count(head.refusal);
        tracing::debug!(id = %head.id, reason = head.refusal.name(), "request refused");
        if let Some(hears) = &self.hears {
            hears.refused(head);
        }
    }

    fn count(&self, refusal: Refusal) {
        self.refused[refusal.index()].fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Counts a connection while it lives.
struct Counted<'g>(&'g Guard);

impl<'g> Counted<'g> {
    fn new(guard: &'g Guard) -> Self {
        guard.open.send_modify(|open| *open += 1);
        Self(guard)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

/// An HTTP application behind the guard.
#[derive(Debug)]
pub struct Guarded<A> {
    app: Arc<A>,
    guard: Arc<Guard>,
}

impl<A> Guarded<A> {
    /// Guards `app`.
    pub fn new(app: A, guard: Arc<Guard>) -> Self {
        Self { app: Arc::new(app), guard }
    }
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> ServerApp for Guarded<A> {
    async fn process_new(
        self: &Arc<Self>,
        mut stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let _counted = Counted::new(&self.guard);
        let settings = **self.guard.settings.load();
        let mut deadline = Box::pin(tokio::time::sleep(settings.header_timeout));
        let over_tls = stream.get_ssl_digest().is_some();
        let by_alpn = matches!(stream.selected_alpn_proto(), Some(ALPN::H2));
        let mut received = Vec::new();
        if !over_tls || by_alpn {
            received = begins(&mut stream, &mut deadline).await?;
        }
        if by_alpn || received == H2_PREFACE {
            let stream: Stream =
                Box::new(GuardedStream::passing(stream, settings.idle_timeout, received));
            return self.app.process_new(stream, shutdown).await;
        }
        let guard = Arc::clone(&self.guard);
        let (stream, mut back) =
            GuardedStream::watching(stream, guard, settings, received, deadline);
        self.serve_http1(stream, &settings, shutdown).await;
        if let Ok(stream) = back.try_recv() {
            stream::leave(stream).await;
        }
        None
    }

    async fn cleanup(&self) {
        let mut open = self.guard.open();
        let _ = tokio::time::timeout(IDLE_LINGER, open.wait_for(|open| *open == 0)).await;
        self.app.http_cleanup().await;
    }
}

impl<A: HttpServerApp + Send + Sync + 'static> Guarded<A> {
    /// The requests of one HTTP/1 connection, one after the other. Pingora's own loop, except that the stream learns
    /// when the next request begins.
    async fn serve_http1(
        &self,
        stream: GuardedStream,
        settings: &GuardSettings,
        shutdown: &ShutdownWatch,
    ) {
        let turn = stream.turn();
        let mut next: Option<(Stream, _)> = Some((Box::new(stream), None));
        while let Some((stream, persistent)) = next {
            let mut session = ServerSession::new_http1(stream);
            if let Some(persistent) = persistent {
                pingora::apps::HttpPersistentSettings::apply_to_session(persistent, &mut session);
            }
            if *shutdown.borrow() {
                session.set_keepalive(None);
            } else {
                session.set_keepalive(Some(settings.idle_timeout.as_secs().max(1)));
            }
            session.set_read_timeout(Some(settings.idle_timeout));
            session.set_total_drain_timeout(Some(settings.idle_timeout));
            turn.next_request();
            next = self.app.process_new_http(session, shutdown).await.map(|r| r.consume());
        }
    }
}

/// Reads until it is certain whether the connection begins with the HTTP/2 preface. `None`: it ended before.
async fn begins(stream: &mut Stream, deadline: &mut Pin<Box<Sleep>>) -> Option<Vec<u8>> {
    let mut received = Vec::with_capacity(512);
    while received.len() < H2_PREFACE.len() && H2_PREFACE.starts_with(&received) {
        // No further than the preface: what follows it is the business of `h2`.
        let left = H2_PREFACE.len() - received.len();
        let mut limited = stream.take(left as u64);
        let read = tokio::select! {
            read = limited.read_buf(&mut received) => read.ok()?,
            () = deadline.as_mut() => return None,
        };
        if read == 0 {
            return None;
        }
    }
    Some(received)
}
