//! A backend: a named upstream. Data only; whoever forwards requests gives it life.

use std::time::Duration;

/// A named upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its name in the configuration, metrics and logs.
    pub name: Box<str>,
    /// `host:port`, at least one.
    pub addresses: Box<[Box<str>]>,
    /// TLS towards the backend; `None` is plain text.
    pub tls: Option<BackendTls>,
    /// Which HTTP to speak to it.
    pub protocol: Protocol,
    /// `Host` to send instead of the client's.
    pub host: Option<Box<str>>,
    /// How an address is chosen.
    pub balance: Balance,
    /// Limit for connecting, TLS included.
    pub connect_timeout: Duration,
    /// Limit for the first byte of the reply header, and between two reads of its body.
    pub timeout: Duration,
    /// Active checks; passive ones are always on.
    pub health: Option<HealthCheck>,
}

/// TLS towards a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendTls {
    /// Server name to send and verify; the address's host if `None`.
    pub server_name: Option<Box<str>>,
    /// A PEM file of certificate authorities to trust instead of the system's.
    pub ca: Option<Box<str>>,
    /// `false` accepts any certificate; for tests only, and warned about.
    pub verify: bool,
}

/// HTTP version towards a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: by ALPN over TLS, by prior knowledge (h2c) without.
    Http2,
    /// HTTP/2 by ALPN if the backend offers it, else HTTP/1.1. Without TLS this is HTTP/1.1.
    Auto,
}

/// How one of a backend's addresses is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in flight; ties in turn.
    LeastRequests,
}

/// An active health check: GET `path`, healthy if the answer is 2xx or 3xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Path to ask.
    pub path: Box<str>,
    /// Time between two checks of one address.
    pub every: Duration,
    /// Limit for one check.
    pub timeout: Duration,
    /// Consecutive failures after which an address is left out.
    pub unhealthy_after: u32,
    /// Consecutive successes after which it is used again.
    pub healthy_after: u32,
}
