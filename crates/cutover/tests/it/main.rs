//! Stories an embedder would tell: stickiness, reloads, fallback and breaker over time, refused configurations.

#![allow(missing_docs, reason = "tests")]

mod allocation;
mod fallback;
mod mirror;
#[cfg(feature = "wasm")]
mod normalise;
#[cfg(feature = "wasm")]
mod on_error;
#[cfg(feature = "wasm")]
mod plugins;
mod readme;
mod reload;
mod scene;
mod sticky;
mod store;
#[cfg(feature = "wasm")]
mod tenants;
