//! An upstream that answers as told, over HTTP/1.1 and HTTP/2 with prior knowledge.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Requests an upstream remembers.
const REMEMBERED: usize = 1000;

/// The body of a reply.
pub type Body = BoxBody<Bytes, Infallible>;

/// What a request looked like at the upstream.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Target.
    pub uri: Uri,
    /// Version.
    pub version: Version,
    /// Headers.
    pub headers: HeaderMap,
}

impl Seen {
    /// The values under a name, joined by `|`.
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join("|")
    }
}

#[derive(Debug, Default)]
struct State {
    hits: AtomicUsize,
    connections: AtomicUsize,
    seen: Mutex<Vec<Seen>>,
}

/// A running upstream. It stops listening, and drops its connections, when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

/// A whole reply with this text.
pub fn text(status: u16, text: impl Into<Bytes>) -> Response<Body> {
    let mut reply = Response::new(Full::new(text.into()).boxed());
    *reply.status_mut() = http::StatusCode::from_u16(status).expect("a status code");
    reply
}

impl Upstream {
    /// Answers every request with 200 and its own name.
    pub async fn named(name: &'static str) -> Self {
        Self::start(move |_| async move { text(200, name) }).await
    }

    /// Answers every request with this status and text.
    pub async fn answering(status: u16, body: &'static str) -> Self {
        Self::start(move |_| async move { text(status, body) }).await
    }

    /// Answers as told.
    pub async fn start<F, R>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer).await
    }

    /// Answers as told, at this address.
    pub async fn start_at<F, R>(address: SocketAddr, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.expect("a port of loopback");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state), Arc::new(answer)));
        Self { address, state, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests so far.
    pub fn hits(&self) -> usize {
        self.state.hits.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// The first thousand requests.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("a request arrived")
    }

    /// Stops listening, drops every connection, and comes back when nothing is left.
    pub async fn kill(mut self) -> SocketAddr {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        self.address
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<F, R>(listener: TcpListener, state: Arc<State>, answer: Arc<F>)
where
    F: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                let _ = stream.set_nodelay(true);
                state.connections.fetch_add(1, Ordering::SeqCst);
                let (state, answer) = (Arc::clone(&state), Arc::clone(&answer));
                connections.spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        state.note(&request);
                        let reply = answer(request);
                        async move { Ok::<_, Infallible>(reply.await) }
                    });
                    let server =
                        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let io = TokioIo::new(stream);
                    // A client that goes away is no news to a fixture.
                    let _ = server.serve_connection_with_upgrades(io, service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl State {
    fn note(&self, request: &Request<Incoming>) {
        self.hits.fetch_add(1, Ordering::SeqCst);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < REMEMBERED {
            seen.push(Seen {
                method: request.method().clone(),
                uri: request.uri().clone(),
                version: request.version(),
                headers: request.headers().clone(),
            });
        }
    }
}
