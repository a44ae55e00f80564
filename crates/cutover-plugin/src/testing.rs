//! Runs a plugin natively, in unit tests: the same views a host would build, the same answers it would see.

mod place;
mod request;

pub use place::{Answer, Edit, Place};
pub use request::Request;

/// What this thread's plugins have said since this was last asked.
#[cfg(not(target_arch = "wasm32"))]
pub fn said() -> Vec<String> {
    crate::log::destination::take()
}
