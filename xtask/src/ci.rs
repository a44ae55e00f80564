//! `cargo xtask ci`: the gate. Cheap steps first, the first failure ends it, a step that cannot run says SKIPPED and why.

mod counts;
mod javascript;
mod steps;

use crate::process::{Log, root};
use anyhow::{Result, bail};
use counts::Counts;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One step of the gate.
struct Step {
    name: &'static str,
    proves: &'static str,
    /// Limit for each of its commands: a hanging test must fail with its output, not with CI's patience.
    limit: Duration,
    run: fn(&Work) -> Result<Outcome>,
}

/// What a step works with.
struct Work {
    root: PathBuf,
    log: Log,
}

/// How a step ended, unless it failed.
enum Outcome {
    /// With a few words on what was done.
    Passed(String),
    /// Tests ran.
    Tested(Counts),
    /// It could not run here.
    Skipped(String),
}

/// Runs the gate, or the part of it that was asked for.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let steps = match chosen(args)? {
        Chosen::List => {
            for step in steps::ALL {
                println!("{:<10} {}", step.name, step.proves);
            }
            return Ok(());
        }
        Chosen::Run(steps) => steps,
    };
    let started = clock();
    let mut summary = Summary::default();
    for step in steps {
        print!("{:<10} ", step.name);
        std::io::stdout().flush()?;
        let step_started = clock();
        let log = Log::create(root().join(format!("target/ci/{}.log", step.name)), step.limit)?;
        let work = Work { root: root(), log };
        let outcome = (step.run)(&work);
        let seconds = step_started.elapsed().as_secs_f64();
        if let Err(error) = &outcome {
            println!("FAILED   {seconds:>7.1} s\n\n{}\n{error:#}\n", work.log.text());
        }
        summary.add(step, outcome, seconds);
        if summary.failed.is_some() {
            break;
        }
    }
    summary.print(started.elapsed());
    match summary.failed {
        Some(step) => bail!("step `{step}` failed; again by itself: cargo xtask ci --only {step}"),
        None => Ok(()),
    }
}

/// What the arguments ask for.
enum Chosen {
    List,
    Run(Vec<&'static Step>),
}

fn chosen(args: &[String]) -> Result<Chosen> {
    let find = |name: Option<&String>| {
        let Some(name) = name else { bail!("--only and --from want the name of a step") };
        let at = steps::ALL.iter().position(|step| step.name == name);
        at.ok_or_else(|| {
            let names: Vec<&str> = steps::ALL.iter().map(|step| step.name).collect();
            anyhow::anyhow!("no step is called `{name}`; there are: {}", names.join(", "))
        })
    };
    let (mut from, mut only) = (0, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => return Ok(Chosen::List),
            "--only" => only.push(find(args.next())?),
            "--from" => from = find(args.next())?,
            other => bail!("unknown argument `{other}`; there are --only, --from and --list"),
        }
    }
    only.sort_unstable();
    let picked = |at: &usize| *at >= from && (only.is_empty() || only.contains(at));
    Ok(Chosen::Run((0..steps::ALL.len()).filter(picked).map(|at| &steps::ALL[at]).collect()))
}

#[derive(Default)]
struct Summary {
    passed: usize,
    skipped: Vec<String>,
    failed: Option<&'static str>,
    tests: Counts,
}

impl Summary {
    fn add(&mut self, step: &'static Step, outcome: Result<Outcome>, seconds: f64) {
        let note = match outcome {
            Err(_) => {
                self.failed = Some(step.name);
                return;
            }
            Ok(Outcome::Skipped(why)) => {
                println!("SKIPPED  {seconds:>7.1} s   {why}");
                self.skipped.push(format!("step {}: {why}", step.name));
                return;
            }
            Ok(Outcome::Passed(note)) => note,
            Ok(Outcome::Tested(counts)) => {
                let note = counts.to_string();
                self.skipped.extend(counts.skipped.iter().map(|why| format!("test: {why}")));
                self.tests.add(counts);
                note
            }
        };
        println!("ok       {seconds:>7.1} s   {note}");
        self.passed += 1;
    }

    /// The two last lines are in the plain form that CI systems read.
    fn print(&self, took: Duration) {
        println!("\ntotal {:.0} s", took.as_secs_f64());
        if !self.skipped.is_empty() {
            println!("not run here, {} in all:", self.skipped.len());
            for line in &self.skipped {
                println!("  {line}");
            }
        }
        if self.tests.passed + self.tests.failed > 0 {
            println!("{}", self.tests);
        }
        let failed = usize::from(self.failed.is_some());
        let skipped = self.skipped.iter().filter(|line| line.starts_with("step ")).count();
        println!("steps: {} passed, {failed} failed, {skipped} skipped", self.passed);
    }
}

#[expect(clippy::disallowed_methods, reason = "the gate prints how long its steps took")]
fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Result<Vec<&'static str>> {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        match chosen(&args)? {
            Chosen::List => bail!("a list"),
            Chosen::Run(steps) => Ok(steps.iter().map(|step| step.name).collect()),
        }
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        let all = names(&[]).unwrap();
        assert_eq!(all.len(), steps::ALL.len());
        assert_eq!(names(&["--only", "lint", "--only", "fmt"]).unwrap(), ["fmt", "lint"]);
        assert_eq!(names(&["--from", all[2]]).unwrap(), all[2..]);
        let refused = names(&["--only", "lnit"]).unwrap_err().to_string();
        assert!(refused.contains("`lnit`") && refused.contains("lint"), "{refused}");
        assert!(names(&["--only"]).is_err());
        assert!(names(&["--just", "lint"]).is_err());
    }

    #[test]
    fn every_step_has_its_own_name() {
        let mut names: Vec<&str> = steps::ALL.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), steps::ALL.len());
    }
}
