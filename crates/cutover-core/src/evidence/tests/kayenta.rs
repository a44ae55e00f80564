//! Series that a judge by ranks calls good, and that must be called bad: spinnaker/kayenta issues
//! 780, 426 and 799. A point there stands for what a service did in some interval; here for the
//! requests of that interval.

use crate::evidence::{
    Batch, Counts, Epoch, Evidence, Gate, Limits, Look, Slowness, TooFewControl, Verdict, Why,
};

const START: u64 = 1_800_000_000_000;
/// Seven of ten points at 100 against a control of ones.
const ISSUE_780: [u64; 10] = [100, 100, 100, 100, 100, 100, 100, 1, 1, 1];
/// A metric that is usually nothing, against a control of nothing.
const ISSUE_426: [u64; 6] = [0, 1, 2, 1, 0, 0];

fn evidence() -> Evidence {
    Evidence::new(Epoch(1), Limits::default(), START)
}

/// Errors per interval of so many requests, one interval a minute.
fn by_errors(points: &[u64], requests: u64, old: &[u64]) -> Evidence {
    let mut evidence = evidence();
    for (minute, errors) in (0..).zip(points) {
        let old = old.get(minute as usize).map_or(Counts::NONE, |bad| Counts::new(requests, *bad));
        let errors = Counts::new(requests, *errors);
        evidence.record(&Batch { errors, old, ..Batch::default() }, START + minute * 60_000);
    }
    evidence
}

fn answer(evidence: &Evidence, gate: Gate) -> (Verdict, Why) {
    let answer = evidence.answer(gate, &Look { now_ms: START + 600_000, ..Look::default() });
    (answer.verdict(), answer.why)
}

#[test]
fn seven_of_ten_at_a_hundred_are_errors() {
    for requests in [100, 1_000, 10_000] {
        let evidence = by_errors(&ISSUE_780, requests, &[1; 10]);
        assert_eq!(answer(&evidence, Gate::Errors).0, Verdict::Fail, "{requests}");
    }
}

#[test]
fn seven_of_ten_at_a_hundred_are_slow() {
    let mut evidence = evidence();
    // In milliseconds: a hundred requests a point.
    let bar = evidence.set_bar(&[(1_000, 1_000)]).unwrap();
    for point in ISSUE_780 {
        let mut times = Slowness::default();
        (0..100).for_each(|_| times.count(&bar, point * 1_000));
        evidence.record_times(&bar, times, START);
    }
    assert_eq!(answer(&evidence, Gate::Latency), (Verdict::Fail, Why::Alarm));
}

#[test]
fn a_few_errors_where_there_never_were_any_are_bad() {
    for requests in 2..=600 {
        let evidence = by_errors(&ISSUE_426, requests, &[0; 6]);
        let (verdict, why) = answer(&evidence, Gate::Errors);
        let paused = matches!(why, Why::Precaution(_));
        assert!(verdict == Verdict::Fail || paused, "{requests}: {why:?}");
    }
}

#[test]
fn without_a_control_the_limit_still_stands() {
    // The metric of the experiment alone, about two in every interval.
    let evidence = by_errors(&[2, 2, 2, 2, 3, 3, 3, 3], 100, &[]);
    assert_eq!(answer(&evidence, Gate::Errors).0, Verdict::Fail);
    // What can only be said beside a control is not said, and never a pass.
    let nothing = TooFewControl { have: 0, need: 1_000 };
    let latency = answer(&evidence, Gate::Latency);
    assert_eq!(latency, (Verdict::Inconclusive, Why::NoControl(nothing)));
}

#[test]
fn identical_series_are_not_bad() {
    let evidence = by_errors(&[0; 10], 1_000, &[0; 10]);
    assert_eq!(answer(&evidence, Gate::Errors), (Verdict::Pass, Why::Within));
}

/// A thousandth of the traffic on `new`: the share counts, not the number beside `old`'s.
#[test]
fn lopsided_sides_are_judged_by_their_shares() {
    let judge = |errors: Counts, old: Counts| {
        let mut evidence = evidence();
        evidence.record(&Batch { errors, old, ..Batch::default() }, START + 600_000);
        answer(&evidence, Gate::Errors)
    };
    let old = Counts::new(10_000_000, 5_000);
    let (verdict, _) = judge(Counts::new(10_000, 100), old);
    assert_eq!(verdict, Verdict::Fail);
    assert_eq!(judge(Counts::new(10_000, 0), old), (Verdict::Pass, Why::Within));
    assert_eq!(judge(Counts::new(10, 0), old), (Verdict::Inconclusive, Why::TooFew));
    assert_eq!(judge(Counts::new(10, 1), old), (Verdict::Inconclusive, Why::TooFew));
}
