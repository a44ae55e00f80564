//! The components that are not committed: no test of the proxy loads them, so they are held to the rules, and to their
//! cases, as soon as they are built. By `cutover plugin check` and `test`, as an author would.

use crate::process::root;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A whole engine is larger than what plugins usually get.
const MEMORY_MIB: &str = "64";

/// Nothing, or what is said of what is wrong.
pub(super) fn run(component: &Path, cases: &Path) -> Result<Result<(), String>> {
    let program = program()?;
    for (verb, more) in [("check", None), ("test", Some(cases))] {
        let mut command = Command::new(&program);
        command.args(["plugin", verb]).arg(component).args(more);
        let done = command.args(["--memory-mib", MEMORY_MIB]).stdin(Stdio::null()).output();
        let done = done.with_context(|| format!("run {}", program.display()))?;
        if !done.status.success() {
            return Ok(Err(format!("cutover plugin {verb}: {}", said(&done))));
        }
    }
    Ok(Ok(()))
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

/// The binary that was built with this task; built now if this is run by itself.
fn program() -> Result<PathBuf> {
    let ourselves = std::env::current_exe().context("where is this program?")?;
    let program = ourselves.with_file_name("cutover");
    if !program.exists() {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root()).args(["build", "--workspace", "--bins", "--locked"]);
        ensure!(cargo.status().context("run cargo")?.success(), "the binary does not build");
    }
    Ok(program)
}
