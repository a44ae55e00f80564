//! Idempotency-Key: a mutation that is sent twice is done once, and answered twice with the same words; also if the
//! second comes while the first is being done.

use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How many replies are remembered.
const KEPT: usize = 128;
/// Longest key.
pub(super) const MAX_KEY: usize = 128;

/// Replies to recent mutations, and mutations that are being done.
#[derive(Clone, Debug, Default)]
pub(super) struct Replies(Arc<Mutex<VecDeque<Known>>>);

#[derive(Debug)]
struct Known {
    key: String,
    /// What was asked, to tell a repetition from another request under the same key.
    asked: String,
    answer: Coming,
}

/// An answer, as soon as there is one. Its sender is gone without one if the mutation panicked.
type Coming = watch::Receiver<Option<Answer>>;

/// What is to be done with a request that has a key.
#[derive(Debug)]
pub(super) enum Turn {
    /// It is the first: do it, and keep the promise.
    First(Promise),
    /// It came before: this is its answer.
    Again(Repeated),
    /// The key came with another request before.
    Other,
}

/// The duty to answer for everybody who sends the same.
#[derive(Debug)]
pub(super) struct Promise {
    replies: Replies,
    key: String,
    answer: watch::Sender<Option<Answer>>,
}

/// The answer to a request that came before.
#[derive(Debug)]
pub(super) struct Repeated(Coming);

/// One reply that can be given several times.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Replies {
    /// Whose turn is it?
    pub(super) fn begin(&self, key: String, asked: String) -> Turn {
        let mut known = self.lock();
        known.retain(|each| !each.is_abandoned());
        if let Some(before) = known.iter().find(|each| each.key == key) {
            let same = before.asked == asked;
            return if same { Turn::Again(Repeated(before.answer.clone())) } else { Turn::Other };
        }
        if known.len() >= KEPT
            && let Some(oldest) = known.iter().position(|each| each.answer.borrow().is_some())
        {
            known.remove(oldest);
        }
        let (sender, answer) = watch::channel(None);
        known.push_back(Known { key: key.clone(), asked, answer });
        Turn::First(Promise { replies: self.clone(), key, answer: sender })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_abandoned(&self) -> bool {
        self.answer.has_changed().is_err() && self.answer.borrow().is_none()
    }
}

impl Promise {
    /// Answers everybody who waits. What went well is remembered; what was refused changed nothing, and may be tried
    /// again under the same key.
    pub(super) async fn keep(self, reply: Response) -> Response {
        let answer = Answer::of(reply).await;
        if !answer.status.is_success() {
            self.replies.lock().retain(|each| each.key != self.key);
        }
        let reply = answer.to_response();
        self.answer.send_replace(Some(answer));
        reply
    }
}

impl Repeated {
    /// The first one's answer, marked; `None` if it was never given.
    pub(super) async fn answer(mut self) -> Option<Response> {
        let answer = self.0.wait_for(Option::is_some).await.ok()?.clone()?;
        let mut reply = answer.to_response();
        reply.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        Some(reply)
    }
}

impl Answer {
    async fn of(reply: Response) -> Self {
        let (head, body) = reply.into_parts();
        // Replies of this API lie in memory: there is nothing to fail.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        Self { status: head.status, headers: head.headers, body }
    }

    fn to_response(&self) -> Response {
        let mut reply = Response::new(Body::from(self.body.clone()));
        *reply.status_mut() = self.status;
        *reply.headers_mut() = self.headers.clone();
        reply
    }
}
