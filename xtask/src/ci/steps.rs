//! The steps of the gate, cheap ones first.
//!
//! Everything is built in the dev profile and, from `build` on, for one selection of packages (`--workspace`): another
//! profile or selection would build Pingora and wasmtime a second time.

use super::counts::Counts;
use super::{Outcome, Step, Work, javascript};
use crate::process::{output, works};
use crate::tidy;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// Their order is the order of the gate.
pub(super) const ALL: &[Step] = &[
    Step { name: "fmt", proves: "rustfmt has nothing to change", limit: minutes(2), run: fmt },
    Step {
        name: "tidy",
        proves: "arrows, licences, sources, names, docs that match the tree",
        limit: minutes(2),
        run: tidy_step,
    },
    Step { name: "typos", proves: "spelling", limit: minutes(3), run: typos },
    Step {
        name: "javascript",
        proves: "ESLint has nothing against the dashboard and the scripts",
        limit: minutes(2),
        run: javascript::lint,
    },
    Step {
        name: "deny",
        proves: "bans, licences and sources, as cargo-deny sees them",
        limit: minutes(20),
        run: deny,
    },
    Step { name: "lint", proves: "no warning of clippy's", limit: minutes(30), run: lint },
    Step {
        name: "build",
        proves: "everything builds, tests and examples included",
        limit: minutes(40),
        run: build,
    },
    Step {
        name: "features",
        proves: "the engine builds without plugins",
        limit: minutes(15),
        run: features,
    },
    Step {
        name: "fuzz",
        proves: "the fuzz targets compile; `cargo xtask fuzz` runs them",
        limit: minutes(15),
        run: fuzz,
    },
    Step {
        name: "plugins",
        proves: "the committed components are what their sources build",
        limit: minutes(20),
        run: plugins,
    },
    Step {
        name: "test",
        proves: "unit, integration and documentation tests, and the examples",
        limit: minutes(30),
        run: test,
    },
    Step {
        name: "doc",
        proves: "the documentation has no broken link",
        limit: minutes(15),
        run: doc,
    },
    Step { name: "demo", proves: "`cutover demo` ends with 0", limit: minutes(5), run: demo },
    Step {
        name: "clients",
        proves: "curl, Python, gRPC, wrk and browsers get through the binary unharmed",
        limit: minutes(15),
        run: clients,
    },
    Step { name: "bench", proves: "every bench runs once", limit: minutes(15), run: bench },
    Step {
        name: "peers",
        proves: "the comparison with other proxies works, and every reply in it is right",
        limit: minutes(5),
        run: peers,
    },
    Step {
        name: "count",
        proves: "instruction counts are within 5 % of the baseline",
        limit: minutes(20),
        run: count,
    },
];

fn cargo(work: &Work, args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(&work.root);
    command
}

fn passed(note: &str) -> Result<Outcome> {
    Ok(Outcome::Passed(note.to_owned()))
}

fn fmt(work: &Work) -> Result<Outcome> {
    work.log.run(&mut cargo(work, &["fmt", "--all", "--", "--check", "--color", "never"]))?;
    // Workspaces of their own, built for WebAssembly.
    for guests in ["plugins/Cargo.toml", "benches/peers/envoy-wasm/Cargo.toml"] {
        let words = ["fmt", "--manifest-path", guests, "--all", "--", "--check"];
        work.log.run(&mut cargo(work, &words))?;
    }
    passed("workspace and guests")
}

fn tidy_step(work: &Work) -> Result<Outcome> {
    let report = tidy::look(&work.root)?;
    for line in report.advice.iter().chain(&report.findings) {
        work.log.note(&line.to_string())?;
    }
    let found = report.findings.len();
    ensure!(found == 0, "{found} findings of cargo xtask tidy");
    Ok(Outcome::Passed(report.summary()))
}

fn typos(work: &Work) -> Result<Outcome> {
    let found = tool(work, "typos", &["--version"], "typos==1.52.0");
    let Some(program) = found else { return Ok(not_here("typos", "typos-cli")) };
    work.log.run(Command::new(program).args(["--config", "typos.toml"]).current_dir(&work.root))?;
    passed("")
}

