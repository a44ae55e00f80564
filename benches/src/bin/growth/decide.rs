//! One decision, and what the routes hold, by number of routes.

use crate::curve::{Curve, Unit, decades, fastest};
use anyhow::{Context as _, ensure};
use cutover_benches::traffic::{headers, path, shuffled, snapshot};
use cutover_core::decide::NoPlugins;
use cutover_core::{RequestView, Snapshot};
use http::{HeaderMap, Method};
use std::hint::black_box;
use std::process::Command;

/// Most routes that are measured.
const MOST: usize = 1_000_000;
/// Decisions that are counted, and the fewest that are timed.
const DECISIONS: usize = 1_000;
/// Most that are timed: all routes up to here are asked, so that caches see what a proxy's see.
const MOST_DECISIONS: usize = 200_000;

pub(crate) fn curves(most: &dyn Fn(usize) -> usize) -> anyhow::Result<Vec<Curve>> {
    let headers = headers("user-4711");
    let (mut times, mut bytes, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for routes in decades(most(MOST)) {
        let mut made = None;
        let held = allocation_counter::measure(|| made = Some(snapshot(routes)));
        let snapshot = made.context("it was made")?;
        bytes.push((routes, held.bytes_current as f64));
        let paths = paths(routes);
        for path in paths.iter().take(DECISIONS) {
            let view = RequestView::new(&Method::GET, "api.example.com", path, &headers);
            ensure!(snapshot.decide(&view, &mut NoPlugins).is_ok(), "no route for {path}");
        }
        let mut next = paths.iter().cycle();
        let asked = paths.len().max(DECISIONS);
        times.push((
            routes,
            fastest(asked, |_| {
                if let Some(path) = next.next() {
                    decide(&snapshot, path, &headers);
                }
            }),
        ));
        if let Some(count) = count(routes)? {
            counts.push((routes, count));
        }
    }
    let mut curves = vec![
        Curve {
            title: "one decision, time",
            of: "routes",
            unit: Unit::Nanoseconds,
            how: "hits, all routes in shuffled order",
            points: times,
        },
        Curve {
            title: "memory of a snapshot",
            of: "routes",
            unit: Unit::Bytes,
            how: "what the allocator gave for it and did not get back; one migration has all routes",
            points: bytes,
        },
    ];
    if counts.len() > 1 {
        curves.push(Curve {
            title: "one decision, instructions",
            of: "routes",
            unit: Unit::Instructions,
            how: "the same, under callgrind",
            points: counts,
        });
    }
    Ok(curves)
}

fn paths(routes: usize) -> Vec<String> {
    shuffled(routes).into_iter().take(MOST_DECISIONS).map(path).collect()
}

fn decide(snapshot: &Snapshot, path: &str, headers: &HeaderMap) {
    let view = RequestView::new(&Method::GET, "api.example.com", path, headers);
    let _ = black_box(snapshot.decide(black_box(&view), &mut NoPlugins));
}

/// What runs under callgrind.
pub(crate) fn counted(routes: usize) -> anyhow::Result<()> {
    let (snapshot, headers) = (snapshot(routes), headers("user-4711"));
    let paths: Vec<String> =
        shuffled(routes).into_iter().cycle().take(DECISIONS).map(path).collect();
    measured(&snapshot, &paths, &headers);
    Ok(())
}

/// Collection is switched on at entry and off at exit, by name.
#[inline(never)]
fn measured(snapshot: &Snapshot, paths: &[String], headers: &HeaderMap) {
    for path in paths {
        decide(snapshot, path, headers);
    }
}

/// Instructions of one decision; `None` without valgrind.
fn count(routes: usize) -> anyhow::Result<Option<f64>> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*growth*decide*measured*")
        .arg(std::env::current_exe()?)
        .args(["counted", &routes.to_string()])
        .output();
    let Ok(run) = run else { return Ok(None) };
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    ensure!(run.status.success(), "{routes} routes failed under callgrind:\n{said}");
    let count = collected(&said).with_context(|| format!("no count in:\n{said}"))?;
    ensure!(count > 0, "nothing was collected; is `measured` still there by that name?");
    Ok(Some(count as f64 / DECISIONS as f64))
}

/// From callgrind's last words, `==7== Collected : 12345`.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.split_once("Collected : "))?;
    line.1.trim().parse().ok()
}
