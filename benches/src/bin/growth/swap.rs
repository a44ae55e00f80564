//! One snapshot put in the place of another, by number of routes, while another thread decides all the time.

use crate::curve::{Curve, Unit, decades, timed};
use anyhow::{Context as _, bail};
use cutover::{Engine, EngineOptions, RequestView};
use cutover_benches::document::Nothing;
use cutover_benches::traffic::{headers, path, snapshot};
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const MOST: usize = 100_000;
/// Swaps at each size; the fastest counts, since others' work only adds.
const SWAPS: usize = 7;

pub(crate) fn curves(most: &dyn Fn(usize) -> usize) -> anyhow::Result<Vec<Curve>> {
    let (mut installs, mut drops, mut restates) = (Vec::new(), Vec::new(), Vec::new());
    for routes in decades(most(MOST)) {
        let engine = Engine::new(EngineOptions::default())?;
        let install = || -> anyhow::Result<f64> {
            let prepared = engine.prepare(snapshot(routes), &[], &Nothing)?;
            Ok(timed(|| engine.install(prepared)).1.as_nanos() as f64)
        };
        install()?;
        let (mut swap, mut drop_old, mut restate) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
        under_load(&engine, || {
            for _ in 0..SWAPS {
                // Held, so that it is dropped here and its time told apart.
                let before = engine.current();
                swap = swap.min(install()?);
                // Requests that began before the swap have it still.
                while Arc::strong_count(&before) > 1 {
                    std::thread::yield_now();
                }
                drop_old = drop_old.min(timed(|| drop(before)).1.as_nanos() as f64);
            }
            // Not between the others: two such generations share their routes, and the first one dropped frees none.
            for _ in 0..SWAPS {
                restate = restate.min(timed(|| engine.restate(|_| ())).1.as_nanos() as f64);
            }
            Ok(())
        })?;
        installs.push((routes, swap));
        drops.push((routes, drop_old));
        restates.push((routes, restate));
    }
    let curve =
        |title, how, points| Curve { title, of: "routes", unit: Unit::Nanoseconds, how, points };
    Ok(vec![
        curve(
            "a snapshot put in force under load",
            "the call that swaps, its plugins loaded before; another thread decides all the time",
            installs,
        ),
        curve("the snapshot before it dropped", "by the last one that holds it", drops),
        curve("a migration moved under load", "the same routes put in force once more", restates),
    ])
}

/// Another thread decides while `change` runs, and every decision must find its route, whichever snapshot it saw.
fn under_load(engine: &Engine, change: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (ends, decided) = (AtomicBool::new(false), AtomicU64::new(0));
    let headers = headers("user-4711");
    let path = path(0);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                let view = RequestView::new(&Method::GET, "api.example.com", &path, &headers);
                drop(engine.begin(&view).ok().context("a request without a route")?);
                decided.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
        // It has begun, or nothing would be swapped under anybody.
        while decided.load(Ordering::Relaxed) == 0 && !load.is_finished() {
            std::thread::yield_now();
        }
        let changed = change();
        ends.store(true, Ordering::Relaxed);
        let Ok(loaded) = load.join() else { bail!("the load panicked") };
        loaded?;
        changed
    })
}
