//! HTTP/2 uploads that stop in the middle. Pingora limits the reading of HTTP/1 bodies only: a client that neither ends
//! its stream nor goes on would hold its exchange, and a connection to a backend, for ever.
//!
//! [`Bounded`] stands around the proxy and looks, once in every idle timeout, whether anything has moved: a part of the
//! body from the client, or of the reply to it. What moves is told by the proxy's callbacks, which run in the same task.
//! A client whose backend does not read on cannot send on: with a backend that may be silent for longer than that, it is
//! looked at as seldom as the backend's own limit, so that the backend is found first.

use super::Guard;
use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::server::ShutdownWatch;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

tokio::task_local! {
    /// The upload of the exchange that runs in this task.
    static PRESENT: Arc<Upload>;
}

/// An HTTP application whose HTTP/2 uploads may not stop for longer than the idle timeout.
#[derive(Debug)]
pub struct Bounded<A> {
    app: Arc<A>,
    guard: Arc<Guard>,
}

/// One request body on its way.
#[derive(Debug, Default)]
struct Upload {
    moves: AtomicU64,
    whole: AtomicBool,
    /// How long its backend may be silent, in milliseconds.
    backend: AtomicU64,
    stopped: AtomicBool,
}

impl<A> Bounded<A> {
    /// Bounds `app`.
    pub fn new(app: A, guard: Arc<Guard>) -> Self {
        Self { app: Arc::new(app), guard }
    }
}

impl Upload {
    /// Waits until nothing has moved for this long, or what the backend has, or twice as long at most.
    async fn stop(&self, idle: Duration) {
        let limit = || idle.max(Duration::from_millis(self.backend.load(Ordering::Relaxed)));
        let mut seen = self.moves.load(Ordering::Relaxed);
        loop {
            let waited = limit();
            tokio::time::sleep(waited).await;
            if self.whole.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            let moves = self.moves.load(Ordering::Relaxed);
            if moves == seen && waited >= limit() {
                self.stopped.store(true, Ordering::Relaxed);
                return;
            }
            seen = moves;
        }
    }
}

/// The backend that may be silent this long is what the body is sent to now.
pub(crate) fn connected(backend: Duration) {
    let _ = PRESENT.try_with(|upload| {
        let limit = u64::try_from(backend.as_millis()).unwrap_or(u64::MAX);
        upload.backend.store(limit, Ordering::Relaxed);
        upload.moves.fetch_add(1, Ordering::Relaxed);
    });
}

/// A part of a request's body has come; `whole` if it was the last.
pub(crate) fn received(whole: bool) {
    let _ = PRESENT.try_with(|upload| {
        upload.moves.fetch_add(1, Ordering::Relaxed);
        upload.whole.fetch_or(whole, Ordering::Relaxed);
    });
}

/// A part of the reply is on its way.
pub(crate) fn replied() {
    let _ = PRESENT.try_with(|upload| upload.moves.fetch_add(1, Ordering::Relaxed));
}

/// Is the exchange of this task being given up because its upload has stopped?
pub(crate) fn has_stopped() -> bool {
    PRESENT.try_with(|upload| upload.stopped.load(Ordering::Relaxed)).unwrap_or(false)
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> HttpServerApp for Bounded<A> {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        if !matches!(session, ServerSession::H2(_)) || session.is_body_empty() {
            return self.app.process_new_http(session, shutdown).await;
        }
        let upload = Arc::new(Upload::default());
        let exchange = self.app.process_new_http(session, shutdown);
        let exchange = PRESENT.scope(Arc::clone(&upload), exchange);
        tokio::select! {
            reused = exchange => reused,
            // The stream is reset: without an error, if its reply was whole.
            () = upload.stop(self.guard.idle_timeout()) => None,
        }
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.app.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.app.server_options()
    }

    async fn http_cleanup(&self) {
        self.app.http_cleanup().await;
    }
}
