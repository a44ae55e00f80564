//! Backends brought to life: from a backend's id to the peer that answers the next attempt.
//!
//! A [`Pool`] is one backend of one generation: its addresses, how one is chosen, and the connection options. What is
//! known about an address (in flight, ejected, checked) lives in the [`AddressBook`] and survives reloads.

pub mod address;
pub mod balance;
pub mod first_read;
pub mod health;
pub mod resolve;
pub mod tls;
mod watch;

pub use address::{Address, AddressBook, InFlight};
pub use watch::Watch;

use arc_swap::ArcSwap;
use cutover::config::Surroundings;
use cutover::core::backend::{Backend, Balance, HealthCheck, Protocol};
use cutover::{BackendId, Snapshot};
use http::HeaderValue;
use pingora::protocols::ALPN;
use pingora::protocols::l4::ext::TcpKeepalive;
use pingora::upstreams::peer::HttpPeer;
use resolve::Name;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

/// Addresses one request tries at one backend before the attempt counts as failed.
pub const MAX_ADDRESSES_TRIED: usize = 3;
/// How long a kept connection may idle: below the 60 s after which most servers close theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(55);
/// How long a WebSocket may be silent.
pub const WEBSOCKET_IDLE: Duration = Duration::from_secs(3600);
/// Streams on one HTTP/2 connection to a backend.
const H2_STREAMS: usize = 100;
/// Pings that find a dead HTTP/2 connection.
const H2_PING: Duration = Duration::from_secs(20);

/// The backends of one generation; the position is the id's index.
#[derive(Debug)]
pub struct Backends(Box<[Arc<Pool>]>);

/// Why a backend cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Its file of certificate authorities cannot be used.
    #[error(
        "backends.{backend}.tls.ca: {file}: {what}; give a PEM file with at least one certificate"
    )]
    Ca {
        /// The backend.
        backend: Box<str>,
        /// The file.
        file: Box<str>,
        /// What is wrong with it.
        what: String,
    },
    /// An address is not `host:port`.
    #[error("backends.{backend}: address \"{address}\" is not host:port, like \"127.0.0.1:9001\"")]
    Address {
        /// The backend.
        backend: Box<str>,
        /// The address.
        address: Box<str>,
    },
}

/// One backend of one generation.
#[derive(Debug)]
pub struct Pool {
    name: Box<str>,
    host: Option<HeaderValue>,
    balance: Balance,
    connect_timeout: Duration,
    timeout: Duration,
    turn: AtomicUsize,
    template: HttpPeer,
    server_name: Option<Box<str>>,
    names: Box<[Name]>,
    health: Option<HealthCheck>,
    endpoints: ArcSwap<Vec<Endpoint>>,
}

/// One address of a backend, ready to be connected to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What is known about the address.
    pub address: Arc<Address>,
    /// As configured, a name or an address.
    host: Box<str>,
    peer: HttpPeer,
}

/// Addresses that an attempt has found dead.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    sockets: [Option<SocketAddr>; MAX_ADDRESSES_TRIED],
    count: usize,
}

impl Tried {
    /// One more.
    pub fn add(&mut self, socket: SocketAddr) {
        if let Some(slot) = self.sockets.get_mut(self.count) {
            *slot = Some(socket);
        }
        self.count += 1;
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    fn contains(&self, socket: SocketAddr) -> bool {
        self.sockets.contains(&Some(socket))
    }
}

impl Backends {
    /// Builds the backends of a snapshot. Looks names up, so call it off the workers; a name that cannot be found
    /// now keeps the addresses it has in `known`, the generation before, and is looked for again later.
    ///
    /// # Errors
    /// If an address or a file of certificate authorities cannot be used.
    pub fn build(
        snapshot: &Snapshot,
        book: &AddressBook,
        around: &dyn Surroundings,
        known: Option<&Self>,
    ) -> Result<Self, UpstreamError> {
        let mut pools = Vec::with_capacity(snapshot.backends().len());
        for backend in snapshot.backends() {
            pools.push(Pool::build(backend, around)?);
        }
        resolve::all_at_once(&pools, book, known);
        Ok(Self(pools.into_iter().map(Arc::new).collect()))
    }

    /// One of them.
    pub fn pool(&self, id: BackendId) -> &Arc<Pool> {
        &self.0[id.index()]
    }

