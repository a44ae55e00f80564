//! Cohorts as a statistician sees them: even, monotone, and independent of each other. Fixed seeds,
//! printed.

#![expect(clippy::print_stdout, reason = "seeds and p-values are printed, to be seen on failure")]

use cutover_core::{Bucketing, Percent, Salt};

/// SplitMix64: keys that are the same on every run.
struct Keys(u64);

impl Keys {
    fn new(seed: u64) -> Self {
        println!("seed {seed:#x}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Sum of (observed - expected)² / expected.
fn chi_square(observed: &[u64], expected: &[f64]) -> f64 {
    observed.iter().zip(expected).map(|(o, e)| (*o as f64 - e).powi(2) / e).sum()
}

/// The chance of a statistic at least this large: the upper regularised incomplete gamma function
/// Q(df/2, x/2), by its series below the mean and by Lentz's continued fraction above.
fn p_value(statistic: f64, degrees: f64) -> f64 {
    let (a, x) = (degrees / 2.0, statistic / 2.0);
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-15 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - sum * scale;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for i in 1..10_000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction * scale
}

/// Lanczos' approximation with g = 7.
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let t = x + 7.5;
    let sum = (1..9).fold(C[0], |sum, i| sum + C[i] / (x + i as f64));
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[test]
fn p_values_are_those_of_the_tables() {
    for (statistic, degrees, p) in [
        (3.841, 1.0, 0.05),
        (6.635, 1.0, 0.01),
        (10.828, 1.0, 0.001),
        (18.307, 10.0, 0.05),
        (124.342, 100.0, 0.05),
        (149.449, 100.0, 0.001),
        (99.334, 100.0, 0.5),
    ] {
        assert!((p_value(statistic, degrees) - p).abs() < p * 1e-3, "{statistic} at {degrees}");
    }
}

/// Ids as they occur: numbers counted up, random numbers in hex, addresses.
fn key(kind: usize, n: u64, keys: &mut Keys) -> String {
    match kind {
        0 => format!("{n}"),
        1 => format!("{:016x}", keys.next()),
        _ => format!("user-{n}@example.com"),
    }
}

#[test]
fn a_million_users_spread_evenly() {
    let mut keys = Keys::new(0xc0ffee);
    for kind in 0..3 {
        for bucketing in Bucketing::ALL {
            let salt = Salt::with_bucketing("profile", bucketing);
            let mut cells = [0u64; 100];
            for n in 0..1_000_000 {
                let bucket = salt.bucket(key(kind, n, &mut keys).as_bytes());
                cells[bucket.number() as usize / 1_000] += 1;
            }
            let p = p_value(chi_square(&cells, &[10_000.0; 100]), 99.0);
            println!("{} kind {kind}: p = {p:.4}", bucketing.name());
            assert!(p > 0.001, "{} kind {kind}: p = {p}", bucketing.name());
        }
    }
}

#[test]
fn a_small_percent_is_exact_enough() {
    let salt = Salt::new("profile");
    let users = 1_000_000u32;
    for percent in ["0.01%", "0.1%", "1%", "5%", "50%"] {
        let share: Percent = percent.parse().expect("a percent");
        let inside =
            (0..users).filter(|n| share.admits(salt.bucket(format!("user-{n}").as_bytes())));
        let inside = inside.count() as u64;
        let expected = f64::from(users) * f64::from(share.thousandths()) / 100_000.0;
        let outside = u64::from(users) - inside;
        let expected = [expected, f64::from(users) - expected];
        let p = p_value(chi_square(&[inside, outside], &expected), 1.0);
        assert!(p > 0.001, "{percent}: {inside} users, p = {p}");
    }
}

#[test]
fn a_ramp_only_adds_users_and_back_only_removes_them() {
    let mut keys = Keys::new(0xadd);
    for bucketing in Bucketing::ALL {
        let salt = Salt::with_bucketing("profile", bucketing);
        let buckets: Vec<_> =
            (0..10_000).map(|n| salt.bucket(key(1, n, &mut keys).as_bytes())).collect();
        let cohort = |percent: &str| -> Vec<bool> {
            let percent: Percent = percent.parse().expect("a percent");
            buckets.iter().map(|bucket| percent.admits(*bucket)).collect()
        };
        let ramp =
            ["0", "0.001", "0.5", "1", "5", "5.001", "20", "50", "99.999", "100"].map(cohort);
        for (before, after) in ramp.iter().zip(&ramp[1..]) {
            assert!(before.iter().zip(after).all(|(before, after)| !before | after));
        }
        assert!(ramp[0].iter().all(|inside| !inside) && ramp[9].iter().all(|inside| *inside));
    }
}

/// Being in one migration's cohort says nothing about being in another's.
#[test]
fn two_migrations_have_independent_cohorts() {
    let mut keys = Keys::new(0x2b2);
    for bucketing in [Bucketing::Cutover1, Bucketing::FlagdV2, Bucketing::Unleash] {
        for (a, b) in [("profile", "basket"), ("profile", "profile2"), ("m-1", "m-2"), ("a", "ab")]
        {
            let salts = [a, b].map(|salt| Salt::with_bucketing(salt, bucketing));
            let share = Percent::from_thousandths(20_000);
            let mut cells = [0u64; 4];
            for n in 0..200_000 {
                let key = key(1, n, &mut keys);
                let [a, b] = [0, 1].map(|at: usize| share.admits(salts[at].bucket(key.as_bytes())));
                cells[usize::from(a) * 2 + usize::from(b)] += 1;
            }
            let sum = |at: [usize; 2]| (cells[at[0]] + cells[at[1]]) as f64;
            let (rows, columns) = ([sum([0, 1]), sum([2, 3])], [sum([0, 2]), sum([1, 3])]);
            let expected: Vec<f64> =
                (0..4).map(|at| rows[at / 2] * columns[at % 2] / 200_000.0).collect();
            let p = p_value(chi_square(&cells, &expected), 1.0);
            assert!(p > 0.001, "{} {a} and {b}: {cells:?}, p = {p}", bucketing.name());
        }
    }
}
