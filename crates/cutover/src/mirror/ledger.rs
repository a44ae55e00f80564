//! What comparisons have found since the evidence began.

use cutover_core::compare::{Noise, Samples};
use std::collections::BTreeMap;

/// Comparisons after which all that is known of noise counts half: what is noise may change.
const FADE_AFTER: u64 = 100_000;

/// Mismatches, noise and coverage.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) samples: Samples,
    pub(super) noise: Noise,
    /// Comparisons that came to an answer, by class.
    pub(super) classes: BTreeMap<Box<str>, u64>,
    since_faded: u64,
}

impl Ledger {
    /// A comparison of this class came to an answer.
    pub(super) fn compared(&mut self, class: &str) {
        if let Some(count) = self.classes.get_mut(class) {
            *count += 1;
        } else {
            // Routes are bounded by the configuration.
            self.classes.insert(class.into(), 1);
        }
        self.since_faded += 1;
        if self.since_faded >= FADE_AFTER {
            self.since_faded = 0;
            self.noise.fade();
        }
    }
}
