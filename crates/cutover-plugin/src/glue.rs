//! Between the generated bindings and the author's traits. Only `export!` uses it, only in components.

pub use crate::bindings::fallback::exports::cutover::plugin::fallback::{
    Action, Failure, Guest as FallbackGuest,
};
pub use crate::bindings::lifecycle::cutover::plugin::types::View;
pub use crate::bindings::lifecycle::exports::cutover::plugin::lifecycle::{
    Environment, Guest as LifecycleGuest, Manifest,
};
pub use crate::bindings::normalise::exports::cutover::plugin::normalise::{
    Guest as NormaliseGuest, Outcome, Reply,
};
pub use crate::bindings::rewrite::exports::cutover::plugin::rewrite::Guest as RewriteGuest;
pub use crate::bindings::split::exports::cutover::plugin::split::{Decision, Guest as SplitGuest};
pub use crate::bindings::{fallback, lifecycle, normalise, rewrite, split};
pub use fallback::export_fallback;
pub use lifecycle::export_lifecycle;
pub use normalise::export_normalise;
pub use rewrite::export_rewrite;
pub use split::export_split;

use crate::bindings::fallback::exports::cutover::plugin::fallback::{Cause, Facts};
use crate::bindings::lifecycle::cutover::plugin::types;
use crate::bindings::lifecycle::exports::cutover::plugin::lifecycle as wire;
use crate::bindings::rewrite::cutover::plugin::edits as host_edits;
use crate::view::Parts;
use crate::{Backend, Declared, Edits, Fallback, Header, Normalise, Plugin, Rewrite, Sink, Split};
use std::cell::OnceCell;

/// Holds the plugin of this instance, from `configure` on.
#[derive(Debug)]
pub struct Slot<P>(OnceCell<P>);

impl<P> Slot<P> {
    /// Before `configure`.
    #[expect(clippy::new_without_default, reason = "a const initialiser, made by `export!` alone")]
    pub const fn new() -> Self {
        Self(OnceCell::new())
    }

    fn plugin(&self) -> &P {
        self.0.get().expect("the host configures a plugin before it calls a hook")
    }
}

impl<P: Plugin> Slot<P> {
    /// Makes the plugin.
    pub fn configure(&self, environment: Environment) -> Result<Manifest, String> {
        crate::log::tell_panics();
        let Environment { name, backends, config } = environment;
        let environment = crate::Environment { name, backends, config };
        let mut manifest = crate::Manifest::default();
        let plugin = P::configure(&environment, &mut manifest)?;
        self.0.set(plugin).map_err(|_| "configured twice".to_owned())?;
        let (reads, writes, reasons) = manifest.into_parts();
        let reads = reads.into_iter().map(declared).collect();
        Ok(Manifest { reads, writes, reasons })
    }
}

impl<P: Split> Slot<P> {
    /// Asks the split hook.
    pub fn decide(&self, req: &View) -> Decision {
        let crate::Decision { backend, deadline_ms, reason } = self.plugin().decide(&view(req));
        Decision { backend: backend.index(), deadline_ms, reason: reason.map(|reason| reason.0) }
    }
}

impl<P: Rewrite> Slot<P> {
    /// Runs the rewrite hook on a request.
    pub fn on_request(&self, req: &View, backend: u16) {
        let (sink, view) = (&mut HostSink, &view(req));
        self.plugin().on_request(view, Backend::at(backend), &mut Edits::new(sink));
    }

    /// Runs the rewrite hook on a reply.
    pub fn on_response(&self, req: &View, backend: u16, status: u16) {
        let (sink, view) = (&mut HostSink, &view(req));
        self.plugin().on_response(view, Backend::at(backend), status, &mut Edits::new(sink));
    }
}

