//! One request, top to bottom, as Pingora calls it: decide, find the peer, edit and forward, judge failures, reply,
//! record. Each callback is a line or two; the steps are in the modules below, in this order.

mod attempt;
mod context;
mod forward;
mod grpc;
mod mirrored;
mod receive;
mod reply;
mod sink;
mod traced;

pub use context::Context;
pub(crate) use sink::RequestSink;

use crate::head_guard::uploads;
use crate::plane::Plane;
use crate::upstream::Watch;
use async_trait::async_trait;
use bytes::Bytes;
use cutover::Engine;
use cutover::config::ServerSettings;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, Result};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What a [`Proxy`] is built from.
#[derive(Debug)]
pub struct Parts {
    /// Decides.
    pub engine: Arc<Engine>,
    /// Settings in force until the first install.
    pub server: ServerSettings,
}

/// Forwards requests. A cheap clone: all clones share one [`Plane`].
#[derive(Clone, Debug)]
pub struct Proxy {
    plane: Arc<Plane>,
}

impl Proxy {
    /// With nothing installed: every request is answered with 503.
    pub fn new(parts: Parts) -> Self {
        let Parts { engine, server } = parts;
        Self { plane: Arc::new(Plane::new(engine, &server)) }
    }

    /// Where configurations are installed.
    pub fn plane(&self) -> &Arc<Plane> {
        &self.plane
    }

    /// Health checks and look-ups of names, until `stop` turns true.
    pub async fn background(&self, mut stop: watch::Receiver<bool>) {
        let watch = Watch::new(Arc::clone(&self.plane));
        tokio::select! {
            () = watch.run() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// The state of every address, for the admin API.
    pub fn backends(&self) -> serde_json::Value {
        self.plane.describe_backends()
    }

    /// Appends the data plane's own metrics, OpenMetrics text without the `# EOF`.
    pub fn metrics(&self, out: &mut String) {
        self.plane.encode_metrics(out);
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context::default()
    }

    /// None: no compression, nothing that touches bodies.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, ctx: &mut Context) -> Result<bool> {
        match receive::begin(&self.plane, session, ctx) {
            Ok(()) => {
                mirrored::begin(&self.plane, session, ctx);
                Ok(false)
            }
            Err(refusal) => reply::refuse(session, ctx, &refusal).await.map(|()| true),
        }
    }

    async fn upstream_peer(
        &self,
        session: &mut Session,
        ctx: &mut Context,
    ) -> Result<Box<HttpPeer>> {
        attempt::peer(&self.plane, session, ctx)
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        reused: bool,
        _peer: &HttpPeer,
        _fd: RawFd,
        _digest: Option<&Digest>,
        ctx: &mut Context,
    ) -> Result<()> {
        attempt::connected(ctx, reused);
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut Context,
    ) -> Result<()> {
        forward::request(session, request, ctx)?;
        mirrored::sending(request, ctx);
        Ok(())
    }

    /// The first call of an attempt says that its header is out.
    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Context,
    ) -> Result<()> {
        uploads::received(end);
        mirrored::sending_body(&self.plane, body.as_ref(), end, ctx);
        attempt::sending_body(ctx, end);
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut Context,
    ) -> Result<()> {
        mirrored::answered(response, ctx);
        attempt::answered(session, response, ctx)
    }

    fn upstream_response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        _end: bool,
        ctx: &mut Context,
    ) -> Result<Option<Duration>> {
        mirrored::answering(body.as_ref(), ctx);
        Ok(None)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut Context,
    ) -> Result<()> {
        // Pingora asked when the request began. A client that reads `keep-alive` now would lose its next one.
        if self.plane.is_closing() {
            session.set_keepalive(None);
        }
        forward::response(session, response, ctx)
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        _body: &mut Option<Bytes>,
        _end: bool,
        _ctx: &mut Context,
    ) -> Result<Option<Duration>> {
        uploads::replied();
        Ok(None)
    }

    fn fail_to_connect(
        &self,
        session: &mut Session,
        _peer: &HttpPeer,
        ctx: &mut Context,
        error: Box<Error>,
    ) -> Box<Error> {
        attempt::not_connected(&self.plane, session, ctx, error)
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        ctx: &mut Context,
        reused: bool,
    ) -> Box<Error> {
        attempt::broken(session, ctx, error, reused)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut Context,
    ) -> FailToProxy {
        reply::fail(session, ctx, error).await
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut Context) {
        mirrored::finish(ctx, error);
        reply::finish(session, ctx, error);
    }

    /// The access log and the metrics have it, without a line of text for each failed request.
    fn suppress_error_log(&self, _session: &Session, _ctx: &Context, error: &Error) -> bool {
        tracing::debug!(%error, "exchange failed");
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _ctx: &Context,
        error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        tracing::debug!(%error, "attempt failed");
        true
    }
}
