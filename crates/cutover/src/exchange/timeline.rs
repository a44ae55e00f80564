//! When the parts of an exchange happened, for tracing. Kept by exchanges that were begun with
//! [`Installed::begin_timed`](crate::Installed::begin_timed) and by no others, so that the rest pays nothing for it.

use crate::Clock;
use cutover_core::PlaceId;
use std::time::{Duration, Instant};

/// When the decision was there, and which plugins were called.
#[derive(Debug, Default)]
pub struct Timeline {
    pub(crate) decided: Duration,
    pub(crate) calls: Vec<PluginCall>,
}

/// One call of a plugin.
#[derive(Clone, Copy, Debug)]
pub struct PluginCall {
    /// Whose.
    pub place: PlaceId,
    /// `split`, `on-request`, `on-response` or `on-failure`.
    pub hook: &'static str,
    /// When it was made.
    pub began: Instant,
    /// How long it took.
    pub took: Duration,
    /// What was wrong with it, if anything.
    pub fault: Option<&'static str>,
}

impl Timeline {
    /// Time from the beginning of the exchange to its decision, a split plugin's call included.
    pub fn decided(&self) -> Duration {
        self.decided
    }

    /// The calls of plugins so far, in their order.
    pub fn calls(&self) -> &[PluginCall] {
        &self.calls
    }
}

/// What times calls, and who wants to know of them.
pub(crate) struct Timing<'t> {
    pub(crate) clock: &'t dyn Clock,
    pub(crate) timeline: Option<&'t mut Timeline>,
}

impl<'t> Timing<'t> {
    /// Nobody.
    pub(crate) fn untold(clock: &'t dyn Clock) -> Self {
        Self { clock, timeline: None }
    }
}
