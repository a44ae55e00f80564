//! Evidence as a row of numbers, for a store that need not know what they mean, and back.

use super::Epoch;
use super::hard_stop::HardStop;
use super::meter::Meter;
use super::window::Window;
use super::{Bar, Baseline, Counts, Detector, Evidence, Limit, Limits};
use std::fmt;

/// The first word: which layout the others have.
const LAYOUT: u64 = 2;

/// The same without a baseline.
const WITHOUT_BASELINE: u64 = 1;

/// Words that are no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WordsError {
    /// Written by a version whose layout is not known here.
    Layout(u64),
    /// Not as many as there should be.
    Length,
    /// A limit out of its range.
    Limit,
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout(found) => write!(
                f,
                "evidence was stored in layout {found}, and this version reads layout {LAYOUT}; \
                 retry the migration to gather evidence anew"
            ),
            Self::Length => f.write_str("stored evidence is cut short or too long"),
            Self::Limit => f.write_str("stored evidence has a limit that is none"),
        }
    }
}

impl std::error::Error for WordsError {}

impl Evidence {
    /// Everything there is to store. Equal evidence gives equal words, and [`Evidence::from_words`]
    /// gives it back.
    pub fn words(&self) -> Vec<u64> {
        let mut words = Words(vec![LAYOUT, self.epoch.0, self.since_ms]);
        words.maybe(self.heartbeat_ms);
        for meter in [&self.errors, &self.fallbacks, &self.mismatches, &self.latency] {
            words.meter(meter);
        }
        let bar = self.bar.map_or([0; 3], |bar| [bar.slow_us, bar.very_slow_us, bar.control]);
        words.0.extend(bar);
        words.0.push(self.control_have);
        words.counts(self.old);
        words.counts(self.copies);
        words.window(&self.hard_stop.recent);
        words.counts(self.hard_stop.tripped.unwrap_or_default());
        let Baseline { about, first_ms, last_ms, requests } = self.baseline;
        words.0.extend([about, first_ms, last_ms]);
        words.counts(requests);
        words.0
    }

    /// Evidence as it was stored, to go on with under the limits of today: counts stay, a detector
    /// whose limit has changed begins anew, an alarm stays.
    pub fn from_words(words: &[u64], limits: Limits) -> Result<Self, WordsError> {
        let mut read = Read(words.iter());
        let layout = read.word()?;
        if ![LAYOUT, WITHOUT_BASELINE].contains(&layout) {
            return Err(WordsError::Layout(layout));
        }
        let (epoch, since_ms) = (Epoch(read.word()?), read.word()?);
        let mut evidence = Self::new(epoch, limits, since_ms);
        evidence.heartbeat_ms = read.maybe()?;
        evidence.errors = read.meter()?;
        evidence.fallbacks = read.meter()?;
        evidence.mismatches = read.meter()?;
        evidence.latency = read.meter()?;
        let bar = Bar::from_parts(read.word()?, read.word()?, read.word()?);
        evidence.bar = (bar.control > 0).then_some(bar);
        evidence.control_have = read.word()?;
        evidence.old = read.counts()?;
        evidence.copies = read.counts()?;
        let recent = read.window()?;
        let tripped = read.counts()?;
        let tripped = (!tripped.is_empty()).then_some(tripped);
        evidence.hard_stop = HardStop { recent, tripped };
        if layout == LAYOUT {
            let (about, first_ms, last_ms) = (read.word()?, read.word()?, read.word()?);
            evidence.baseline = Baseline { about, first_ms, last_ms, requests: read.counts()? };
        }
        read.end()?;
        Ok(evidence.with_limits(limits))
    }
}

struct Words(Vec<u64>);

impl Words {
    /// A time that may be none: no clock of ours reaches the last one.
    fn maybe(&mut self, time_ms: Option<u64>) {
        self.0.push(time_ms.unwrap_or(u64::MAX));
    }

    fn counts(&mut self, counts: Counts) {
        self.0.extend([counts.n(), counts.bad()]);
    }

    fn window<const SLOTS: usize, const SLOT_MS: u64>(&mut self, window: &Window<SLOTS, SLOT_MS>) {
        let (newest, slots) = window.parts();
        self.0.push(newest);
        slots.into_iter().for_each(|slot| self.counts(slot));
    }

    fn meter(&mut self, meter: &Meter) {
        self.0.push(meter.limit.billionths().into());
        self.counts(meter.counts);
        self.0.push(meter.detector.limit().billionths().into());
        self.0.push(meter.detector.alarmed().into());
        self.0.extend(meter.detector.levels().map(i64::cast_unsigned));
        self.window(&meter.hour);
        self.maybe(meter.last_ms);
    }
}

struct Read<'a>(std::slice::Iter<'a, u64>);

impl Read<'_> {
    fn word(&mut self) -> Result<u64, WordsError> {
        self.0.next().copied().ok_or(WordsError::Length)
    }

    fn maybe(&mut self) -> Result<Option<u64>, WordsError> {
        Ok(Some(self.word()?).filter(|time_ms| *time_ms != u64::MAX))
    }

    fn counts(&mut self) -> Result<Counts, WordsError> {
        Ok(Counts::new(self.word()?, self.word()?))
    }

    fn limit(&mut self) -> Result<Limit, WordsError> {
        let billionths = u32::try_from(self.word()?).map_err(|_| WordsError::Limit)?;
        Limit::from_billionths(billionths).ok_or(WordsError::Limit)
    }

    fn window<const SLOTS: usize, const SLOT_MS: u64>(
        &mut self,
    ) -> Result<Window<SLOTS, SLOT_MS>, WordsError> {
        let newest = self.word()?;
        let mut slots = [Counts::NONE; SLOTS];
        for slot in &mut slots {
            *slot = self.counts()?;
        }
        Ok(Window::from_parts(newest, slots))
    }

    fn meter(&mut self) -> Result<Meter, WordsError> {
        let limit = self.limit()?;
        let counts = self.counts()?;
        let alarm_limit = self.limit()?;
        let alarmed = self.word()? != 0;
        let mut levels = [0i64; 6];
        for level in &mut levels {
            *level = self.word()?.cast_signed();
        }
        let detector = Detector::from_parts(alarm_limit, levels, alarmed);
        Ok(Meter { limit, counts, detector, hour: self.window()?, last_ms: self.maybe()? })
    }

    fn end(mut self) -> Result<(), WordsError> {
        if self.0.next().is_none() { Ok(()) } else { Err(WordsError::Length) }
    }
}
