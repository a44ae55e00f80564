//! The admin API on Pingora's listeners, so that its socket is handed over in an upgrade like the others.

use async_trait::async_trait;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// Limit for a request's header.
const HEADER_WITHIN: Duration = Duration::from_secs(10);

/// Who is at the other end; an extension of every request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves a router on each connection.
#[derive(Debug)]
pub struct AdminApp {
    router: Router,
}

impl AdminApp {
    /// Serves this router.
    pub fn new(router: Router) -> Self {
        Self { router }
    }
}

#[async_trait]
impl ServerApp for AdminApp {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let digest = stream.get_socket_digest();
        let peer = digest.as_ref().and_then(|digest| digest.peer_addr()?.as_inet());
        let peer = Peer(peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip()));
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_WITHIN)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut shutdown = shutdown.clone();
        let stopped = async {
            let _ = shutdown.wait_for(|stop| *stop).await;
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = stopped => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!("admin connection: {error}");
        }
        None
    }
}
