//! What people read: each answer as a sentence.

use crate::evidence::{
    Batch, Counts, Coverage, Epoch, Evidence, Gate, Limits, Look, RouteClass, Slowness,
};

const START: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60_000;

fn counts(n: u64, k: u64) -> Counts {
    Counts::new(n, k)
}

fn with(batch: Batch) -> Evidence {
    let mut evidence = Evidence::new(Epoch(1), Limits::default(), START);
    evidence.record(&batch, START);
    evidence
}

fn said(evidence: &Evidence, gate: Gate, now_ms: u64) -> String {
    evidence.answer(gate, &Look { now_ms, ..Look::default() }).to_string()
}

#[test]
fn a_share_that_needs_more_says_how_many_and_how_long() {
    let mut evidence = Evidence::new(Epoch(1), Limits::default(), START);
    // 80 a minute, so that 2,000 are there after 25 minutes.
    for tenth in 1..=250 {
        let mismatches = counts(8, 0);
        evidence.record(&Batch { mismatches, ..Batch::default() }, START + tenth * MINUTE / 10);
    }
    assert_eq!(
        said(&evidence, Gate::Mismatch, START + 25 * MINUTE),
        "mismatch: 0 in 2,000 compared, needs 1,556 more clean; about 20 min at the current rate"
    );
    assert_eq!(
        said(&evidence, Gate::Mismatch, START + 60 * MINUTE),
        "mismatch: 0 in 2,000 compared, needs 1,556 more clean; none arrive at present"
    );
}

#[test]
fn shares_say_what_was_found() {
    let clean = Batch {
        errors: counts(4_000, 0),
        mismatches: counts(12_345_678, 1_234),
        fallbacks: counts(1_000, 40),
        copies: counts(20_000, 4),
        ..Batch::default()
    };
    let evidence = with(clean);
    for (gate, sentence) in [
        (Gate::Errors, "errors: 0 in 4,000 requests, at most 0.089% (limit 0.1%)"),
        (
            Gate::Fallbacks,
            "fallbacks: 40 in 1,000 requests answered by old, \
             too many of late for the limit of 0.1%",
        ),
        (Gate::Mismatch, "mismatch: 1,234 in 12,345,678 compared, at most 0.014% (limit 0.1%)"),
        (Gate::Latency, "latency: 0 requests on old are too few for its p99; needed: 1000"),
        (Gate::Mirror, "mirror: 4 of 20,000 (0.02%) of the copies shed, at most 5%"),
        (Gate::Freshness, "freshness: last observation 9 s ago"),
        (Gate::Drill, "drill: a rollback was never practised"),
        (Gate::Coverage, "coverage: no traffic was seen yet"),
    ] {
        assert_eq!(said(&evidence, gate, START + 9_000), sentence);
    }
}

#[test]
fn shares_say_what_is_in_the_way() {
    let batch = Batch {
        errors: counts(40, 20),
        mismatches: counts(5_000, 0),
        copies: counts(10_000, 1_000),
        ..Batch::default()
    };
    for (gate, now_ms, batch, sentence) in [
        (
            Gate::Errors,
            START,
            batch,
            "errors: 20 in 40 requests, 20 of 40 failed within five seconds",
        ),
        (
            Gate::Mismatch,
            START,
            batch,
            "mismatch: 0 in 5,000 compared, but 1,000 of 10,000 (10%) of the copies were shed",
        ),
        (
            Gate::Mirror,
            START,
            batch,
            "mirror: 1,000 of 10,000 (10%) of the copies shed, at most 5%: comparisons are biased",
        ),
        (
            Gate::Mismatch,
            START + 10 * MINUTE,
            Batch { copies: Counts::NONE, ..batch },
            "mismatch: 0 in 5,000 compared, but none for 10 min",
        ),
        (
            Gate::Errors,
            START,
            Batch { errors: counts(4_000, 0), old: counts(1_000, 3), ..batch },
            "errors: 0 in 4,000 requests, but old itself has 3 of 1,000 (0.3%): \
             a limit of 0.1% is too strict",
        ),
        (
            Gate::Mismatch,
            START,
            Batch { mismatches: counts(900, 3), ..batch },
            "mismatch: 3 in 900 compared, 3 of 900 (0.33%) in the last hour, above 0.1%: \
             pause as a precaution",
        ),
        (Gate::Mismatch, START, Batch::default(), "mismatch: nothing compared yet"),
        (Gate::Fallbacks, START, Batch::default(), "fallbacks: no requests yet"),
        (Gate::Mirror, START, Batch::default(), "mirror: nothing mirrored yet"),
        (Gate::Freshness, START, Batch::default(), "freshness: nothing was ever measured"),
        (Gate::Freshness, START + MINUTE, batch, "freshness: nothing was measured for 60 s"),
    ] {
        assert_eq!(said(&with(batch), gate, now_ms), sentence);
    }
}

#[test]
fn latency_says_what_it_is_held_against() {
    let mut evidence = with(Batch::default());
    assert!(evidence.set_bar(&[(120_450, 412)]).is_err());
    let sentence = "latency: 412 requests on old are too few for its p99; needed: 1000";
    assert_eq!(said(&evidence, Gate::Latency, START), sentence);
    let bar = evidence.set_bar(&[(120_450, 5_000)]).unwrap();
    evidence.record_times(&bar, Slowness { n: 600, slow: 3, very_slow: 3 }, START);
    assert_eq!(
        said(&evidence, Gate::Latency, START),
        "latency: 3 in 600 requests slower than 132.5 ms, at most 1.7% (limit 2%)"
    );
}

#[test]
fn coverage_and_drill_say_what_is_missing() {
    let class = |name, seen, compared| RouteClass { name, seen, compared, critical: false };
    let classes = [class("GET /orders", 921, 7), class("PATCH /orders/{id}", 79, 0)];
    let coverage: Coverage = classes.into_iter().collect();
    let evidence = with(Batch::default());
    let look = Look {
        now_ms: START,
        coverage: Some(&coverage),
        drilled_ms: Some(START - 72 * 60 * MINUTE),
        ..Look::default()
    };
    assert_eq!(
        evidence.answer(Gate::Coverage, &look).to_string(),
        "coverage: 92.1% of the traffic compared (1 of 2 route classes), never compared: \
         PATCH /orders/{id}; needs 95% and every critical class"
    );
    let critical = |name, compared| RouteClass { name, seen: 0, compared, critical: true };
    let all = [classes[0], critical("GET /refunds", 0), critical("GET /ledger", 0)];
    let told = |classes: &[RouteClass<'_>]| {
        let coverage: Coverage = classes.iter().copied().collect();
        evidence.answer(Gate::Coverage, &Look { coverage: Some(&coverage), ..look }).to_string()
    };
    assert_eq!(
        told(&all[..2]),
        "coverage: 100% of the traffic compared (1 of 2 route classes), critical and never \
         compared: GET /refunds; needs 95% and every critical class"
    );
    assert!(
        told(&all).contains("never compared: GET /refunds and 1 more; needs"),
        "{}",
        told(&all)
    );
    assert_eq!(
        told(&all[1..2]),
        "coverage: no traffic was seen yet, critical and never compared: GET /refunds"
    );
    assert_eq!(
        evidence.answer(Gate::Drill, &look).to_string(),
        "drill: rollback practised 3 days ago, at most 7 days"
    );
}
