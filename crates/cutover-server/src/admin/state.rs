//! What the handlers share.

use super::failures::Failures;
use super::idempotency::Replies;
use super::session::Sessions;
use crate::server::Shared;
use cutover::Happened;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::Sender;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct AdminState {
    pub(super) server: Arc<Shared>,
    pub(super) replies: Replies,
    pub(super) failures: Arc<Failures>,
    /// Transitions, as they happen.
    pub(super) events: Sender<Happened>,
    /// Where everything stands, every few seconds.
    samples: Sender<Arc<str>>,
    /// Who may listen to them still.
    pub(super) listeners: Arc<Semaphore>,
    pub(super) sessions: Arc<Sessions>,
    listen: IpAddr,
}

impl AdminState {
    pub(crate) fn new(server: Arc<Shared>, listen: SocketAddr) -> Self {
        let (replies, failures) = (Replies::default(), Arc::default());
        let events = super::events::of(&server.conductor);
        let (samples, sessions) = (super::samples::channel(), Arc::default());
        let listeners = Arc::new(Semaphore::new(super::events::MOST));
        let listen = listen.ip();
        Self { server, replies, failures, events, samples, listeners, sessions, listen }
    }

    pub(crate) fn samples(&self) -> Sender<Arc<str>> {
        self.samples.clone()
    }

    /// May this be the host of a request to the admin API? A page that made its own name resolve to our address cannot
    /// pretend to another name than its own, and an address cannot be made to point elsewhere.
    pub(super) fn serves_host(&self, authority: &str) -> bool {
        let host = match authority.parse::<http::uri::Authority>() {
            Ok(authority) => authority.host().trim_matches(['[', ']']).to_owned(),
            Err(_) => return false,
        };
        match host.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || ip == self.listen || self.listen.is_unspecified(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        }
    }
}
