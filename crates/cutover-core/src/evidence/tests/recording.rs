//! What evidence keeps: windows, batches, steps, epochs, and the words it is stored as.

use crate::evidence::window::Window;
use crate::evidence::{
    Batch, CONTROL_REQUESTS, Counts, Epoch, Evidence, Gate, Limit, Limits, Look, Slowness,
    Tolerance, Verdict, WordsError,
};
use proptest::prelude::*;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
/// Some Unix time.
const START: u64 = 1_800_000_000_000;

fn evidence() -> Evidence {
    Evidence::new(Epoch(1), Limits::default(), START)
}

fn errors(n: u64, k: u64) -> Batch {
    Batch { errors: Counts::new(n, k), ..Batch::default() }
}

fn verdict(evidence: &Evidence, gate: Gate, now_ms: u64) -> Verdict {
    evidence.answer(gate, &Look { now_ms, ..Look::default() }).verdict()
}

/// A control of requests that all took 10 ms.
fn control(n: u64) -> Vec<(u64, u64)> {
    vec![(10_000, n)]
}

#[test]
fn a_window_forgets_what_is_older() {
    type Slots = Window<5, 1_000>;
    let mut window = Slots::default();
    for second in 0..10 {
        window.record(Counts::new(10, second), START + second * SECOND);
    }
    // Seconds 5 to 9.
    assert_eq!(window.total(START + 9_999), Counts::new(50, 35));
    assert_eq!(window.total(START + 12_000), Counts::new(20, 17));
    assert_eq!(window.total(START + 14_000), Counts::NONE);
    assert_eq!(window.total(u64::MAX), Counts::NONE);
}

#[test]
fn a_clock_put_back_neither_loses_nor_keeps_for_ever() {
    let mut window = Window::<5, 1_000>::default();
    window.record(Counts::new(1, 1), START);
    window.record(Counts::new(1, 1), START - 2 * SECOND);
    assert_eq!(window.total(START), Counts::new(2, 2));
    window.record(Counts::new(1, 0), START - HOUR);
    assert_eq!(window.total(START - HOUR), Counts::new(1, 0));
    assert_eq!(window.total(START), Counts::NONE);
}

#[test]
fn a_rate_is_that_of_the_last_minutes() {
    let mut evidence = evidence();
    for second in 0..600 {
        evidence.record(&errors(if second < 300 { 100 } else { 10 }, 0), START + second * SECOND);
    }
    let meter = evidence.meter(Gate::Errors).unwrap();
    let per_second = meter.per_second(START + 899 * SECOND, START);
    assert!((4.9..5.1).contains(&per_second), "{per_second}");
    assert_eq!(meter.per_second(START + 2 * HOUR, START), 0.0);
}

#[test]
fn workers_batches_add_up() {
    let one = Batch {
        errors: Counts::new(10, 1),
        fallbacks: Counts::new(9, 2),
        mismatches: Counts::new(8, 3),
        old: Counts::new(7, 4),
        copies: Counts::new(6, 5),
    };
    let mut both = one;
    both += one;
    let (mut together, mut apart) = (evidence(), evidence());
    together.record(&both, START);
    apart.record(&one, START);
    apart.record(&one, START);
    for gate in [Gate::Errors, Gate::Fallbacks, Gate::Mismatch] {
        let counts = |evidence: &Evidence| evidence.meter(gate).unwrap().counts();
        assert_eq!(counts(&together), counts(&apart));
    }
    assert_eq!((together.old(), together.copies()), (apart.old(), apart.copies()));
    assert_eq!(together.copies(), Counts::new(12, 10));
}

#[test]
fn half_of_five_seconds_stops_at_once_and_is_remembered() {
    let mut evidence = evidence();
    evidence.record(&errors(1_000_000, 0), START - 10 * SECOND);
    evidence.record(&errors(19, 19), START);
    assert_eq!(evidence.answer(Gate::Errors, &Look::default()).why, crate::evidence::Why::Alarm);
    let mut slow = self::evidence();
    for second in 0..5 {
        slow.record(&errors(4, 2), START + second * SECOND);
    }
    let why = slow.answer(Gate::Errors, &Look::default()).why;
    assert_eq!(why, crate::evidence::Why::HardStop(Counts::new(20, 10)));
    slow.record(&errors(1_000_000, 0), START + 60 * SECOND);
    assert_eq!(verdict(&slow, Gate::Errors, START + 60 * SECOND), Verdict::Fail);
    assert_eq!(slow.failed().collect::<Vec<_>>(), [Gate::Errors]);
}

#[test]
fn the_hard_stop_stands_beside_a_lenient_limit() {
    let limits =
        Limits { errors: Limit::from_billionths(500_000_000).unwrap(), ..Limits::default() };
    let mut evidence = Evidence::new(Epoch(1), limits, START);
    evidence.record(&errors(19, 10), START);
    assert_eq!(evidence.failed().count(), 0);
    evidence.record(&errors(1, 0), START + SECOND);
    assert_eq!(evidence.failed().collect::<Vec<_>>(), [Gate::Errors]);
}

