//! The cutover server as a library: what the binary `cutover` is made of, and what tests, the demo and examples start
//! in their own process with [`Server::start`](server::Server::start).
//!
//! Two halves meet here. The *process* side owns listeners, signals, reload, drain, upgrade, the admin API and the CLI.
//! The *data plane* side owns what happens to one request. The seam between them:
//!
//! - `proxy::Proxy` implements Pingora's `ProxyHttp`. It is built once per process with
//!   `Proxy::new(proxy::Parts) -> anyhow::Result<Proxy>`; [`server`] wraps it in `HttpProxy` and in the
//!   [head guard](head_guard) and gives it to the listeners.
//! - `proxy::Parts { engine: Arc<Engine>, server: ServerSettings }` is everything it needs.
//! - `Proxy::background(&self, stop: tokio::sync::watch::Receiver<bool>)` runs health checks and the access log until
//!   `stop` turns true; [`server`] spawns it on the data runtime before the first connection is accepted.
//! - `Proxy::installed(&self)` is called after every reload, when `engine.current()` already answers with the new
//!   generation.
//! - `Proxy::backends(&self) -> serde_json::Value` is the state of every address for `/admin/v1/backends`, and
//!   `Proxy::metrics(&self, &mut String)` appends its own series to `/metrics`.
//! - Replies that cutover makes itself are written with [`problem`].

pub mod head_guard;
pub mod listen;
pub mod problem;
