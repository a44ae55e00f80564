//! Hot swap: callers go from one generation to the next without an error, and nothing of the first is left.

use crate::rig::{ask, dist, host, now, options};
use cutover_wasm::Place;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, RwLock};

const CALLERS: usize = 32;

#[test]
fn thirty_two_callers_see_no_error_and_the_old_instances_go() {
    let host = host();
    let component = host.compile(&dist("test_faulty.wasm")).expect("it compiles");
    let install = || Arc::new(component.install(options()).expect("it installs"));
    let first = install();
    let old = Arc::downgrade(&first);
    // Stands for the engine's snapshot: whoever begins a request takes what is current and keeps it to the end.
    let current = RwLock::new(first);
    let (stop, calls, warm) =
        (AtomicBool::new(false), AtomicUsize::new(0), Barrier::new(CALLERS + 1));
    let one_call = || {
        let place: Arc<Place> = current.read().expect("not poisoned").clone();
        ask(&[], |call| place.split(call, now())).expect("no caller sees an error");
        calls.fetch_add(1, SeqCst);
    };
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                one_call();
                warm.wait();
                while !stop.load(SeqCst) {
                    one_call();
                }
            });
        }
        warm.wait();
        for _ in 0..3 {
            *current.write().expect("not poisoned") = install();
            let after = calls.load(SeqCst) + CALLERS;
            while calls.load(SeqCst) < after {
                std::thread::yield_now();
            }
        }
        stop.store(true, SeqCst);
    });
    assert!(old.upgrade().is_none(), "the first generation is gone");
    let last = current.into_inner().expect("not poisoned");
    let counts = last.counts();
    assert!(counts.live >= 1 && counts.live <= 4, "at most one idle instance a worker: {counts:?}");
    assert_eq!(host.live_instances(), counts.live, "only the last generation has instances");
    drop(last);
    assert_eq!(host.live_instances(), 0);
}
