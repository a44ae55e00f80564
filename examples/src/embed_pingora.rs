//! A bare Pingora proxy: seven short callbacks around one `Exchange`.
//!
//! The server of this project does much more (health, limits, reload, streaming writes): this is the part that an author
//! of a Pingora gateway adds to their own.

use async_trait::async_trait;
use cutover::core::path::normalise;
use cutover::{Action, Cause, Engine, Exchange, HeaderSink, Headers, Outcome, RequestView};
use http::{HeaderName, HeaderValue, StatusCode};
use pingora::apps::ServerApp as _;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::{HttpPeer, ProxyHttp, Session};
use pingora::protocols::Stream;
use pingora::protocols::l4::stream::Stream as L4Stream;
use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use pingora::{Error, ErrorType, Result};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A gateway around an engine.
#[derive(Clone, Debug)]
pub struct Gateway {
    engine: Arc<Engine>,
}

impl Gateway {
    /// A gateway around an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine: Arc::new(engine) }
    }
}

/// Sees a request of Pingora as the engine does. The paths of this small gateway are forwarded as they are, so one that
/// is not in normal form is refused.
fn view(request: &RequestHeader) -> Option<RequestView<'_>> {
    let path = request.uri.path();
    normalise(path).ok().filter(|normal| **normal == *path)?;
    let host = request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let mut view =
        RequestView::new(&request.method, host.unwrap_or_default(), path, &request.headers);
    view.query = request.uri.query();
    Some(view)
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Option<Exchange>;

    fn new_ctx(&self) -> Option<Exchange> {
        None
    }

    async fn request_filter(
        &self,
        session: &mut Session,
        exchange: &mut Option<Exchange>,
    ) -> Result<bool> {
        let begun = match view(session.req_header()) {
            Some(view) => self.engine.begin(&view).map_err(|refused| refused.status()),
            None => Err(StatusCode::BAD_REQUEST),
        };
        match begun {
            Ok(begun) => *exchange = Some(begun),
            Err(status) => session.respond_error(status.as_u16()).await?,
        }
        Ok(exchange.is_none())
    }

    async fn upstream_peer(
        &self,
        _: &mut Session,
        exchange: &mut Option<Exchange>,
    ) -> Result<Box<HttpPeer>> {
        let exchange = begun(exchange)?;
        let backend = exchange.snapshot().backend(exchange.backend());
        let mut peer = HttpPeer::new(&*backend.addresses[0], false, String::new());
        peer.options.connection_timeout = Some(backend.connect_timeout);
        peer.options.read_timeout = Some(backend.timeout);
        Ok(Box::new(peer))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        upstream: &mut RequestHeader,
        exchange: &mut Option<Exchange>,
    ) -> Result<()> {
        let Some(view) = view(session.req_header()) else { return Ok(()) };
        begun(exchange)?.edit_request(&view, &mut Request(upstream)).map_err(|refused| {
            Error::explain(ErrorType::HTTPStatus(refused.status().as_u16()), refused.to_string())
        })
    }

    /// A refused or lost connection of a request without a body may be tried once more, on the other side.
    fn fail_to_connect(
        &self,
        session: &mut Session,
        _: &HttpPeer,
        exchange: &mut Option<Exchange>,
        mut error: Box<Error>,
    ) -> Box<Error> {
        let replayable = session.is_body_empty();
        let Some(view) = view(session.req_header()) else { return error };
        let action = exchange
            .as_mut()
            .map(|exchange| exchange.failed(&view, Cause::Connect, None, replayable, false));
        error.set_retry(matches!(action, Some(Action::Retry(_))));
        error
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        exchange: &mut Option<Exchange>,
    ) -> Result<()> {
        let Some(view) = view(session.req_header()) else { return Ok(()) };
        let status = response.status;
        begun(exchange)?.edit_response(&view, status, &mut Response(response)).map_err(|refused| {
            Error::explain(ErrorType::HTTPStatus(refused.status().as_u16()), refused.to_string())
        })
    }

    async fn logging(
        &self,
        session: &mut Session,
        error: Option<&Error>,
        exchange: &mut Option<Exchange>,
    ) {
        let Some(exchange) = exchange.take() else { return };
        exchange.finish(match (error, session.response_written()) {
            (None, Some(reply)) => Outcome::Replied(reply.status),
            (Some(_), _) | (None, None) => Outcome::Broken,
        });
    }
}

/// Serves until `stop` turns true.
///
/// # Errors
/// If a connection cannot be accepted.
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let proxy = Arc::new(http_proxy(&Arc::new(ServerConf::default()), gateway));
    let mut stopping = stop.clone();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        };
        // Header and body are written apart: without this the second waits for the client's delayed acknowledgement.
        stream.set_nodelay(true)?;
        let (proxy, stop) = (Arc::clone(&proxy), stop.clone());
        tokio::spawn(async move {
            let mut next: Option<Stream> = Some(Box::new(L4Stream::from(stream)));
            // Pingora gives the stream back as long as it can be used for another request.
            while let Some(stream) = next.take() {
                next = proxy.process_new(stream, &stop).await;
            }
        });
    }
}

fn begun(exchange: &mut Option<Exchange>) -> Result<&mut Exchange> {
    exchange.as_mut().ok_or_else(|| Error::explain(ErrorType::InternalError, "no exchange"))
}

/// Pingora keeps the case of header names beside the map, so edits go through its own methods.
macro_rules! sink {
    ($name:ident, $inner:ty) => {
        struct $name<'a>(&'a mut $inner);

        impl Headers for $name<'_> {
            fn first(&self, name: &HeaderName) -> Option<&[u8]> {
                self.0.headers.first(name)
            }

            fn each<'h>(&'h self, name: &HeaderName, visit: &mut dyn FnMut(&'h [u8]) -> bool) {
                self.0.headers.each(name, visit);
            }
        }

        impl HeaderSink for $name<'_> {
            fn set(&mut self, name: &HeaderName, value: HeaderValue) {
                // Only a map with more than 32,768 entries refuses.
                let _ = self.0.insert_header(name.clone(), value);
            }

            fn append(&mut self, name: &HeaderName, value: HeaderValue) {
                let _ = self.0.append_header(name.clone(), value);
            }

            fn remove(&mut self, name: &HeaderName) {
                self.0.remove_header(name);
            }
        }
    };
}

sink!(Request, RequestHeader);
sink!(Response, ResponseHeader);
