//! From a configuration's text to a snapshot, by number of routes.

use crate::curve::{Curve, Unit, decades, timed};
use anyhow::{Context as _, ensure};
use cutover_benches::document::{Nothing, of_routes};

const MOST: usize = 100_000;

pub(crate) fn curves(most: &dyn Fn(usize) -> usize) -> anyhow::Result<Vec<Curve>> {
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    for routes in decades(most(MOST)) {
        let text = of_routes(routes);
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let (config, took) = timed(|| cutover_config::load(&text, "cutover.toml", &Nothing));
            let config = config.context("it is right")?;
            ensure!(config.snapshot.backends().len() == 1, "a backend is lost");
            best = best.min(took.as_nanos() as f64);
        }
        times.push((routes, best));
        let held = allocation_counter::measure(|| {
            // It was right three times.
            drop(cutover_config::load(&text, "cutover.toml", &Nothing));
        });
        peaks.push((routes, held.bytes_max as f64));
    }
    Ok(vec![
        Curve {
            title: "a configuration read and compiled, time",
            of: "routes",
            unit: Unit::Nanoseconds,
            how: "from text to snapshot, all findings looked for",
            points: times,
        },
        Curve {
            title: "a configuration read and compiled, peak memory",
            of: "routes",
            unit: Unit::Bytes,
            how: "the most that the allocator had given at once, the text not counted",
            points: peaks,
        },
    ])
}
