//! Host for cutover's WebAssembly plugins: load, limit, call, quarantine, swap.
//!
//! A [`Host`] compiles bytes to a [`Component`]; installing that for one place of use gives a [`Place`], whose methods
//! are the hooks of `wit/cutover.wit`. The order of costs: the engine starts once, a component compiles at load (25 ms,
//! or 0.3 ms from the cache), an instance starts in tens of microseconds, a call takes a quarter of one.
//!
//! What a plugin cannot do: see a value it did not declare, write a header it did not declare, call anything but
//! `log.say` and `edits`, read a clock, keep a worker longer than its deadline, take more memory than its cap, or leave
//! a header half edited. Whatever it does wrong becomes a [`Fault`], costs it its instance, and after a few times its
//! place in the path.
//!
//! What is absent, on purpose: WASI, async, locks and allocation on the path of a call, and clocks (`now` comes in as an
//! argument; only the thread that enforces deadlines waits for real time).

mod bindings;
mod cache;
mod call;
mod component;
mod counts;
mod edits;
mod error;
mod host;
mod instance;
mod limit;
mod manifest;
mod normalise;
mod place;
mod quarantine;
mod said;
mod slots;
mod ticker;
mod view;

pub use call::{PluginAction, SplitVerdict};
pub use component::{Component, HookSet};
pub use counts::Counts;
pub use edits::{MAX_EDIT_BYTES, MAX_EDITS, UNDECLARED_WRITE};
pub use error::{Fault, FaultKind, HostError, LoadError};
pub use host::{Host, HostOptions};
pub use instance::START_DEADLINE;
pub use limit::{MAX_LIFTED_BYTES, MAX_STACK_BYTES, MAX_TABLE_ELEMENTS};
pub use manifest::{MAX_NAME_BYTES, MAX_READS, MAX_REASONS, MAX_WRITES, Manifest, Read};
pub use normalise::{Normalised, ReplyView};
pub use place::{Isolation, Place, PlaceOptions};
pub use quarantine::{
    BACKOFF_FIRST_MS, BACKOFF_LAST_MS, FAULT_WINDOW_MS, FAULTS_TO_QUARANTINE, QuarantineState,
    RELAPSE_MS,
};
pub use said::MAX_SAID_BYTES;
pub use view::{CallView, KeptView, MAX_VALUE_BYTES, MAX_VIEW_BYTES};
