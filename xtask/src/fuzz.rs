//! `cargo xtask fuzz`: builds the programs of `fuzz/` with libFuzzer's instrumentation and runs each for a while.
//!
//! The stable compiler can do it: the instrumentation is a pass of LLVM, and the project has no unsafe code for which a
//! sanitizer would be wanted, which is what needs nightly. `cargo fuzz` works as well where it is installed.

use crate::process::{Log, output, root, works};
use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What must hold, one program each.
const TARGETS: [&str; 6] = ["path", "route", "key", "edits", "config", "head"];
/// For each target, unless another time is asked for.
const SECONDS: u64 = 60;
/// Limit for building, and what a run may take beyond its time.
const PATIENCE: Duration = Duration::from_secs(900);
/// As `cargo fuzz` instruments, without its sanitizer.
const FLAGS: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg",
    "fuzzing",
];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (seconds, targets) = read(args)?;
    if let Some(why) = unfit() {
        println!("SKIPPED  {why}");
        return Ok(());
    }
    let programs = build()?;
    for target in targets {
        println!("{target:<8} {}", fuzz(&programs, target, seconds)?);
    }
    Ok(())
}

/// Why it cannot be done here.
#[expect(clippy::disallowed_methods, reason = "libFuzzer's own build looks there for its compiler")]
pub(crate) fn unfit() -> Option<String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let why = "is not here, and libFuzzer's runtime is built with it (Debian package: g++)";
    (!works(&compiler, &["--version"])).then(|| format!("the C++ compiler `{compiler}` {why}"))
}

fn read(args: &[String]) -> Result<(u64, Vec<&'static str>)> {
    let (mut seconds, mut targets) = (SECONDS, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
            seconds = number.context("--seconds wants a number above 0")?;
        } else if let Some(target) = TARGETS.iter().find(|target| *target == arg) {
            targets.push(*target);
        } else {
            let names = TARGETS.join(" | ");
            bail!("usage: cargo xtask fuzz [--seconds N] [{names}]..., but there is `{arg}`");
        }
    }
    Ok((seconds, if targets.is_empty() { TARGETS.to_vec() } else { targets }))
}

/// The folder of the built programs.
fn build() -> Result<PathBuf> {
    let host = output(Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not name its host")?;
    let log = Log::create(root().join("fuzz/target/build.log"), PATIENCE)?;
    // A target that is named keeps the flags away from build scripts.
    let what = ["build", "--locked", "--release", "--bins", "--target", host];
    let mut cargo = Command::new("cargo");
    cargo.args(what).current_dir(root().join("fuzz"));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    cargo.env("CARGO_TARGET_DIR", root().join("fuzz/target"));
    log.run(&mut cargo).with_context(|| log.text())?;
    Ok(root().join("fuzz/target").join(host).join("release"))
}

/// Runs one target from its seeds on, and what earlier runs found; the answer sums up.
fn fuzz(programs: &Path, target: &str, seconds: u64) -> Result<String> {
    let fuzz = root().join("fuzz");
    let corpus = fuzz.join("target/corpus").join(target);
    let failures = fuzz.join("artifacts").join(target);
    for folder in [&corpus, &failures] {
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    let mut run = Command::new(programs.join(target));
    run.arg(format!("-max_total_time={seconds}"));
    // A case that takes this long is a finding.
    run.args(["-timeout=5", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"]);
    run.arg(format!("-artifact_prefix={}/", failures.display()));
    let words = fuzz.join("dictionaries").join(target);
    if words.exists() {
        run.arg(format!("-dict={}", words.display()));
    }
    run.arg(&corpus).arg(fuzz.join("seeds").join(target)).current_dir(&fuzz);
    let log = Log::create(fuzz.join(format!("target/{target}.log")), PATIENCE)?;
    log.run(&mut run).with_context(|| {
        let text = log.text();
        let tail: Vec<&str> = text.lines().rev().take(40).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        format!("{target} failed; the case is in fuzz/artifacts/{target}\n{}", tail.join("\n"))
    })?;
    let said = log.text();
    let runs = last_number(&said, "stat::number_of_executed_units:");
    let runs = runs.context("libFuzzer did not say how many cases it ran")?;
    ensure!(runs > 0, "{target}: no case was run");
    let covered = said.lines().rev().find_map(|line| last_number(line, " cov:"));
    Ok(format!("{runs} cases, {} edges covered", covered.unwrap_or_default()))
}

/// The number behind the last occurrence of a label.
fn last_number(text: &str, label: &str) -> Option<u64> {
    text.rsplit_once(label)?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<String> {
        args.iter().map(|&arg| arg.to_owned()).collect()
    }

    #[test]
    fn every_target_is_a_program_and_has_seeds() {
        let fuzz = root().join("fuzz");
        let names = |folder: &str| -> Vec<String> {
            let entries = std::fs::read_dir(fuzz.join(folder)).expect("the folder is there");
            let names = entries.map(|entry| entry.expect("readable").file_name());
            let mut names: Vec<String> = names
                .map(|name| name.to_string_lossy().trim_end_matches(".rs").to_owned())
                .collect();
            names.sort();
            names
        };
        let mut targets = TARGETS.map(str::to_owned).to_vec();
        targets.sort();
        assert_eq!(names("fuzz_targets"), targets);
        assert_eq!(names("seeds"), targets);
    }

    #[test]
    fn targets_and_time_are_chosen() {
        assert_eq!(read(&[]).unwrap(), (SECONDS, TARGETS.to_vec()));
        let chosen = read(&strings(&["config", "--seconds", "5", "path"])).unwrap();
        assert_eq!(chosen, (5, vec!["config", "path"]));
        let refused = read(&strings(&["config1"])).unwrap_err().to_string();
        assert!(refused.contains("`config1`") && refused.contains("config"), "{refused}");
        assert!(read(&strings(&["--seconds", "0"])).is_err());
    }

    #[test]
    fn numbers_are_read_from_what_libfuzzer_says() {
        let said = "#2 INITED cov: 12 ft: 3\n#9 DONE   cov: 345 ft: 6\n\
                    stat::number_of_executed_units: 789\n";
        assert_eq!(last_number(said, "stat::number_of_executed_units:"), Some(789));
        assert_eq!(last_number(said, " cov:"), Some(345));
        assert_eq!(last_number(said, "exec/s:"), None);
    }
}
