//! What a call costs: no allocation. Its time is for `benches/benches/plugin_call.rs`.

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
