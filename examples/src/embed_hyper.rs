//! A gateway on bare hyper: decide, edit, forward, and fall back to `old` when `new` fails.

use cutover::core::path::normalise;
use cutover::{Action, Cause, Engine, Exchange, Outcome, RequestView};
use http::{HeaderMap, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Either, Empty, Full, combinators::BoxBody};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::TcpListener;

type Sent = Either<Incoming, Empty<Bytes>>;
type Reply = Response<BoxBody<Bytes, hyper::Error>>;

/// A gateway: an engine, and a client to forward with.
#[derive(Debug)]
pub struct Gateway {
    engine: Engine,
    client: Client<HttpConnector, Sent>,
}

impl Gateway {
    /// A gateway around an engine.
    pub fn new(engine: Engine) -> Arc<Self> {
        Arc::new(Self { engine, client: Client::builder(TokioExecutor::new()).build_http() })
    }

    /// One request, from the client to a backend and back.
    pub async fn handle(&self, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let Ok(path) = normalise(parts.uri.path()) else { return short(StatusCode::BAD_REQUEST) };
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let mut view =
            RequestView::new(&parts.method, host.unwrap_or_default(), &path, &parts.headers);
        view.query = parts.uri.query();
        view.has_body = !body.is_end_stream();
        let mut exchange = match self.engine.begin(&view) {
            Ok(exchange) => exchange,
            Err(refused) => return short(refused.status()),
        };
        // A body that streams can be sent once; a request without one can be sent again.
        let replayable = !view.has_body;
        let mut body = view.has_body.then_some(body);
        loop {
            let body = body.take().map_or(Either::Right(Empty::new()), Either::Left);
            let (cause, reply) = match self.attempt(&mut exchange, &view, &parts, body).await {
                Ok(reply) if !reply.status().is_server_error() => {
                    return deliver(exchange, &view, reply);
                }
                Ok(reply) => (Cause::Status, Some(reply)),
                Err(cause) => (cause, None),
            };
            let status = reply.as_ref().map(Response::status);
            match (exchange.failed(&view, cause, status, replayable, false), reply) {
                (Action::Retry(_), _) => {}
                (Action::Respond(status), _) => return end(exchange, status),
                (Action::Propagate, Some(reply)) => return deliver(exchange, &view, reply),
                (Action::Propagate, None) if cause == Cause::Timeout => {
                    return end(exchange, StatusCode::GATEWAY_TIMEOUT);
                }
                (Action::Propagate, None) => return end(exchange, StatusCode::BAD_GATEWAY),
            }
        }
    }

    async fn attempt(
        &self,
        exchange: &mut Exchange,
        view: &RequestView<'_>,
        parts: &Parts,
        body: Sent,
    ) -> Result<Response<Incoming>, Cause> {
        let mut headers = parts.headers.clone();
        strip_hop_by_hop(&mut headers);
        exchange.edit_request(view, &mut headers).map_err(|_| Cause::Status)?;
        let backend = exchange.snapshot().backend(exchange.backend());
        let path = exchange.request_path(view.path);
        let query = view.query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = Request::new(body);
        *request.method_mut() = parts.method.clone();
        *request.headers_mut() = headers;
        *request.uri_mut() = format!("http://{}{path}{query}", backend.addresses[0])
            .parse()
            .map_err(|_| Cause::Connect)?;
        let limit = exchange.time_left().map_or(backend.timeout, |left| left.min(backend.timeout));
        match tokio::time::timeout(limit, self.client.request(request)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) if error.is_connect() => Err(Cause::Connect),
            Ok(Err(_)) => Err(Cause::Reset),
            Err(_) => Err(Cause::Timeout),
        }
    }
}

/// Passes a backend's reply on.
fn deliver(mut exchange: Exchange, view: &RequestView<'_>, reply: Response<Incoming>) -> Reply {
    let (mut parts, body) = reply.into_parts();
    strip_hop_by_hop(&mut parts.headers);
    if let Err(refused) = exchange.edit_response(view, parts.status, &mut parts.headers) {
        return end(exchange, refused.status());
    }
    exchange.finish(Outcome::Replied(parts.status));
    Response::from_parts(parts, body.boxed())
}

fn end(exchange: Exchange, status: StatusCode) -> Reply {
    exchange.finish(Outcome::Replied(status));
    short(status)
}

fn short(status: StatusCode) -> Reply {
    let mut reply =
        Response::new(Full::from(format!("{status}\n")).map_err(|e| match e {}).boxed());
    *reply.status_mut() = status;
    reply
}

/// Headers that concern one connection only (RFC 9110, 7.6.1).
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
}

/// Serves until the listener fails.
///
/// # Errors
/// If a connection cannot be accepted.
pub async fn serve(listener: TcpListener, gateway: Arc<Gateway>) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let handle = service_fn(|request| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, Infallible>(gateway.handle(request).await) }
            });
            let http = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is its client's business.
            let _ = http.serve_connection(TokioIo::new(stream), handle).await;
        });
    }
}
