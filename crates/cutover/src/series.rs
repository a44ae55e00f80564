//! What both sides of each migration did over time: a bounded memory of counts and times, for charts.
//!
//! Somebody calls [`Series::sample`] every [`FINE`]; nothing on the path of a request knows of it. Each migration has two
//! lanes: an hour in steps of five seconds, and a day in steps of a minute; and marks for [`Series::lately`]. About half a
//! megabyte is held for one.

mod minute;

use crate::Side;
use crate::engine::{Installed, Running};
use crate::metrics::{Answerer, Reading};
use cutover_core::Percent;
use minute::Minute;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A step of the last hour.
pub const FINE: Duration = Duration::from_secs(5);
/// A step of the last day.
pub const COARSE: Duration = Duration::from_secs(60);

const FINE_POINTS: usize = 720;
const COARSE_POINTS: usize = 1_440;

/// The memory of all migrations.
#[derive(Debug, Default)]
pub struct Series(Mutex<BTreeMap<Box<str>, Track>>);

/// The memory of one migration.
#[derive(Debug)]
struct Track {
    lanes: [Lane; 2],
    minute: Minute,
}

/// One step of one migration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Its end, in Unix milliseconds.
    pub end_ms: u64,
    /// What `old` did for users.
    pub old: Answers,
    /// What `new` did for users.
    pub new: Answers,
    /// What `new` did with copies of requests.
    pub copies: Answers,
    /// Reads meant for `new` that `old` answered; they are among `old`'s too.
    pub fallbacks: u64,
    /// Comparisons that came to an answer.
    pub compared: u64,
    /// Those of them that differed twice.
    pub mismatched: u64,
    /// Share of users whose reads go to `new`, at the end of the step.
    pub read_percent: Percent,
    /// Share of requests that are copied, at the end of the step.
    pub mirror_percent: Percent,
}

/// What one side did in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answers {
    /// Requests that ended.
    pub requests: u64,
    /// Those of them that ended in a 5xx, or without a whole reply.
    pub errors: u64,
    /// Times to the reply's header, of first attempts at reads that were no errors.
    pub times: Option<Percentiles>,
}

/// Times that a share of replies stayed below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Half of them.
    pub p50: Duration,
    /// All but a twentieth.
    pub p95: Duration,
    /// All but a hundredth.
    pub p99: Duration,
}

impl Point {
    /// Share of the requests of users that `new` answered; `None` if there were none.
    pub fn share(&self) -> Option<f64> {
        let all = self.old.requests + self.new.requests;
        (all > 0).then(|| self.new.requests as f64 / all as f64)
    }
}

impl Series {
    /// Notes what every migration did since the last time. One that is not in the configuration any more is forgotten.
    pub fn sample(&self, current: &Installed, now_ms: u64) {
        let mut tracks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = current.snapshot().migrations();
        tracks.retain(|name, _| all.iter().any(|migration| migration.name == *name));
        for (migration, running) in all.iter().zip(current.running()) {
            let state = (migration.state.read_percent, migration.state.mirror_percent);
            let counted = || Counted::read(running);
            let track = tracks.entry(migration.name.clone()).or_insert_with(|| Track {
                lanes: Lane::both(&counted, now_ms),
                minute: Minute::default(),
            });
            // A step that begins now is not over.
            track.lanes.iter_mut().for_each(|lane| lane.sample(&counted, state, now_ms));
            track.minute.mark(&counted, now_ms);
        }
    }

    /// The steps of the last so many, the oldest first, and how long one is; `None` of a migration that is not known.
    pub fn of(&self, migration: &str, last: Duration) -> Option<(Duration, Vec<Point>)> {
        let tracks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Track { lanes, .. } = tracks.get(migration)?;
        let fits = |lane: &&Lane| last <= lane.step * u32::try_from(lane.most).unwrap_or(u32::MAX);
        let lane = lanes.iter().find(fits).unwrap_or(&lanes[1]);
        let steps = usize::try_from(last.as_secs() / lane.step.as_secs()).unwrap_or(usize::MAX);
        let left_out = lane.points.len().saturating_sub(steps);
        Some((lane.step, lane.points.iter().skip(left_out).copied().collect()))
    }

    /// The last step of five seconds.
    pub fn latest(&self, migration: &str) -> Option<Point> {
        let tracks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tracks.get(migration)?.lanes[0].points.back().copied()
    }

