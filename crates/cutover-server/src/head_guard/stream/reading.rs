//! What is read from a watched connection: heads, bodies, and whatever comes while a request is being answered.

use super::goodbye::Goodbye;
use super::{GuardedStream, Phase};
use crate::head_guard::framing::Refusal;
use crate::head_guard::head::first_line;
use crate::head_guard::refused::RefusedHead;
use crate::problem::{Problem, ReplyId};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead as _, ReadBuf};

impl GuardedStream {
    /// Answers the client and stops reading. `head` is what has come of the request.
    fn refuse(&mut self, refusal: Refusal, head: &[u8]) {
        let id = ReplyId::fresh();
        let problem = Problem::with_id(
            id,
            refusal.status(),
            refusal.status().canonical_reason().unwrap_or("Refused"),
            refusal.detail(),
        );
        if let Some(watch) = &self.watch {
            let digest = self.inner.get_socket_digest();
            let peer = digest.as_ref().and_then(|digest| digest.peer_addr()?.as_inet());
            let (method, path) = first_line(head).unwrap_or_default();
            let client = peer.map(|peer| peer.ip());
            watch.guard.refuse(&RefusedHead { id, refusal, client, method, path });
        }
        self.phase = Phase::Refusing(Goodbye::saying(problem.to_http1()));
        self.deadline = None;
    }

    /// Reads and judges a head. `Ready(true)`: the application has something to read, or the end of the stream.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<bool>> {
        let Phase::Head(scan) = &mut self.phase else { return Poll::Ready(Ok(false)) };
        let Some(watch) = &self.watch else { return Poll::Ready(Ok(false)) };
        let limits = watch.settings.limits;
        if !self.held.is_empty() {
            match scan.advance(&self.held, &limits) {
                Err(refusal) => {
                    self.refuse_held(refusal);
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
        match Pin::new(&mut *self.inner).poll_read(cx, buf) {
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
                    self.refuse(refusal, received);
                    buf.set_filled(start);
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

    fn refuse_held(&mut self, refusal: Refusal) {
        let held = std::mem::take(&mut self.held);
        self.forget_held();
        self.refuse(refusal, &held);
    }

    /// Nothing to read now: is it too late?
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.deadline.is_none()
            && !self.held.is_empty()
            && let Some(watch) = &self.watch
        {
            self.deadline = Some(Box::pin(tokio::time::sleep(watch.settings.header_timeout)));
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        if self.held.is_empty() {
            // A connection that was opened and never used: nothing to answer.
            self.phase = Phase::Refused;
            return Poll::Ready(Ok(true));
        }
        self.refuse_held(Refusal::Timeout);
        Poll::Ready(Ok(false))
    }

    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        let from_held = self.holds() > 0;
        if from_held {
            let most = self.holds();
            self.hand_over_keeping(buf, most);
        } else {
            ready!(Pin::new(&mut *self.inner).poll_read(cx, buf))?;
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
    pub(super) fn poll_answering(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        if self.holds() == 0 {
            ready!(Pin::new(&mut *self.inner).poll_read(cx, buf))?;
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
}