#[test]
fn a_step_takes_the_bar_down_and_keeps_the_rest() {
    let mut evidence = evidence();
    let too_few = evidence.set_bar(&control(CONTROL_REQUESTS - 1)).unwrap_err();
    assert_eq!((too_few.have, too_few.need), (999, 1_000));
    assert_eq!(verdict(&evidence, Gate::Latency, START), Verdict::Inconclusive);
    let bar = evidence.set_bar(&control(CONTROL_REQUESTS)).unwrap();
    assert_eq!((bar.slow_us(), bar.very_slow_us(), bar.control()), (11_000, 11_000, 1_000));
    // It stands, whatever `old` does later.
    assert_eq!(evidence.set_bar(&[(1, 1_000_000)]), Ok(bar));
    let mut times = Slowness::default();
    (0..1_000).for_each(|_| times.count(&bar, 11_000));
    evidence.record_times(&bar, times, START);
    evidence.record(&Batch { mismatches: Counts::new(4_000, 0), ..Batch::default() }, START);
    assert_eq!(verdict(&evidence, Gate::Latency, START), Verdict::Pass);

    evidence.begin_step();
    assert_eq!(evidence.bar(), None);
    assert_eq!(verdict(&evidence, Gate::Latency, START), Verdict::Inconclusive);
    assert_eq!(verdict(&evidence, Gate::Mismatch, START), Verdict::Pass);
    // Counts against the bar of the step before come too late.
    evidence.record_times(&bar, times, START);
    assert!(evidence.meter(Gate::Latency).unwrap().counts().is_empty());
}

#[test]
fn a_step_does_not_take_an_alarm_back() {
    let mut evidence = evidence();
    let bar = evidence.set_bar(&control(5_000)).unwrap();
    let mut times = Slowness::default();
    (0..50).for_each(|_| times.count(&bar, 50_000));
    evidence.record_times(&bar, times, START);
    assert_eq!(verdict(&evidence, Gate::Latency, START), Verdict::Fail);
    evidence.begin_step();
    assert_eq!(verdict(&evidence, Gate::Latency, START), Verdict::Fail);
    assert_eq!(evidence.failed().collect::<Vec<_>>(), [Gate::Latency]);
}

#[test]
fn slow_ones_keep_from_passing_and_very_slow_ones_fail() {
    let mut evidence = evidence();
    // The p99 of this control lies between 10 and 20 ms; neither is certain.
    let bar = evidence.set_bar(&[(10_000, 988), (20_000, 12)]).unwrap();
    assert_eq!((bar.slow_us(), bar.very_slow_us()), (11_000, 22_000));
    let all = |micros| {
        let mut times = Slowness::default();
        (0..2_000).for_each(|_| times.count(&bar, micros));
        let mut evidence = evidence;
        evidence.record_times(&bar, times, START);
        verdict(&evidence, Gate::Latency, START)
    };
    assert_eq!(all(11_000), Verdict::Pass);
    assert_eq!(all(11_001), Verdict::Inconclusive);
    assert_eq!(all(22_000), Verdict::Inconclusive);
    assert_eq!(all(22_001), Verdict::Fail);
}

#[test]
fn other_limits_judge_the_same_counts() {
    let mut evidence = evidence();
    evidence.record(&errors(4_000, 0), START);
    let strict = Limits { errors: Limit::ONE_IN_TEN_THOUSAND, ..Limits::default() };
    assert_eq!(verdict(&evidence, Gate::Errors, START), Verdict::Pass);
    assert_eq!(verdict(&evidence.with_limits(strict), Gate::Errors, START), Verdict::Inconclusive);
    assert_eq!(
        evidence.with_limits(strict).with_limits(Limits::default()).words().len(),
        evidence.words().len()
    );
    evidence.set_bar(&control(5_000)).unwrap();
    let slower = Tolerance::from_thousandths(2_000).unwrap();
    let slower = evidence.with_limits(Limits { latency: slower, ..Limits::default() });
    assert_eq!(slower.bar(), None);
}

fn any_batch() -> impl Strategy<Value = Batch> {
    let counts = || (0..100_000u64, 0..20u64).prop_map(|(n, k)| Counts::new(n, k));
    (counts(), counts(), counts(), counts(), counts()).prop_map(
        |(errors, fallbacks, mismatches, old, copies)| Batch {
            errors,
            fallbacks,
            mismatches,
            old,
            copies,
        },
    )
}