    /// What a migration did in the last minute and how long that is exactly: up to ten seconds more, or less if it is
    /// not known for longer. Up to now, not to the last step.
    pub fn lately(
        &self,
        current: &Installed,
        migration: &str,
        now_ms: u64,
    ) -> Option<(Duration, Point)> {
        let mut all = current.snapshot().migrations().iter().zip(current.running());
        let (known, running) = all.find(|(known, _)| *known.name == *migration)?;
        let tracks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (over, point) = tracks.get(migration)?.minute.until(&Counted::read(running), now_ms)?;
        let (read_percent, mirror_percent) = (known.state.read_percent, known.state.mirror_percent);
        Some((over, Point { read_percent, mirror_percent, ..point }))
    }
}

/// Points of one length.
#[derive(Debug)]
struct Lane {
    step: Duration,
    most: usize,
    /// Counters at the end of the last step.
    before: Counted,
    before_ms: u64,
    points: VecDeque<Point>,
}

impl Lane {
    fn both(counted: &impl Fn() -> Counted, now_ms: u64) -> [Self; 2] {
        [(FINE, FINE_POINTS), (COARSE, COARSE_POINTS)].map(|(step, most)| Self {
            step,
            most,
            before: counted(),
            before_ms: now_ms,
            points: VecDeque::new(),
        })
    }

    /// Ends a step, if it is time. A pause, as of a process that was stopped, makes one long step.
    fn sample(&mut self, counted: &impl Fn() -> Counted, state: (Percent, Percent), now_ms: u64) {
        // Half of the finest step early is still in time: clocks of timers wander.
        let due = self.before_ms + (self.step - FINE / 2).as_millis() as u64;
        if now_ms < due {
            return;
        }
        let now = counted();
        let (read_percent, mirror_percent) = state;
        if self.points.len() >= self.most {
            self.points.pop_front();
        }
        let since = now.since(&self.before);
        self.points.push_back(Point { end_ms: now_ms, read_percent, mirror_percent, ..since });
        (self.before, self.before_ms) = (now, now_ms);
    }
}

/// Counters at one moment.
#[derive(Debug)]
struct Counted {
    /// By who answered: requests and errors.
    answered: [(u64, u64); 4],
    /// Of `old` and `new`, and of copies to `new`.
    times: [Reading; 3],
    copies: (u64, u64),
    compared: (u64, u64),
}

impl Counted {
    fn read(running: &Running) -> Self {
        let (meter, shadow) = (&running.meter, &running.shadow);
        let counts = shadow.counts();
        let [old, new] = meter.replied.each_ref().map(|times| times.read());
        Self {
            answered: Answerer::ALL.map(|answerer| meter.answered(answerer)),
            times: [old, new, shadow.times[Side::New as usize].read()],
            copies: (counts.new_replies, counts.new_failures),
            compared: (counts.compared, counts.mismatched),
        }
    }

    fn since(&self, before: &Self) -> Point {
        let pair = |(now, bad): (u64, u64), (all, known): (u64, u64)| {
            (now.saturating_sub(all), bad.saturating_sub(known))
        };
        let by = |answerer: Answerer| {
            pair(self.answered[answerer as usize], before.answered[answerer as usize])
        };
        let [served, fallback, breaker] =
            [Answerer::Old, Answerer::Fallback, Answerer::Breaker].map(by);
        let times =
            |at: usize| percentiles(&self.times[at].since(&before.times[at]).collect::<Vec<_>>());
        let answers = |(requests, errors): (u64, u64), at: usize| Answers {
            requests,
            errors,
            times: times(at),
        };
        let old = [served, fallback, breaker];
        let old = old.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let (compared, mismatched) = pair(self.compared, before.compared);
        Point {
            old: answers(old, 0),
            new: answers(by(Answerer::New), 1),
            copies: answers(pair(self.copies, before.copies), 2),
            fallbacks: fallback.0,
            compared,
            mismatched,
            ..Point::default()
        }
    }
}

/// Of times in microseconds, in growing order, with how often each was seen.
fn percentiles(times: &[(u64, u64)]) -> Option<Percentiles> {
    let all: u64 = times.iter().map(|(_, count)| count).sum();
    let at = |part: u64| {
        // The smallest time that so many hundredths of all did not exceed.
        let wanted = (all * part).div_ceil(100).max(1);
        let mut seen = 0;
        let found = times.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        Duration::from_micros(found.map_or(0, |(micros, _)| *micros))
    };
    (all > 0).then(|| Percentiles { p50: at(50), p95: at(95), p99: at(99) })
}

#[cfg(test)]
mod tests;
