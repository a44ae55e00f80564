//! The migration engine to embed in a gateway: it decides which of two systems answers each request.

mod breaker;
mod clock;
mod engine;
mod exchange;
mod explain;
pub mod metrics;
mod plugin;
#[cfg(feature = "wasm")]
mod plugins;
#[cfg(not(feature = "wasm"))]
#[path = "plugins_absent.rs"]
mod plugins;
mod refused;

pub use cutover_config as config;
pub use cutover_core as core;

pub use breaker::BreakerState;
pub use clock::{Clock, SystemClock};
pub use cutover_config::{PluginUse, Surroundings};
pub use cutover_core::edit::HeaderSink;
pub use cutover_core::fallback::{Action, Cause};
pub use cutover_core::{
    BackendId, Decision, Generation, Headers, Migration, Reason, RequestView, Side, Snapshot,
};
pub use engine::{Engine, EngineError, EngineOptions, Installed, Prepared};
pub use exchange::{Exchange, Outcome, Role};
pub use explain::{ExplainedStep, Explanation};
pub use metrics::Metrics;
pub use plugin::PluginStatus;
pub use refused::{PluginProblem, PrepareError, ProblemKind, Refused};
