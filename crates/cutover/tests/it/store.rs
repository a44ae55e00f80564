//! The store: what was acknowledged is there, whatever happens to the process or the disk.

mod failures;
mod killed;
mod kit;
mod promises;
mod tampering;
