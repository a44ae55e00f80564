//! The server's head guard, compiled from its sources by themselves: the server's crate would bring
//! Pingora along.
#![allow(dead_code, missing_docs, reason = "a part of another crate, which uses and documents it")]

#[path = "../../crates/cutover-server/src/head_guard/body.rs"]
pub(crate) mod body;
#[path = "../../crates/cutover-server/src/head_guard/framing.rs"]
pub(crate) mod framing;
#[path = "../../crates/cutover-server/src/head_guard/head.rs"]
pub(crate) mod head;
