//! Replies that cutover makes itself: `application/problem+json` (RFC 9457), with an id that the log has too.

use http::StatusCode;
use serde::Serialize;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The media type.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What `server:` says in replies that no backend made.
pub const SERVER: &str = "cutover";

/// Ties a reply to the log line about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyId(u64);

impl ReplyId {
    /// An id that this process has not used, and that another process is unlikely to use.
    pub fn fresh() -> Self {
        static START: OnceLock<u64> = OnceLock::new();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let start = *START.get_or_init(|| RandomState::new().build_hasher().finish());
        Self(start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

impl ReplyId {
    /// As a number: [`fmt::Display`] writes it in sixteen hexadecimal digits.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ReplyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One problem, as the client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The status code, repeated for clients that only see the body.
    pub status: u16,
    /// What kind of problem: one short sentence, the same each time.
    pub title: String,
    /// What is wrong this time, and how to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The id that the log has.
    pub id: String,
    /// Findings of a configuration, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<serde_json::Value>,
    /// What stands in the way of a move, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<serde_json::Value>,
}

impl Problem {
    /// A problem with a fresh id.
    pub fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::with_id(ReplyId::fresh(), status, title, detail)
    }

    /// A problem with an id that is already in the log.
    pub fn with_id(
        id: ReplyId,
        status: StatusCode,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status: status.as_u16(),
            title: title.into(),
            detail: detail.into(),
            id: id.to_string(),
            findings: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The body: one line.
    pub fn to_body(&self) -> String {
        let mut body = serde_json::to_string(self).expect("strings and numbers always serialise");
        body.push('\n');
        body
    }

    /// A whole HTTP/1.1 reply that ends the connection.
    pub fn to_http1(&self) -> Vec<u8> {
        let body = self.to_body();
        let reason = StatusCode::from_u16(self.status).ok().and_then(|s| s.canonical_reason());
        format!(
            "HTTP/1.1 {} {}\r\nserver: {SERVER}\r\ncontent-type: {CONTENT_TYPE}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.status,
            reason.unwrap_or("Error"),
            body.len(),
        )
        .into_bytes()
    }
}
