//! SDK for cutover plugins: rules in plain Rust that decide, rewrite and mend requests.
//!
//! A plugin is a type that is configured once ([`Plugin`]) and has one or more hooks: [`Split`] chooses
//! the side that serves a request, [`Rewrite`] edits headers, [`Fallback`] says what becomes of a failed
//! attempt, [`Normalise`] makes the replies of both sides comparable. It has no clock, no randomness, no
//! files and no network: all that varies comes in as an argument, so the same request always gets the same
//! answer.
//!
//! ```
//! use cutover_plugin::{Decision, Environment, Field, Manifest, Plugin, Reason, Split, View};
//!
//! /// Beta users go to `new`; everybody else by the migration's percent.
//! struct Beta {
//!     opted_in: Field,
//!     asked: Reason,
//! }
//!
//! impl Plugin for Beta {
//!     fn configure(_: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
//!         Ok(Self { opted_in: manifest.cookie("beta"), asked: manifest.reason("opted-in") })
//!     }
//! }
//!
//! impl Split for Beta {
//!     fn decide(&self, view: &View<'_>) -> Decision {
//!         match view.get(self.opted_in) {
//!             Some("yes") => Decision::to_new().because(self.asked),
//!             _ => Decision::by_share(view),
//!         }
//!     }
//! }
//!
//! cutover_plugin::export!(Beta: split);
//!
//! # fn main() -> Result<(), String> {
//! use cutover_plugin::testing::{Place, Request};
//! let place = Place::<Beta>::configure("{}")?;
//! let decision = place.decide(&Request::get("/profile").cookie("beta", "yes"));
//! assert_eq!((decision.backend, decision.reason), ("new", Some("opted-in")));
//! # Ok(())
//! # }
//! ```
//!
//! Built for `wasm32-unknown-unknown` as a `cdylib`, `export!` makes it a component of the world that
//! fits its hooks; built natively, the same code runs in unit tests through [`testing`].

mod backend;
mod bindings;
mod decision;
mod edits;
mod export;
mod failure;
mod log;
mod manifest;
mod percent;
mod plugin;
mod reply;
#[cfg(feature = "source")]
pub mod source;
pub mod testing;
mod view;

pub use backend::Backend;
pub use decision::Decision;
pub use edits::{Edits, Sink};
pub use failure::{Action, Cause, Failure};
pub use log::say;
pub use manifest::{Declared, Field, Header, Manifest, Reason};
pub use percent::{Percent, PercentError};
pub use plugin::{Environment, Fallback, Normalise, Plugin, Rewrite, Split};
pub use reply::{Comparable, Reply};
pub use view::{Method, Traits, View};

#[doc(hidden)]
pub use export::glue as __glue;
