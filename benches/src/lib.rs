//! What the benches and the instruction counts share: route sets, requests, and the baselines they are held against.

pub mod baseline;
pub mod bodies;
pub mod traffic;
