//! Ending without cutting anybody off: stop accepting, let the last exchange end, then go.

use crate::server::Running;
use std::time::Duration;
use tokio::time::Instant;

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open when time was up.
    pub cut: usize,
    /// How long it took.
    pub took: Duration,
}

/// Stops accepting and waits for the last connection, at most `server.drain`. The admin API answers until the end, and
/// `/readyz` says no from the beginning.
///
/// Idle connections are closed after [`IDLE_LINGER`](crate::head_guard::IDLE_LINGER); a request that still arrives on
/// one is answered with `connection: close`. HTTP/2 connections get a GOAWAY. What else is open, such as a WebSocket,
/// is cut when time is up.
pub async fn drain(running: &mut Running) -> Drained {
    let limit = running.shared().drain;
    let started = Instant::now();
    running.shared().close();
    let mut open = running.shared().guard.open();
    let listening = running.take_listening();
    let last = async {
        // First the listeners: a connection that was just accepted is not counted yet.
        if let Some(listening) = listening {
            let _ = listening.await;
        }
        let _ = open.wait_for(|open| *open == 0).await;
    };
    let _ = tokio::time::timeout(limit, last).await;
    let cut = *running.shared().guard.open().borrow();
    Drained { cut, took: started.elapsed() }
}
