//! Which address takes the next request: in turn, or the one with the fewest in flight; those that are out only if all
//! are.

use super::{Endpoint, Tried};
use cutover::core::backend::Balance;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// Chooses among addresses that were not tried. Ejected ones count only if nothing else is left.
pub(super) fn choose<'e>(
    balance: Balance,
    endpoints: &'e [Endpoint],
    tried: &Tried,
    turn: &AtomicUsize,
    now: impl FnOnce() -> Instant,
) -> Option<&'e Endpoint> {
    if let [only] = endpoints {
        return (tried.count() == 0).then_some(only);
    }
    let clean = tried.count() == 0 && endpoints.iter().all(|each| each.address.is_clean());
    if clean {
        return pick(balance, endpoints, turn, |_| true);
    }
    let now = now();
    let fresh = |each: &Endpoint| !tried.contains(each.address.socket());
    let usable = |each: &Endpoint| fresh(each) && each.address.is_usable(|| now);
    pick(balance, endpoints, turn, usable).or_else(|| pick(balance, endpoints, turn, fresh))
}

fn pick<'e>(
    balance: Balance,
    endpoints: &'e [Endpoint],
    turn: &AtomicUsize,
    may: impl Fn(&Endpoint) -> bool,
) -> Option<&'e Endpoint> {
    let candidates = endpoints.iter().filter(|each| may(each)).count();
    if candidates == 0 {
        return None;
    }
    let first = turn.fetch_add(1, Relaxed) % candidates;
    let in_turn = || endpoints.iter().filter(|each| may(each)).cycle().skip(first).take(candidates);
    match balance {
        Balance::RoundRobin => in_turn().next(),
        // `min_by_key` keeps the first of equals, so ties go in turn.
        Balance::LeastRequests => in_turn().min_by_key(|each| each.address.in_flight()),
    }
}

#[cfg(test)]
mod tests;
