//! The PASS side: an e-process that shows a share of bad observations to be below a limit, however
//! often one looks.
//!
//! For a limit `p0`, `E = mean over r of ((r·p0)/p0)^k · ((1 - r·p0)/(1 - p0))^(n-k)` with r in {0,
//! 0.1, 0.25, 0.5}: how much better than the limit the observations fit a share that is nothing, a
//! tenth, a quarter or half of it. If the share really is `p0` or more, `E` ever reaches 20 with a
//! chance of at most 1 in 20 (Ville), over all looks together. `E` depends on the two counts alone,
//! so there is nothing to keep but them. All sums are of logarithms.

use super::{Counts, Limit};

/// What `E` must reach: one over the risk of 5 % that is accepted.
pub const PASS_AT: f64 = 20.0;

/// Shares of the limit that the observations are compared with.
pub(super) const RATIOS: [f64; 4] = [0.0, 0.1, 0.25, 0.5];
/// Largest value told to people; beyond it only the size would be remarkable.
const LARGEST_TOLD: f64 = 1e12;

/// `E`: 1 before anything was observed, [`PASS_AT`] or more when the share is shown to be below the
/// limit.
pub fn evidence_below(counts: Counts, limit: Limit) -> f64 {
    ln_mixture(counts, limit.fraction(), &RATIOS).exp().min(LARGEST_TOLD)
}

/// Is the share of bad ones shown to be below the limit?
pub fn shown_below(counts: Counts, limit: Limit) -> bool {
    ln_mixture(counts, limit.fraction(), &RATIOS) >= PASS_AT.ln()
}

/// How many more good observations, without a bad one in between, show the share to be below the
/// limit: exactly, 0 if it is shown already, `None` if a `u64` cannot say.
pub fn clean_needed(counts: Counts, limit: Limit) -> Option<u64> {
    clean_until(counts, limit, PASS_AT)
}

/// The same for another threshold than [`PASS_AT`].
pub(super) fn clean_until(counts: Counts, limit: Limit, threshold: f64) -> Option<u64> {
    let (p0, wanted) = (limit.fraction(), threshold.ln());
    let enough = |more| ln_mixture(counts + Counts::new(more, 0), p0, &RATIOS) >= wanted;
    if enough(0) {
        return Some(0);
    }
    // Good ones only ever raise E: double until it is enough, then halve the interval.
    let mut few = 0u64;
    let mut many = 1u64;
    while !enough(many) {
        few = many;
        many = many.checked_mul(2).filter(|many| many.checked_add(counts.n()).is_some())?;
    }
    while many - few > 1 {
        let middle = few + (many - few) / 2;
        if enough(middle) { many = middle } else { few = middle }
    }
    Some(many)
}

/// The smallest limit that the observations show the share to be below; 1 if they show nothing. It
/// is an upper bound at 95 %, valid over all looks together, and at most the limit exactly when
/// [`shown_below`] says so.
pub fn upper_bound(counts: Counts) -> f64 {
    let shown = |ln_p0: f64| ln_mixture(counts, ln_p0.exp(), &RATIOS) >= PASS_AT.ln();
    // Between 2^-64 and nearly all: in logarithms, because bounds are small.
    let (mut below, mut above) = (-45.0, -1e-12);
    if !shown(above) {
        return 1.0;
    }
    for _ in 0..64 {
        let middle = (below + above) / 2.0;
        if shown(middle) { above = middle } else { below = middle }
    }
    above.exp()
}

/// ln of the mean over `ratios` of the likelihood of the counts at `ratio * p0` over that at `p0`.
pub(super) fn ln_mixture(counts: Counts, p0: f64, ratios: &[f64]) -> f64 {
    let (good, bad) = (counts.good() as f64, counts.bad() as f64);
    let ln_one = |ratio: f64| {
        // Nothing bad observed says nothing about ln 0, which would turn 0 · ln 0 into a NaN.
        let of_bad = if bad == 0.0 { 0.0 } else { bad * ratio.ln() };
        of_bad + good * ln_good(ratio, p0)
    };
    ln_mean_exp(ratios.iter().map(|ratio| ln_one(*ratio)))
}

/// What one good observation adds to a logarithm: `ln((1 - ratio·p0) / (1 - p0))`.
pub(super) fn ln_good(ratio: f64, p0: f64) -> f64 {
    (-ratio * p0).ln_1p() - (-p0).ln_1p()
}

/// ln of the mean of the exponentials, without ever leaving the range of a float.
pub(super) fn ln_mean_exp(logarithms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logarithms.clone().fold(f64::NEG_INFINITY, f64::max);
    let (sum, count) = logarithms.fold((0.0, 0.0), |(sum, count), ln| {
        let part: f64 = ln - largest;
        (sum + part.exp(), count + 1.0)
    });
    largest + (sum / count).ln()
}
