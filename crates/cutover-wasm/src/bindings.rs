//! Generated from `wit/cutover.wit`. Exports are used through it; imports are wired by hand in
//! [`edits`](crate::edits) and [`said`](crate::said), which saves an allocation per edit.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::wildcard_enum_match_arm,
    clippy::use_self,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "full-plugin",
    ownership: Borrowing { duplicate_if_necessary: true },
});

pub(crate) use cutover::plugin::types::{Method, Traits, View};
pub(crate) use exports::cutover::plugin::{fallback, lifecycle, normalise, rewrite, split};
