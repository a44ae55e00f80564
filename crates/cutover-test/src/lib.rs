//! Real-socket fixtures that several crates' tests share: upstreams that answer as told, upstreams that misbehave on
//! the wire, and clients. Ports come from the kernel, nothing listens beyond loopback, and everything ends when dropped.

mod client;
mod raw;
mod upstream;

pub use client::{Client, raw_exchange, read_head, send};
pub use raw::{RawUpstream, dead_address};
pub use upstream::{Body, Seen, Upstream, text};
