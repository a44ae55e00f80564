//! A difference that was seen once. Only when it is there a second time is it a mismatch.

use super::Shadow;
use super::budget::take;
use super::copy::{Mirrored, one_sided};
use super::words::*;
use crate::metrics::bump;
use cutover_core::compare::{Comparison, Differences, Held, Reply, Settlement};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Differences of one migration that may wait at once.
const MOST: usize = 256;

/// Two replies differ: ask both sides once more, [`Doubt::wait`] later. Dropped without an answer, it counts as
/// unresolved.
#[derive(Debug)]
pub struct Doubt {
    mirrored: Mirrored,
    held: Option<Held>,
    exchange: Box<str>,
    _place: Place,
}

impl Doubt {
    pub(super) fn new(mirrored: Mirrored, held: Held, exchange: &str, place: Place) -> Self {
        Self { mirrored, held: Some(held), exchange: exchange.into(), _place: place }
    }

    /// How long to wait.
    pub fn wait(&self) -> Duration {
        self.mirrored.mirroring.recheck
    }

    /// The copy it came from.
    pub fn mirrored(&self) -> &Mirrored {
        &self.mirrored
    }

    /// What differed.
    pub fn first(&self) -> Option<&Differences> {
        self.held.as_ref().map(Held::first)
    }

    /// Both sides have answered again. `false`: one of them failed, so that nothing is known yet; ask again, or drop it.
    /// If their replies cannot be made comparable, the comparison is skipped.
    pub fn settle(&mut self, served: &Reply<'_>, copied: &Reply<'_>) -> bool {
        if one_sided(served.status, copied.status).is_some() {
            return false;
        }
        let Mirrored { shadow, mirroring, class, epoch, .. } = &self.mirrored;
        let again = match self.mirrored.weigh(self.mirrored.sides(served, copied)) {
            Ok(Comparison::Failed { .. }) => return false,
            Ok(again) => again,
            Err(why) => {
                self.held = None;
                shadow.skipped(why);
                return true;
            }
        };
        let Some(held) = self.held.take() else { return true };
        let raw = Comparison::Differs(held.first().clone());
        let settlement = held.settle(again);
        let result = match settlement {
            Settlement::Settled(_) => MISMATCH,
            Settlement::Transient => TRANSIENT,
            Settlement::Unresolved => UNRESOLVED,
        };
        shadow.note(*epoch, result, |ledger, now_ms| {
            ledger.noise.count_raw(class, &raw);
            ledger.compared(class);
            if let Settlement::Settled(settled) = &settlement {
                let redaction = &mirroring.redaction;
                ledger.samples.record(class, &self.exchange, settled, redaction, now_ms);
            }
        });
        true
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        if self.held.is_some() {
            bump(&self.mirrored.shadow.results[UNRESOLVED]);
        }
    }
}

/// A place among those that wait; given back when dropped.
pub(super) struct Place(Arc<Shadow>);

impl Place {
    pub(super) fn take(shadow: &Arc<Shadow>) -> Option<Self> {
        take(&shadow.doubts, 1, MOST).then(|| Self(Arc::clone(shadow)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.doubts.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}
