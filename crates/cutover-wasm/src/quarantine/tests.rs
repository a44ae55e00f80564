//! The quarantine's table, in fake milliseconds.

use super::*;

/// Lets a call happen; gives whether it was made.
fn call(quarantine: &Quarantine, now_ms: u64, works: bool) -> Admission {
    let admission = quarantine.admit(now_ms);
    match (admission, works) {
        (Admission::Refused, _) => {}
        (_, true) => quarantine.succeeded(admission, now_ms),
        (_, false) => quarantine.failed(admission, now_ms),
    }
    admission
}

fn fail_times(quarantine: &Quarantine, now_ms: u64, times: u64) {
    for _ in 0..times {
        call(quarantine, now_ms, false);
    }
}

#[test]
fn opens_at_the_fifth_fault_within_the_window() {
    let quarantine = Quarantine::default();
    fail_times(&quarantine, 100, FAULTS_TO_QUARANTINE - 1);
    assert_eq!(quarantine.state(), QuarantineState::Serving);
    assert_eq!(call(&quarantine, 200, false), Admission::Call);
    assert_eq!(quarantine.state(), QuarantineState::Quarantined);
    assert_eq!(call(&quarantine, 200, true), Admission::Refused);
}

#[test]
fn faults_far_apart_do_not_add_up() {
    let quarantine = Quarantine::default();
    for fault in 0..50 {
        let now_ms = fault * (FAULT_WINDOW_MS / (FAULTS_TO_QUARANTINE - 1) + 1);
        assert_eq!(call(&quarantine, now_ms, false), Admission::Call, "fault {fault}");
    }
}

#[test]
fn one_probe_at_a_time_and_success_closes() {
    let quarantine = Quarantine::default();
    fail_times(&quarantine, 0, FAULTS_TO_QUARANTINE);
    assert_eq!(quarantine.admit(BACKOFF_FIRST_MS - 1), Admission::Refused);
    let probe = quarantine.admit(BACKOFF_FIRST_MS);
    assert_eq!(probe, Admission::Probe);
    assert_eq!(quarantine.state(), QuarantineState::Probing);
    assert_eq!(quarantine.admit(BACKOFF_FIRST_MS), Admission::Refused);
    quarantine.succeeded(probe, BACKOFF_FIRST_MS + 1);
    assert_eq!(quarantine.state(), QuarantineState::Serving);
    assert_eq!(call(&quarantine, BACKOFF_FIRST_MS + 2, true), Admission::Call);
}

#[test]
fn each_failed_probe_doubles_the_wait_up_to_the_last() {
    let quarantine = Quarantine::default();
    let mut now_ms = 0;
    fail_times(&quarantine, now_ms, FAULTS_TO_QUARANTINE);
    for expected_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000] {
        assert_eq!(quarantine.admit(now_ms + expected_ms - 1), Admission::Refused);
        now_ms += expected_ms;
        assert_eq!(call(&quarantine, now_ms, false), Admission::Probe, "after {expected_ms} ms");
    }
}

#[test]
fn a_relapse_continues_the_backoff_and_a_long_good_time_resets_it() {
    for (good_ms, expected_ms) in [(RELAPSE_MS - 1, 2_000), (RELAPSE_MS, 1_000)] {
        let quarantine = Quarantine::default();
        fail_times(&quarantine, 0, FAULTS_TO_QUARANTINE);
        assert_eq!(call(&quarantine, 1_000, true), Admission::Probe);
        let now_ms = 1_000 + good_ms;
        fail_times(&quarantine, now_ms, FAULTS_TO_QUARANTINE);
        assert_eq!(quarantine.admit(now_ms + expected_ms - 1), Admission::Refused);
        assert_eq!(quarantine.admit(now_ms + expected_ms), Admission::Probe);
    }
}

#[test]
fn a_lost_probe_is_replaced() {
    let quarantine = Quarantine::default();
    fail_times(&quarantine, 0, FAULTS_TO_QUARANTINE);
    assert_eq!(quarantine.admit(1_000), Admission::Probe);
    assert_eq!(quarantine.admit(1_000 + PROBE_LOST_MS - 1), Admission::Refused);
    assert_eq!(quarantine.admit(1_000 + PROBE_LOST_MS), Admission::Probe);
}

#[test]
fn late_faults_of_earlier_calls_change_nothing() {
    let quarantine = Quarantine::default();
    let early = quarantine.admit(0);
    fail_times(&quarantine, 0, FAULTS_TO_QUARANTINE);
    quarantine.failed(early, 500);
    assert_eq!(quarantine.admit(1_000), Admission::Probe);
    quarantine.failed(early, 1_000);
    assert_eq!(quarantine.state(), QuarantineState::Probing);
}

#[test]
fn of_many_threads_one_probes() {
    let quarantine = Quarantine::default();
    fail_times(&quarantine, 0, FAULTS_TO_QUARANTINE);
    let probes: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| usize::from(quarantine.admit(1_000) == Admission::Probe)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!(probes, 1);
}
