//! What the benches and the instruction counts share: route sets, requests, and the baselines they are held against.

pub mod baseline;
pub mod bodies;
pub mod document;
#[cfg(feature = "e2e")]
pub mod e2e;
pub mod traffic;
