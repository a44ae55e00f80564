//! Gates: questions about evidence, each with one of three answers and the numbers behind it.

use super::baseline::OldNow;
use super::coverage::Coverage;
use super::detector::ALARM_AT;
use super::latency::{Bar, Tolerance, TooFewControl};
use super::mixture::PASS_AT;
use super::{Counts, Limit};
use crate::Percent;
use std::time::Duration;

/// A question about evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Gate {
    /// Does `new` fail rarely enough?
    Errors,
    /// Is the cohort answered by `old` rarely enough?
    Fallbacks,
    /// Is `new` not much slower than `old`?
    Latency,
    /// Do settled comparisons agree?
    Mismatch,
    /// Was everything that is asked for also compared?
    Coverage,
    /// Were few copies shed, so that comparisons are a fair sample?
    Mirror,
    /// Does evidence still arrive?
    Freshness,
    /// Was going back practised lately?
    Drill,
    /// Before shadow: is it known what `old` does?
    Baseline,
    /// Before shadow: does `old` answer, so that everything can go back to it?
    Old,
}

impl Gate {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::Errors,
        Self::Fallbacks,
        Self::Latency,
        Self::Mismatch,
        Self::Coverage,
        Self::Mirror,
        Self::Freshness,
        Self::Drill,
        Self::Baseline,
        Self::Old,
    ];

    /// Asked before `shadow`, and never again.
    pub const PREFLIGHT: [Self; 2] = [Self::Baseline, Self::Old];

    /// The name used in configuration, API, metrics and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Fallbacks => "fallbacks",
            Self::Latency => "latency",
            Self::Mismatch => "mismatch",
            Self::Coverage => "coverage",
            Self::Mirror => "mirror",
            Self::Freshness => "freshness",
            Self::Drill => "drill",
            Self::Baseline => "baseline",
            Self::Old => "old",
        }
    }
}

/// One of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A person may go forward.
    Pass,
    /// The limit is broken.
    Fail,
    /// Neither is shown: hold.
    Inconclusive,
}

/// What gates hold evidence against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failed requests on `new`.
    pub errors: Limit,
    /// Requests of the cohort that `old` had to answer.
    pub fallbacks: Limit,
    /// Settled comparisons that differ.
    pub mismatch: Limit,
    /// How much slower than `old` is acceptable.
    pub latency: Tolerance,
    /// The least share of the traffic whose class was compared.
    pub coverage: Percent,
    /// The largest share of copies that may be shed.
    pub mirror: Percent,
    /// Longest silence of those who count.
    pub heartbeat: Duration,
    /// Longest time without an observation.
    pub data: Duration,
    /// Largest age of a drill.
    pub drill: Duration,
    /// How long `old` is observed at least before shadow.
    pub observe: Duration,
    /// How many requests it has answered at least by then.
    pub requests: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            errors: Limit::ONE_IN_A_THOUSAND,
            fallbacks: Limit::ONE_IN_A_THOUSAND,
            mismatch: Limit::ONE_IN_A_THOUSAND,
            latency: Tolerance::TENTH,
            coverage: Percent::from_thousandths(95_000),
            mirror: Percent::from_thousandths(5_000),
            heartbeat: Duration::from_secs(15),
            data: Duration::from_secs(5 * 60),
            drill: Duration::from_secs(7 * 24 * 3_600),
            observe: Duration::from_secs(60),
            requests: 100,
        }
    }
}

/// A gate's answer. `Display` says it in a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Who was asked.
    pub gate: Gate,
    /// The reason, from which the verdict follows.
    pub why: Why,
    /// What was looked at.
    pub numbers: Numbers,
}