/// Only the machine's own: what gates dependencies must not itself be a program of unknown origin, and compiling it
/// takes longer than the gate's cheap steps together. `tidy` holds licences and sources even where it is absent.
fn deny(work: &Work) -> Result<Outcome> {
    if !works("cargo-deny", &["--version"]) {
        let why = "cargo-deny is not here: cargo install --locked cargo-deny";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    work.log.run(&mut cargo(work, &["deny", "check", "bans", "licenses", "sources"]))?;
    passed("")
}

/// A program of this name: the machine's, or one that pip puts into a throw-away environment.
fn tool(work: &Work, name: &str, probe: &[&str], package: &str) -> Option<PathBuf> {
    if works(name, probe) {
        return Some(PathBuf::from(name));
    }
    let venv = work.root.join("target/ci").join(format!("{name}-venv"));
    let program = venv.join("bin").join(name);
    if !program.exists() {
        work.log.run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).ok()?;
        let install =
            ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
        let mut pip = Command::new(venv.join("bin/pip"));
        work.log.run(pip.args(install).arg(package)).ok()?;
    }
    program.exists().then_some(program)
}

fn not_here(name: &str, package: &str) -> Outcome {
    Outcome::Skipped(format!(
        "{name} is not here, and pip could not install it: cargo install --locked {package}"
    ))
}

fn lint(work: &Work) -> Result<Outcome> {
    let what = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    work.log.run(&mut cargo(work, &what))?;
    passed("")
}

fn build(work: &Work) -> Result<Outcome> {
    // Tests, and with them every library, binary and example: the features that dev-dependencies add are the ones
    // the tests below are built with, so this is the only build of the dependencies.
    work.log.run(&mut cargo(work, &["test", "--workspace", "--locked", "--no-run"]))?;
    passed("")
}

fn features(work: &Work) -> Result<Outcome> {
    let what = ["check", "-p", "cutover", "--no-default-features", "--locked"];
    work.log.run(&mut cargo(work, &what))?;
    passed("")
}

/// Not run: building them with their instrumentation takes longer than the gate has.
fn fuzz(work: &Work) -> Result<Outcome> {
    if let Some(why) = crate::fuzz::unfit() {
        return Ok(Outcome::Skipped(why));
    }
    let what = ["clippy", "--locked", "--bins", "--manifest-path", "fuzz/Cargo.toml"];
    let mut command = cargo(work, &what);
    command.env("CARGO_TARGET_DIR", work.root.join("fuzz/target"));
    work.log.run(command.args(["--", "-D", "warnings"]))?;
    passed("")
}

fn plugins(work: &Work) -> Result<Outcome> {
    // A process of its own, so that what it prints goes to the step's log.
    let what = ["run", "-q", "--locked", "-p", "xtask", "--", "plugins", "--check"];
    work.log.run(&mut cargo(work, &what))?;
    Ok(Outcome::Tested(Counts::read(&work.log.text())))
}

fn test(work: &Work) -> Result<Outcome> {
    // The output of passing tests is wanted for one line: why a test could not run here.
    let what = ["test", "--workspace", "--locked", "--no-fail-fast", "--", "--show-output"];
    work.log.run(&mut cargo(work, &what))?;
    let counts = Counts::read(&work.log.text());
    ensure!(counts.passed > 0, "cargo test succeeded, but its output counts no test");
    Ok(Outcome::Tested(counts))
}

fn doc(work: &Work) -> Result<Outcome> {
    // Named kinds of targets, because `--examples` makes cargo select features as for `lint`: no second check of
    // Pingora and wasmtime.
    let what = ["doc", "--no-deps", "--workspace", "--locked", "--lib", "--examples"];
    let mut command = cargo(work, &what);
    work.log.run(command.env("RUSTDOCFLAGS", "-Dwarnings"))?;
    passed("")
}

fn demo(work: &Work) -> Result<Outcome> {
    work.log.run(Command::new(binary(work)?).arg("demo").current_dir(&work.root))?;
    let text = work.log.text();
    let summary = text.lines().rev().find(|line| line.contains(" claims ")).unwrap_or_default();
    passed(summary.trim())
}

/// Most of its limit is for the first time, when pip installs what the clients are made of.
fn clients(work: &Work) -> Result<Outcome> {
    if !works("python3", &["--version"]) {
        return Ok(Outcome::Skipped("python3 is not here (Debian package: python3)".to_owned()));
    }
    let mut run = Command::new("python3");
    run.arg("clients/run.py").arg("--program").arg(binary(work)?);
    run.arg("--venv").arg(target(work)?.join("clients-venv"));
    work.log.run(run.current_dir(&work.root))?;
    let counts = Counts::read(&work.log.text());
    ensure!(counts.passed > 0, "clients/run.py succeeded, but its output counts no check");
    Ok(Outcome::Tested(counts))
}

