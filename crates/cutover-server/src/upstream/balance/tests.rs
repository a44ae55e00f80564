//! Choosing addresses, counted.

use super::*;
use crate::upstream::{Address, AddressBook, InFlight};
use cutover::{Clock, SystemClock};
use pingora::upstreams::peer::HttpPeer;
use std::collections::BTreeMap;
use std::sync::Arc;

fn endpoints(count: u16) -> (Vec<Endpoint>, Instant) {
    let now = SystemClock.now();
    let book = AddressBook::new(now);
    let each = |port| {
        let socket = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        Endpoint {
            address: book.address("b", socket),
            host: "127.0.0.1".into(),
            peer: HttpPeer::new(socket, false, String::new()),
        }
    };
    ((1..=count).map(each).collect(), now)
}

fn port(address: &Address) -> u16 {
    address.socket().port()
}

fn counts(endpoints: &[Endpoint], now: Instant, times: usize) -> BTreeMap<u16, usize> {
    let turn = AtomicUsize::new(0);
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        let chosen = choose(Balance::RoundRobin, endpoints, &Tried::default(), &turn, || now);
        *counts.entry(port(&chosen.expect("one is there").address)).or_default() += 1;
    }
    counts
}

#[test]
fn round_robin_is_even() {
    let (all, now) = endpoints(3);
    assert_eq!(counts(&all, now, 300), BTreeMap::from([(1, 100), (2, 100), (3, 100)]));
}

#[test]
fn an_ejected_address_is_left_out_and_its_share_spread_evenly() {
    let (all, now) = endpoints(3);
    for _ in 0..3 {
        all[1].address.connect_failed(now);
    }
    assert_eq!(counts(&all, now, 300), BTreeMap::from([(1, 150), (3, 150)]));
}

#[test]
fn if_all_are_out_all_are_used() {
    let (all, now) = endpoints(2);
    for each in &all {
        each.address.checked(false, 1, 1);
    }
    assert_eq!(counts(&all, now, 10), BTreeMap::from([(1, 5), (2, 5)]));
}

#[test]
fn least_requests_evens_out_what_is_in_flight() {
    let (all, now) = endpoints(3);
    let turn = AtomicUsize::new(0);
    let _busy: Vec<_> = (0..5).map(|_| InFlight::new(Arc::clone(&all[0].address))).collect();
    let mut held = Vec::new();
    for _ in 0..10 {
        let tried = Tried::default();
        let chosen = choose(Balance::LeastRequests, &all, &tried, &turn, || now);
        held.push(InFlight::new(Arc::clone(&chosen.expect("one is there").address)));
    }
    let in_flight: Vec<u32> = all.iter().map(|each| each.address.in_flight()).collect();
    assert_eq!(in_flight, [5, 5, 5]);
}

#[test]
fn what_was_tried_is_not_tried_again() {
    let (all, now) = endpoints(2);
    let turn = AtomicUsize::new(0);
    let mut tried = Tried::default();
    let mut seen = Vec::new();
    while let Some(chosen) = choose(Balance::RoundRobin, &all, &tried, &turn, || now) {
        seen.push(port(&chosen.address));
        tried.add(chosen.address.socket());
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
}