/// Why a gate answers as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Pass: the numbers are shown to be within the limit.
    Within,
    /// Fail: the detector found the share above its limit.
    Alarm,
    /// Fail: half of the requests of five seconds failed.
    HardStop(Counts),
    /// Inconclusive, and a reason to pause: three bad ones or more in the last hour, above the
    /// limit. Not a proof.
    Precaution(Counts),
    /// Inconclusive: nothing wrong, but not enough yet.
    TooFew,
    /// Inconclusive: nothing was measured at all.
    Missing,
    /// Inconclusive: `old` has not served enough to say how slow it is.
    NoControl(TooFewControl),
    /// Inconclusive: nothing was observed for longer than data may be old.
    Stale(Duration),
    /// Inconclusive: too many copies were shed, so that what was compared is not a fair sample.
    Biased(Counts),
    /// Inconclusive: `old` itself is above the limit.
    BaselineAbove(Counts),
    /// Inconclusive: the number is on the wrong side of its threshold.
    Outside,
}

/// The numbers beside an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Errors, fallbacks, latency, mismatch.
    Share(Share),
    /// Coverage, and the least share.
    Coverage(Coverage, Percent),
    /// Copies, the bad ones shed, and the largest share.
    Mirror(Counts, Percent),
    /// How long ago those who count were heard of, and when something was last observed.
    Freshness {
        /// The last batch, even an empty one.
        heartbeat: Age,
        /// The last observation.
        data: Age,
    },
    /// The last drill.
    Drill(Age),
    /// What `old` did before shadow.
    Baseline(BaselineNumbers),
    /// How `old` is now, and when it last answered.
    Old(OldNow, Age),
}

/// What `old` did, and what is asked for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaselineNumbers {
    /// Requests; bad: failed.
    pub requests: Counts,
    /// From the first of them to the last.
    pub span: Duration,
    /// How many must have been answered. At least one, whatever is asked for.
    pub needed: u64,
    /// Over how long.
    pub over: Duration,
}

impl BaselineNumbers {
    /// Is it enough?
    pub fn enough(self) -> bool {
        self.requests.good() >= self.needed && self.span >= self.over
    }

    /// How long the rest takes if requests go on to come; `None`: none are answered.
    pub fn wait(self) -> Option<Duration> {
        let good = self.requests.good();
        let missing = self.needed.saturating_sub(good);
        let (rest, seconds) = (self.over.saturating_sub(self.span), self.span.as_secs_f64());
        if good == 0 || missing > 0 && seconds <= 0.0 {
            return None;
        }
        let for_them = if missing == 0 { 0.0 } else { missing as f64 * seconds / good as f64 };
        // Nobody waits for longer than this.
        (for_them < 1e11).then(|| rest.max(Duration::from_secs_f64(for_them)))
    }
}

/// How long ago something was, and how long ago it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// `None`: it never was.
    pub age: Option<Duration>,
    /// The largest age that is good enough.
    pub at_most: Duration,
}

impl Age {
    /// Is it recent enough?
    pub fn within(self) -> bool {
        self.age.is_some_and(|age| age <= self.at_most)
    }
}

/// What is known about a share of bad observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Observations of the epoch (latency: of the step), and the bad ones.
    pub counts: Counts,
    /// What the share must be shown to be below.
    pub limit: Limit,
    /// The smallest limit it is shown to be below (95 %, over all looks together).
    pub bound: f64,
    /// The PASS statistic; enough at [`PASS_AT`].
    pub evidence: f64,
    /// The FAIL statistic; the alarm is raised at [`ALARM_AT`].
    pub alarm: f64,
    /// How many more good observations in a row would pass. `None`: more than can be counted.
    pub clean_needed: Option<u64>,
    /// Observations per second of late.
    pub per_second: f64,
    /// Latency only: what requests are held against.
    pub bar: Option<Bar>,
}

impl Share {
    /// How long the missing observations take at a rate, if all are good. `None`: longer than
    /// anybody waits.
    pub fn wait_at(&self, per_second: f64) -> Option<Duration> {
        let seconds = self.clean_needed? as f64 / per_second;
        // Not at a rate of nothing, or of next to nothing.
        (per_second > 0.0 && seconds < 1e11).then(|| Duration::from_secs(seconds.ceil() as u64))
    }
}