proptest! {
    /// Whatever is counted at whatever time: answers with finite numbers, and sentences.
    #[test]
    fn extremes_are_answered(
        numbers: [u64; 10], slow: [u64; 3], times: [u64; 3], control in 0..1u64 << 60,
    ) {
        let counts = |at: usize| Counts::new(numbers[at], numbers[at + 1]);
        let batch = Batch {
            errors: counts(0),
            fallbacks: counts(2),
            mismatches: counts(4),
            old: counts(6),
            copies: counts(8),
        };
        let mut evidence = evidence();
        evidence.record(&batch, times[0]);
        if let Ok(bar) = evidence.set_bar(&[(u64::MAX, control), (1, control)]) {
            let [n, slow, very_slow] = slow;
            evidence.record_times(&bar, Slowness { n, slow, very_slow }, times[1]);
        }
        evidence.record(&(batch + batch), times[1]);
        for gate in Gate::ALL {
            let look = Look { now_ms: times[2], drilled_ms: Some(times[0]), ..Look::default() };
            let answer = evidence.answer(gate, &look);
            let (statistic, needed) = answer.statistic().unwrap_or((0.0, 0.0));
            let numbers = [answer.value().unwrap_or(0.0), answer.threshold(), statistic, needed];
            prop_assert!(numbers.iter().all(|number| number.is_finite()), "{:?}", answer);
            prop_assert!(!answer.to_string().contains("NaN"), "{}", answer);
        }
    }

    /// Stored and read back anywhere, evidence goes on as if nothing had been.
    #[test]
    fn words_give_it_back(
        batches in prop::collection::vec((any_batch(), 0..120_000u64), 0..8),
        more in any_batch(), slow in 0..100u64, bar: bool,
    ) {
        let mut evidence = evidence();
        let mut now_ms = START;
        for (batch, later) in batches {
            now_ms += later;
            evidence.record(&batch, now_ms);
        }
        if bar {
            let bar = evidence.set_bar(&control(2_000)).unwrap();
            let times = Slowness { n: 1_000, slow: slow * 2, very_slow: slow };
            evidence.record_times(&bar, times, now_ms);
        }
        let words = evidence.words();
        let mut back = Evidence::from_words(&words, Limits::default()).unwrap();
        prop_assert_eq!(back, evidence);
        back.record(&more, now_ms);
        evidence.record(&more, now_ms);
        prop_assert_eq!(back, evidence);
    }

    /// Whatever a store gives back is refused or is evidence that works.
    #[test]
    fn spoilt_words_do_no_harm(at in 1..186usize, word: u64, cut in 0..186usize) {
        let mut words = evidence().words();
        words[at] = word;
        if let Ok(mut spoilt) = Evidence::from_words(&words, Limits::default()) {
            spoilt.record(&errors(1_000, 10), START);
            for gate in Gate::ALL {
                spoilt.answer(gate, &Look { now_ms: START, ..Look::default() }).to_string();
            }
        }
        words.truncate(cut);
        let error = Evidence::from_words(&words, Limits::default()).unwrap_err();
        prop_assert!(matches!(error, WordsError::Length | WordsError::Limit));
    }
}

/// What stands where, so that nobody changes it without another number for the layout.
#[test]
fn the_layout_is_the_one_that_is_stored_already() {
    let mut evidence = Evidence::new(Epoch(7), Limits::default(), START);
    let errors = Counts::new(100, 1);
    let copies = Counts::new(50, 2);
    evidence.record(&Batch { errors, copies, ..Batch::default() }, START + SECOND);
    evidence.record_old(77, Counts::new(9, 4), START + SECOND);
    let words = evidence.words();
    let meter = 39;
    assert_eq!(words.len(), 4 + 4 * meter + 21 + 5);
    assert_eq!(words[..4], [2, 7, START, START + SECOND]);
    // Limit, observations, bad ones, the detector's limit, its alarm; its levels; the hour; the
    // last time.
    assert_eq!(words[4..9], [1_000_000, 100, 1, 1_000_000, 0]);
    let levels = words[9..15].iter().map(|level| level.cast_signed() as f64 / (1u64 << 48) as f64);
    let right = [1.5f64, 2.0, 3.0, 5.0, 10.0, 30.0].map(|ratio| {
        let good = ((1.0 - ratio * 0.001) / (1.0 - 0.001)).ln();
        ratio.ln() + 99.0 * good
    });
    assert!(levels.zip(right).all(|(found, right)| (found - right).abs() < 1e-9));
    assert_eq!(words[15], START / 300_000);
    assert_eq!(words[4 + meter - 1], START + SECOND);
    assert_eq!(words[4 + 3 * meter], 20_000_000);
    assert_eq!(words[4 + 4 * meter + 6..][..2], [50, 2]);
    assert_eq!(words[4 + 4 * meter + 21..], [77, START + SECOND, START + SECOND, 9, 4]);
}

#[test]
fn words_without_a_baseline_are_read() {
    let mut before = evidence();
    before.record(&errors(100, 1), START + SECOND);
    let mut words = before.words();
    words.truncate(181);
    assert_eq!(Evidence::from_words(&words, Limits::default()), Err(WordsError::Length));
    words[0] = 1;
    assert_eq!(Evidence::from_words(&words, Limits::default()), Ok(before));
}

#[test]
fn words_of_another_layout_are_refused() {
    let mut words = evidence().words();
    words[0] = 3;
    let error = Evidence::from_words(&words, Limits::default()).unwrap_err();
    assert_eq!(error, WordsError::Layout(3));
    assert!(error.to_string().contains("layout 3, and this version reads layout 2"));
    words[0] = 2;
    words.push(0);
    assert_eq!(Evidence::from_words(&words, Limits::default()), Err(WordsError::Length));
    assert_eq!(Evidence::from_words(&[], Limits::default()), Err(WordsError::Length));
}
