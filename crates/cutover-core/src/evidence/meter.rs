//! Everything kept about one share of bad observations: counts for PASS, a detector for FAIL, the
//! last hour for prudence.

use super::window::Hour;
use super::{Counts, Detector, Limit};

/// Bad ones in the last hour below which nobody is alarmed.
const PRECAUTION_FROM: u64 = 3;

/// One share of bad observations since the evidence epoch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    pub(super) limit: Limit,
    pub(super) counts: Counts,
    pub(super) detector: Detector,
    pub(super) hour: Hour,
    pub(super) last_ms: Option<u64>,
}

impl Meter {
    /// Nothing observed yet. `limit` is what the share must be shown to be below; `alarm_limit`
    /// what the detector watches. They are the same but for latency.
    pub(super) fn new(limit: Limit, alarm_limit: Limit) -> Self {
        Self {
            limit,
            counts: Counts::NONE,
            detector: Detector::new(alarm_limit),
            hour: Hour::default(),
            last_ms: None,
        }
    }

    /// A batch: `counts` by the measure of PASS, `alarming` by that of FAIL. An empty one is no
    /// observation.
    pub(super) fn record(&mut self, counts: Counts, alarming: Counts, now_ms: u64) {
        self.detector.record(alarming);
        if counts.is_empty() {
            return;
        }
        self.counts += counts;
        self.hour.record(counts, now_ms);
        self.last_ms = Some(now_ms);
    }

    /// Under another limit: what was counted stays true, the detector begins anew, an alarm stays.
    pub(super) fn with_limit(self, limit: Limit) -> Self {
        Self { limit, detector: self.detector.with_limit(limit), ..self }
    }

    /// What the share must be shown to be below.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// All observations of the epoch.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The detector of FAIL.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// When something was last observed.
    pub fn last_ms(&self) -> Option<u64> {
        self.last_ms
    }

    /// The last hour, if it calls for prudence: three bad ones or more, and a share above the
    /// limit. Not a proof.
    pub fn precaution(&self, now_ms: u64) -> Option<Counts> {
        let hour = self.hour.total(now_ms);
        (hour.bad() >= PRECAUTION_FROM && hour.above(self.limit)).then_some(hour)
    }

    /// Observations per second of late.
    pub fn per_second(&self, now_ms: u64, since_ms: u64) -> f64 {
        self.hour.per_second(now_ms, since_ms)
    }
}
