//! The binomial distribution, exactly: probabilities after Loader's saddle-point expansion, which
//! keeps its digits for numbers of trials at which a difference of two log-gammas has lost them;
//! sums of them outwards from where they are largest.

/// `ln(n!)` minus Stirling's formula without its correction, for small `n`.
const STIRLING_ERROR: [f64; 16] = [
    0.0,
    0.081_061_466_795_327_25,
    0.041_340_695_955_409_29,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_19,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_848,
    0.005_554_733_551_962_801,
];
/// Beyond so many trials shares of order statistics no longer move.
const MANY: u64 = 1_000_000_000;

/// The chance of exactly `k` events in `n` trials of chance `p`.
pub(super) fn mass(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return if k == certain { 1.0 } else { 0.0 };
    }
    let (x, m) = (k as f64, n as f64);
    if k == 0 {
        return (m * (-p).ln_1p()).exp();
    }
    if k == n {
        return (m * p.ln()).exp();
    }
    let rest = m - x;
    let errors = stirling_error(n) - stirling_error(k) - stirling_error(n - k);
    let ln = errors - deviance(x, m * p) - deviance(rest, m * (1.0 - p));
    let width = std::f64::consts::TAU * x * (rest / m);
    (ln - 0.5 * width.ln()).exp()
}

/// The chance of at most `k` events.
pub(super) fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    // The shorter tail is summed, from its largest term outwards, until terms no longer count.
    if k as f64 <= n as f64 * p {
        downwards(k, n, p).min(1.0)
    } else {
        (1.0 - upwards(k + 1, n, p)).clamp(0.0, 1.0)
    }
}

fn downwards(from: u64, n: u64, p: f64) -> f64 {
    let mut term = mass(from, n, p);
    let mut sum = term;
    let mut k = from;
    while k > 0 && term > sum * 1e-17 {
        term *= (k as f64 / (n - k + 1) as f64) * ((1.0 - p) / p);
        sum += term;
        k -= 1;
    }
    sum
}

fn upwards(from: u64, n: u64, p: f64) -> f64 {
    let mut term = mass(from, n, p);
    let mut sum = term;
    let mut k = from;
    while k < n && term > sum * 1e-17 {
        term *= ((n - k) as f64 / (k + 1) as f64) * (p / (1.0 - p));
        sum += term;
        k += 1;
    }
    sum
}

/// The ranks, from 1 for the smallest, of two values of a sample of `n`: with a confidence of 95 %
/// each, the 99th percentile is at least the first and at most the second. The second needs 299
/// values; with fewer it is the largest.
pub(super) fn ranks_of_p99(n: u64) -> (u64, u64) {
    const ABOVE: f64 = 0.01;
    if n > MANY {
        let (lower, upper) = ranks_of_p99(MANY);
        let scaled = |rank: u64| (u128::from(n) * u128::from(rank) / u128::from(MANY)) as u64;
        return (scaled(lower), scaled(upper));
    }
    // How many lie above the percentile is binomial; 95 % of the time at most `many`, and at least
    // `few`.
    let many = smallest(n, |k| at_most(k, n, ABOVE) >= 0.95);
    let few = smallest(n, |k| at_most(k, n, ABOVE) > 0.05);
    ((n - many).max(1), (n + 1 - few.min(n)).min(n).max(1))
}

/// The smallest number up to `largest` of which something holds that, once true, stays true.
fn smallest(largest: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut from, mut to) = (0, largest);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

fn stirling_error(n: u64) -> f64 {
    if let Some(error) = usize::try_from(n).ok().and_then(|at| STIRLING_ERROR.get(at)) {
        return *error;
    }
    let x = n as f64;
    let square = x * x;
    // The asymptotic series, whose next term is below 1e-16 from 16 on.
    (1.0 / 12.0
        - (1.0 / 360.0
            - (1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0) / square) / square) / square)
            / square)
        / x
}

/// `x·ln(x/mean) + mean - x` without loss where the two are close.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - difference;
    }
    let ratio = difference / (x + mean);
    let mut sum = difference * ratio;
    let mut term = 2.0 * x * ratio;
    for odd in (3..).step_by(2).take(1_000) {
        term *= ratio * ratio;
        let more = sum + term / f64::from(odd);
        if more == sum {
            break;
        }
        sum = more;
    }
    sum
}
