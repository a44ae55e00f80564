//! What is noted of a request while it is under way. Plain facts and times; spans are made of them at the end.

use super::fresh_span;
use cutover::core::Bucket;
use cutover::{Cause, Clock, Exchange, Side};
use http::{Method, StatusCode, Version};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A request that is recorded.
#[derive(Debug)]
pub(crate) struct Recording {
    clock: Arc<dyn Clock>,
    pub(super) began: Instant,
    began_unix: SystemTime,
    pub(super) asked: Option<Asked>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) fallbacks: Vec<Fallback>,
    /// The trace of its copy.
    pub(super) copied_as: Option<u128>,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) version: Version,
    pub(crate) tls: bool,
    pub(crate) client: Option<IpAddr>,
}

/// One request to a backend.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) span: u64,
    pub(super) began: Instant,
    /// `None` as long as it goes on.
    pub(super) ended: Option<Instant>,
    pub(super) backend: Box<str>,
    pub(super) side: Option<Side>,
    pub(super) address: Box<str>,
    pub(super) status: Option<StatusCode>,
    pub(super) failed: Option<Cause>,
}

/// A failed attempt being judged.
#[derive(Debug)]
pub(super) struct Fallback {
    pub(super) cause: Cause,
    /// What became of it.
    pub(super) action: &'static str,
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Ended<'e> {
    /// Its exchange, unless it was refused.
    pub(crate) exchange: Option<&'e Exchange>,
    /// Status of the reply, if there was one.
    pub(crate) status: Option<StatusCode>,
    /// Why cutover answered itself, or what broke.
    pub(crate) refused: Option<&'static str>,
}

impl Recording {
    pub(super) fn begin(clock: Arc<dyn Clock>) -> Self {
        let began = clock.now();
        let began_unix = UNIX_EPOCH + Duration::from_nanos(clock.unix_ns());
        let (attempts, fallbacks) = (Vec::with_capacity(1), Vec::new());
        Self { clock, began, began_unix, asked: None, attempts, fallbacks, copied_as: None }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The hour of a moment.
    pub(super) fn unix(&self, at: Instant) -> SystemTime {
        self.began_unix + at.saturating_duration_since(self.began)
    }

    pub(crate) fn asked(&mut self, asked: Asked) {
        self.asked = Some(asked);
    }

    /// A backend is about to be asked. An earlier attempt is over then.
    pub(crate) fn attempts(&mut self, exchange: &Exchange, address: &str) {
        let now = self.now();
        self.ends_attempt(now);
        self.attempts.push(Attempt {
            span: fresh_span(),
            began: now,
            ended: None,
            backend: exchange.snapshot().backend(exchange.backend()).name.clone(),
            side: exchange.side(),
            address: address.into(),
            status: None,
            failed: None,
        });
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.status = Some(status);
        }
    }

    /// The present attempt failed.
    pub(crate) fn failed(&mut self, cause: Cause) {
        let now = self.now();
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.failed.get_or_insert(cause);
        }
        self.ends_attempt(now);
    }

    /// The failure was judged, from `began` on.
    pub(crate) fn judged(&mut self, cause: Cause, action: &'static str, began: Instant) {
        let ended = self.now();
        self.fallbacks.push(Fallback { cause, action, began, ended });
    }

    /// A copy went out as another trace.
    pub(crate) fn copied(&mut self, trace: u128) {
        self.copied_as = Some(trace);
    }

    fn ends_attempt(&mut self, now: Instant) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.ended.get_or_insert(now);
        }
    }

    pub(super) fn present_span(&self) -> Option<u64> {
        self.attempts.last().map(|attempt| attempt.span)
    }
}

/// A bucket as backends, logs and traces are told it.
pub(super) fn cohort(bucket: Bucket) -> i64 {
    i64::from(bucket.number())
}
