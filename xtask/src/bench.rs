//! `cargo xtask bench`: instruction counts under callgrind, held against those committed in `benches/counts.json`.
//!
//! Counts, not times: they are the same on a busy machine. Criterion's times are for `benches/RESULTS.md`.

use crate::process;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Decisions in one run of a case; the bench binary says the same.
const DECISIONS: u64 = 1_000;
/// A case may grow by this much before the check fails.
const TOLERANCE_PERCENT: u64 = 5;
/// Instructions of a decision at 100,000 routes, over those at 100.
const MOST_GROWTH: f64 = 1.5;
/// Instructions of a decision over those of bare `matchit` with the same look-up and hash. A miss is left out: of its 130
/// instructions most make the view of the request, which `matchit` does without.
const MOST_RATIO: [(&str, f64); 4] =
    [("hit/1", 1.5), ("worst/1", 1.5), ("hit/100000", 1.2), ("worst/100000", 1.2)];
const BASELINE: &str = "benches/counts.json";

type Counts = BTreeMap<String, u64>;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let update = match args {
        [] => None,
        [one] if one == "--check" => Some(false),
        [one] if one == "--update" => Some(true),
        _ => bail!("usage: cargo xtask bench [--check | --update]"),
    };
    let root = process::root();
    let counts = count(&root)?;
    print(&counts);
    growth(&counts)?;
    ratios(&counts)?;
    let file = root.join(BASELINE);
    match update {
        None => Ok(()),
        Some(true) => {
            let text = serde_json::to_string_pretty(&counts)?;
            std::fs::write(&file, text + "\n").with_context(|| format!("cannot write {BASELINE}"))
        }
        Some(false) => {
            let text = std::fs::read_to_string(&file).with_context(|| {
                format!("cannot read {BASELINE}; make it with `cargo xtask bench --update`")
            })?;
            let worse = worse(&serde_json::from_str(&text)?, &counts);
            ensure!(worse.is_empty(), "{}", worse.join("\n"));
            println!("no case grew by more than {TOLERANCE_PERCENT} % over {BASELINE}");
            Ok(())
        }
    }
}

/// Instructions per decision of every case.
fn count(root: &Path) -> Result<Counts> {
    let program = build(root)?;
    let listed = Command::new(&program).output().context("cannot run the counted binary")?;
    let mut counts = Counts::new();
    for case in String::from_utf8(listed.stdout)?.lines() {
        counts.insert(case.to_owned(), callgrind(&program, case)? / DECISIONS);
    }
    ensure!(!counts.is_empty(), "the counted binary lists no case");
    Ok(counts)
}

fn build(root: &Path) -> Result<PathBuf> {
    let built = Command::new("cargo")
        .current_dir(root)
        .args(["build", "-q", "--locked", "--profile", "counts", "-p", "cutover-benches"])
        .args(["--no-default-features", "--bin", "counts", "--message-format", "json"])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(built.status.success(), "the counted binary does not build");
    let messages = String::from_utf8(built.stdout)?;
    let program = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    program.context("cargo named no executable")
}

/// Instructions of one run, inside `measured` only.
fn callgrind(program: &Path, case: &str) -> Result<u64> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*counts*measured*")
        .arg(program)
        .arg(case)
        .output()
        .context("cannot run valgrind; install Debian's package `valgrind`")?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    ensure!(run.status.success(), "{case} failed under callgrind:\n{said}");
    let count = collected(&said).with_context(|| format!("{case}: no count in:\n{said}"))?;
    ensure!(count > 0, "{case}: nothing was collected; is `measured` still there by that name?");
    Ok(count)
}

/// From callgrind's last words, `==7== Collected : 12345`.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.split_once("Collected : "))?;
    line.1.trim().parse().ok()
}

