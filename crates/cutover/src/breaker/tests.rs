//! Timelines with a clock that the test turns, random histories, and threads.

use super::*;
use proptest::prelude::*;
use std::sync::atomic::AtomicUsize;

const TEN_PERCENT: Percent = Percent::from_thousandths(10_000);

/// A breaker and its time.
struct Bench {
    breaker: Breaker,
    now: Instant,
}

impl Bench {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other beginning; only offsets count"
    )]
    fn new() -> Self {
        let now = Instant::now();
        Self { breaker: Breaker::new(now), now }
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// Requests that `old` serves as decided.
    fn others(&self, count: usize) {
        for _ in 0..count {
            self.breaker.request(self.now);
        }
    }

    /// A read of the cohort.
    fn read(&self) -> Admission {
        self.breaker.request(self.now);
        self.breaker.admit(true, self.now)
    }

    fn good_reads(&self, count: usize) {
        for _ in 0..count {
            assert_eq!(self.read(), Admission::New);
        }
    }

    /// A read that fails on `new` and falls back.
    fn bad_read(&self) -> Option<Turn> {
        let probe = match self.read() {
            Admission::New => None,
            Admission::Probe(probe) => Some(probe),
            Admission::Old => panic!("the breaker is open"),
        };
        self.breaker.failed(true, probe, TEN_PERCENT, self.now)
    }

    fn open(&self) {
        assert_eq!((0..20).find_map(|_| self.bad_read()), Some(Turn::Opened));
    }

    fn probe(&self) -> Probe {
        match self.read() {
            Admission::Probe(probe) => probe,
            other @ (Admission::New | Admission::Old) => panic!("no probe but {other:?}"),
        }
    }
}

#[test]
fn a_read_that_tries_new_again_is_one_more_attempt() {
    let bench = Bench::new();
    bench.others(1000);
    bench.good_reads(30);
    for _ in 0..19 {
        let turned = bench.breaker.failed(false, None, TEN_PERCENT, bench.now);
        assert_eq!(turned, None);
        bench.breaker.tries_again(bench.now);
    }
    // 20 failures of 49 attempts, though of 30 reads.
    assert_eq!(bench.breaker.failed(false, None, TEN_PERCENT, bench.now), None);
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
}

#[test]
fn nothing_opens_before_the_twentieth_failure() {
    let bench = Bench::new();
    for _ in 0..19 {
        assert_eq!(bench.bad_read(), None);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    assert_eq!(bench.bad_read(), Some(Turn::Opened), "the 20th spends the floor");
    assert_eq!(bench.read(), Admission::Old);
}

#[test]
fn the_budget_is_a_share_of_all_requests() {
    let bench = Bench::new();
    bench.good_reads(800);
    for failed in 1..=88 {
        assert_eq!(bench.bad_read(), None, "{failed} of {} requests", 800 + failed);
    }
    assert_eq!(bench.bad_read(), Some(Turn::Opened), "89 of 889 requests are 10 %");
}

#[test]
fn a_small_canary_opens_when_half_of_its_reads_fail() {
    let bench = Bench::new();
    bench.others(10_000);
    for _ in 0..19 {
        bench.good_reads(1);
        assert_eq!(bench.bad_read(), None);
    }
    bench.good_reads(1);
    assert_eq!(bench.bad_read(), Some(Turn::Opened), "20 of 40, though 0.2 % of all requests");
}

#[test]
fn failures_leave_the_window_after_ten_seconds() {
    let mut bench = Bench::new();
    for _ in 0..19 {
        bench.bad_read();
    }
    bench.pass(10_000);
    assert_eq!(bench.bad_read(), None, "the first 19 are forgotten");
    bench.pass(9_999);
    for _ in 0..18 {
        assert_eq!(bench.bad_read(), None);
    }
    assert_eq!(bench.bad_read(), Some(Turn::Opened));
}

#[test]
fn one_probe_at_a_time_and_waits_that_double() {
    let mut bench = Bench::new();
    bench.open();
    for wait_s in [5, 10, 20, 40, 60, 60] {
        bench.pass(wait_s * 1_000 - 1);
        assert_eq!(bench.read(), Admission::Old, "{wait_s} s are not over");
        bench.pass(1);
        let probe = bench.probe();
        assert_eq!(bench.breaker.state(), BreakerState::HalfOpen);
        assert_eq!(bench.read(), Admission::Old, "the others wait for the probe");
        let turn = bench.breaker.failed(true, Some(probe), TEN_PERCENT, bench.now);
        assert_eq!(turn, Some(Turn::StaysOpen));
    }
    bench.pass(60_000);
    let probe = bench.probe();
    assert_eq!(bench.breaker.probe_succeeded(probe), Some(Turn::Closed));
    bench.good_reads(5);
    bench.open();
    bench.pass(5_000);
    bench.probe();
}

#[test]
fn closing_forgets_the_failures() {
    let mut bench = Bench::new();
    bench.open();
    bench.pass(5_000);
    let probe = bench.probe();
    bench.breaker.probe_succeeded(probe);
    for _ in 0..19 {
        assert_eq!(bench.bad_read(), None);
    }
}

#[test]
fn an_abandoned_probe_says_nothing() {
    let mut bench = Bench::new();
    bench.open();
    bench.pass(5_000);
    let probe = bench.probe();
    bench.breaker.probe_abandoned(probe, bench.now);
    assert_eq!(bench.breaker.state(), BreakerState::Open);
    let next = bench.probe();
    assert_eq!(bench.breaker.probe_succeeded(next), Some(Turn::Closed));
}

#[test]
fn a_late_probe_is_void() {
    let mut bench = Bench::new();
    bench.open();
    bench.pass(5_000);
    let first = bench.probe();
    bench.breaker.failed(true, Some(first), TEN_PERCENT, bench.now);
    bench.pass(10_000);
    let second = bench.probe();
    assert_eq!(bench.breaker.probe_succeeded(first), None, "it had its say");
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen);
    assert_eq!(bench.breaker.probe_succeeded(second), Some(Turn::Closed));
}

