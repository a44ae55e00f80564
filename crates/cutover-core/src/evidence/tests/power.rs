//! Fixed-sample bounds against published tables, and the distribution they stand on.

use crate::evidence::binomial::{at_most, mass, ranks_of_p99};
use crate::evidence::power::{
    Confidence, OneShot, Takes, Truth, gate_takes, lower, one_shot, samples_needed, upper,
};
use crate::evidence::{Counts, Limit};
use Confidence::{P95, P99};
use proptest::prelude::*;

fn limit(percent: &str) -> Limit {
    Limit::try_from(percent.parse::<crate::Percent>().unwrap()).unwrap()
}

#[test]
fn samples_needed_are_those_of_the_table() {
    // Allowed bad ones; then for 0.01 %, 0.1 % and 1 %: at 95 % and at 99 %.
    for (allowed, needed) in [
        (0, [29_956, 46_050, 2_995, 4_603, 299, 459]),
        (1, [47_437, 66_381, 4_742, 6_636, 473, 662]),
        (2, [62_956, 84_057, 6_294, 8_403, 628, 838]),
        (3, [77_535, 100_448, 7_752, 10_042, 773, 1_001]),
        (5, [105_128, 131_081, 10_511, 13_105, 1_049, 1_307]),
        (10, [169_619, 201_442, 16_959, 20_140, 1_693, 2_010]),
        (20, [290_616, 331_025, 29_058, 33_097, 2_902, 3_304]),
    ] {
        let columns = ["0.01%", "0.1%", "1%"].iter().flat_map(|at| [(at, P95), (at, P99)]);
        for ((at, sure), needed) in columns.zip(needed) {
            assert_eq!(samples_needed(allowed, limit(at), sure), needed, "{allowed} {at} {sure:?}");
        }
    }
}

#[test]
fn one_shot_designs_are_those_of_the_table() {
    for (at, truth, at_95, at_99) in [
        ("0.01%", 1e-5, (47_437, 1), Some((84_057, 2))),
        ("0.01%", 2.5e-5, (91_533, 4), Some((145_702, 6))),
        ("0.01%", 5e-5, (254_989, 17), Some((393_072, 25))),
        ("0.1%", 1e-4, (4_742, 1), None),
        ("0.1%", 2.5e-4, (9_151, 4), None),
        ("0.1%", 5e-4, (25_495, 17), None),
        ("1%", 1e-3, (473, 1), None),
        ("1%", 2.5e-3, (913, 4), None),
        ("1%", 5e-3, (2_546, 17), None),
    ] {
        let shot = |(n, allowed)| OneShot { n, allowed };
        assert_eq!(one_shot(limit(at), truth, P95, 0.9), Some(shot(at_95)), "{at} {truth}");
        let Some(at_99) = at_99 else { continue };
        assert_eq!(one_shot(limit(at), truth, P99, 0.9), Some(shot(at_99)), "{at} {truth}");
    }
    assert_eq!(one_shot(limit("1%"), 0.01, P95, 0.9), None);
    assert_eq!(one_shot(limit("1%"), f64::NAN, P95, 0.9), None);
}

/// Clopper and Pearson, from the quantiles of the beta distribution as printed by R's `binom.test`.
#[test]
fn bounds_are_those_of_clopper_and_pearson() {
    let close =
        |found: f64, right: f64| assert!((found / right - 1.0).abs() < 2e-4, "{found} {right}");
    // One-sided 95 %: the rule of three, and 1 - 0.05^(1/10).
    close(upper(Counts::new(1_000, 0), P95), 0.002_991_2);
    close(upper(Counts::new(10, 0), P95), 0.258_866);
    close(lower(Counts::new(10, 10), P95), 0.741_134);
    close(lower(Counts::new(20, 1), P95), 0.002_561_4);
    assert_eq!(upper(Counts::new(7, 7), P95), 1.0);
    assert_eq!(lower(Counts::new(7, 0), P99), 0.0);
    assert_eq!(upper(Counts::NONE, P95), 1.0);
    // With exactly the samples needed the bound reaches the limit, with one less it does not.
    for allowed in [0, 3, 20] {
        let n = samples_needed(allowed, limit("0.1%"), P95);
        let bound = |n| upper(Counts::new(n, allowed.into()), P95);
        assert!(bound(n) <= 0.001 && bound(n - 1) > 0.001, "{allowed}");
    }
}

