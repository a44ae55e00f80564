//! What cutover costs beside its peers: nginx, HAProxy, Envoy, and a bare Pingora as the limit, one at a time.
//!
//! `make bench-peers`, or `cargo build --release` and `target/release/peers target/release/cutover`. Linux only; needs
//! `taskset`, and `wrk` for the rates of saturation. The proxy under test has core 0 and one worker; backends and load share
//! core 1. Each block of load goes at a fixed rate from an open loop, and asserts every reply's status and size, who answered,
//! each user's constancy and the share of the split. Blocks go A B B A against the bare Pingora's pass-through; the ratio
//! of each pair is taken, and their median with its interval of 95 %. Two bare proxies against each other are the noise: if their
//! interval is wider than 5 % to either side, the run is void and says so.

mod args;
mod find;
mod machine;
mod measure;
mod product;
mod report;
mod scenario;
mod svg;

use anyhow::Context as _;
use args::{Args, Mode};
use cutover_benches::e2e::load::Load;
use cutover_benches::e2e::process::{Pinned, free_address};
use cutover_benches::e2e::sides::{NEW, OLD};
use cutover_benches::e2e::{backend, bare};
use measure::{Measured, Stage};
use product::Product;
use report::Report;
use scenario::Scenario;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections of the load.
const CONNECTIONS: u32 = 32;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["backend", listen, side] => {
            let byte = if side == "new" { NEW } else { OLD };
            backend::serve(listen.parse()?, Duration::ZERO, byte)
        }
        ["bare", listen, backend] => bare::serve(listen, backend.parse()?),
        ["load", to, per_second, seconds] => {
            let load = Load {
                to: to.parse()?,
                per_second: per_second.parse()?,
                connections: CONNECTIONS,
                lasts: Duration::from_secs(seconds.parse()?),
                path: "/api/profile/4711".to_owned(),
                body_bytes: backend::BODY_BYTES,
            };
            say(&load.send()?.to_string())
        }
        _ => match args::read(&words)? {
            Mode::Help => say(args::HELP),
            Mode::Run(args) => run(&args),
        },
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn run(args: &Args) -> anyhow::Result<()> {
    let us = std::env::current_exe()?;
    let folder = std::env::temp_dir().join(format!("cutover-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    // It is the last to go, after the programs that write into it, and it goes after an error, too.
    let _folder = Throwaway(folder.clone());
    let (old, new) = (free_address()?, free_address()?);
    let serve =
        |at: SocketAddr, side: &str| Pinned::start(1, &us, &["backend", &at.to_string(), side], at);
    let (_old, _new) = (serve(old, "old")?, serve(new, "new")?);
    let stage = Stage { us, folder, old, new, seconds: args.seconds, rate: args.rate };
    let products = find::all(args)?;
    let mut report = Report::new(args, &products);
    let bare = Product::bare(&stage.us);
    let control = bare.start(&stage, Scenario::Pass)?.context("a bare proxy always starts")?;
    for scenario in Scenario::ALL {
        for product in &products {
            let Some(proxy) = product.start(&stage, scenario)? else { continue };
            let name = format!("{}: {}", scenario.name(), product.name);
            let measured = stage
                .compare(args, scenario, &control, &proxy)
                .with_context(|| format!("{name} does not do what it should"))?;
            say(&format!("{name:<44} {}", measured.line(args.smoke)))?;
            report.add(scenario, product, measured);
        }
    }
    if args.smoke {
        return say("every reply was right; figures of a smoke are not judged");
    }
    report.write(&args.out)?;
    say(&report.verdict())
}

/// A folder that is removed when this is dropped.
struct Throwaway(PathBuf);

impl Drop for Throwaway {
    fn drop(&mut self) {
        // It is in the system's place for temporary files: if it stays, that is nobody's harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is written of a row.
pub(crate) type Row = (Scenario, String, Measured);
