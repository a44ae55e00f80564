//! How cost grows: decisions, memory, configurations, swaps, plugins and migrations, from one to very many, and the law
//! that the measured points follow.
//!
//! `make bench-growth`, or `cargo build --release` and `target/release/growth`. The engine runs in this process. Times are of
//! this machine and suffer from what else it does; instructions (of callgrind, where `valgrind` is) and bytes (of a counting
//! allocator) do not. No law is written by hand: each is fitted to the points above it.

mod config;
mod curve;
mod decide;
mod fit;
mod migrations;
mod plot;
#[cfg(feature = "wasm")]
mod plugins;
mod report;
mod swap;

use anyhow::{Context as _, bail, ensure};
use curve::Curve;
use std::io::Write as _;
use std::path::PathBuf;

const HELP: &str = "\
How the cost of cutover grows with routes, migrations and plugins.

usage: growth [options]

  --out FOLDER     where growth.md, growth.json and growth.svg go
                   (target/growth)
  --no-times       only what other work on this machine cannot disturb:
                   instructions and bytes
  --smoke          small numbers, asserts every decision, writes nothing";

/// The question.
#[derive(Debug)]
struct Args {
    out: PathBuf,
    times: bool,
    smoke: bool,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["--help" | "-h"] => say(HELP),
        // By itself, under callgrind.
        ["counted", routes] => decide::counted(routes.parse()?),
        _ => run(&read(&words)?),
    }
}

fn read(words: &[&str]) -> anyhow::Result<Args> {
    let mut args = Args { out: PathBuf::from("target/growth"), times: true, smoke: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--out" => args.out = words.next().context("--out needs a value")?.into(),
            "--no-times" => args.times = false,
            "--smoke" => args.smoke = true,
            other => bail!("unknown option {other}; see --help"),
        }
    }
    Ok(args)
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn run(args: &Args) -> anyhow::Result<()> {
    let mut curves: Vec<Curve> = Vec::new();
    let most = |full: usize| if args.smoke { full.min(1_000) } else { full };
    for subject in [decide::curves, config::curves, swap::curves, migrations::curves] {
        let found = subject(&most)?;
        curves.extend(found.into_iter().filter(|curve| args.times || !curve.is_time()));
    }
    #[cfg(feature = "wasm")]
    curves.extend(plugins::curves(&most)?);
    for curve in &curves {
        ensure!(curve.points.len() > 1, "{} has no second point", curve.title);
        say(&format!("{:<52} {}", curve.title, curve.law()))?;
    }
    if args.smoke {
        return say("every decision was right; figures of a smoke are not judged");
    }
    report::write(&args.out, &curves)?;
    say(&format!("written to {}", args.out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_words_are_named() {
        assert!(read(&["--fast"]).expect_err("unknown").to_string().contains("--fast"));
        assert!(read(&["--out"]).is_err());
        assert!(!read(&["--no-times"]).expect("right").times);
    }
}
