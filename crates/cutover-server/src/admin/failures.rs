//! Failed log-ins, counted for each peer.
//!
//! The limit keeps a broken script from filling the log; it is not what keeps guessers out: 256 random bits do that. So
//! a good token is never held up by bad ones from the same address, and nobody can lock out the person who is about to
//! roll back.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of one peer within [`WINDOW`] that are answered as what they are.
const MOST: u32 = 10;
/// The time in which they are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Peers that are remembered.
const PEERS: usize = 1_024;

/// Counts failures.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    count: u32,
}

/// What becomes of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// One of a few.
    Few,
    /// The first of too many.
    First(Duration),
    /// One of too many: how long until a failure counts anew.
    TooMany(Duration),
}

impl Failures {
    /// One more failure of this peer.
    pub(super) fn count(&self, peer: IpAddr, now: Instant) -> Counted {
        let mut peers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = network(peer);
        if peers.len() >= PEERS && !peers.contains_key(&peer) {
            peers.retain(|_, window| now.duration_since(window.since) < WINDOW);
            if peers.len() >= PEERS {
                // As many peers at once are an attack, and one more or less remembered makes no difference.
                peers.clear();
            }
        }
        let window = peers.entry(peer).or_insert(Window { since: now, count: 0 });
        if now.duration_since(window.since) >= WINDOW {
            *window = Window { since: now, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        let left = WINDOW.saturating_sub(now.duration_since(window.since));
        match window.count {
            count if count <= MOST => Counted::Few,
            count if count == MOST + 1 => Counted::First(left),
            _ => Counted::TooMany(left),
        }
    }
}

/// Who has one IPv6 address has its whole /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover::{Clock as _, SystemClock};

    #[test]
    fn ten_in_a_minute() {
        let (failures, start) = (Failures::default(), SystemClock.now());
        let [a, b]: [IpAddr; 2] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().expect("an IP"));
        for _ in 0..10 {
            assert_eq!(failures.count(a, start), Counted::Few);
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(failures.count(a, later), Counted::First(Duration::from_secs(40)));
        assert_eq!(failures.count(a, later), Counted::TooMany(Duration::from_secs(40)));
        assert_eq!(failures.count(b, later), Counted::Few);
        assert_eq!(failures.count(a, start + WINDOW), Counted::Few);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_peer() {
        let (failures, now) = (Failures::default(), SystemClock.now());
        let ip = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        for last in 0..10 {
            assert_eq!(failures.count(ip(last), now), Counted::Few);
        }
        assert!(matches!(failures.count(ip(99), now), Counted::First(_)));
    }

    #[test]
    fn memory_is_bounded() {
        let (failures, now) = (Failures::default(), SystemClock.now());
        for last in 0..5_000_u32 {
            failures.count(IpAddr::V4(last.into()), now);
        }
        assert!(failures.0.lock().expect("not poisoned").len() <= PEERS);
    }
}