#[test]
fn chances_are_those_of_the_definition() {
    // Pascal's triangle, row 20.
    let mut row = vec![1.0f64];
    for _ in 0..20 {
        let next = row.windows(2).map(|pair| pair[0] + pair[1]);
        row = [1.0].into_iter().chain(next).chain([1.0]).collect();
    }
    for p in [0.001f64, 0.3, 0.5, 0.97] {
        let mut sum = 0.0;
        for (k, ways) in row.iter().enumerate() {
            let right = ways * p.powi(k as i32) * (1.0 - p).powi(20 - k as i32);
            sum += right;
            assert!((mass(k as u64, 20, p) / right - 1.0).abs() < 1e-12, "{k} {p}");
            assert!((at_most(k as u64, 20, p) - sum).abs() < 1e-12, "{k} {p}");
        }
    }
    assert_eq!(mass(21, 20, 0.5), 0.0);
    assert_eq!((mass(0, 5, 0.0), mass(5, 5, 1.0), mass(1, 5, 0.0)), (1.0, 1.0, 0.0));
}

#[test]
fn order_statistics_hold_the_percentile() {
    // 299 values are the fewest of which the largest is above the 99th percentile, 95 % of the
    // time.
    assert!(at_most(298, 299, 0.99) >= 0.95 && at_most(297, 298, 0.99) < 0.95);
    for n in [1, 2, 50, 298, 299, 1_000, 10_000, 1_000_000, 1 << 40, 1 << 53] {
        let (lower, upper) = ranks_of_p99(n);
        assert!(1 <= lower && lower <= upper && upper <= n, "{n}: {lower} {upper}");
        if n <= 1_000_000 {
            // At most `lower - 1` values below the percentile is rare, and so is `upper` or more.
            assert!(at_most(lower - 1, n, 0.99) <= 0.05, "{n}: {lower}");
            assert!(lower == n || at_most(lower, n, 0.99) > 0.05, "{n}: {lower}");
        }
        if (299..=1_000_000).contains(&n) {
            assert!(1.0 - at_most(upper - 1, n, 0.99) <= 0.05, "{n}: {upper}");
            assert!(1.0 - at_most(upper - 2, n, 0.99) > 0.05, "{n}: {upper}");
        }
    }
    assert_eq!(ranks_of_p99(1_000), (985, 996));
}

#[test]
fn a_gate_takes_longer_the_nearer_the_truth_is_to_its_limit() {
    let takes = |truth| gate_takes(Limit::ONE_IN_A_THOUSAND, truth);
    assert_eq!(takes(Truth::Nothing), Takes { median: 3_556, nine_in_ten: 3_556 });
    let medians = [Truth::Nothing, Truth::Tenth, Truth::Quarter, Truth::Half].map(takes);
    assert!(medians.windows(2).all(|pair| pair[0].nine_in_ten < pair[1].nine_in_ten));
}

proptest! {
    #[test]
    fn bounds_hold_the_share_and_are_shares(n in 0..=1u64 << 53, bits: u64, shift in 0..60u32) {
        let counts = Counts::new(n, (bits >> 11) >> shift);
        for sure in [P95, P99] {
            let (low, high) = (lower(counts, sure), upper(counts, sure));
            prop_assert!(0.0 <= low && low <= counts.share() + 1e-12);
            prop_assert!(counts.share() <= high + 1e-12 && high <= 1.0);
        }
    }

    #[test]
    fn at_most_grows_with_its_number(n in 1..100_000u64, k in 0..1_000u64, p in 0.0..=1.0f64) {
        let (here, next) = (at_most(k, n, p), at_most(k + 1, n, p));
        prop_assert!((0.0..=1.0).contains(&here) && here <= next + 1e-12);
    }
}