/// The binary as `build` has left it, or built now if a step is run by itself.
fn binary(work: &Work) -> Result<PathBuf> {
    let program = target(work)?.join("debug/cutover");
    if !program.exists() {
        work.log.run(&mut cargo(work, &["build", "--workspace", "--bins", "--locked"]))?;
    }
    Ok(program)
}

fn bench(work: &Work) -> Result<Outcome> {
    let benches = bench_targets(&metadata(work)?);
    if benches.is_empty() {
        return Ok(Outcome::Skipped("there are no criterion benches yet".to_owned()));
    }
    // Without `--bench` on its own command line criterion runs each bench once; `cargo test` leaves it out.
    let mut what = vec!["test", "--workspace", "--locked"];
    for name in &benches {
        what.extend(["--bench", name]);
    }
    work.log.run(&mut cargo(work, &what))?;
    let once = Counts::read(&work.log.text()).passed;
    ensure!(once > 0, "the benches ran, but none of them reported a success");
    // It counts instructions where valgrind is, and says itself when a decision is wrong.
    let growth = target(work)?.join("debug/growth");
    work.log.run(&mut cargo(work, &["build", "--workspace", "--bins", "--locked"]))?;
    work.log.run(Command::new(growth).arg("--smoke"))?;
    passed(&format!("{once} cases in {}, once each, and how cost grows", benches.join(", ")))
}

/// Which peers take part depends on the machine: those that are not here are skipped by name. No figure is judged.
fn peers(work: &Work) -> Result<Outcome> {
    if !works("taskset", &["--version"]) {
        return Ok(Outcome::Skipped("taskset is not here (Debian package: util-linux)".to_owned()));
    }
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return Ok(Outcome::Skipped("it takes two cores, one for the proxy alone".to_owned()));
    }
    let proxy = binary(work)?;
    work.log.run(Command::new(target(work)?.join("debug/peers")).arg(proxy).arg("--smoke"))?;
    let text = work.log.text();
    let right = text.lines().filter(|line| line.ends_with(" right")).count();
    ensure!(right >= 15, "bare Pingora and cutover make 15 rows, and only {right} were right");
    passed(&format!("{right} rows right"))
}

fn count(work: &Work) -> Result<Outcome> {
    let why = if !work.root.join("xtask/src/bench.rs").exists() {
        "there is no `cargo xtask bench` yet"
    } else if !works("valgrind", &["--version"]) {
        "valgrind is not here (Debian package: valgrind)"
    } else {
        let what = ["run", "-q", "--locked", "-p", "xtask", "--", "bench", "--check"];
        work.log.run(&mut cargo(work, &what))?;
        return passed("");
    };
    Ok(Outcome::Skipped(why.to_owned()))
}

fn metadata(work: &Work) -> Result<serde_json::Value> {
    let what = ["metadata", "--format-version", "1", "--no-deps", "--locked"];
    serde_json::from_str(&output(&mut cargo(work, &what))?).context("cargo metadata is not JSON")
}

fn target(work: &Work) -> Result<PathBuf> {
    let metadata = metadata(work)?;
    match metadata["target_directory"].as_str() {
        Some(folder) => Ok(Path::new(folder).to_owned()),
        None => bail!("cargo metadata names no target directory"),
    }
}

/// Names of the criterion benches. Those that count instructions need valgrind and are `cargo xtask bench`'s.
fn bench_targets(metadata: &serde_json::Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let benches = targets.filter(|target| target["kind"][0] == "bench");
    let names = benches.filter_map(|target| target["name"].as_str().map(str::to_owned));
    names.filter(|name| !name.starts_with("instructions")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_benches_that_run_anywhere_are_smoke_tested() {
        let metadata = serde_json::json!({ "packages": [
            { "targets": [
                { "kind": ["lib"], "name": "cutover_benches" },
                { "kind": ["bench"], "name": "decide" },
                { "kind": ["bench"], "name": "instructions_decide" },
            ] },
            { "targets": [{ "kind": ["bench"], "name": "config" }] },
        ] });
        assert_eq!(bench_targets(&metadata), ["decide", "config"]);
    }
}