fn print(counts: &Counts) {
    println!("{:<24}{:>9}{:>9}{:>8}", "instructions", "cutover", "matchit", "ratio");
    for (case, ours) in counts {
        let Some(rest) = case.strip_prefix("cutover/") else { continue };
        let Some(bare) = counts.get(&format!("matchit/{rest}")) else { continue };
        println!("{rest:<24}{ours:>9}{bare:>9}{:>8.2}", *ours as f64 / (*bare).max(1) as f64);
    }
}

fn growth(counts: &Counts) -> Result<()> {
    let (Some(small), Some(large)) =
        (counts.get("cutover/hit/100"), counts.get("cutover/hit/100000"))
    else {
        bail!("the cases cutover/hit/100 and cutover/hit/100000 are gone");
    };
    let growth = *large as f64 / *small as f64;
    println!("growth from 100 to 100,000 routes: {growth:.2}");
    ensure!(growth <= MOST_GROWTH, "a decision grew by {growth:.2}, more than {MOST_GROWTH}");
    Ok(())
}

/// Holds the decision to its budgets beside `matchit`.
fn ratios(counts: &Counts) -> Result<()> {
    for (case, most) in MOST_RATIO {
        let count = |of: &str| {
            let name = format!("{of}/{case}");
            counts.get(&name).copied().with_context(|| format!("the case {name} is gone"))
        };
        let ratio = count("cutover")? as f64 / count("matchit")?.max(1) as f64;
        ensure!(
            ratio <= most,
            "{case} takes {ratio:.2} times as much as matchit, more than {most}"
        );
    }
    Ok(())
}

/// Cases that grew too much, or that the baseline does not know.
fn worse(before: &Counts, now: &Counts) -> Vec<String> {
    let mut worse = Vec::new();
    for (case, &now) in now {
        match before.get(case) {
            None => {
                worse.push(format!("{case} is not in {BASELINE}; run `cargo xtask bench --update`"))
            }
            Some(&before) if now * 100 > before * (100 + TOLERANCE_PERCENT) => {
                worse.push(format!("{case}: {before} instructions before, {now} now"));
            }
            Some(_) => {}
        }
    }
    worse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_from_callgrinds_last_words() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(collected(said), Some(123_456));
        assert_eq!(collected("==7== Collected : lots"), None);
    }

    #[test]
    fn growth_past_the_tolerance_and_unknown_cases_are_named() {
        let counts = |pairs: &[(&str, u64)]| -> Counts {
            pairs.iter().map(|&(case, count)| (case.to_owned(), count)).collect()
        };
        let before = counts(&[("a", 100), ("b", 100)]);
        assert!(worse(&before, &counts(&[("a", 105), ("b", 20)])).is_empty());
        let named = worse(&before, &counts(&[("a", 106), ("c", 1)]));
        assert_eq!(named.len(), 2);
        assert!(named[0].contains("a: 100") && named[1].contains("c is not"), "{named:?}");
    }

    #[test]
    fn a_decision_is_held_to_its_budgets_beside_matchit() {
        let counts = |ours: u64| -> Counts {
            let cases = MOST_RATIO.iter().flat_map(|(case, _)| {
                [(format!("cutover/{case}"), ours), (format!("matchit/{case}"), 100)]
            });
            cases.collect()
        };
        assert!(ratios(&counts(119)).is_ok());
        let error = ratios(&counts(121)).expect_err("above 1.2").to_string();
        assert!(error.contains("hit/100000 takes 1.21 times"), "{error}");
        assert!(ratios(&Counts::new()).is_err(), "a case that is gone is not met");
    }

    #[test]
    fn growth_with_the_number_of_routes_is_bounded() {
        let counts = |small, large| {
            let cases = [("cutover/hit/100", small), ("cutover/hit/100000", large)];
            cases.into_iter().map(|(case, count): (&str, u64)| (case.to_owned(), count)).collect()
        };
        assert!(growth(&counts(100, 149)).is_ok());
        assert!(growth(&counts(100, 151)).is_err());
    }
}
