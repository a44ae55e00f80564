//! What must hold whatever arrives: one module for each program in `fuzz_targets`, each with a
//! function `check` that panics when it does not.
//!
//! Where it can, a check holds the product's code against a second way to the same answer, written
//! so plainly that its rightness can be read off. `cargo xtask fuzz` builds and runs them all.

pub mod config;
pub mod edits;
mod guard;
pub mod head;
pub mod key;
pub mod path;
pub mod route;
