//! The PASS e-process: exact numbers, and what must hold for all counts and limits.

use crate::evidence::mixture::{RATIOS, ln_mixture};
use crate::evidence::{
    Counts, Limit, PASS_AT, clean_needed, evidence_below, shown_below, upper_bound,
};
use proptest::prelude::*;

const LARGE: u64 = 1 << 53;

fn any_limit() -> impl Strategy<Value = Limit> {
    let some = |billionths| Limit::from_billionths(billionths).expect("in the range of limits");
    prop_oneof![1..1_000u32, 1_000..1_000_000u32, 1_000_000..=500_000_000u32].prop_map(some)
}

/// Counts of every size, all bad, none bad, and in between.
fn any_counts() -> impl Strategy<Value = Counts> {
    let sized = (0..54u32).prop_flat_map(|bits| 0..=(LARGE >> (53 - bits.min(53))));
    (sized, 0..=64u32, any::<u64>()).prop_map(|(n, shift, bits)| {
        let bad = (bits & (LARGE - 1)).checked_shr(shift).unwrap_or(0);
        Counts::new(n, bad)
    })
}

#[test]
fn without_a_bad_one_these_numbers_pass_and_one_less_does_not() {
    for (billionths, n) in [(100_000, 35_575), (1_000_000, 3_556), (10_000_000, 354)] {
        let limit = Limit::from_billionths(billionths).unwrap();
        assert_eq!(clean_needed(Counts::NONE, limit), Some(n), "{limit}");
        assert!(shown_below(Counts::new(n, 0), limit), "{limit}");
        assert!(!shown_below(Counts::new(n - 1, 0), limit), "{limit}");
        assert_eq!(clean_needed(Counts::new(2_000.min(n), 0), limit), Some(n - 2_000.min(n)));
    }
}

/// `n` and `k` as in the definition, term by term and without logarithms.
#[test]
fn the_statistic_is_that_of_the_definition() {
    for (n, k, p0) in [(0, 0, 0.001), (1, 0, 0.001), (1, 1, 0.001), (500, 2, 0.01), (90, 90, 0.3)] {
        let limit = Limit::from_billionths((p0 * 1e9) as u32).unwrap();
        let one = |r: f64| {
            let bad = (r * p0 / p0).powi(k);
            bad * ((1.0 - r * p0) / (1.0 - p0)).powi(n - k)
        };
        let mean = RATIOS.map(one).iter().sum::<f64>() / 4.0;
        let counts = Counts::new(n as u64, k as u64);
        let found = evidence_below(counts, limit);
        assert!((found / mean - 1.0).abs() < 1e-9, "{n} {k} {p0}: {found} {mean}");
    }
}

#[test]
fn bad_ones_cost_thousands_of_good_ones() {
    let limit = Limit::ONE_IN_A_THOUSAND;
    let after = |k| clean_needed(Counts::new(k, k), limit).unwrap();
    let needed: Vec<u64> = (0..5).map(|k| after(k) + k).collect();
    assert_eq!(needed, [3_556, 6_492, 8_581, 10_540, 12_386]);
}

#[test]
fn a_limit_is_a_percent_between_nothing_and_half() {
    use crate::Percent;
    use crate::evidence::LimitError;
    for (percent, limit) in [
        ("0%", Err(LimitError::Zero)),
        ("0.001%", Ok("0.001%")),
        ("0.1%", Ok("0.1%")),
        ("50%", Ok("50%")),
        ("50.001%", Err(LimitError::AboveHalf)),
    ] {
        let percent: Percent = percent.parse().unwrap();
        let found = Limit::try_from(percent).map(|limit| limit.to_string());
        assert_eq!(found, limit.map(str::to_owned), "{percent}");
    }
    assert_eq!(Limit::try_from("0.1%".parse::<Percent>().unwrap()), Ok(Limit::ONE_IN_A_THOUSAND));
    assert_eq!(Limit::from_billionths(0), None);
    assert_eq!(Limit::from_billionths(500_000_001), None);
    assert_eq!(Limit::from_billionths(1).unwrap().to_string(), "0.0000001%");
}

proptest! {
    #[test]
    fn nothing_is_ever_not_a_number(counts in any_counts(), limit in any_limit()) {
        let evidence = evidence_below(counts, limit);
        prop_assert!(evidence.is_finite() && evidence >= 0.0);
        let bound = upper_bound(counts);
        prop_assert!(bound > 0.0 && bound <= 1.0);
        prop_assert!(!ln_mixture(counts, limit.fraction(), &RATIOS).is_nan());
    }

    #[test]
    fn good_ones_raise_it_and_bad_ones_lower_it(
        counts in any_counts(), limit in any_limit(), more in 1..1_000_000u64,
    ) {
        let of = |counts| ln_mixture(counts, limit.fraction(), &RATIOS);
        let slack = 1e-9 * of(counts).abs().max(1.0);
        prop_assert!(of(counts + Counts::new(more, 0)) >= of(counts) - slack);
        prop_assert!(of(counts + Counts::new(more, more)) <= of(counts) + slack);
        prop_assert!(upper_bound(counts + Counts::new(more, 0)) <= upper_bound(counts) + 1e-12);
    }

    #[test]
    fn needed_is_exact(counts in any_counts(), limit in any_limit()) {
        match clean_needed(counts, limit) {
            Some(0) => prop_assert!(shown_below(counts, limit)),
            Some(more) => {
                prop_assert!(shown_below(counts + Counts::new(more, 0), limit));
                prop_assert!(!shown_below(counts + Counts::new(more - 1, 0), limit));
            }
            None => {
                let all = Counts::new(u64::MAX / 2, 0);
                prop_assert!(!shown_below(counts + all, limit));
            }
        }
    }

    #[test]
    fn the_bound_is_below_the_limit_exactly_when_it_passes(
        counts in any_counts(), limit in any_limit(),
    ) {
        let (bound, p0) = (upper_bound(counts), limit.fraction());
        // At the very bound, rounding decides.
        prop_assume!((bound / p0 - 1.0).abs() > 1e-9);
        prop_assert_eq!(bound < p0, evidence_below(counts, limit) >= PASS_AT);
    }

    #[test]
    fn counts_never_have_more_bad_ones_than_observations(n: u64, k: u64, m: u64, l: u64) {
        let sum = Counts::new(n, k) + Counts::new(m, l);
        prop_assert!(sum.bad() <= sum.n());
        prop_assert_eq!(sum.good() + sum.bad(), sum.n());
        prop_assert!((0.0..=1.0).contains(&sum.share()));
    }
}
