//! What must be known of `old` before anything is asked of `new`.

use crate::evidence::{
    Baseline, Counts, Epoch, Evidence, Gate, Limits, Look, OldNow, Reach, Verdict, Why,
};
use std::time::Duration;

const START: u64 = 1_800_000_000_000;
const SECOND: u64 = 1_000;
const ABOUT: u64 = 7;

fn limits() -> Limits {
    Limits { observe: Duration::from_secs(60), requests: 100, ..Limits::default() }
}

fn evidence() -> Evidence {
    Evidence::new(Epoch(0), limits(), START)
}

fn said(evidence: &Evidence) -> (Why, String) {
    let answer = evidence.answer(Gate::Baseline, &Look { now_ms: START, ..Look::default() });
    (answer.why, answer.to_string())
}

#[test]
fn a_baseline_takes_requests_and_time() {
    let mut evidence = evidence();
    let (why, told) = said(&evidence);
    assert_eq!(why, Why::Missing);
    assert_eq!(told, "baseline: old was asked nothing here yet; needs 100 answers over 60 s");

    evidence.record_old(ABOUT, Counts::new(50, 2), START);
    evidence.record_old(ABOUT, Counts::NONE, START + 10 * SECOND);
    evidence.record_old(ABOUT, Counts::new(10, 0), START + 20 * SECOND);
    let (why, told) = said(&evidence);
    assert_eq!(why, Why::TooFew);
    let part =
        "baseline: old answered 58 of 60 requests in 20 s; needs 100 answers over 60 s; about";
    assert!(told.starts_with(part), "{told}");
    assert!(told.contains("about 40 s at the current rate"), "{told}");

    evidence.record_old(ABOUT, Counts::new(1_000, 0), START + 59 * SECOND);
    assert_eq!(said(&evidence).0, Why::TooFew, "many are not long");
    evidence.record_old(ABOUT, Counts::new(1, 0), START + 60 * SECOND);
    let (why, told) = said(&evidence);
    assert_eq!(why, Why::Within);
    assert_eq!(told, "baseline: old answered 1,059 of 1,061 requests in 60 s");
}

#[test]
fn time_without_requests_and_requests_without_an_answer_show_nothing() {
    let mut quiet = evidence();
    quiet.record_old(ABOUT, Counts::new(200, 0), START);
    for second in 1..3_600 {
        quiet.record_old(ABOUT, Counts::NONE, START + second * SECOND);
    }
    assert_eq!(said(&quiet).0, Why::TooFew, "{}", said(&quiet).1);
    let mut failing = evidence();
    for second in 0..100 {
        failing.record_old(ABOUT, Counts::new(10, 10), START + second * SECOND);
    }
    let (why, told) = said(&failing);
    assert_eq!(why, Why::TooFew);
    assert!(told.contains("answered 0 of 1,000 requests"), "{told}");
}

#[test]
fn nothing_passes_without_an_answer_whatever_is_asked_for() {
    let limits = Limits { observe: Duration::ZERO, requests: 0, ..Limits::default() };
    let mut evidence = Evidence::new(Epoch(0), limits, START);
    assert_eq!(said(&evidence).0, Why::Missing);
    evidence.record_old(ABOUT, Counts::new(1, 1), START);
    assert_eq!(said(&evidence).0, Why::TooFew);
    evidence.record_old(ABOUT, Counts::new(1, 0), START);
    assert_eq!(said(&evidence).0, Why::Within);
}

#[test]
fn a_baseline_of_something_else_begins_anew_and_is_kept_with_the_evidence() {
    let mut evidence = evidence();
    evidence.record_old(ABOUT, Counts::new(500, 0), START);
    evidence.record_old(ABOUT, Counts::new(500, 0), START + 100 * SECOND);
    let kept = Evidence::from_words(&evidence.words(), limits()).expect("they are ours");
    assert_eq!(kept.baseline(), evidence.baseline());
    assert_eq!(said(&kept).0, Why::Within);
    evidence.record_old(8, Counts::NONE, START + 101 * SECOND);
    assert_eq!(said(&evidence).0, Why::Missing);
    assert_eq!(evidence.baseline(), Baseline { about: 8, ..Baseline::default() });
}

/// What is known of its addresses, requests of the last minute, when it last answered; and what is made of it.
type Case = (Option<Reach>, Counts, Option<u64>, Why, &'static str);

#[test]
fn old_is_healthy_if_it_answers_users_or_checks() {
    let reach = |addresses, usable, healthy| Some(Reach { addresses, usable, healthy });
    let (ago, long_ago) = (Some(START - 4 * 60 * SECOND), Some(START - 6 * 60 * SECOND));
    let cases: [Case; 9] = [
        (
            None,
            Counts::NONE,
            None,
            Why::Missing,
            "old: nothing was heard of it yet: send it requests, or give its backend a health check",
        ),
        (
            reach(2, 2, 0),
            Counts::NONE,
            long_ago,
            Why::Missing,
            "old: 2 of 2 addresses usable, last answer 6 min ago: send it requests, or give its \
             backend a health check",
        ),
        (None, Counts::NONE, ago, Why::Within, "old: last answer 4 min ago"),
        (
            reach(2, 1, 1),
            Counts::NONE,
            None,
            Why::Within,
            "old: 1 of 2 addresses usable, 1 answers health checks",
        ),
        (
            reach(1, 1, 0),
            Counts::new(60, 3),
            ago,
            Why::Within,
            "old: 1 of 1 addresses usable, answered 57 of 60 requests of the last minute",
        ),
        (
            reach(1, 0, 0),
            Counts::new(60, 0),
            ago,
            Why::Outside,
            "old: 0 of 1 addresses usable, answered 60 of 60 requests of the last minute",
        ),
        (reach(0, 0, 0), Counts::NONE, None, Why::Outside, "old: it has no address"),
        (
            None,
            Counts::new(60, 31),
            ago,
            Why::Outside,
            "old: answered 29 of 60 requests of the last minute",
        ),
        (
            reach(1, 1, 1),
            Counts::new(2, 2),
            ago,
            Why::Outside,
            "old: 1 of 1 addresses usable, 1 answers health checks, answered 0 of 2 requests of the last minute",
        ),
    ];
    for (reach, lately, answered_ms, why, told) in cases {
        let look =
            Look { now_ms: START, old: OldNow { reach, lately, answered_ms }, ..Look::default() };
        let answer = evidence().answer(Gate::Old, &look);
        assert_eq!((answer.why, &*answer.to_string()), (why, told));
        assert_eq!(answer.verdict() == Verdict::Pass, why == Why::Within);
    }
}
