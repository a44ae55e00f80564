//! The plugin host, tested with real components: `plugins/dist/test_faulty.wasm` does wrong what it is told to.

mod cache;
mod cost;
mod faults;
mod hooks;
mod isolation;
mod load;
mod normalise;
mod quarantine;
mod rig;
mod swap;
