//! For people's tables and for planning: how many observations a claim takes.
//!
//! These are fixed-sample bounds, exact for one look at a number of observations that was chosen
//! beforehand. Gates look all the time and use the e-process, which takes somewhat more (3,556
//! clean comparisons instead of 2,995 for 0.1 %).

use super::binomial::at_most;
use super::{Counts, Limit, clean_needed};

/// How sure a claim is, on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// 95 %.
    P95,
    /// 99 %.
    P99,
}

impl Confidence {
    /// The risk of being wrong.
    pub const fn risk(self) -> f64 {
        match self {
            Self::P95 => 0.05,
            Self::P99 => 0.01,
        }
    }
}

/// A test with one look: so many observations, of which so many may be bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OneShot {
    /// Observations.
    pub n: u64,
    /// Bad ones with which it still succeeds.
    pub allowed: u32,
}

/// Bad ones beyond which nobody plans.
const MOST_ALLOWED: u32 = 2_000;
/// Events beyond which the exact sums would be long, and the Chernoff bound is no wider than people
/// can see.
const MANY: u64 = 10_000_000;

/// The fewest observations with which `allowed` bad ones show the share to be below the limit.
pub fn samples_needed(allowed: u32, limit: Limit, sure: Confidence) -> u64 {
    let (p0, allowed) = (limit.fraction(), u64::from(allowed));
    let enough = |n: u64| at_most(allowed, n, p0) <= sure.risk();
    let (mut few, mut many) = (allowed, allowed + 1);
    while !enough(many) {
        few = many;
        many = many.saturating_mul(2);
    }
    while many - few > 1 {
        let middle = few + (many - few) / 2;
        if enough(middle) { many = middle } else { few = middle }
    }
    many
}

/// The smallest test that shows the share to be below the limit and succeeds with a chance of
/// `power` when the share really is `truth`. `None` if `truth` is too near to the limit to plan
/// for, or no smaller.
pub fn one_shot(limit: Limit, truth: f64, sure: Confidence, power: f64) -> Option<OneShot> {
    if !(0.0..limit.fraction()).contains(&truth) {
        return None;
    }
    let with = |allowed| OneShot { n: samples_needed(allowed, limit, sure), allowed };
    (0..=MOST_ALLOWED).map(with).find(|test| at_most(test.allowed.into(), test.n, truth) >= power)
}

/// Upper bound of a share (Clopper and Pearson): with no bad ones about 3 in `n` at 95 %, the rule
/// of three.
pub fn upper(counts: Counts, sure: Confidence) -> f64 {
    let (n, k) = (counts.n(), counts.bad());
    if k == n {
        return 1.0;
    }
    // The largest share with which so few bad ones are not yet too unlikely.
    bisect(counts.share(), 1.0, |p| {
        if k > MANY { chernoff(counts, p) > sure.risk() } else { at_most(k, n, p) > sure.risk() }
    })
}

/// Lower bound of a share (Clopper and Pearson).
pub fn lower(counts: Counts, sure: Confidence) -> f64 {
    let (n, k) = (counts.n(), counts.bad());
    if k == 0 {
        return 0.0;
    }
    // The largest share with which so many bad ones are still too unlikely.
    bisect(0.0, counts.share(), |p| {
        let unlikely = if k > MANY { chernoff(counts, p) } else { 1.0 - at_most(k - 1, n, p) };
        unlikely <= sure.risk()
    })
}

/// Bounds the chance of counts as far from `n·p` as these.
fn chernoff(counts: Counts, p: f64) -> f64 {
    let q = counts.share();
    let part = |q: f64, p: f64| if q > 0.0 { q * (q / p).ln() } else { 0.0 };
    (-(counts.n() as f64) * (part(q, p) + part(1.0 - q, 1.0 - p))).exp()
}

/// The point up to which something holds, between two shares.
fn bisect(from: f64, to: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut from, mut to) = (from, to);
    for _ in 0..100 {
        let middle = f64::midpoint(from, to);
        if holds(middle) { from = middle } else { to = middle }
    }
    f64::midpoint(from, to)
}

/// How bad `new` really is, for an estimate of how long a gate takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Nothing bad at all.
    Nothing,
    /// A tenth of the limit.
    Tenth,
    /// A quarter of the limit.
    Quarter,
    /// Half of the limit.
    Half,
}

/// Observations until a gate passes: half of the time, and nine times in ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Takes {
    /// Half of the time it takes at most so many.
    pub median: u64,
    /// Nine times in ten it takes at most so many.
    pub nine_in_ten: u64,
}

/// How many observations a gate takes until it passes, if `new` is so bad. Simulated; they scale
/// with the limit.
pub fn gate_takes(limit: Limit, truth: Truth) -> Takes {
    let clean = clean_needed(Counts::NONE, limit).unwrap_or(u64::MAX);
    let times = |factor: f64| (clean as f64 * factor) as u64;
    let (median, nine_in_ten) = match truth {
        Truth::Nothing => (1.0, 1.0),
        Truth::Tenth => (1.0, 2.4),
        Truth::Quarter => (1.83, 4.3),
        Truth::Half => (5.3, 13.5),
    };
    Takes { median: times(median), nine_in_ten: times(nine_in_ten) }
}
