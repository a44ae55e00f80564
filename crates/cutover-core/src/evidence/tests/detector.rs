//! The FAIL e-detector: against its definition, batched and one by one, at extremes, and what an
//! alarm outlives.

use super::chance::Chance;
use crate::evidence::detector::RATIOS;
use crate::evidence::{ALARM_AT, Counts, Detector, Limit};
use proptest::prelude::*;

const GOOD: Counts = Counts::new(1, 0);
const BAD: Counts = Counts::new(1, 1);

fn any_limit() -> impl Strategy<Value = Limit> {
    let some = |billionths| Limit::from_billionths(billionths).expect("in the range of limits");
    prop_oneof![1..1_000u32, 1_000..1_000_000u32, 1_000_000..=500_000_000u32].prop_map(some)
}

fn fed(limit: Limit, batches: &[Counts]) -> Detector {
    let mut detector = Detector::new(limit);
    batches.iter().for_each(|batch| detector.record(*batch));
    detector
}

/// The definition, in floats: the mean over the ratios that take part of exp(L).
fn by_definition(p0: f64, observations: &[bool]) -> f64 {
    let ratios: Vec<f64> = RATIOS.into_iter().filter(|ratio| ratio * p0 < 1.0).collect();
    let mut levels = vec![0.0f64; ratios.len()];
    for bad in observations {
        for (level, ratio) in levels.iter_mut().zip(&ratios) {
            let factor = if *bad { *ratio } else { (1.0 - ratio * p0) / (1.0 - p0) };
            *level = level.max(0.0) + factor.ln();
        }
    }
    levels.iter().map(|level| level.exp()).sum::<f64>() / ratios.len() as f64
}

#[test]
fn levels_are_those_of_the_definition() {
    for (billionths, bad) in [(1_000_000, 0.001), (10_000_000, 0.02), (40_000_000, 0.04)] {
        let limit = Limit::from_billionths(billionths).unwrap();
        let mut chance = Chance::seeded(billionths.into());
        let mut detector = Detector::new(limit);
        let mut seen = Vec::new();
        while seen.len() < 3_000 && !detector.alarmed() {
            seen.push(chance.even() < bad);
            detector.record(if seen.last() == Some(&true) { BAD } else { GOOD });
            if seen.len() % 100 == 0 {
                let (found, right) = (detector.level(), by_definition(limit.fraction(), &seen));
                assert!((found / right - 1.0).abs() < 1e-6, "{limit} {found} {right}");
            }
        }
        assert!(seen.len() > 500, "{limit}: it looked at {} only", seen.len());
    }
}

#[test]
fn ratios_that_would_exceed_one_take_no_part() {
    // 30 · 4 % is more than everything; 1.5 · 50 % is the last that is left.
    for (billionths, last) in [(40_000_000, 10.0), (500_000_000, 1.5)] {
        let limit = Limit::from_billionths(billionths).unwrap();
        let level = fed(limit, &[BAD]).level();
        let ratios: Vec<f64> = RATIOS.into_iter().take_while(|ratio| *ratio <= last).collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        assert!((level / mean - 1.0).abs() < 1e-9, "{limit}: {level} {mean}");
    }
}

#[test]
fn a_million_good_ones_hide_nothing() {
    let limit = Limit::ONE_IN_A_THOUSAND;
    let bad_until_alarm = |mut detector: Detector| {
        (1..).find(|_| {
            detector.record(BAD);
            detector.alarmed()
        })
    };
    let fresh = bad_until_alarm(Detector::new(limit));
    assert_eq!(fresh, Some(4));
    assert_eq!(bad_until_alarm(fed(limit, &[Counts::new(1_000_000, 0)])), fresh);
    assert_eq!(bad_until_alarm(fed(limit, &[Counts::new(1 << 53, 0)])), fresh);
}

