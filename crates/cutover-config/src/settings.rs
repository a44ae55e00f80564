//! Settings that are not part of a snapshot: listeners, limits, admin, state, and how plugins are loaded.

use cutover_core::Percent;
use cutover_core::decide::OnError;
use cutover_core::migration::Role;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a configuration may ask of its surroundings. Files, variables and clocks stay outside this crate.
pub trait Surroundings {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// The content of a file, relative to the configuration's folder.
    fn file(&self, path: &str) -> std::io::Result<Vec<u8>>;
    /// Today as year, month from 1 and day from 1, so that an expired migration is warned about.
    fn today(&self) -> Option<(u16, u8, u8)> {
        None
    }
}

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Where to listen; at least one.
    pub listen: Vec<Listen>,
    /// Worker threads; 0 is one per core.
    pub threads: usize,
    /// Limit for a request's whole header.
    pub header_timeout: Duration,
    /// Limit between two reads of a request's body, and between two requests of one connection.
    pub idle_timeout: Duration,
    /// Largest request header in bytes, request line included.
    pub max_header_bytes: usize,
    /// Most header fields in a request.
    pub max_headers: usize,
    /// Longest time from SIGTERM to exit.
    pub drain: Duration,
    /// Replies carry `x-cutover-side` and `x-cutover-reason`.
    pub debug_headers: bool,
    /// Access log.
    pub access_log: AccessLog,
    /// Networks whose `Forwarded` and `X-Forwarded-*` headers are believed; others' are replaced.
    pub trusted_proxies: Vec<Network>,
}

/// One listening address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Address.
    pub address: SocketAddr,
    /// HTTPS, with HTTP/2 by ALPN.
    pub tls: Option<ListenTls>,
}

/// Files of a certificate and its key, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenTls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// An IP network, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its address.
    pub address: std::net::IpAddr,
    /// Leading bits that count.
    pub bits: u8,
}

impl Network {
    /// Is the address in the network? IPv4 addresses mapped into IPv6 count as IPv4.
    pub fn contains(&self, address: std::net::IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        match (self.address, address.to_canonical()) {
            (V4(net), V4(ip)) => {
                let shift = 32 - u32::from(self.bits.min(32));
                u32::from(net).checked_shr(shift) == u32::from(ip).checked_shr(shift)
            }
            (V6(net), V6(ip)) => {
                let shift = 128 - u32::from(self.bits.min(128));
                u128::from(net).checked_shr(shift) == u128::from(ip).checked_shr(shift)
            }
            (V4(_), V6(_)) | (V6(_), V4(_)) => false,
        }
    }
}

/// `[server] access-log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// Format; `Off` writes nothing.
    pub format: LogFormat,
    /// A file; standard output if `None`.
    pub path: Option<PathBuf>,
}

/// Format of the access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// No access log.
    Off,
    /// One JSON object a line.
    #[default]
    Json,
    /// One readable line.
    Text,
}

/// `[telemetry]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Who takes spans; `None`: nothing is recorded.
    pub collector: Option<Collector>,
    /// Share of the requests that are recorded.
    pub sample: Percent,
    /// `service.name` of the spans.
    pub service_name: String,
    /// Requests to backends carry the decision as W3C baggage.
    pub baggage: bool,
}

/// Where spans are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// `http://host:port`, perhaps with a path.
    pub url: String,
    /// How.
    pub protocol: OtlpProtocol,
}

/// A transport of OTLP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// gRPC.
    #[default]
    Grpc,
    /// Protocol Buffers in HTTP.
    Http,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSettings {
    /// Where the admin API listens; `None` switches it off.
    pub listen: Option<SocketAddr>,
    /// Who may do what; empty: whoever reaches the listener may do everything.
    pub tokens: Vec<AdminToken>,
}

/// Who a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// The person's name, or that of what acts.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of the token.
    pub hash: TokenHash,
}

impl AdminToken {
    /// Longest name, in characters.
    const LONGEST_NAME: usize = 64;

    /// What is wrong with somebody's name, if anything, and how to mend it.
    pub fn name_fault(name: &str) -> Option<(&'static str, &'static str)> {
        let unprintable = name.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ');
        let length = name.chars().count();
        if unprintable || name.trim() != name || length == 0 || length > Self::LONGEST_NAME {
            let help = "write 1 to 64 printable characters: it stands in the audit log";
            Some(("this cannot be a name", help))
        } else if name == "cutover" {
            Some(("cutover itself acts under this name", "name the person, or the script"))
        } else {
            None
        }
    }
}

/// SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// Reads `sha256:` and 64 hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| char::from(digit).to_digit(16);
            *byte = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
        }
        Some(Self(hash))
    }
}

/// As in the configuration.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// `[state]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSettings {
    /// Folder of the embedded store, or a `postgres://` address.
    pub store: String,
}

/// How to load the plugin of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginUse {
    /// Name of the plugin in the configuration.
    pub plugin: String,
    /// Name of the migration that uses it.
    pub migration: String,
    /// Names of the migration's backends, `[old, new]`.
    pub backends: [String; 2],
    /// Hooks the migration expects of it.
    pub hooks: PluginHooks,
    /// File of the component, relative to the configuration's folder.
    pub component: PathBuf,
    /// Its configuration, as JSON.
    pub config: String,
    /// What happens when it fails.
    pub on_error: OnError,
    /// Limit for one call.
    pub deadline: Duration,
    /// Limit for its linear memory, in bytes.
    pub memory: usize,
    /// Instances.
    pub isolation: Isolation,
}

/// Hooks a migration expects of a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginHooks {
    /// `plugins.split`.
    pub split: bool,
    /// `plugins.rewrite`.
    pub rewrite: bool,
    /// `plugins.fallback`.
    pub fallback: bool,
    /// `plugins.normalise`; never beside another hook.
    pub normalise: bool,
}

/// How instances of a plugin are shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// One per worker, reused.
    #[default]
    Worker,
    /// A fresh one for each request.
    Request,
}
