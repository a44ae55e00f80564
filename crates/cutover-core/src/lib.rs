//! Pure routing and migration decisions: which backend answers this request, and why.
//!
//! Five nouns carry the crate. A [`Snapshot`] is everything a request can see, compiled and
//! immutable. It holds [`Route`](route::RouteSpec)s, [`Backend`]s and [`Migration`]s.
//! [`Snapshot::decide`] borrows a [`RequestView`] and answers with a [`Decision`], which is `Copy`
//! and made of ids.
//!
//! What is absent, on purpose: I/O, clocks, randomness, async, file formats and, on the path of a
//! request, allocation and locks. Time comes in as an argument.

pub mod backend;
pub mod compare;
pub mod decide;
pub mod edit;
pub mod evidence;
pub mod fallback;
pub mod id;
pub mod key;
pub mod migration;
pub mod path;
pub mod percent;
pub mod request;
pub mod route;
mod slots;
pub mod snapshot;

pub use backend::Backend;
pub use decide::{Decision, Reason, Refusal, Side};
pub use id::{BackendId, Generation, MigrationId, PlaceId, RouteId};
pub use migration::{Migration, Phase, TrafficState};
pub use percent::{Bucket, Bucketing, Percent, Salt};
pub use request::{Headers, RequestView};
pub use snapshot::{Snapshot, SnapshotBuilder};
