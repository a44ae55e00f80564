//! A guest in JavaScript: componentize-js from npm, with every feature that needs a host switched off.

use super::Built;
use crate::process::works;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// The component, or why it cannot be built here.
pub(super) fn build(folder: &Path, wit: &Path, target: &Path) -> Result<Result<Built, String>> {
    if !works("node", &["--version"]) || !works("npm", &["--version"]) {
        let advice = "node or npm is missing (Debian packages: nodejs npm)";
        return Ok(Err(advice.to_owned()));
    }
    std::fs::create_dir_all(target)?;
    for file in ["package.json", "build.mjs"] {
        std::fs::copy(folder.join(file), target.join(file)).with_context(|| file.to_owned())?;
    }
    let mut npm = Command::new("npm");
    // No lock file: npm leaves a package out of it that componentize-js imports without declaring it.
    npm.current_dir(target).args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
    npm.args(["--no-package-lock", "--silent"]);
    if !npm.status().is_ok_and(|status| status.success()) {
        return Ok(
            Err("npm could not fetch componentize-js; is its registry in reach?".to_owned()),
        );
    }
    let file = target.join("plugin.wasm");
    let mut node = Command::new("node");
    node.current_dir(target).arg("build.mjs").arg(folder.join("plugin.js")).arg(wit).arg(&file);
    ensure!(node.status().context("run node")?.success(), "componentize-js failed");
    let component = std::fs::read(&file)?;
    // The engine's start-up is part of the component, with what its memory held: never twice the same.
    Ok(Ok(Built { component, toolchain: "componentize-js 0.23.0".to_owned(), reproducible: false }))
}
