//! How a connection is left to which the client may still be sending: say what is to be said, end our half, and discard
//! for a while what still comes. Closing at once, with data unread, would reset the connection, and the client might
//! never read its reply (RFC 9112, 9.6).

use pingora::protocols::Stream;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// How long a client may take to read its reply and stop sending.
const AT_MOST: Duration = Duration::from_secs(2);
/// How much it may still send.
const AT_MOST_BYTES: usize = 2 * 1024 * 1024;

/// A connection being left.
#[derive(Debug)]
pub(super) struct Goodbye {
    reply: Vec<u8>,
    sent: usize,
    closed: bool,
    discarded: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Goodbye {
    /// With these last words.
    pub(super) fn saying(reply: Vec<u8>) -> Self {
        let deadline = Box::pin(tokio::time::sleep(AT_MOST));
        Self { reply, sent: 0, closed: false, discarded: 0, deadline }
    }

    /// Ready when the connection can be closed.
    pub(super) fn poll(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while self.sent < self.reply.len() {
            match ready!(Pin::new(&mut *stream).poll_write(cx, &self.reply[self.sent..])) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(sent) => self.sent += sent,
            }
        }
        if !self.closed {
            if ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
                return Poll::Ready(());
            }
            self.closed = true;
        }
        let mut waste = [0; 8 * 1024];
        while self.discarded < AT_MOST_BYTES {
            let mut buf = ReadBuf::new(&mut waste);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf));
            if read.is_err() || buf.filled().is_empty() {
                break;
            }
            self.discarded += buf.filled().len();
        }
        Poll::Ready(())
    }
}

/// Leaves a connection whose reply has been written.
pub(in crate::head_guard) async fn leave(mut stream: Stream) {
    let mut goodbye = Goodbye::saying(Vec::new());
    poll_fn(|cx| goodbye.poll(&mut stream, cx)).await;
}

/// A connection that is given away inside a session, and wanted back at the end.
pub(super) struct Lent {
    stream: Option<Stream>,
    home: Option<oneshot::Sender<Stream>>,
}

impl Lent {
    pub(super) fn for_good(stream: Stream) -> Self {
        Self { stream: Some(stream), home: None }
    }

    pub(super) fn until_dropped(stream: Stream) -> (Self, oneshot::Receiver<Stream>) {
        let (home, back) = oneshot::channel();
        (Self { stream: Some(stream), home: Some(home) }, back)
    }

    /// Sends it home; for the moment in which its borrower is dropped.
    pub(super) fn give_back(&mut self) {
        if let (Some(stream), Some(home)) = (self.stream.take(), self.home.take()) {
            // Nobody waits for it when the whole server stops at once.
            let _ = home.send(stream);
        }
    }
}

impl Deref for Lent {
    type Target = Stream;

    fn deref(&self) -> &Stream {
        self.stream.as_ref().expect("it is given back only by the borrower's drop")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Stream {
        self.stream.as_mut().expect("it is given back only by the borrower's drop")
    }
}
