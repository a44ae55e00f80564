//! A tower `Layer` in an axum application: the application is `old`, and the layer sends the cohort's requests to `new`.
//!
//! This is how a monolith in Rust strangles itself: no proxy in front, one layer around its router.

use axum::body::Body;
use axum::response::IntoResponse as _;
use cutover::core::path::normalise;
use cutover::{Action, Cause, Engine, Exchange, Outcome, RequestView, Side};
use http::{Request, Response, StatusCode, header, request::Parts};
use hyper::body::Body as _;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service, ServiceExt as _};

/// Wraps a service, which is the `old` side of every migration and whatever no migration covers.
#[derive(Clone, Debug)]
pub struct MigrateLayer {
    engine: Arc<Engine>,
    client: Client<HttpConnector, Body>,
}

impl MigrateLayer {
    /// A layer around an engine.
    pub fn new(engine: Engine) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { engine: Arc::new(engine), client }
    }
}

impl<S> Layer<S> for MigrateLayer {
    type Service = Migrate<S>;

    fn layer(&self, old: S) -> Migrate<S> {
        Migrate { layer: self.clone(), old }
    }
}

/// The service that [`MigrateLayer`] makes.
#[derive(Clone, Debug)]
pub struct Migrate<S> {
    layer: MigrateLayer,
    old: S,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S> Service<Request<Body>> for Migrate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.old.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        // The clone stays behind; the service that was polled ready is the one that is called.
        let ready = self.old.clone();
        let old = std::mem::replace(&mut self.old, ready);
        let layer = self.layer.clone();
        Box::pin(async move { Ok(layer.answer(request, old).await) })
    }
}

impl MigrateLayer {
    async fn answer<S>(&self, request: Request<Body>, old: S) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let (parts, body) = request.into_parts();
        let Ok(path) = normalise(parts.uri.path()) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let mut view =
            RequestView::new(&parts.method, host.unwrap_or_default(), &path, &parts.headers);
        view.query = parts.uri.query();
        view.has_body = !body.is_end_stream();
        let mut exchange = match self.engine.begin(&view) {
            Ok(exchange) => exchange,
            Err(refused) => return refused.status().into_response(),
        };
        let replayable = !view.has_body;
        let mut body = Some(body);
        while exchange.side() == Some(Side::New) {
            let sent = body.take().unwrap_or_default();
            let (cause, reply) = match self.attempt(&mut exchange, &view, &parts, sent).await {
                Ok(reply) if !reply.status().is_server_error() => {
                    return deliver(exchange, &view, reply);
                }
                Ok(reply) => (Cause::Status, Some(reply)),
                Err(cause) => (cause, None),
            };
            let status = reply.as_ref().map(Response::status);
            match (exchange.failed(&view, cause, status, replayable, false), reply) {
                (Action::Retry(_), _) => {}
                (Action::Respond(status), _) => {
                    return deliver(exchange, &view, status.into_response());
                }
                (Action::Propagate, Some(reply)) => return deliver(exchange, &view, reply),
                (Action::Propagate, None) => {
                    let status = StatusCode::BAD_GATEWAY;
                    return deliver(exchange, &view, status.into_response());
                }
            }
        }
        let mut headers = parts.headers.clone();
        if let Err(refused) = exchange.edit_request(&view, &mut headers) {
            return refused.status().into_response();
        }
        let mut request = Request::from_parts(parts.clone(), body.unwrap_or_default());
        *request.headers_mut() = headers;
        let Ok(reply) = old.oneshot(request).await;
        deliver(exchange, &view, reply)
    }

    async fn attempt(
        &self,
        exchange: &mut Exchange,
        view: &RequestView<'_>,
        parts: &Parts,
        body: Body,
    ) -> Result<Response<Body>, Cause> {
        let mut headers = parts.headers.clone();
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
            Ok(Ok(reply)) => Ok(reply.map(Body::new)),
            Ok(Err(error)) if error.is_connect() => Err(Cause::Connect),
            Ok(Err(_)) => Err(Cause::Reset),
            Err(_) => Err(Cause::Timeout),
        }
    }
}

fn deliver(
    mut exchange: Exchange,
    view: &RequestView<'_>,
    mut reply: Response<Body>,
) -> Response<Body> {
    let status = reply.status();
    if let Err(refused) = exchange.edit_response(view, status, reply.headers_mut()) {
        exchange.finish(Outcome::Replied(refused.status()));
        return refused.status().into_response();
    }
    exchange.finish(Outcome::Replied(status));
    reply
}