#[test]
fn a_read_that_cannot_be_sent_again_is_no_probe() {
    let mut bench = Bench::new();
    bench.open();
    bench.pass(5_000);
    assert_eq!(bench.breaker.admit(false, bench.now), Admission::Old);
    assert_eq!(bench.breaker.state(), BreakerState::Open);
}

#[test]
fn threads_open_it_once_and_send_one_probe() {
    let mut bench = Bench::new();
    let (opened, probes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (breaker, now) = (&bench.breaker, bench.now);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    breaker.request(now);
                    if breaker.admit(true, now) == Admission::New
                        && breaker.failed(true, None, TEN_PERCENT, now) == Some(Turn::Opened)
                    {
                        opened.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(opened.load(Ordering::Relaxed), 1);
    assert_eq!(breaker.requests.sum(0), 8_000, "no count is lost within a slot");

    bench.pass(5_000);
    let (breaker, now) = (&bench.breaker, bench.now);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    if matches!(breaker.admit(true, now), Admission::Probe(_)) {
                        probes.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(probes.load(Ordering::Relaxed), 1);
}

#[test]
fn threads_lose_no_count_at_the_turn_of_a_slot() {
    let window = Window::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for second in 0..50 {
                    for _ in 0..100 {
                        window.add(second);
                    }
                }
            });
        }
    });
    // A thread that lags adds to the slot's later second: counts move, but none of the last ten seconds' is lost.
    assert!(window.sum(49) >= 4 * 10 * 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_window_counts_what_a_list_counts(steps in prop::collection::vec((0u32..4, 1usize..5), 1..60)) {
        let window = Window::default();
        let (mut second, mut seen) = (0, Vec::new());
        for (pause, count) in steps {
            second += pause;
            for _ in 0..count {
                window.add(second);
                seen.push(second);
            }
            let naive = seen.iter().filter(|&&at| at + WINDOW_S as u32 > second).count();
            prop_assert_eq!(window.sum(second), naive as u64);
        }
    }

    #[test]
    fn a_gate_survives_packing(
        state in 0u8..3, level in 0u8..16, opening in any::<u16>(), until_ms in 0u64..(1 << 42),
    ) {
        let state = [BreakerState::Closed, BreakerState::HalfOpen, BreakerState::Open][state as usize];
        let gate = Gate { state, level, opening, until_ms };
        prop_assert_eq!(Gate::unpack(gate.pack()), gate);
    }

    #[test]
    fn it_never_opens_below_the_floor_and_never_stays_open_for_ever(
        steps in prop::collection::vec((0u64..4_000, any::<bool>()), 1..200),
    ) {
        let mut bench = Bench::new();
        let mut failed_at = Vec::new();
        for (pause, fails) in steps {
            bench.pass(pause);
            match bench.read() {
                Admission::New if fails => {
                    failed_at.push(bench.now);
                    let turn = bench.breaker.failed(true, None, TEN_PERCENT, bench.now);
                    let recent = failed_at
                        .iter()
                        .filter(|&&at| bench.now - at <= Duration::from_secs(10))
                        .count();
                    prop_assert!(turn.is_none() || recent >= 20);
                }
                Admission::Probe(probe) => {
                    bench.breaker.failed(true, Some(probe), TEN_PERCENT, bench.now);
                }
                Admission::New | Admission::Old => {}
            }
        }
        if bench.breaker.state() != BreakerState::Closed {
            bench.pass(60_000);
            let probe = bench.probe();
            bench.breaker.probe_succeeded(probe);
        }
        prop_assert_eq!(bench.breaker.state(), BreakerState::Closed);
    }
}
