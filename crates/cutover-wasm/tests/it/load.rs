//! Thirty-two busy threads beside a place that is killed by every limit: the others notice nothing.

use crate::rig::{STRICT, ask, dist, failure, host, now, options};
use cutover_wasm::{Fault, PlaceOptions};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

const BUSY: usize = 32;

#[test]
fn a_place_that_is_killed_by_each_limit_disturbs_no_other() {
    let host = host();
    let component = host.compile(&dist("test_faulty.wasm")).expect("it compiles");
    let healthy = component.install(options()).expect("it installs");
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..BUSY {
            let (healthy, stop, calls) = (&healthy, &stop, &calls);
            scope.spawn(move || {
                while !stop.load(SeqCst) {
                    let answer = ask(&[], |call| match thread % 2 {
                        0 => healthy.split(call, now()).map(drop),
                        _ => healthy.on_failure(call, &failure(), 1, now()).map(drop),
                    });
                    assert_eq!(answer, Ok(()));
                    calls.fetch_add(1, SeqCst);
                }
            });
        }
        for fault in ["panic", "loop", "memory", "stack", "side"] {
            // A place of its own each time, so that quarantine does not spare it.
            let options = PlaceOptions { deadline: STRICT, ..options() };
            let killed = component.install(options).expect("it installs");
            for _ in 0..3 {
                let outcome = ask(&[("x-fault", fault)], |call| killed.split(call, now()));
                assert!(
                    !matches!(outcome, Ok(_) | Err(Fault::Quarantined)),
                    "{fault}: {outcome:?}"
                );
            }
            assert_eq!(killed.counts().live, 0, "{fault}");
            let after = calls.load(SeqCst) + BUSY;
            while calls.load(SeqCst) < after {
                std::thread::yield_now();
            }
        }
        stop.store(true, SeqCst);
    });
    let counts = healthy.counts();
    let faults = [counts.trap, counts.deadline, counts.memory, counts.bad_answer, counts.start];
    assert_eq!(faults, [0; 5]);
    assert_eq!(counts.calls, calls.load(SeqCst) as u64);
    drop(healthy);
    assert_eq!(host.live_instances(), 0);
}
