//! Quarantine, at a real place with time passed in.

use crate::rig::{ask, faulty, now, options};
use cutover_wasm::{BACKOFF_FIRST_MS, FAULTS_TO_QUARANTINE, Fault, Place, QuarantineState};
use std::time::{Duration, Instant};

fn call(place: &Place, fault: &str, at: Instant) -> Result<(), Fault> {
    ask(&[("x-fault", fault)], |call| place.split(call, at)).map(drop)
}

#[test]
fn a_plugin_that_keeps_failing_is_left_alone_and_tried_again() {
    let place = faulty().install(options()).expect("it installs");
    let start = now();
    let at = |ms| start + Duration::from_millis(ms);
    for _ in 0..FAULTS_TO_QUARANTINE {
        call(&place, "side", start).expect_err("a fault");
    }
    assert_eq!(place.counts().state, QuarantineState::Quarantined);
    // Left alone: the plugin is not asked, so the call is not counted.
    assert_eq!(call(&place, "", at(BACKOFF_FIRST_MS - 1)), Err(Fault::Quarantined));
    let counts = place.counts();
    assert_eq!((counts.calls, counts.quarantined), (FAULTS_TO_QUARANTINE, 1));
    // The probe fails: twice as long.
    call(&place, "side", at(BACKOFF_FIRST_MS)).expect_err("a fault");
    let second = 3 * BACKOFF_FIRST_MS;
    assert_eq!(call(&place, "", at(second - 1)), Err(Fault::Quarantined));
    // It works: everybody may call again.
    assert_eq!(call(&place, "", at(second)), Ok(()));
    assert_eq!(place.counts().state, QuarantineState::Serving);
    assert_eq!(call(&place, "", at(second)), Ok(()));
}
