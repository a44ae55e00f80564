//! Mirroring: which exchanges are copied to the side that does not serve them, what that may cost, and what the two
//! replies say.
//!
//! [`Exchange::mirror`](crate::Exchange::mirror) picks an exchange and answers with a [`Mirrored`]: the right to send one
//! copy. The gateway edits and sends it beside the exchange, never before it, and tells what became of it; when both
//! replies are whole, [`Mirrored::compare`] holds them against each other, made comparable by the migration's normalise
//! plugin if it has one. A difference comes back as a [`Doubt`], about
//! which both sides are asked once more. All that is counted and found is kept in a [`Shadow`], by the migration's name.
//!
//! # Rules
//! - The answer no costs a few comparisons: no allocation, no lock, no clock.
//! - Everything is bounded by the migration's `mirror`: copies in flight, bytes held, time. What does not fit is dropped,
//!   the newest first, and counted with its reason.
//! - What is left out for want of room never depends on what a reply says, or the share of mismatches would be wrong.

mod budget;
mod class;
mod comparable;
mod copy;
mod doubt;
mod ledger;
mod pick;
mod plan;
mod shadow;
mod words;

pub use budget::Hold;
pub use class::RouteClassCount;
pub use copy::Mirrored;
pub use doubt::Doubt;
pub use plan::{MirrorLimits, RulesError};
pub use shadow::{Shadow, ShadowCounts};
pub use words::{Ended, Shed, Skipped};

pub(crate) use class::name as class_name;
pub(crate) use plan::Mirroring;
pub(crate) use words::{CLASSES, RESULTS, SHEDS};
