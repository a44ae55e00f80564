//! Finds a Rust toolchain that builds for `wasm32-unknown-unknown`, or says how to get one.

use crate::process::{output, root, works};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's newest Rust; it has no such target, but the standard library's sources, to build it from.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// A toolchain for guests.
#[derive(Clone, Debug)]
pub(super) enum Toolchain {
    /// The default one has the target: `rustup target add wasm32-unknown-unknown`.
    Target { rustc: String },
    /// Debian's, building the standard library too.
    BuildStd { rustc: String, linker: PathBuf },
}

impl Toolchain {
    /// The one to use here, or how to get one.
    pub(super) fn find(install: bool) -> Result<Result<Self, String>> {
        if let Some(found) = Self::installed_target() {
            return Ok(Ok(found));
        }
        if let Some(found) = Self::debian()? {
            return Ok(Ok(found));
        }
        if install && works("rustup", &["target", "add", TARGET]) {
            return Ok(Self::installed_target().ok_or_else(advice));
        }
        if install && may_apt() {
            apt()?;
            return Ok(Self::debian()?.ok_or_else(advice));
        }
        Ok(Err(advice()))
    }

    /// In a few words, for the record.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Target { rustc } => rustc.clone(),
            Self::BuildStd { rustc, .. } => format!("{rustc} with its own std"),
        }
    }

    /// `cargo build --release` of the workspace for the guest target.
    pub(super) fn build(&self, manifest: &Path, target_folder: &Path) -> Command {
        let mut command = match self {
            Self::Target { .. } => Command::new("cargo"),
            Self::BuildStd { linker, .. } => {
                let mut command = Command::new("/usr/bin/cargo");
                command
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .arg("-Zbuild-std=std,panic_abort");
                command
            }
        };
        command.args(["build", "--release", "--locked", "--workspace", "--target", TARGET]);
        command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target_folder);
        // What configures the build of the tools must not leak into that of the guests.
        for name in ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO"] {
            command.env_remove(name);
        }
        command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", remaps());
        command
    }

    fn installed_target() -> Option<Self> {
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"])).ok()?;
        let target = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET);
        let rustc = version("rustc")?;
        target.exists().then_some(Self::Target { rustc })
    }

    fn debian() -> Result<Option<Self>> {
        let tools = ["/usr/bin/rustc", "/usr/bin/cargo"];
        let sources = Path::new("/usr/lib/rustlib/src/rust/library/std/Cargo.toml");
        if !tools.iter().all(|tool| Path::new(tool).exists()) || !sources.exists() {
            return Ok(None);
        }
        let Some(rustc) = version(tools[0]) else { return Ok(None) };
        Ok(linker().map(|linker| Self::BuildStd { rustc, linker }))
    }
}

/// May packages be installed without being asked for? On CI, and in the project's own set-up.
#[expect(clippy::disallowed_methods, reason = "a task runner's edge is its environment")]
pub(super) fn may_install() -> bool {
    let set = |name| std::env::var(name).is_ok_and(|value| !value.is_empty() && value != "false");
    set("CI") || set("CUTOVER_SETUP")
}

/// `rust-lld` speaks for the default toolchain; Debian's own needs a package of its own.
fn linker() -> Option<PathBuf> {
    let libraries = output(Command::new("rustc").args(["--print", "target-libdir"])).ok()?;
    let beside = Path::new(libraries.trim()).parent()?.join("bin/rust-lld");
    let candidates = [beside, "/usr/bin/rust-lld".into(), "/usr/bin/wasm-ld-22".into()];
    candidates.into_iter().find(|linker| linker.exists())
}

/// Paths of this machine, as they would stand in panic messages, become the same everywhere.
fn remaps() -> String {
    let registry = cargo_home().join("registry/src");
    let registries = std::fs::read_dir(registry).into_iter().flatten().flatten();
    let mut remaps: Vec<String> = registries
        .map(|index| format!("--remap-path-prefix={}=/registry", index.path().display()))
        .collect();
    remaps.sort_unstable();
    remaps.push(format!("--remap-path-prefix={}=/cutover", root().display()));
    remaps.join("\u{1f}")
}

#[expect(clippy::disallowed_methods, reason = "a task runner's edge is its environment")]
fn cargo_home() -> PathBuf {
    let set = std::env::var("CARGO_HOME").map(PathBuf::from);
    let home = || Path::new(&std::env::var("HOME").unwrap_or_default()).join(".cargo");
    set.unwrap_or_else(|_| home())
}

fn version(rustc: &str) -> Option<String> {
    output(Command::new(rustc).arg("--version")).ok().map(|text| text.trim().to_owned())
}

fn may_apt() -> bool {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    root && works("apt-get", &["--version"])
}

fn apt() -> Result<()> {
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        let status = command.env("DEBIAN_FRONTEND", "noninteractive").args(args).status();
        status.is_ok_and(|status| status.success())
    };
    println!("installing Debian's {}", PACKAGES.join(", "));
    let install = ["install", "-y", "--no-install-recommends"];
    if !apt(&["update"]) || !apt(&[&install[..], &PACKAGES[..]].concat()) {
        bail!("apt-get could not install {}", PACKAGES.join(", "));
    }
    Ok(())
}

fn advice() -> String {
    format!(
        "no Rust toolchain for {TARGET}: run `rustup target add {TARGET}`; where rustup cannot \
         download, on Debian 12 or later, `apt-get install {}` (or `cargo xtask plugins --install`)",
        PACKAGES.join(" ")
    )
}
