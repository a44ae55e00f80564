//! The hooks as methods of a place: pack the view, call, judge the answer.

use crate::bindings::fallback as wit;
use crate::error::Fault;
use crate::instance::{Instance, fault};
use crate::manifest::Manifest;
use crate::place::Place;
use crate::view::CallView;
use cutover_core::edit::HeaderSink;
use cutover_core::fallback::{Cause, Failure};
use std::time::{Duration, Instant};

/// What a split plugin chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitVerdict {
    /// Index into [`PlaceOptions::backends`](crate::PlaceOptions::backends).
    pub backend: u16,
    /// A deadline of its own; it may only shorten the migration's.
    pub deadline: Option<Duration>,
    /// Index into [`Manifest::reasons`].
    pub reason: Option<u16>,
}

/// What a fallback plugin wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginAction {
    /// The client gets the failure.
    Propagate,
    /// The request goes to this backend, if it may be sent again at all.
    Retry(u16),
    /// The client gets this status, 200 to 599.
    Respond(u16),
}

impl Place {
    /// Which backend serves this request?
    ///
    /// # Errors
    /// The plugin failed, or is quarantined; [`Place::on_error`] says what then.
    pub fn split(&self, call: &CallView<'_>, now: Instant) -> Result<SplitVerdict, Fault> {
        let backends = self.backends().len();
        self.with_instance(now, |instance, manifest| {
            let Instance { store, packed, split, .. } = instance;
            let hook = split.as_ref().ok_or(Fault::NoHook)?;
            let view = packed.pack(call, None, &manifest.reads);
            let answer = hook.call_decide(&mut *store, view).map_err(|e| fault(store, &e))?;
            if let Some(fault) = store.data().edits.fault() {
                return Err(fault);
            }
            if usize::from(answer.backend) >= backends {
                return Err(Fault::BadAnswer("the backend chosen does not exist"));
            }
            if answer.reason.is_some_and(|at| usize::from(at) >= manifest.reasons.len()) {
                return Err(Fault::BadAnswer("the reason given is not in manifest.reasons"));
            }
            // No time at all would be a refusal in disguise.
            let deadline = answer.deadline_ms.map(|ms| Duration::from_millis(ms.max(1).into()));
            Ok(SplitVerdict { backend: answer.backend, deadline, reason: answer.reason })
        })
    }

    /// Edits the header of a request that goes to `backend`. On failure nothing has been edited.
    ///
    /// # Errors
    /// As [`Place::split`].
    pub fn on_request(
        &self,
        call: &CallView<'_>,
        backend: u16,
        headers: &mut dyn HeaderSink,
        now: Instant,
    ) -> Result<(), Fault> {
        self.with_instance(now, |instance, manifest| {
            instance.store.data_mut().edits.open();
            let Instance { store, packed, rewrite, .. } = &mut *instance;
            let hook = rewrite.as_ref().ok_or(Fault::NoHook)?;
            let view = packed.pack(call, None, &manifest.reads);
            hook.call_on_request(&mut *store, view, backend).map_err(|e| fault(store, &e))?;
            apply_edits(instance, manifest, headers)
        })
    }

    /// Edits the header of the reply that `backend` gave. On failure nothing has been edited.
    ///
    /// # Errors
    /// As [`Place::split`].
    pub fn on_response(
        &self,
        call: &CallView<'_>,
        backend: u16,
        status: u16,
        headers: &mut dyn HeaderSink,
        now: Instant,
    ) -> Result<(), Fault> {
        self.with_instance(now, |instance, manifest| {
            instance.store.data_mut().edits.open();
            let Instance { store, packed, rewrite, .. } = &mut *instance;
            let hook = rewrite.as_ref().ok_or(Fault::NoHook)?;
            let view = packed.pack(call, Some(&*headers), &manifest.reads);
            hook.call_on_response(&mut *store, view, backend, status)
                .map_err(|e| fault(store, &e))?;
            apply_edits(instance, manifest, headers)
        })
    }

    /// What becomes of a failed attempt at `backend`?
    ///
    /// # Errors
    /// As [`Place::split`].
    pub fn on_failure(
        &self,
        call: &CallView<'_>,
        failed: &Failure,
        backend: u16,
        now: Instant,
    ) -> Result<PluginAction, Fault> {
        let backends = self.backends().len();
        self.with_instance(now, |instance, manifest| {
            let Instance { store, packed, fallback, .. } = instance;
            let hook = fallback.as_ref().ok_or(Fault::NoHook)?;
            let view = packed.pack(call, None, &manifest.reads);
            let failure = describe(failed, backend);
            let answer =
                hook.call_on_failure(&mut *store, view, failure).map_err(|e| fault(store, &e))?;
            if let Some(fault) = store.data().edits.fault() {
                return Err(fault);
            }
            match answer {
                wit::Action::Propagate => Ok(PluginAction::Propagate),
                wit::Action::Retry(backend) if usize::from(backend) < backends => {
                    Ok(PluginAction::Retry(backend))
                }
                wit::Action::Retry(_) => {
                    Err(Fault::BadAnswer("the backend to retry does not exist"))
                }
                wit::Action::Respond(status @ 200..=599) => Ok(PluginAction::Respond(status)),
                wit::Action::Respond(_) => {
                    Err(Fault::BadAnswer("the status to respond with is not 200 to 599"))
                }
            }
        })
    }
}

fn apply_edits(
    instance: &mut Instance,
    manifest: &Manifest,
    headers: &mut dyn HeaderSink,
) -> Result<(), Fault> {
    let edits = &mut instance.store.data_mut().edits;
    match edits.fault() {
        Some(fault) => Err(fault),
        None => edits.apply(&manifest.writes, headers),
    }
}

/// A failure in the words of the interface.
fn describe(failed: &Failure, backend: u16) -> wit::Failure {
    let mut facts = wit::Facts::empty();
    for (holds, flag) in [
        (failed.safe, wit::Facts::IDEMPOTENT),
        (failed.replayable, wit::Facts::REPLAYABLE),
        (failed.response_started, wit::Facts::RESPONSE_STARTED),
    ] {
        if holds {
            facts |= flag;
        }
    }
    wit::Failure {
        cause: match failed.cause {
            Cause::Connect => wit::Cause::Connect,
            Cause::Reset => wit::Cause::Reset,
            Cause::Timeout => wit::Cause::Timeout,
            Cause::Status => wit::Cause::Status,
            Cause::CircuitOpen => wit::Cause::CircuitOpen,
        },
        backend,
        attempt: failed.attempt,
        status: failed.status.map_or(0, |status| status.as_u16()),
        elapsed_ms: millis(failed.elapsed),
        left_ms: millis(failed.left),
        facts,
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
