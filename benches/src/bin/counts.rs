//! Runs one case many times, to be counted by callgrind: `cargo xtask bench counts` does so for all of them.
//!
//! Only what happens inside `measured` is collected. Without arguments it lists its cases.

use cutover_benches::baseline::Bare;
use cutover_benches::traffic::{MISS, SIZES, headers, path, shuffled, snapshot, worst_path};
use cutover_core::RequestView;
use cutover_core::decide::NoPlugins;
use http::{HeaderMap, Method};
use std::hint::black_box;
use std::io::Write as _;
use std::process::ExitCode;

/// Decisions in one run.
const DECISIONS: usize = 1_000;

fn main() -> ExitCode {
    let case = std::env::args().nth(1);
    let Some(case) = case else {
        let mut out = std::io::stdout().lock();
        for (subject, path, size) in cases() {
            // Nobody to tell if standard output is closed.
            let _ = writeln!(out, "{subject}/{path}/{size}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((subject, kind, size)) =
        cases().into_iter().find(|(s, p, n)| case == format!("{s}/{p}/{n}"))
    else {
        return ExitCode::FAILURE;
    };
    let headers = headers("user-4711");
    let numbers = shuffled(size).into_iter().cycle().take(DECISIONS);
    let paths: Vec<String> = match kind {
        "hit" => numbers.map(path).collect(),
        "worst" => numbers.map(worst_path).collect(),
        _ => numbers.map(|_| MISS.to_owned()).collect(),
    };
    if subject == "cutover" {
        let snapshot = snapshot(size);
        measured(&paths, &headers, |path, headers| {
            let view = RequestView::new(&Method::GET, "api.example.com", path, headers);
            let _ = black_box(snapshot.decide(black_box(&view), &mut NoPlugins));
        });
    } else {
        let bare = Bare::new(size);
        measured(&paths, &headers, |path, headers| {
            black_box(bare.decide(black_box(path), headers));
        });
    }
    ExitCode::SUCCESS
}

fn cases() -> Vec<(&'static str, &'static str, usize)> {
    let mut cases = Vec::new();
    for size in SIZES {
        for kind in ["hit", "miss", "worst"] {
            cases.push(("cutover", kind, size));
            cases.push(("matchit", kind, size));
        }
    }
    cases
}

/// Collection is switched on at entry and off at exit, by name.
#[inline(never)]
fn measured(paths: &[String], headers: &HeaderMap, decide: impl Fn(&str, &HeaderMap)) {
    for path in paths {
        decide(path, headers);
    }
}