#[test]
fn an_alarm_stays_whatever_comes() {
    let mut detector = fed(Limit::ONE_IN_A_THOUSAND, &[Counts::new(10, 10)]);
    assert!(detector.alarmed() && detector.level() >= ALARM_AT);
    let then = detector;
    detector.record(Counts::new(1 << 50, 0));
    assert_eq!(detector, then);
    let stored = Detector::from_parts(then.limit(), then.levels(), then.alarmed());
    assert_eq!(stored, then);
    assert!(detector.with_limit(Limit::ONE_IN_A_HUNDRED).alarmed());
}

#[test]
fn another_limit_begins_anew() {
    let one = fed(Limit::ONE_IN_A_THOUSAND, &[BAD, BAD]);
    assert_eq!(one.with_limit(Limit::ONE_IN_A_THOUSAND), one);
    let other = Limit::ONE_IN_A_HUNDRED;
    assert_eq!(one.with_limit(other), Detector::new(other));
}

proptest! {
    /// Whichever way a run of good ones is cut, the state is the same to the last bit.
    #[test]
    fn good_ones_at_once_are_good_ones_one_by_one(
        limit in any_limit(), before in 0..4usize, n in 0..2_000u64, cut in 0..2_000u64,
    ) {
        let begun = fed(limit, &vec![BAD; before]);
        let (mut once, mut cut_once, mut single) = (begun, begun, begun);
        once.record(Counts::new(n, 0));
        cut_once.record(Counts::new(cut.min(n), 0));
        cut_once.record(Counts::new(n - cut.min(n), 0));
        (0..n).for_each(|_| single.record(GOOD));
        prop_assert_eq!(once, single);
        prop_assert_eq!(once, cut_once);
    }

    /// Sequences of single observations are the definition; runs of good ones in them may be fed at
    /// once.
    #[test]
    fn runs_are_sequences(limit in any_limit(), gaps in prop::collection::vec(0..300u64, 0..20)) {
        let (mut runs, mut single) = (Detector::new(limit), Detector::new(limit));
        for gap in gaps {
            runs.record(Counts::new(gap, 0));
            runs.record(BAD);
            (0..gap).for_each(|_| single.record(GOOD));
            single.record(BAD);
            prop_assert_eq!(runs, single);
        }
    }

    /// A mixed batch never raises an alarm that its observations in their real order would not have
    /// raised.
    #[test]
    fn batches_only_ever_wait(
        limit in any_limit(), order in prop::collection::vec(prop::bool::weighted(0.1), 1..300),
        batch in 1..60usize,
    ) {
        let (mut batched, mut single) = (Detector::new(limit), Detector::new(limit));
        for observations in order.chunks(batch) {
            for bad in observations {
                single.record(if *bad { BAD } else { GOOD });
            }
            let bad = observations.iter().filter(|bad| **bad).count();
            batched.record(Counts::new(observations.len() as u64, bad as u64));
            if !single.alarmed() {
                prop_assert!(!batched.alarmed());
                let pairs = batched.levels().into_iter().zip(single.levels());
                prop_assert!(pairs.into_iter().all(|(batched, single)| batched <= single));
            }
        }
    }

    #[test]
    fn more_bad_ones_never_lower_a_level(limit in any_limit(), n in 1..10_000u64, k in 0..100u64) {
        let k = k.min(n - 1);
        let level = |k| fed(limit, &[Counts::new(n, k)]).level();
        prop_assert!(level(k + 1) >= level(k));
    }

    #[test]
    fn nothing_panics_or_is_not_a_number(
        limit in any_limit(), batches in prop::collection::vec((any::<u64>(), any::<u64>()), 1..4),
        levels: [i64; 6], alarmed: bool,
    ) {
        let batches: Vec<Counts> = batches.iter().map(|(n, k)| Counts::new(*n, *k)).collect();
        let mut detector = Detector::from_parts(limit, levels, alarmed);
        for batch in batches {
            detector.record(batch);
            prop_assert!(detector.level().is_finite() && detector.level() >= 0.0);
            prop_assert!(!detector.level().is_nan());
        }
    }
}
