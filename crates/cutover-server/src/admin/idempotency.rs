//! Idempotency-Key: a mutation that is sent twice is done once, and answered twice.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many replies are remembered.
const KEPT: usize = 128;
/// Longest key.
pub(super) const MAX_KEY: usize = 128;

/// Replies to recent mutations.
#[derive(Debug, Default)]
pub(super) struct Replies(Mutex<VecDeque<Remembered>>);

#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) key: String,
    /// What was asked, to tell a repetition from another request under the same key.
    pub(super) asked: String,
    pub(super) status: u16,
    pub(super) body: serde_json::Value,
}

impl Replies {
    pub(super) fn find(&self, key: &str) -> Option<Remembered> {
        self.lock().iter().find(|reply| reply.key == key).cloned()
    }

    pub(super) fn remember(&self, reply: Remembered) {
        let mut replies = self.lock();
        if replies.len() == KEPT {
            replies.pop_front();
        }
        replies.push_back(reply);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
