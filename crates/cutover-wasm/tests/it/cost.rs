//! What a call costs: no allocation, asserted; time, printed for whoever asks.

use crate::rig::{Tally, ask, failure, faulty, now, options};
use allocation_counter::measure;

/// Calls per measurement; enough for a rare allocation to show.
const CALLS: u64 = 1_000;

const HEADERS: [(&str, &str); 3] =
    [("x-side", "beta"), ("cookie", "theme=dark; sid=0123456789abcdef"), ("x-fault", "none")];

/// Lets the buffers grow by two calls, then counts the allocations of many.
fn check(hook: &str, mut call: impl FnMut()) {
    call();
    call();
    let allocated = measure(|| (0..CALLS).for_each(|_| call()));
    assert_eq!(allocated.count_total, 0, "{hook}: {allocated:?}");
}

#[test]
fn calls_allocate_nothing_on_the_host() {
    let place = faulty().install(options()).expect("it installs");
    let (mut sink, failed, now) = (Tally::default(), failure(), now());
    ask(&HEADERS, |call| {
        check("split", || {
            let _ = place.split(call, now).expect("it answers");
        });
        check("on-request", || {
            place.on_request(call, 1, &mut sink, now).expect("it answers");
        });
        check("on-response", || {
            place.on_response(call, 1, 200, &mut sink, now).expect("it answers");
        });
        check("on-failure", || {
            let _ = place.on_failure(call, &failed, 1, now).expect("it answers");
        });
    });
    let calls = usize::try_from(CALLS).expect("a small number") + 2;
    assert_eq!((sink.set, sink.appended, sink.removed), (2 * calls, calls, calls));
}

/// Run with `cargo test --release -p cutover-wasm cost -- --nocapture` on a quiet machine.
#[test]
fn time_per_call_is_printed() {
    let place = faulty().install(options()).expect("it installs");
    let start = now();
    ask(&HEADERS, |call| {
        // Short runs, so that the best one was not interrupted, however busy the machine is.
        let run = || {
            let begin = now();
            for _ in 0..CALLS / 10 {
                let _ = place.split(call, start).expect("it answers");
            }
            begin.elapsed().as_nanos() / u128::from(CALLS / 10)
        };
        let best = (0..500).map(|_| run()).min().unwrap_or(0);
        println!("split with 6 declared fields: {best} ns per call, best of 500 runs");
    });
}
