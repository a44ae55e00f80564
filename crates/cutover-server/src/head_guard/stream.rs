//! One client connection whose raw bytes are watched.

use super::body::BodyScan;
use super::framing::{BodyLength, Head, Refusal};
use super::head::HeadScan;
use super::{Guard, GuardSettings};
use crate::problem::{Problem, ReplyId};
use async_trait::async_trait;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long a refused client may take to read why.
const GOODBYE: Duration = Duration::from_secs(2);
/// How much a refused client may still send. Closing with unread data would reset the connection, and the client might
/// never read the reply.
const GOODBYE_BYTES: usize = 2 * 1024 * 1024;

/// A client connection: every byte the application reads has been judged, and belongs to the present request.
pub struct GuardedStream {
    inner: Stream,
    watch: Option<Watching>,
    phase: Phase,
    /// Received but not handed over.
    held: Vec<u8>,
    /// How much of `held` has been handed over.
    gone: usize,
    /// How much of `held`, after `gone`, has been judged.
    cleared: usize,
    /// How long a write may wait for the client.
    patience: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
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

#[derive(Debug)]
struct Goodbye {
    reply: Vec<u8>,
    sent: usize,
    closed: bool,
    discarded: usize,
}

impl GuardedStream {
    /// A connection that is not watched; `received` has been read from it.
    pub(super) fn passing(inner: Stream, patience: Duration, received: Vec<u8>) -> Self {
        Self::new(inner, patience, None, Phase::Passing, received, None)
    }

    /// An HTTP/1 connection; `received` has been read from it. `deadline` ends the first head.
    pub(super) fn watching(
        inner: Stream,
        guard: Arc<Guard>,
        settings: GuardSettings,
        received: Vec<u8>,
        deadline: Pin<Box<Sleep>>,
    ) -> Self {
        let patience = settings.idle_timeout;
        let watch = Some(Watching { guard, settings });
        let phase = Phase::Answering(false);
        let stream = Self::new(inner, patience, watch, phase, received, Some(deadline));
        stream.turn.next_request();
        stream
    }

    fn new(
        inner: Stream,
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
            patience,
            stalled: None,
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
            self.held = Vec::new();
            self.gone = 0;
        }
    }

    fn holds(&self) -> usize {
        self.held.len() - self.gone
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

    /// Answers the client and stops reading.
    fn refuse(&mut self, refusal: Refusal) {
        let id = ReplyId::fresh();
        if let Some(watch) = &self.watch {
            watch.guard.count(refusal);
        }
        let peer = self.inner.get_socket_digest();
        let peer = peer.as_ref().and_then(|digest| digest.peer_addr()).map(ToString::to_string);
        tracing::info!(
            target: "cutover::guard",
            id = %id, reason = refusal.name(), status = refusal.status().as_u16(),
            peer = peer.as_deref().unwrap_or("-"), "request refused"
        );
        let title = refusal.status().canonical_reason().unwrap_or("Refused");
        let reply = Problem::with_id(id, refusal.status(), title, refusal.detail()).to_http1();
        self.held = Vec::new();
        self.gone = 0;
        self.cleared = 0;
        self.deadline = Some(Box::pin(tokio::time::sleep(GOODBYE)));
        self.phase = Phase::Refusing(Goodbye { reply, sent: 0, closed: false, discarded: 0 });
    }

    /// Reads and judges a head. `Ready(true)`: the application has something to read, or the end of the stream.
    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let Phase::Head(scan) = &mut self.phase else { return Poll::Ready(Ok(false)) };
        let Some(watch) = &self.watch else { return Poll::Ready(Ok(false)) };
        let limits = watch.settings.limits;
        if !self.held.is_empty() {
            match scan.advance(&self.held, &limits) {
                Err(refusal) => {
                    self.refuse(refusal);
                    return Poll::Ready(Ok(false));
                }
                Ok(Some(head)) => {
                    self.cleared = head.bytes;
                    self.enter_body(head);
                    return Poll::Ready(Ok(false));
                }
                Ok(None) => {}
            }
        }
        let start = buf.filled().len();
        match Pin::new(&mut self.inner).poll_read(cx, buf) {
            Poll::Pending => return self.poll_deadline(cx),
            Poll::Ready(read) => read?,
        }
        let received = &buf.filled()[start..];
        if received.is_empty() {
            return Poll::Ready(Ok(true));
        }
        let Phase::Head(scan) = &mut self.phase else { return Poll::Ready(Ok(false)) };
        if self.held.is_empty() {
            // Nearly always the whole head comes at once, and is judged where it lies.
            match scan.advance(received, &limits) {
                Err(refusal) => {
                    buf.set_filled(start);
                    self.refuse(refusal);
                    return Poll::Ready(Ok(false));
                }
                Ok(Some(head)) => {
                    self.held.extend_from_slice(&received[head.bytes..]);
                    buf.set_filled(start + head.bytes);
                    self.enter_body(head);
                    return Poll::Ready(Ok(true));
                }
                Ok(None) => {}
            }
        }
        self.held.extend_from_slice(received);
        buf.set_filled(start);
        Poll::Ready(Ok(false))
    }