impl<P: Fallback> Slot<P> {
    /// Asks the fallback hook.
    pub fn on_failure(&self, req: &View, failure: Failure) -> Action {
        match self.plugin().on_failure(&view(req), &failed(failure)) {
            crate::Action::Propagate => Action::Propagate,
            crate::Action::Retry(backend) => Action::Retry(backend.index()),
            crate::Action::Respond(status) => Action::Respond(status),
        }
    }
}

impl<P: Normalise> Slot<P> {
    /// Asks the normalise hook.
    pub fn make_comparable(&self, req: &View, reply: &Reply) -> Outcome {
        let reply = crate::Reply {
            backend: Backend::at(reply.backend),
            status: reply.status,
            content_type: &reply.content_type,
            body: &reply.body,
        };
        match self.plugin().make_comparable(&view(req), &reply) {
            crate::Comparable::Unchanged => Outcome::Unchanged,
            crate::Comparable::Body(body) => Outcome::Body(body),
            crate::Comparable::Cannot(why) => Outcome::Cannot(why),
        }
    }
}

/// Edits go straight to the host.
struct HostSink;

impl Sink for HostSink {
    fn set(&mut self, header: Header, value: &[u8]) {
        host_edits::set(header.0, value);
    }

    fn append(&mut self, header: Header, value: &[u8]) {
        host_edits::append(header.0, value);
    }

    fn remove(&mut self, header: Header) {
        host_edits::remove(header.0);
    }
}

fn view(req: &View) -> crate::View<'_> {
    let method = match req.method {
        types::Method::Get => crate::Method::Get,
        types::Method::Head => crate::Method::Head,
        types::Method::Post => crate::Method::Post,
        types::Method::Put => crate::Method::Put,
        types::Method::Delete => crate::Method::Delete,
        types::Method::Options => crate::Method::Options,
        types::Method::Patch => crate::Method::Patch,
        types::Method::Connect => crate::Method::Connect,
        types::Method::Trace => crate::Method::Trace,
        types::Method::Other => crate::Method::Other,
    };
    let traits = crate::Traits {
        tls: req.traits.contains(types::Traits::TLS),
        has_body: req.traits.contains(types::Traits::HAS_BODY),
        truncated: req.traits.contains(types::Traits::TRUNCATED),
        websocket: req.traits.contains(types::Traits::WEBSOCKET),
    };
    crate::View::from(Parts {
        method,
        traits,
        bucket: Some(req.bucket),
        share: req.share,
        now_ms: req.now_ms,
        data: &req.data,
        spans: &req.spans,
    })
}

fn failed(failure: Failure) -> crate::Failure {
    crate::Failure {
        cause: match failure.cause {
            Cause::Connect => crate::Cause::Connect,
            Cause::Reset => crate::Cause::Reset,
            Cause::Timeout => crate::Cause::Timeout,
            Cause::Status => crate::Cause::Status,
            Cause::CircuitOpen => crate::Cause::CircuitOpen,
        },
        backend: Backend::at(failure.backend),
        attempt: failure.attempt,
        status: (failure.status != 0).then_some(failure.status),
        elapsed_ms: failure.elapsed_ms,
        left_ms: failure.left_ms,
        idempotent: failure.facts.contains(Facts::IDEMPOTENT),
        replayable: failure.facts.contains(Facts::REPLAYABLE),
        response_started: failure.facts.contains(Facts::RESPONSE_STARTED),
    }
}

fn declared(what: Declared) -> wire::Field {
    match what {
        Declared::Host => wire::Field::Host,
        Declared::Path => wire::Field::Path,
        Declared::Query => wire::Field::Query,
        Declared::Peer => wire::Field::Peer,
        Declared::Header(name) => wire::Field::Header(name),
        Declared::Cookie(name) => wire::Field::Cookie(name),
        Declared::QueryParam(name) => wire::Field::QueryParam(name),
        Declared::PathParam(name) => wire::Field::PathParam(name),
        Declared::ReplyHeader(name) => wire::Field::ReplyHeader(name),
    }
}
