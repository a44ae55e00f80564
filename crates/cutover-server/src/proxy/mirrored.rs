//! An exchange that is copied: its copy is sent as soon as the request is whole, and what the side that serves replies
//! at its first attempt is kept for the comparison. Exchanges that are not copied pass by.

use super::context::Context;
use super::{forward, traced};
use crate::mirror::{Capture, Copy, MARK, Pools, Served, copy_of};
use crate::plane::Plane;
use crate::trace::CopySpan;
use bytes::Bytes;
use cutover::Role;
use cutover::mirror::{Hold, MirrorLimits, Mirrored, Shed, Skipped};
use http::header::CONTENT_LENGTH;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::{Error, ErrorSource};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What an exchange that is copied carries from callback to callback.
#[derive(Debug)]
pub(super) struct Copying {
    /// Until the copy is sent.
    pending: Option<Pending>,
    /// The request as the side that serves was sent it.
    request: Option<Box<RequestHeader>>,
    reply: Option<Capture>,
    /// For the reply.
    limits: MirrorLimits,
    hold: Option<Hold>,
    verdict: oneshot::Sender<Result<Served, Skipped>>,
}

/// A copy whose request is not whole yet.
#[derive(Debug)]
struct Pending {
    mirrored: Mirrored,
    pools: Pools,
    header: RequestHeader,
    body: Vec<u8>,
    served: oneshot::Receiver<Result<Served, Skipped>>,
    span: Option<CopySpan>,
}

/// Removes the mark of copies from what clients send: they must not pass for one. A proxy that is trusted may be another
/// cutover; its copies keep the mark.
pub(super) fn unmark(session: &mut Session, is_believed: impl FnOnce() -> bool) {
    if session.req_header().headers.contains_key(MARK) && !is_believed() {
        session.req_header_mut().remove_header(&MARK);
    }
}

/// The exchange has begun: is it copied? Without a body at once.
pub(super) fn begin(plane: &Plane, session: &Session, ctx: &mut Context) {
    let Context { facts, exchange: Some(exchange), serving: Some(serving), trace, .. } = ctx else {
        return;
    };
    let received = session.req_header();
    // A copy of a copy is of no use to anybody.
    if received.headers.contains_key(MARK) {
        return;
    }
    let view = facts.view(received);
    let Some(mirrored) = exchange.mirror(&view) else { return };
    let span = traced::copied(plane, trace, (exchange, serving), &mirrored);
    let header = room_for_body(received, &mirrored).and_then(|()| {
        copy_of(received, &view, exchange, &mirrored, serving, |head| {
            traced::tell_copied(head, (exchange, serving), &mirrored, span.as_ref());
            forward::say_who_asks(head, received, *facts, serving)
        })
    });
    let header = match header {
        Ok(header) => header,
        Err(why) => return mirrored.shed(why),
    };
    let backends = serving.backends();
    let pools = Pools {
        copied: Arc::clone(backends.pool(mirrored.backend())),
        served: Arc::clone(backends.pool(mirrored.served())),
    };
    let (verdict, served) = oneshot::channel();
    let (limits, hold) = (*mirrored.limits(), Some(mirrored.hold()));
    let pending = Some(Pending { mirrored, pools, header, body: Vec::new(), served, span });
    let has_body = facts.has_body;
    let copying = Copying { pending, request: None, reply: None, limits, hold, verdict };
    let copying = ctx.copying.insert(Box::new(copying));
    if !has_body {
        copying.send(plane);
    }
}

/// Is what the request says of its body's size too much already?
fn room_for_body(received: &RequestHeader, mirrored: &Mirrored) -> Result<(), Shed> {
    let length = received.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length: u64 = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if length > mirrored.limits().request_body as u64 { Err(Shed::Oversize) } else { Ok(()) }
}

impl Copying {
    /// Does nobody wait for the reply any longer?
    fn is_given_up(&self) -> bool {
        self.verdict.is_closed()
    }

    fn send(&mut self, plane: &Plane) {
        let Some(pending) = self.pending.take() else { return };
        let Pending { mirrored, pools, header, body, served, span } = pending;
        plane.mirror().send(Copy { mirrored, pools, header, body: body.into(), served, span });
    }

    /// Adds to the body. `Err`: it has become too much.
    fn collect(&mut self, part: &[u8]) -> Result<(), Shed> {
        let Some(Pending { mirrored, body, .. }) = &mut self.pending else { return Ok(()) };
        if part.len() > mirrored.limits().request_body - body.len() {
            return Err(Shed::Oversize);
        }
        if !mirrored.grow(part.len()) {
            return Err(Shed::Memory);
        }
        body.extend_from_slice(part);
        Ok(())
    }
}

/// An attempt sends its request. Its body is given from the beginning; from the second attempt on, what was not whole
/// never will be.
pub(super) fn sending(head: &RequestHeader, ctx: &mut Context) {
    let (Some(copying), Some(exchange)) = (&mut ctx.copying, &ctx.exchange) else { return };
    if copying.is_given_up() {
        ctx.copying = None;
    } else if exchange.attempt() == 1 {
        copying.request = Some(Box::new(head.clone()));
        if let Some(pending) = &mut copying.pending {
            pending.body.clear();
        }
    } else {
        copying.pending = None;
    }
}

/// A part of the request's body goes to the side that serves.
pub(super) fn sending_body(plane: &Plane, part: Option<&Bytes>, end: bool, ctx: &mut Context) {
    let Some(copying) = &mut ctx.copying else { return };
    if let Some(part) = part
        && let Err(why) = copying.collect(part)
        && let Some(pending) = copying.pending.take()
    {
        pending.mirrored.shed(why);
    }
    if end {
        copying.send(plane);
    }
}

/// The side that serves has answered: what it said, before anything is edited.
pub(super) fn answered(response: &ResponseHeader, ctx: &mut Context) {
    let (Some(copying), Some(exchange)) = (&mut ctx.copying, &ctx.exchange) else { return };
    let first = exchange.attempt() == 1 && exchange.role() == Role::Served;
    if first && !copying.is_given_up() && !response.status.is_informational() {
        let hold = copying.hold.take();
        copying.reply = hold.map(|hold| Capture::new(response, copying.limits, hold));
    }
}

/// A part of its reply's body.
pub(super) fn answering(part: Option<&Bytes>, ctx: &mut Context) {
    let Some(copying) = &mut ctx.copying else { return };
    if copying.is_given_up() {
        copying.reply = None;
    }
    if let (Some(reply), Some(part)) = (&mut copying.reply, part) {
        // What is not kept is told in the end.
        let _ = reply.push(part);
    }
}

/// The exchange is over.
pub(super) fn finish(ctx: &mut Context, error: Option<&Error>) {
    let Some(copying) = ctx.copying.take() else { return };
    let id = ctx.id().to_string();
    let (Some(exchange), Copying { request, reply, verdict, .. }) = (&ctx.exchange, *copying)
    else {
        return;
    };
    let as_decided = exchange.attempt() == 1 && exchange.role() == Role::Served;
    let served = match (error, request, reply) {
        (Some(error), ..) if *error.esource() == ErrorSource::Downstream => {
            Err(Skipped::ClientGone)
        }
        (None, Some(request), Some(reply)) if as_decided => {
            reply.finish().map(|reply| Served { request, reply, id })
        }
        _ => Err(Skipped::NotWhole),
    };
    // The copy may have been given up.
    let _ = verdict.send(served);
}