    /// Nothing to read now: is it too late?
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.deadline.is_none() && !self.held.is_empty() {
            let limit = self.watch.as_ref().map_or(GOODBYE, |watch| watch.settings.header_timeout);
            self.deadline = Some(Box::pin(tokio::time::sleep(limit)));
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        if self.held.is_empty() {
            // A connection that was opened and never used: nothing to answer.
            self.phase = Phase::Refused;
            return Poll::Ready(Ok(true));
        }
        self.refuse(Refusal::Timeout);
        Poll::Ready(Ok(false))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        let from_held = self.holds() > 0;
        if from_held {
            let most = self.holds();
            self.hand_over_keeping(buf, most);
        } else {
            ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        }
        let received = &buf.filled()[start..];
        let Some(watch) = &self.watch else { return Poll::Ready(Ok(())) };
        let Phase::Body(scan, upgrade) = &mut self.phase else { return Poll::Ready(Ok(())) };
        if received.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match scan.advance(received, &watch.settings.limits) {
            Ok(advanced) => {
                if advanced.done {
                    self.phase = Phase::Answering(*upgrade);
                }
                if from_held {
                    self.gone += advanced.taken;
                } else {
                    self.held.extend_from_slice(&received[advanced.taken..]);
                }
                buf.set_filled(start + advanced.taken);
                Poll::Ready(Ok(()))
            }
            Err(refusal) => {
                watch.guard.count(refusal);
                buf.set_filled(start);
                self.phase = Phase::Broken;
                Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, refusal.detail())))
            }
        }
    }

    /// Copies held bytes without counting them as handed over yet.
    fn hand_over_keeping(&self, buf: &mut ReadBuf<'_>, most: usize) {
        let count = most.min(buf.remaining());
        buf.put_slice(&self.held[self.gone..self.gone + count]);
    }

    /// The application watches for the client's end while it answers. What comes now belongs to the next request and
    /// is held back; only the end of the stream is passed on.
    fn poll_answering(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        if self.holds() == 0 {
            ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
            let received = &buf.filled()[start..];
            if received.is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(received);
            buf.set_filled(start);
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Sends the reply, ends the connection, and discards what the client still sends.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<()> {
        let Phase::Refusing(goodbye) = &mut self.phase else { return Poll::Ready(()) };
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(());
        }
        let inner = &mut self.inner;
        while goodbye.sent < goodbye.reply.len() {
            match ready!(Pin::new(&mut *inner).poll_write(cx, &goodbye.reply[goodbye.sent..])) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(sent) => goodbye.sent += sent,
            }
        }
        if !goodbye.closed {
            if ready!(Pin::new(&mut *inner).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            goodbye.closed = true;
        }
        let start = buf.filled().len();
        while goodbye.discarded < GOODBYE_BYTES {
            let read = ready!(Pin::new(&mut *inner).poll_read(cx, buf));
            let count = buf.filled().len() - start;
            buf.set_filled(start);
            if read.is_err() || count == 0 {
                break;
            }
            goodbye.discarded += count;
        }
        Poll::Ready(())
    }

    /// Pingora limits the writing of bodies only. A client that reads nothing would hold its connection, and the one to
    /// the backend, for ever.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
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
            match &this.phase {
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
                Phase::Passing => return Pin::new(&mut this.inner).poll_read(cx, buf),
                Phase::Refusing(_) => {
                    ready!(this.poll_goodbye(cx, buf));
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
        let written = Pin::new(&mut this.inner).poll_write(cx, data);
        this.in_time(cx, written)
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
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, data);
        this.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        this.in_time(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl std::fmt::Debug for GuardedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedStream")
            .field("inner", &self.inner)
            .field("phase", &self.phase)
            .field("held", &self.holds())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Shutdown for GuardedStream {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl UniqueID for GuardedStream {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for GuardedStream {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

#[async_trait]
impl Peek for GuardedStream {
    async fn try_peek(&mut self, buf: &mut [u8]) -> io::Result<bool> {
        // Only asked about HTTP/2 without TLS, whose preface has been read whole by then.
        let held = &self.held[self.gone..];
        let enough = held.len() >= buf.len();
        if enough {
            buf.copy_from_slice(&held[..buf.len()]);
        }
        Ok(enough)
    }
}

impl GetTimingDigest for GuardedStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for GuardedStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }

    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.inner.set_proxy_digest(digest);
    }
}

impl GetSocketDigest for GuardedStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.inner.set_socket_digest(digest);
    }
}

#[cfg(test)]
mod tests;
