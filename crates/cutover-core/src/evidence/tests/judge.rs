//! What gates answer: each reason, and which outranks which.

use crate::evidence::{
    Batch, Counts, Coverage, Epoch, Evidence, Gate, Limits, Look, RouteClass, Verdict, Why,
};
use std::time::Duration;

const SECOND: u64 = 1_000;
const DAY: u64 = 24 * 3_600 * SECOND;
const START: u64 = 1_800_000_000_000;

fn evidence() -> Evidence {
    Evidence::new(Epoch(1), Limits::default(), START)
}

fn with(batch: Batch) -> Evidence {
    let mut evidence = evidence();
    evidence.record(&batch, START);
    evidence
}

fn at(now_ms: u64) -> Look<'static> {
    Look { now_ms, ..Look::default() }
}

fn why(evidence: &Evidence, gate: Gate) -> Why {
    evidence.answer(gate, &at(START)).why
}

fn counts(n: u64, k: u64) -> Counts {
    Counts::new(n, k)
}

#[test]
fn nothing_measured_never_passes() {
    let evidence = evidence();
    for gate in Gate::ALL {
        let answer = evidence.answer(gate, &at(START));
        assert_eq!(answer.verdict(), Verdict::Inconclusive, "{answer}");
        assert_eq!(answer.value(), None, "{answer}");
        assert_eq!(answer.samples(), 0, "{answer}");
        assert!(answer.threshold() > 0.0, "{answer}");
    }
    assert_eq!((evidence.failed().count(), evidence.precautions(START).count()), (0, 0));
}

#[test]
fn enough_clean_ones_pass_and_one_less_does_not() {
    let errors = |n, k| with(Batch { errors: counts(n, k), ..Batch::default() });
    assert_eq!(why(&errors(3_556, 0), Gate::Errors), Why::Within);
    let short = errors(3_555, 0);
    let answer = short.answer(Gate::Errors, &at(START));
    let share = answer.share().unwrap();
    assert_eq!((answer.why, share.clean_needed), (Why::TooFew, Some(1)));
    // A pass can be seen in every number beside it.
    let answer = errors(3_556, 0).answer(Gate::Errors, &at(START));
    let (statistic, needed) = answer.statistic().unwrap();
    assert!(statistic >= needed && answer.value().unwrap() <= answer.threshold(), "{answer}");
}

#[test]
fn each_share_fails_by_itself() {
    let bad = counts(1_000, 30);
    for (gate, batch) in [
        (Gate::Errors, Batch { errors: bad, ..Batch::default() }),
        (Gate::Fallbacks, Batch { fallbacks: bad, ..Batch::default() }),
        (Gate::Mismatch, Batch { mismatches: bad, ..Batch::default() }),
    ] {
        let evidence = with(batch);
        assert_eq!(why(&evidence, gate), Why::Alarm, "{gate:?}");
        assert_eq!(evidence.failed().collect::<Vec<_>>(), [gate]);
        let (statistic, needed) = evidence.answer(gate, &at(START)).statistic().unwrap();
        assert!(statistic >= needed && needed == 10_000.0);
    }
}

#[test]
fn fail_outranks_what_was_good_for_long_and_stays() {
    let mut evidence = with(Batch { mismatches: counts(1_000_000, 0), ..Batch::default() });
    assert_eq!(why(&evidence, Gate::Mismatch), Why::Within);
    for second in 1..=20 {
        let batch = Batch { mismatches: counts(100, 1), ..Batch::default() };
        evidence.record(&batch, START + second * SECOND);
    }
    assert_eq!(why(&evidence, Gate::Mismatch), Why::Alarm);
    evidence.record(&Batch { mismatches: counts(9_000_000, 0), ..Batch::default() }, START + DAY);
    assert_eq!(evidence.answer(Gate::Mismatch, &at(START + DAY)).why, Why::Alarm);
    // A new epoch takes it back.
    let retried = Evidence::new(Epoch(2), *evidence.limits(), START + DAY);
    assert_eq!(why(&retried, Gate::Mismatch), Why::Missing);
}

#[test]
fn three_in_an_hour_call_for_a_pause_until_the_hour_is_over() {
    let mut evidence = evidence();
    let minute = |at: u64| START + at * 60 * SECOND;
    for at in 0..3 {
        let batch = Batch { mismatches: counts(300, 1), ..Batch::default() };
        evidence.record(&batch, minute(15 * at));
    }
    let answer = evidence.answer(Gate::Mismatch, &at(minute(31)));
    assert_eq!(answer.why, Why::Precaution(counts(900, 3)));
    assert_eq!(answer.verdict(), Verdict::Inconclusive);
    assert_eq!(evidence.precautions(minute(31)).collect::<Vec<_>>(), [Gate::Mismatch]);
    assert_eq!(evidence.failed().count(), 0);
    assert_eq!(evidence.precautions(minute(66)).count(), 0);
    // Three of many are below the limit: no reason to pause.
    let many = with(Batch { mismatches: counts(30_000, 3), ..Batch::default() });
    assert_eq!(why(&many, Gate::Mismatch), Why::Within);
}

