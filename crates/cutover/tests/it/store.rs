//! The store: what was acknowledged is there, whatever happens to the process or the disk.

mod kit;
mod promises;
