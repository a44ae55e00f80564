//! Ejection and active checks, step by step.

use super::*;
use cutover::{Clock, SystemClock};

fn one() -> (Address, Instant) {
    let now = SystemClock.now();
    (Address::new("127.0.0.1:1".parse().expect("an address"), now), now)
}

#[test]
fn three_failures_in_a_row_eject_and_time_brings_back() {
    let (address, now) = one();
    address.connect_failed(now);
    address.connect_failed(now);
    assert!(address.is_usable(|| now));
    address.connect_failed(now);
    assert!(!address.is_usable(|| now));
    assert!(!address.is_usable(|| now + FIRST_EJECTION / 2));
    assert!(address.is_usable(|| now + FIRST_EJECTION));
}

#[test]
fn the_ejection_doubles_up_to_a_limit_and_a_connection_ends_it() {
    let (address, now) = one();
    for _ in 0..EJECT_AFTER + 1 {
        address.connect_failed(now);
    }
    assert!(!address.is_usable(|| now + FIRST_EJECTION));
    for _ in 0..40 {
        address.connect_failed(now);
    }
    assert!(address.is_usable(|| now + LONGEST_EJECTION));
    address.connected();
    assert!(address.is_clean());
}

#[test]
fn a_success_between_failures_forgives_them() {
    let (address, now) = one();
    for _ in 0..10 {
        address.connect_failed(now);
        address.connect_failed(now);
        address.connected();
    }
    assert!(address.is_clean());
}

#[test]
fn checks_change_their_mind_only_after_several_in_a_row() {
    let (address, now) = one();
    assert!(!address.checked(false, 2, 3));
    assert!(!address.checked(true, 2, 3));
    assert!(!address.checked(false, 2, 3));
    assert!(address.checked(false, 2, 3));
    assert!(!address.is_usable(|| now));
    assert!(!address.checked(true, 2, 3));
    assert!(!address.checked(true, 2, 3));
    assert!(address.checked(true, 2, 3));
    assert!(address.is_usable(|| now));
}

#[test]
fn the_book_knows_an_address_while_somebody_uses_it() {
    let now = SystemClock.now();
    let book = AddressBook::new(now);
    let socket = "127.0.0.1:1".parse().expect("an address");
    let first = book.address("a", socket);
    let flight = InFlight::new(Arc::clone(&first));
    assert_eq!(book.address("a", socket).in_flight(), 1);
    assert_eq!(book.address("b", socket).in_flight(), 0);
    drop(flight);
    assert_eq!(first.in_flight(), 0);
    first.checked(false, 1, 1);
    drop(first);
    assert!(book.address("a", socket).is_clean(), "forgotten with its last user");
}
