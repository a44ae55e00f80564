//! The plugins' unit tests and lints, which need no guest toolchain.

use crate::process;
use anyhow::{Result, ensure};
use std::path::Path;
use std::process::Command;

/// Runs the workspaces' tests and clippy natively.
pub(super) fn test(plugins: &Path) -> Result<()> {
    for workspace in [plugins.to_owned(), super::guests::envoy_filter(plugins)?] {
        test_workspace(plugins, &workspace)?;
    }
    Ok(())
}

fn test_workspace(plugins: &Path, workspace: &Path) -> Result<()> {
    let manifest = workspace.join("Cargo.toml");
    let target = super::guests::target_folder(plugins);
    let cargo = |args: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(args).arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&target);
        command
    };
    let mut test = cargo(&["test", "--quiet", "--locked", "--workspace"]);
    ensure!(test.status()?.success(), "the plugins' unit tests failed");
    if process::works("cargo", &["clippy", "--version"]) {
        let mut lint = cargo(&["clippy", "--quiet", "--locked", "--workspace", "--all-targets"]);
        ensure!(lint.args(["--", "-D", "warnings"]).status()?.success(), "clippy found something");
    }
    Ok(())
}
