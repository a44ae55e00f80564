//! The hook that makes replies comparable: beside the path of requests, on whatever thread compares.

use crate::bindings::normalise as wit;
use crate::error::Fault;
use crate::instance::{Instance, fault};
use crate::limit::MAX_LIFTED_BYTES;
use crate::place::Place;
use crate::said::printable;
use crate::view::{CallView, KeptView, MAX_VALUE_BYTES};
use cutover_core::Headers;
use http::header::CONTENT_TYPE;
use std::time::Instant;

/// A reply that is to be made comparable.
#[derive(Clone, Copy)]
pub struct ReplyView<'a> {
    /// Who gave it: an index into [`PlaceOptions::backends`](crate::PlaceOptions::backends).
    pub backend: u16,
    /// Its status.
    pub status: u16,
    /// Its headers; a plugin sees those that it declared, and the content type.
    pub headers: &'a dyn Headers,
    /// Its whole body, without its encoding.
    pub body: &'a [u8],
}

/// What is compared in place of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Normalised {
    /// The body as it is.
    Unchanged,
    /// This one.
    Body(Vec<u8>),
    /// Nothing; with the reason, in one line.
    Cannot(String),
}

impl Place {
    /// What the plugin may know of a request, for [`Place::normalise`]: its replies come when the request is gone.
    pub fn keep(&self, call: &CallView<'_>) -> KeptView {
        KeptView::of(call, &self.manifest().reads)
    }

    /// Makes a reply comparable; what the plugin makes of its body has at most `cap_bytes`.
    ///
    /// # Errors
    /// As [`Place::split`].
    pub fn normalise(
        &self,
        request: &KeptView,
        reply: &ReplyView<'_>,
        cap_bytes: usize,
        now: Instant,
    ) -> Result<Normalised, Fault> {
        let content_type = reply.headers.first(&CONTENT_TYPE).unwrap_or_default();
        let content_type = std::str::from_utf8(content_type).unwrap_or_default();
        let content_type = if content_type.len() > MAX_VALUE_BYTES { "" } else { content_type };
        let wire = wit::Reply {
            backend: reply.backend,
            status: reply.status,
            content_type,
            body: reply.body,
        };
        self.with_instance(now, |instance, manifest| {
            let Instance { store, packed, normalise, .. } = instance;
            let hook = normalise.as_ref().ok_or(Fault::NoHook)?;
            let view = packed.unpack(request, reply.headers, &manifest.reads);
            // A body may be larger than any other answer.
            store.set_hostcall_fuel(MAX_LIFTED_BYTES.saturating_add(cap_bytes));
            let answer = hook.call_make_comparable(&mut *store, view, wire);
            store.set_hostcall_fuel(MAX_LIFTED_BYTES);
            let answer = answer.map_err(|e| fault(store, &e))?;
            if let Some(fault) = store.data().edits.fault() {
                return Err(fault);
            }
            match answer {
                wit::Outcome::Unchanged => Ok(Normalised::Unchanged),
                wit::Outcome::Body(body) if body.len() <= cap_bytes => Ok(Normalised::Body(body)),
                wit::Outcome::Body(_) => {
                    Err(Fault::BadAnswer("the body it made is larger than bodies may be"))
                }
                wit::Outcome::Cannot(why) => Ok(Normalised::Cannot(printable(&why))),
            }
        })
    }
}

impl std::fmt::Debug for ReplyView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { backend, status, .. } = self;
        f.debug_struct("ReplyView")
            .field("backend", backend)
            .field("status", status)
            .finish_non_exhaustive()
    }
}
