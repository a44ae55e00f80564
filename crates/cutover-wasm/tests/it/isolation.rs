//! Reuse and isolation: a counter inside the plugin tells how many calls its instance has seen.

use crate::rig::{ask, faulty, now, options_for};
use cutover_wasm::{Isolation, Place, PlaceOptions};
use std::time::Duration;

/// How many calls this instance has seen, by its own account.
fn seen(place: &Place) -> u128 {
    let verdict = ask(&[], |call| place.split(call, now())).expect("it answers");
    verdict.deadline.map_or(0, |count| Duration::as_millis(&count))
}

#[test]
fn a_worker_reuses_its_instance() {
    let place = faulty().install(options_for("count")).expect("it installs");
    assert_eq!([seen(&place), seen(&place), seen(&place)], [1, 2, 3]);
    assert_eq!((place.counts().calls, place.counts().live), (3, 1));
}

#[test]
fn a_request_of_its_own_gets_an_instance_of_its_own() {
    let options = PlaceOptions { isolation: Isolation::Request, ..options_for("count") };
    let place = faulty().install(options).expect("it installs");
    assert_eq!([seen(&place), seen(&place), seen(&place)], [1, 1, 1]);
    assert_eq!((place.counts().calls, place.counts().live), (3, 0));
}

#[test]
fn a_fault_costs_the_state() {
    let place = faulty().install(options_for("count")).expect("it installs");
    assert_eq!([seen(&place), seen(&place)], [1, 2]);
    ask(&[("x-fault", "side")], |call| place.split(call, now())).expect_err("a fault");
    assert_eq!(seen(&place), 1);
}