    /// All of them.
    pub fn pools(&self) -> &[Arc<Pool>] {
        &self.0
    }
}

impl Pool {
    fn build(backend: &Backend, around: &dyn Surroundings) -> Result<Self, UpstreamError> {
        let names: Result<Box<[Name]>, _> = backend
            .addresses
            .iter()
            .map(|address| {
                Name::parse(address).ok_or_else(|| UpstreamError::Address {
                    backend: backend.name.clone(),
                    address: address.clone(),
                })
            })
            .collect();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut template = HttpPeer::new(nowhere, backend.tls.is_some(), String::new());
        template.group_key = group_key(backend);
        template.options.alpn = alpn(backend);
        template.options.idle_timeout = Some(IDLE_CONNECTION);
        template.options.tcp_keepalive = Some(keepalive());
        template.options.max_h2_streams = H2_STREAMS;
        template.options.h2_ping_interval = Some(H2_PING);
        if let Some(tls) = &backend.tls {
            template.options.verify_cert = tls.verify;
            template.options.verify_hostname = tls.verify;
            template.options.ca = tls::authorities(&backend.name, tls, around)?;
        }
        Ok(Self {
            name: backend.name.clone(),
            host: backend.host.as_deref().and_then(|host| HeaderValue::from_str(host).ok()),
            balance: backend.balance,
            connect_timeout: backend.connect_timeout,
            timeout: backend.timeout,
            turn: AtomicUsize::new(0),
            template,
            server_name: backend.tls.as_ref().and_then(|tls| tls.server_name.clone()),
            names: names?,
            health: backend.health.clone(),
            endpoints: ArcSwap::default(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `Host` to send instead of the client's.
    pub fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }

    /// Limit for connecting, TLS included.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Limit for the first byte of its reply, and for pauses in it.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Its addresses now.
    pub fn endpoints(&self) -> Arc<Vec<Endpoint>> {
        self.endpoints.load_full()
    }

    /// Chooses an address and makes the peer for one attempt. `None` if no address is known, or all were tried.
    ///
    /// `now` is asked only if an address is ejected. `left` is what the exchange's deadline leaves.
    pub fn peer(
        &self,
        tried: &Tried,
        now: impl FnOnce() -> Instant,
        left: Option<Duration>,
        websocket: bool,
    ) -> Option<(Box<HttpPeer>, InFlight)> {
        let endpoints = self.endpoints.load();
        let chosen = balance::choose(self.balance, &endpoints, tried, &self.turn, now)?;
        let mut peer = Box::new(chosen.peer.clone());
        let at_most = |limit: Duration| left.map_or(limit, |left| limit.min(left));
        let connect = at_most(self.connect_timeout);
        peer.options.connection_timeout = Some(connect);
        peer.options.total_connection_timeout = Some(connect);
        let read = if websocket { WEBSOCKET_IDLE } else { at_most(self.timeout) };
        peer.options.read_timeout = Some(read);
        peer.options.write_timeout = Some(self.timeout);
        Some((peer, InFlight::new(Arc::clone(&chosen.address))))
    }

    /// More than these addresses?
    pub fn has_more_than(&self, tried: &Tried) -> bool {
        tried.count() < MAX_ADDRESSES_TRIED && tried.count() < self.endpoints.load().len()
    }

    /// Puts new addresses in use; those that stay keep what is known about them.
    fn replace(&self, book: &AddressBook, found: &[(SocketAddr, &str)]) {
        let endpoints = found
            .iter()
            .map(|(socket, host)| {
                let mut peer = self.template.clone();
                peer._address = pingora::protocols::l4::socket::SocketAddr::Inet(*socket);
                if peer.is_tls() {
                    peer.sni = self.server_name.as_deref().unwrap_or(host).to_owned();
                }
                Endpoint { address: book.address(&self.name, *socket), host: (*host).into(), peer }
            })
            .collect();
        self.endpoints.store(Arc::new(endpoints));
    }
}

/// Pingora's pool key covers neither the protocol nor the authorities: connections of backends that differ in them must
/// not be shared. Equal configuration gives an equal key, so that connections survive a reload.
fn group_key(backend: &Backend) -> u64 {
    let mut hasher = DefaultHasher::new();
    backend.name.hash(&mut hasher);
    (backend.protocol as u8).hash(&mut hasher);
    if let Some(tls) = &backend.tls {
        (&tls.server_name, &tls.ca, tls.verify).hash(&mut hasher);
    }
    hasher.finish()
}

fn alpn(backend: &Backend) -> ALPN {
    match (backend.protocol, &backend.tls) {
        (Protocol::Http1, _) | (Protocol::Auto, None) => ALPN::H1,
        (Protocol::Http2, _) => ALPN::H2,
        (Protocol::Auto, Some(_)) => ALPN::H2H1,
    }
}

/// Finds a peer that vanished without a word, which matters for WebSockets.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(15),
        count: 4,
        #[cfg(target_os = "linux")]
        user_timeout: Duration::ZERO,
    }
}
