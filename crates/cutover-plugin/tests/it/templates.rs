//! What `cutover plugin new` hands out compiles against this SDK, and its own tests pass.

#[path = "../../../cutover-server/templates/plugin/src/fallback.rs"]
mod fallback;
#[path = "../../../cutover-server/templates/plugin/src/normalise.rs"]
mod normalise;
#[path = "../../../cutover-server/templates/plugin/src/rewrite.rs"]
mod rewrite;
#[path = "../../../cutover-server/templates/plugin/src/split.rs"]
mod split;