#[test]
fn a_limit_that_old_itself_exceeds_is_no_measure() {
    let clean = Batch { errors: counts(5_000, 0), ..Batch::default() };
    let old = counts(10_000, 20);
    assert_eq!(why(&with(Batch { old, ..clean }), Gate::Errors), Why::BaselineAbove(old));
    assert_eq!(why(&with(Batch { old: counts(10, 2), ..clean }), Gate::Errors), Why::Within);
    // Without a control the limit stands alone.
    assert_eq!(why(&with(clean), Gate::Errors), Why::Within);
    // A fault of `new` is a fault, whatever `old` does.
    let bad = Batch { errors: counts(1_000, 30), old, ..Batch::default() };
    assert_eq!(why(&with(bad), Gate::Errors), Why::Alarm);
}

#[test]
fn comparisons_with_many_copies_shed_prove_faults_only() {
    let clean =
        Batch { mismatches: counts(5_000, 0), copies: counts(10_000, 501), ..Batch::default() };
    assert_eq!(why(&with(clean), Gate::Mismatch), Why::Biased(counts(10_000, 501)));
    assert_eq!(why(&with(clean), Gate::Mirror), Why::Outside);
    let fair = Batch { copies: counts(10_000, 500), ..clean };
    assert_eq!(why(&with(fair), Gate::Mismatch), Why::Within);
    assert_eq!(why(&with(fair), Gate::Mirror), Why::Within);
    let bad = Batch { mismatches: counts(1_000, 30), ..clean };
    assert_eq!(why(&with(bad), Gate::Mismatch), Why::Alarm);
}

#[test]
fn evidence_that_stopped_arriving_is_inconclusive() {
    let mut evidence = with(Batch { errors: counts(5_000, 0), ..Batch::default() });
    let look = |now_ms| Look { now_ms, ..Look::default() };
    let ask = |evidence: &Evidence, gate, now_ms| evidence.answer(gate, &look(now_ms)).why;
    assert_eq!(ask(&evidence, Gate::Freshness, START + 15 * SECOND), Why::Within);
    assert_eq!(ask(&evidence, Gate::Freshness, START + 16 * SECOND), Why::Outside);
    // The heart beats, but nobody calls.
    evidence.record(&Batch::default(), START + 299 * SECOND);
    assert_eq!(ask(&evidence, Gate::Freshness, START + 300 * SECOND), Why::Within);
    assert_eq!(ask(&evidence, Gate::Freshness, START + 301 * SECOND), Why::Outside);
    assert_eq!(ask(&evidence, Gate::Errors, START + 300 * SECOND), Why::Within);
    let stale = Why::Stale(Duration::from_secs(301));
    assert_eq!(ask(&evidence, Gate::Errors, START + 301 * SECOND), stale);
    // Counting that never found a request is not freshness either.
    let mut idle = self::evidence();
    idle.record(&Batch::default(), START);
    assert_eq!(ask(&idle, Gate::Freshness, START), Why::Missing);
}

#[test]
fn a_drill_is_good_for_a_week() {
    let evidence = evidence();
    let ask = |drilled_ms, now_ms| {
        evidence.answer(Gate::Drill, &Look { now_ms, drilled_ms, ..Look::default() }).why
    };
    assert_eq!(ask(None, START), Why::Missing);
    assert_eq!(ask(Some(START), START + 7 * DAY), Why::Within);
    assert_eq!(ask(Some(START), START + 7 * DAY + 1), Why::Outside);
    // A clock put back makes nothing old.
    assert_eq!(ask(Some(START), START - DAY), Why::Within);
}

#[test]
fn coverage_counts_traffic_and_critical_classes() {
    let class = |name, seen, compared| RouteClass { name, seen, compared, critical: false };
    let critical = |name, seen, compared| RouteClass { name, seen, compared, critical: true };
    let evidence = evidence();
    let ask = |classes: &[RouteClass<'_>]| {
        let coverage: Coverage = classes.iter().copied().collect();
        let look = Look { now_ms: START, coverage: Some(&coverage), ..Look::default() };
        (evidence.answer(Gate::Coverage, &look).why, coverage.missing().map(str::to_owned))
    };
    let get = class("GET /orders", 950, 7);
    assert_eq!(ask(&[]), (Why::Missing, None));
    assert_eq!(ask(&[class("GET /never", 0, 0)]), (Why::Missing, None));
    assert_eq!(
        ask(&[get, class("HEAD /orders", 50, 0)]),
        (Why::Within, Some("HEAD /orders".into()))
    );
    assert_eq!(ask(&[get, class("HEAD /orders", 51, 0)]).0, Why::Outside);
    // A critical class holds even when nobody has asked for it yet, and is named first.
    let missing = ask(&[get, class("HEAD /orders", 20, 0), critical("GET /orders/{id}", 0, 0)]);
    assert_eq!(missing, (Why::Outside, Some("GET /orders/{id}".into())));
    assert_eq!(ask(&[get, critical("GET /orders/{id}", 1, 1)]), (Why::Within, None));
}

#[test]
fn gates_are_answered_in_the_order_asked() {
    let evidence = evidence();
    let gates = [Gate::Drill, Gate::Errors];
    let look = at(START);
    let answers: Vec<Gate> = evidence.answers(&gates, &look).map(|answer| answer.gate).collect();
    assert_eq!(answers, gates);
    let mut names: Vec<&str> = Gate::ALL.map(Gate::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Gate::ALL.len());
}