impl Answer {
    /// Pass, fail or inconclusive.
    pub fn verdict(&self) -> Verdict {
        match self.why {
            Why::Within => Verdict::Pass,
            Why::Alarm | Why::HardStop(_) => Verdict::Fail,
            Why::Precaution(_)
            | Why::TooFew
            | Why::Missing
            | Why::NoControl(_)
            | Why::Stale(_)
            | Why::Biased(_)
            | Why::BaselineAbove(_)
            | Why::Outside => Verdict::Inconclusive,
        }
    }

    /// The share's numbers, if the gate is about one.
    pub fn share(&self) -> Option<&Share> {
        match &self.numbers {
            Numbers::Share(share) => Some(share),
            Numbers::Coverage(..)
            | Numbers::Mirror(..)
            | Numbers::Freshness { .. }
            | Numbers::Drill(_)
            | Numbers::Baseline(_)
            | Numbers::Old(..) => None,
        }
    }

    /// How many observations, requests or copies; 0 for ages.
    pub fn samples(&self) -> u64 {
        match &self.numbers {
            Numbers::Share(share) => share.counts.n(),
            Numbers::Coverage(coverage, _) => coverage.volume().n(),
            Numbers::Mirror(copies, _) => copies.n(),
            Numbers::Baseline(numbers) => numbers.requests.n(),
            Numbers::Old(now, _) => now.lately.n(),
            Numbers::Freshness { .. } | Numbers::Drill(_) => 0,
        }
    }

    /// The number that is held against [`Answer::threshold`]: an upper bound of a share, a share,
    /// an age in seconds, or a number of requests. `None` if nothing was measured.
    pub fn value(&self) -> Option<f64> {
        match &self.numbers {
            Numbers::Share(share) => (!share.counts.is_empty()).then_some(share.bound),
            Numbers::Coverage(coverage, _) => {
                let volume = coverage.volume();
                (!volume.is_empty()).then(|| 1.0 - volume.share())
            }
            Numbers::Mirror(copies, _) => (!copies.is_empty()).then(|| copies.share()),
            Numbers::Baseline(BaselineNumbers { requests, .. }) => {
                (!requests.is_empty()).then(|| requests.good() as f64)
            }
            Numbers::Freshness { .. } | Numbers::Drill(_) | Numbers::Old(..) => {
                self.decisive_age()?.age.map(|age| age.as_secs_f64())
            }
        }
    }

    /// What [`Answer::value`] is held against: at least for coverage and baseline, at most for
    /// everything else.
    pub fn threshold(&self) -> f64 {
        let fraction = |percent: Percent| f64::from(percent.thousandths()) / 100_000.0;
        match &self.numbers {
            Numbers::Share(share) => share.limit.fraction(),
            Numbers::Coverage(_, percent) | Numbers::Mirror(_, percent) => fraction(*percent),
            Numbers::Baseline(numbers) => numbers.needed as f64,
            Numbers::Freshness { .. } | Numbers::Drill(_) | Numbers::Old(..) => {
                self.decisive_age().map_or(0.0, |age| age.at_most.as_secs_f64())
            }
        }
    }

    /// The age that decides: that of the heartbeat if it is too old, else that of the data.
    pub(super) fn decisive_age(&self) -> Option<Age> {
        match &self.numbers {
            Numbers::Freshness { heartbeat, .. } if !heartbeat.within() => Some(*heartbeat),
            Numbers::Freshness { data, .. } => Some(*data),
            Numbers::Drill(age) | Numbers::Old(_, age) => Some(*age),
            Numbers::Share(_)
            | Numbers::Coverage(..)
            | Numbers::Mirror(..)
            | Numbers::Baseline(_) => None,
        }
    }

    /// The statistic and what it must reach: the alarm's if it was raised, else that of PASS;
    /// `None` where there is nothing to infer.
    pub fn statistic(&self) -> Option<(f64, f64)> {
        let share = self.share()?;
        Some(match self.verdict() {
            Verdict::Fail => (share.alarm, ALARM_AT),
            Verdict::Pass | Verdict::Inconclusive => (share.evidence, PASS_AT),
        })
    }
}
