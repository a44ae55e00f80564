//! Heads that the guard refuses, as lines of the access log: they never become exchanges.

use super::Plane;
use crate::access_log::Record;
use crate::head_guard::{HearRefused, RefusedHead};
use std::time::Duration;

impl HearRefused for std::sync::Arc<Plane> {
    fn refused(&self, head: &RefusedHead<'_>) {
        let Some(serving) = self.newest() else { return };
        let Some(log) = serving.log() else { return };
        log.write(&Record {
            began_ms: self.engine().clock().unix_ms(),
            id: head.id,
            client: head.client,
            method: head.method,
            host: "",
            path: head.path,
            protocol: "HTTP/1.1",
            status: head.refusal.status().as_u16(),
            bytes_in: 0,
            bytes_out: 0,
            trace: None,
            took: Duration::ZERO,
            attempts: 0,
            decided: None,
            failed: None,
            refused: Some(head.refusal.name()),
        });
    }
}
