//! CPU per request of the server, beside a bare Pingora pass-through of the same profile and allocator, in one run.
//!
//! `cargo build --release && target/release/cpu target/release/cutover`. Linux only; needs `wrk` and `taskset`. The proxy
//! under test has core 0 to itself, backend and load share core 1. Blocks go A B B A; the ratio of each pair is taken,
//! and their median. A second bare proxy against the first is the noise of the machine.

mod measure;

use anyhow::{Context as _, ensure};
use cutover_benches::e2e::pairs::{in_turn, median, range};
use cutover_benches::e2e::process::{Pinned, free_address};
use cutover_benches::e2e::{backend, bare};
use measure::block;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs of blocks; the first warms up and is left out.
const PAIRS: usize = 7;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["backend", listen] => backend::serve(listen.parse()?, Duration::ZERO, b'x'),
        ["bare", listen, backend] => bare::serve(listen, backend.parse()?),
        [cutover] => compare(Path::new(cutover)),
        _ => anyhow::bail!("usage: cpu PATH-OF-CUTOVER"),
    }
}

fn compare(cutover: &Path) -> anyhow::Result<()> {
    let us = std::env::current_exe()?;
    let folder = std::env::temp_dir().join(format!("cutover-cpu-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("tenant_split.wasm"), COMPONENT)?;
    let free = free_address;
    let at = free()?;
    let _backend = Pinned::start(1, &us, &["backend", &at.to_string()], at)?;
    let bare = |address: SocketAddr| -> anyhow::Result<Pinned> {
        Pinned::start(0, &us, &["bare", &address.to_string(), &at.to_string()], address)
    };
    let control = bare(free()?)?;
    let again = bare(free()?)?;
    row("bare Pingora again (noise)", &control, &again)?;
    drop(again);
    let by_plugin = format!("{SPLIT}{PLUGIN}");
    for (name, debug_headers, migrations) in [
        ("cutover, plain route", false, ""),
        ("cutover, split by user", false, SPLIT),
        ("cutover, split and debug headers", true, SPLIT),
        ("cutover, split by plugin", false, &by_plugin),
    ] {
        let address = free()?;
        let file = config(&folder, address, at, debug_headers, migrations)?;
        let file = file.to_str().context("a folder with a UTF-8 name")?;
        let proxy = Pinned::start(0, cutover, &["run", "-c", file], address)?;
        row(name, &control, &proxy)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

const SPLIT: &str = r#"
[migrations.profile]
old = "old"
new = "new"
owner = "bench"
expires = 2099-01-01
data = "shared"
key = [{ header = "x-user-id" }]
routes = [{ path = "/api/profile/{id}" }]
read-percent = 5
"#;

/// Follows [`SPLIT`]: the same rule of percent, asked after a component.
const PLUGIN: &str = r#"
plugins = { split = "tenant-split" }
[plugins.tenant-split]
component = "tenant_split.wasm"
config = { tenants = ["acme"] }
"#;

/// The component as the project ships it, so that what is measured is what is committed.
const COMPONENT: &[u8] = include_bytes!("../../../../plugins/dist/tenant_split.wasm");

fn config(
    folder: &Path,
    listen: SocketAddr,
    backend: SocketAddr,
    debug_headers: bool,
    migrations: &str,
) -> anyhow::Result<PathBuf> {
    let file = folder.join(format!("{}.toml", listen.port()));
    let text = format!(
        "[server]\nlisten = [\"{listen}\"]\nthreads = 1\naccess-log = \"off\"\n\
         debug-headers = {debug_headers}\n[admin]\nlisten = \"off\"\n\
         [state]\nstore = \"{}\"\n\
         [backends.old]\naddresses = [\"{backend}\"]\n[backends.new]\naddresses = [\"{backend}\"]\n\
         [[routes]]\npath = \"/{{*rest}}\"\nbackend = \"old\"\n{migrations}",
        folder.join(format!("{}.state", listen.port())).display()
    );
    std::fs::write(&file, text)?;
    Ok(file)
}

/// Measures one proxy against the control and prints the medians.
fn row(name: &str, control: &Pinned, proxy: &Pinned) -> anyhow::Result<()> {
    let mut ratios = Vec::new();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let (a, b) = in_turn(pair, || block(control), || block(proxy))?;
        ensure!(a.errors == 0 && b.errors == 0, "{name}: {} and {} errors", a.errors, b.errors);
        if pair > 0 {
            ratios.push(b.cpu_us / a.cpu_us);
            ours.push(b.cpu_us);
            bare.push(a.cpu_us);
        }
    }
    let (low, high) = range(&ratios);
    writeln!(
        std::io::stdout().lock(),
        "{name:<34} {:>6.2} µs   bare {:>6.2} µs   ratio {:.3} ({low:.3} to {high:.3})",
        median(&ours),
        median(&bare),
        median(&ratios),
    )?;
    Ok(())
}
