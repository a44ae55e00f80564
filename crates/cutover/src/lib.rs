//! The migration engine to embed in a gateway: it decides which of two systems answers each request, and keeps that
//! decision safe while traffic moves from `old` to `new`.
//!
//! An [`Engine`] holds one [`Snapshot`] at a time: routes, backends and migrations, loaded from a configuration by
//! [`config::load`]. [`Engine::begin`] turns a [`RequestView`] into an [`Exchange`], which says who answers, edits
//! headers, judges failures and counts the outcome. Forwarding is the gateway's own business.
//!
//! ```
//! use cutover::config::{self, Surroundings};
//! use cutover::core::path::normalise;
//! use cutover::{Engine, EngineOptions, Outcome, RequestView};
//! use http::{HeaderMap, Method, StatusCode};
//!
//! const CONFIG: &str = r#"
//! [server]
//! listen = ["127.0.0.1:8080"]
//! [backends.monolith]
//! addresses = ["127.0.0.1:9001"]
//! [backends.profile-service]
//! addresses = ["127.0.0.1:9002"]
//! [migrations.profile]
//! old = "monolith"
//! new = "profile-service"
//! owner = "identity team"
//! expires = 2099-03-01
//! data = "shared"
//! key = [{ header = "x-user-id" }]
//! routes = [{ path = "/api/profile/{id}", methods = ["GET", "HEAD"] }]
//! read-percent = 100
//! "#;
//!
//! /// Where a configuration finds its files and variables.
//! struct Folder;
//! impl Surroundings for Folder {
//!     fn variable(&self, name: &str) -> Option<String> { std::env::var(name).ok() }
//!     fn file(&self, path: &str) -> std::io::Result<Vec<u8>> { std::fs::read(path) }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config = config::load(CONFIG, "cutover.toml", &Folder)?;
//!     let engine = Engine::new(EngineOptions::default())?;
//!     engine.install(engine.prepare(config.snapshot, &config.plugins, &Folder)?);
//!
//!     // For each request:
//!     let mut headers = HeaderMap::new();
//!     headers.insert("x-user-id", "user-7".parse()?);
//!     let path = normalise("/api/profile/7")?;
//!     let request = RequestView::new(&Method::GET, "shop.example", &path, &headers);
//!     let mut exchange = engine.begin(&request)?;
//!     let mut sent = headers.clone();
//!     exchange.edit_request(&request, &mut sent)?;
//!     let backend = exchange.snapshot().backend(exchange.backend());
//!     assert_eq!(&*backend.name, "profile-service");
//!     // ... forward it; if that fails, `exchange.failed(…)` says what to do. In the end:
//!     exchange.finish(Outcome::Replied(StatusCode::OK));
//!     Ok(())
//! }
//! ```
//!
//! # What a gateway has to do
//! - Bring paths into the normal form of [`core::path::normalise`] and forward that form.
//! - Tell [`Exchange::failed`] about every failed attempt and every 5xx before passing it on, and do what it says. After
//!   [`Action::Retry`], edit a fresh copy of the request's headers: the other side has other edits.
//! - To mirror: give the configuration's plans to [`Prepared::with_plans`], ask [`Exchange::mirror`], and send what it
//!   grants beside the exchange; see [`mirror`].
//! - Never call [`Engine::prepare`] on a thread that serves requests: it compiles plugins.
//!
//! # Features
//! `wasm`, on by default: WebAssembly plugins. Without it a snapshot that uses plugins is refused by
//! [`Engine::prepare`].

mod breaker;
mod clock;
mod conductor;
mod engine;
mod exchange;
mod explain;
pub mod metrics;
pub mod mirror;
mod plugin;
#[cfg(feature = "wasm")]
mod plugins;
#[cfg(not(feature = "wasm"))]
#[path = "plugins_absent.rs"]
mod plugins;
mod refused;
pub mod series;
mod status;
pub mod store;
#[cfg(test)]
mod testing;

pub use cutover_config as config;
pub use cutover_core as core;
#[cfg(feature = "wasm")]
pub use cutover_wasm as wasm;

pub use breaker::BreakerState;
pub use clock::{Clock, SystemClock};
pub use conductor::{Charge, Conductor, Done, Happened, OrderError, Stage, View, charges};
pub use cutover_config::{PluginUse, Surroundings};
pub use cutover_core::edit::HeaderSink;
pub use cutover_core::fallback::{Action, Cause};
pub use cutover_core::{
    BackendId, Decision, Generation, Headers, Migration, Reason, RequestView, Side, Snapshot,
};
pub use engine::{Engine, EngineError, EngineOptions, Installed, Prepared};
pub use exchange::{Exchange, Outcome, PluginCall, Role, Timeline};
pub use explain::{ExplainedStep, Explanation};
pub use metrics::Metrics;
pub use plugin::PluginStatus;
pub use refused::{PluginProblem, PrepareError, ProblemKind, Refused};
pub use status::{Answered, MigrationStatus};

/// The example of the repository's front page compiles, too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
