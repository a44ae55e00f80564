//! Plugins as the rest of the engine sees them, with or without the feature `wasm`.

use crate::{RequestView, Side};
use cutover_core::route::Params;
use cutover_core::{Bucket, Percent};
use http::StatusCode;

/// A plugin in use, for status pages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginStatus {
    /// Its name in the configuration.
    pub plugin: String,
    /// The migration that uses it.
    pub migration: String,
    /// `serving`, `quarantined` or `probing`.
    pub state: &'static str,
    /// Live instances.
    pub live: usize,
    /// Calls in this generation.
    pub calls: u64,
    /// Calls that failed, or were not made because of quarantine, in this generation.
    pub faults: u64,
}

#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
impl PluginStatus {
    /// Together with another place of the same plugin: the worse state of both counts.
    pub(crate) fn join(&mut self, other: &Self) {
        if self.state == "serving" {
            self.state = other.state;
        }
        self.live += other.live;
        self.calls += other.calls;
        self.faults += other.faults;
    }
}

/// What a plugin is told about an exchange.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a RequestView<'a>,
    pub(crate) params: &'a Params<'a>,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) share: Percent,
}

/// What a fallback plugin wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "wasm"), expect(dead_code, reason = "nobody calls plugins"))]
pub(crate) enum Wish {
    /// The native rule decides, because the plugin failed.
    Native,
    Propagate,
    Retry(Side),
    Respond(StatusCode),
}

/// A rewrite plugin failed and guards the headers it would have written: the request must be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guarded;
