//! The cutover server as a library: what the binary `cutover` is made of, and what tests, the demo and examples start
//! in their own process with [`Server::start`].
//!
//! Two halves meet here. The *process* side owns listeners, signals, reload, drain, upgrade, the admin API and the CLI.
//! The *data plane* side owns what happens to one request. The seam between them:
//!
//! - [`proxy::Proxy`] implements Pingora's `ProxyHttp`. It is built once per process with
//!   `Proxy::new(proxy::Parts)` and is a cheap clone; [`server`] wraps it in `HttpProxy` and in the
//!   [head guard](head_guard) and gives it to the listeners.
//! - `proxy::Parts { engine: Arc<Engine>, server: ServerSettings }` is everything it needs.
//! - Every configuration, the first one too, goes through `proxy.plane()`: `plane.prepare(snapshot, &plugins, &plans,
//!   (&server, telemetry), around)` does all that can fail (plugins, certificate authorities of backends, names) and changes nothing, and
//!   `plane.install(ready)` puts both halves of the generation in force. Nobody else calls `Engine::install` or
//!   `Engine::begin`: a request begins on the generation whose backends it has.
//! - `Proxy::background(&self, stop: tokio::sync::watch::Receiver<bool>)` runs health checks and look-ups of names until
//!   `stop` turns true; [`server`] spawns it on the data runtime before the first connection is accepted.
//! - `Proxy::backends(&self) -> serde_json::Value` is the state of every address for `/admin/v1/backends`, and
//!   `Proxy::metrics(&self, &mut String)` appends its own series to `/metrics` (before its `# EOF`).
//! - `plane.reopen_log()` on SIGHUP; `plane.flush()` before exit.
//! - Replies that cutover makes itself are written with [`problem`].

pub mod access_log;
pub mod admin;
pub mod conduct;
mod digits;
pub mod drain;
pub mod explain;
pub mod forwarded;
pub mod head_guard;
pub mod listen;
pub mod lookalike;
pub mod metrics;
mod mirror;
pub mod plane;
pub mod problem;
pub mod proxy;
pub mod reload;
pub mod server;
pub mod surroundings;
pub mod token;
pub mod trace;
pub mod upgrade;
pub mod upstream;

pub use server::{Options, Running, Server, StartError};
