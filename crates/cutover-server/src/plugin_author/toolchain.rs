//! Finds a Rust toolchain that builds for `wasm32-unknown-unknown`, or says how to get one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's newest Rust; it has no such target, but the standard library's sources, to build it from.
const DEBIAN: [&str; 2] = ["/usr/bin/rustc", "/usr/bin/cargo"];
/// Where `rust-web-src` puts those sources.
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

/// A toolchain for guests.
#[derive(Clone, Debug)]
pub(super) enum Toolchain {
    /// The folder's own has the target: `rustup target add wasm32-unknown-unknown`.
    Target { rustc: String },
    /// Debian's, building the standard library too.
    BuildStd { rustc: String, linker: PathBuf },
}

impl Toolchain {
    /// The one for this folder, which may name a version in `rust-toolchain.toml`; or how to get one.
    pub(super) fn find(folder: &Path) -> Result<Self, String> {
        Self::installed_target(folder).or_else(|| Self::debian(folder)).ok_or_else(advice)
    }

    /// In a few words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Target { rustc } => rustc.clone(),
            Self::BuildStd { rustc, .. } => format!("{rustc}, with its standard library"),
        }
    }

    /// `cargo build --release` for the guest target, in that folder.
    pub(super) fn build(&self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Target { .. } => Command::new("cargo"),
            Self::BuildStd { linker, .. } => {
                let mut command = Command::new(DEBIAN[1]);
                command
                    .env("RUSTC", DEBIAN[0])
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                // What rustup and wrappers configure is meant for other compilers.
                for name in ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
                    command.env_remove(name);
                }
                command
            }
        };
        command.current_dir(folder).args(["build", "--release", "--target", TARGET]);
        if matches!(self, Self::BuildStd { .. }) {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command
    }

    fn installed_target(folder: &Path) -> Option<Self> {
        let sysroot = output(folder, "rustc", &["--print", "sysroot"])?;
        let rustc = output(folder, "rustc", &["--version"])?;
        let there = Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists();
        there.then_some(Self::Target { rustc })
    }

    fn debian(folder: &Path) -> Option<Self> {
        if !DEBIAN.iter().chain([&DEBIAN_STD]).all(|file| Path::new(file).exists()) {
            return None;
        }
        let rustc = output(folder, DEBIAN[0], &["--version"])?;
        linker(folder).map(|linker| Self::BuildStd { rustc, linker })
    }
}

/// `rust-lld` of the default toolchain serves Debian's as well, whose own is a package of its own.
fn linker(folder: &Path) -> Option<PathBuf> {
    let beside = output(folder, "rustc", &["--print", "target-libdir"])
        .and_then(|libraries| Some(Path::new(&libraries).parent()?.join("bin/rust-lld")));
    let packaged = ["/usr/bin/rust-lld", "/usr/bin/wasm-ld-22", "/usr/bin/wasm-ld"];
    beside.into_iter().chain(packaged.map(PathBuf::from)).find(|linker| linker.exists())
}

/// What a program prints; `None` if it is not there or fails.
fn output(folder: &Path, program: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null());
    let done = command.output().ok().filter(|done| done.status.success())?;
    Some(String::from_utf8(done.stdout).ok()?.trim().to_owned())
}

fn advice() -> String {
    format!(
        "no Rust toolchain here builds for {TARGET}. Either of these gives one:\n\
         rustup target add {TARGET}\n\
         or, on Debian 12 and later where rustup cannot download, as root:\n\
         apt-get install rustc-web cargo-web rust-web-src lld\n\
         (the first build then makes the standard library, too: about a minute)"
    )
}
