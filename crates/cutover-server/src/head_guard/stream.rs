//! One client connection whose raw bytes are watched: its phases, and what each lets through. How heads and bodies are
//! read is in [`reading`], how a connection is left in [`goodbye`], how long a write may wait in [`stall`].

mod goodbye;
mod passed_on;
mod reading;
mod stall;

pub(super) use goodbye::leave;

use super::body::BodyScan;
use super::framing::{BodyLength, Head};
use super::head::HeadScan;
use super::{Guard, GuardSettings};
use goodbye::{Goodbye, Lent};
use pingora::protocols::Stream;
use stall::Patience;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// A client connection: every byte the application reads has been judged, and belongs to the present request.
pub struct GuardedStream {
    inner: Lent,
    watch: Option<Watching>,
    phase: Phase,
    /// Received but not handed over.
    held: Vec<u8>,
    /// How much of `held` has been handed over.
    gone: usize,
    /// How much of `held`, after `gone`, has been judged.
    cleared: usize,
    /// How long a write may wait for the client.
    patience: Patience,
    /// Until when the present head must be complete.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Who waits while data is held back.
    reader: Option<Waker>,
    turn: Turn,
}

#[derive(Debug)]
struct Watching {
    guard: Arc<Guard>,
    settings: GuardSettings,
}

/// Tells a stream, which is inside a session by then, that its next request begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn(Arc<AtomicBool>);

impl Turn {
    pub(super) fn next_request(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_next(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn take(&self) -> bool {
        self.is_next() && self.0.swap(false, Ordering::AcqRel)
    }
}

#[derive(Debug)]
enum Phase {
    /// Reading a head.
    Head(HeadScan),
    /// Reading a body; the flag says that the request asks to switch protocols.
    Body(BodyScan, bool),
    /// The request is complete and being answered.
    Answering(bool),
    /// Not HTTP/1, or not any more: nothing is watched.
    Passing,
    /// Saying why not.
    Refusing(Goodbye),
    /// Refused: nothing more is read, and what the application writes is dropped.
    Refused,
    /// Broken in the middle of a body: nothing more is read, the application may still answer.
    Broken,
}

impl GuardedStream {
    /// A connection that is not watched; `received` has been read from it.
    pub(super) fn passing(inner: Stream, patience: Duration, received: Vec<u8>) -> Self {
        Self::new(Lent::for_good(inner), patience, None, Phase::Passing, received, None)
    }

    /// An HTTP/1 connection; `received` has been read from it. `deadline` ends the first head. The connection comes
    /// back if it is dropped while the client may still be sending: then [`leave`] it.
    pub(super) fn watching(
        inner: Stream,
        guard: Arc<Guard>,
        settings: GuardSettings,
        received: Vec<u8>,
        deadline: Pin<Box<Sleep>>,
    ) -> (Self, oneshot::Receiver<Stream>) {
        let (inner, back) = Lent::until_dropped(inner);
        let patience = settings.idle_timeout;
        let watch = Some(Watching { guard, settings });
        let phase = Phase::Answering(false);
        let stream = Self::new(inner, patience, watch, phase, received, Some(deadline));
        stream.turn.next_request();
        (stream, back)
    }

    fn new(
        inner: Lent,
        patience: Duration,
        watch: Option<Watching>,
        phase: Phase,
        held: Vec<u8>,
        deadline: Option<Pin<Box<Sleep>>>,
    ) -> Self {
        Self {
            inner,
            watch,
            phase,
            held,
            gone: 0,
            cleared: 0,
            patience: Patience::new(patience),
            deadline,
            reader: None,
            turn: Turn::default(),
        }
    }

    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// Hands over up to `most` held bytes.
    fn hand_over(&mut self, buf: &mut ReadBuf<'_>, most: usize) {
        let count = most.min(buf.remaining());
        buf.put_slice(&self.held[self.gone..self.gone + count]);
        self.gone += count;
        self.cleared = self.cleared.saturating_sub(count);
        if self.gone == self.held.len() {
            // Most connections hold something once, if ever: give the memory back.
            self.forget_held();
        }
    }

    fn holds(&self) -> usize {
        self.held.len() - self.gone
    }

    fn forget_held(&mut self) {
        self.held = Vec::new();
        self.gone = 0;
        self.cleared = 0;
    }

    fn begin_head(&mut self) {
        self.held.drain(..self.gone);
        self.gone = 0;
        self.phase = Phase::Head(HeadScan::default());
    }

    fn enter_body(&mut self, head: Head) {
        self.deadline = None;
        self.phase = if head.body == BodyLength::Fixed(0) {
            Phase::Answering(head.upgrade)
        } else {
            Phase::Body(BodyScan::new(head.body), head.upgrade)
        };
    }

    /// The reply's first bytes: do they switch protocols?
    fn notice_switch(&mut self, reply: &[u8]) {
        if matches!(self.phase, Phase::Answering(true)) && reply.starts_with(b"HTTP/1.1 101 ") {
            self.phase = Phase::Passing;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    /// May the client have sent, or be sending, what nobody will read?
    fn is_left_unread(&self) -> bool {
        match self.phase {
            Phase::Body(..) | Phase::Broken => true,
            Phase::Answering(_) => self.holds() > 0,
            Phase::Head(_) | Phase::Passing | Phase::Refusing(_) | Phase::Refused => false,
        }
    }
}

impl Drop for GuardedStream {
    fn drop(&mut self) {
        if self.is_left_unread() {
            self.inner.give_back();
        }
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.cleared > 0 {
                this.hand_over(buf, this.cleared);
                return Poll::Ready(Ok(()));
            }
            let holds = this.holds();
            match &mut this.phase {
                Phase::Head(_) => {
                    if ready!(this.poll_head(cx, buf))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                // The last request's body was never read to its end: there is no telling where the next one begins.
                Phase::Body(..) if this.turn.is_next() => {
                    this.phase = Phase::Refused;
                }
                Phase::Body(..) => return this.poll_body(cx, buf),
                Phase::Answering(_) if this.turn.take() => this.begin_head(),
                Phase::Answering(_) => return this.poll_answering(cx, buf),
                Phase::Passing if this.turn.is_next() && this.watch.is_some() => {
                    this.phase = Phase::Refused;
                }
                Phase::Passing if holds > 0 => {
                    this.hand_over(buf, holds);
                    return Poll::Ready(Ok(()));
                }
                Phase::Passing => return Pin::new(&mut *this.inner).poll_read(cx, buf),
                Phase::Refusing(goodbye) => {
                    ready!(goodbye.poll(&mut this.inner, cx));
                    this.phase = Phase::Refused;
                }
                Phase::Refused | Phase::Broken => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if matches!(this.phase, Phase::Refused) {
            return Poll::Ready(Ok(data.len()));
        }
        this.notice_switch(data);
        let written = Pin::new(&mut *this.inner).poll_write(cx, data);
        this.patience.in_time(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if matches!(this.phase, Phase::Refused) {
            return Poll::Ready(Ok(data.iter().map(|part| part.len()).sum()));
        }
        if let Some(first) = data.first() {
            this.notice_switch(first);
        }
        let written = Pin::new(&mut *this.inner).poll_write_vectored(cx, data);
        this.patience.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut *this.inner).poll_flush(cx);
        this.patience.in_time(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().inner).poll_shutdown(cx)
    }
}

impl std::fmt::Debug for GuardedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedStream")
            .field("inner", &*self.inner)
            .field("phase", &self.phase)
            .field("held", &self.holds())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
