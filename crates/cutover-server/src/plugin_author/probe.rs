//! Asks every hook of a component about one plain request: some rules can only be broken in a call.
//!
//! What depends on the request is for cases, `cutover plugin test`; what goes wrong with a request that has nothing in
//! it goes wrong with most.

use super::ask::Question;
use super::cases::{Asks, Case};
use super::component;
use super::violation::Violation;
use cutover::wasm::{Component, Fault};
use cutover::{Clock, SystemClock};

/// What each hook does wrong, if anything.
pub(super) fn of_each_hook(
    component: &Component,
    config: &str,
    memory_bytes: usize,
) -> Vec<Violation> {
    let hooks = component.hooks();
    let all = [
        (Asks::Split, hooks.split),
        (Asks::OnRequest, hooks.rewrite),
        (Asks::OnResponse, hooks.rewrite),
        (Asks::OnFailure, hooks.fallback),
        (Asks::Normalise, hooks.normalise),
    ];
    let there = all.into_iter().filter(|(_, there)| *there).map(|(asks, _)| asks);
    there
        .filter_map(|asks| {
            let fault = fault(component, config, memory_bytes, asks)?;
            Some(Violation::of_call(asks.name(), &fault, memory_bytes))
        })
        .collect()
}

/// Asked in a place of its own, so that no other hook's faults quarantine it.
fn fault(component: &Component, config: &str, memory_bytes: usize, asks: Asks) -> Option<Fault> {
    let place = component.install(component::place(component, config, memory_bytes)).ok()?;
    let question = Question::new(&Case::plain(asks, config)).ok()?;
    question.ask(&place, SystemClock.now()).err()
}
