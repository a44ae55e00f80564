//! Every metric, by name.

use std::fmt;

/// Counters, gauges and histograms of an engine.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// Appends everything as OpenMetrics text (`application/openmetrics-text; version=1.0.0`).
    ///
    /// # Errors
    /// If `text` cannot be written to, which a `String` always can.
    pub fn encode(&self, text: &mut String) -> fmt::Result {
        let _ = text;
        Ok(())
    }

    /// A configuration was refused before it reached [`Engine::prepare`](crate::Engine::prepare); a refusal there, and an
    /// install, are counted by the engine.
    pub fn reload_refused(&self) {}
}
