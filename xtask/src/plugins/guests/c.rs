//! A guest in C: clang, freestanding, with the bindings that wit-bindgen has generated and that are committed.

use super::Built;
use crate::plugins::component;
use crate::process::{output, works};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The component, or why it cannot be built here.
pub(super) fn build(folder: &Path, target: &Path) -> Result<Result<Built, String>> {
    if !works("clang", &["--version"]) || !works("wasm-ld", &["--version"]) {
        let advice = "clang or wasm-ld is missing (Debian packages: clang lld)";
        return Ok(Err(advice.to_owned()));
    }
    std::fs::create_dir_all(target)?;
    let name = folder.file_name().context("a folder has a name")?;
    let module = target.join(name).with_extension("wasm");
    let mut clang = Command::new("clang");
    clang
        .current_dir(folder)
        .args(["--target=wasm32-unknown-unknown", "-Os", "-nostdlib", "-ffreestanding"])
        .args(["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-variable"])
        .args(["-isystem", "libc", "-Wl,--no-entry", "-Wl,--strip-debug", "-o"])
        .arg(&module)
        .args(inputs(folder)?);
    ensure!(clang.status().context("run clang")?.success(), "clang failed");
    let toolchain = output(Command::new("clang").arg("--version"))?;
    let toolchain = toolchain.lines().next().unwrap_or("clang").to_owned();
    let component = component::encode(&std::fs::read(&module)?)?;
    Ok(Ok(Built { component, toolchain, reproducible: true }))
}

/// Every C file of the folder and its own small libc, and the object that describes the world.
fn inputs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut inputs = Vec::new();
    for place in [folder.to_owned(), folder.join("generated"), folder.join("libc")] {
        for entry in std::fs::read_dir(place)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "c" || extension == "o") {
                inputs.push(path);
            }
        }
    }
    inputs.sort_unstable();
    Ok(inputs)
}
