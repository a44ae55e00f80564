//! What telemetry costs: CPU per request with logs and traces on, beside the same proxy with all of it off, in one run.
//!
//! `cargo build --release && target/release/telemetry target/release/cutover`. Linux only; needs `taskset`. Proxies have
//! core 0, and the one that is not asked is idle; backend, collector and load share core 1. Blocks go A B B A at a fixed
//! rate, from an open loop, with the head of a browser's request unless the row says otherwise; the ratio of each pair is taken, and their median with its interval of 95 %. Metrics cannot be
//! switched off; `record` of the criterion benches says what they cost. Options: `--rate N` requests per second (8000),
//! `--pairs N` (31, the first is left out), `--seconds N` (1).

mod collector;
mod scrape;

use anyhow::{Context as _, bail, ensure};
use cutover_benches::e2e::args::Args;
use cutover_benches::e2e::backend;
use cutover_benches::e2e::head::Head;
use cutover_benches::e2e::load::{Latency, Load};
use cutover_benches::e2e::pairs::{in_turn, interval, median};
use cutover_benches::e2e::process::{Pinned, free_address, on_core};
use scrape::Scraper;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["backend", listen] => backend::serve(listen.parse()?, Duration::ZERO, b'x'),
        ["collector", listen] => collector::serve(listen.parse()?),
        ["load", to, per_second, seconds, head] => {
            let lasts = Duration::from_secs(seconds.parse()?);
            let mut load = Load::usual(to.parse()?, per_second.parse()?, lasts);
            load.head = by_word(head)?;
            writeln!(std::io::stdout().lock(), "{}", load.send()?.latency)?;
            Ok(())
        }
        _ => compare(&Args::read(&words, 8_000)?),
    }
}

/// The words that a load is told its head by.
const BROWSER: &str = "browser";
const LEAST: &str = "least";

fn by_word(word: &str) -> anyhow::Result<Head> {
    match word {
        BROWSER => Ok(Head::Browser),
        LEAST => Ok(Head::Least),
        _ => bail!("a head is {BROWSER} or {LEAST}, not {word}"),
    }
}

/// How a block is loaded.
struct Blocks<'b> {
    args: &'b Args,
    us: &'b Path,
    head: &'static str,
}

/// What is switched on.
#[derive(Clone, Copy, Default)]
struct On {
    log: bool,
    /// Percent of the requests that are sampled.
    traces: Option<u32>,
    /// The admin listener, its series, and a scrape a second.
    admin: bool,
}

fn compare(args: &Args) -> anyhow::Result<()> {
    let us = std::env::current_exe()?;
    let folder = std::env::temp_dir().join(format!("cutover-telemetry-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (at, spans) = (free_address()?, free_address()?);
    let _backend = Pinned::start(1, &us, &["backend", &at.to_string()], at)?;
    let _collector = Pinned::start(1, &us, &["collector", &spans.to_string()], spans)?;
    let proxy = |on: On| start(args, &folder, (at, spans), on);
    let (control, _) = proxy(On::default())?;
    let log = On { log: true, ..On::default() };
    let traces = |percent| On { traces: Some(percent), ..On::default() };
    let all = On { traces: Some(1), admin: true, log: true };
    for (name, on, head) in [
        ("nothing again (noise)", On::default(), BROWSER),
        ("access log to a file", log, BROWSER),
        ("traces, 1 % sampled", traces(1), BROWSER),
        ("all: log, traces 1 %, admin and scrapes", all, BROWSER),
        ("all, and a request of two fields", all, LEAST),
        ("traces, 100 % sampled", traces(100), BROWSER),
    ] {
        let (proxy, admin) = proxy(on)?;
        let _scraper = admin.map(Scraper::start);
        row(&Blocks { args, us: &us, head }, name, &control, &proxy)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A proxy that splits by user, and its admin listener if it has one.
fn start(
    args: &Args,
    folder: &Path,
    (backend, collector): (SocketAddr, SocketAddr),
    on: On,
) -> anyhow::Result<(Pinned, Option<SocketAddr>)> {
    let listen = free_address()?;
    let admin = on.admin.then(free_address).transpose()?;
    let path = |end: &str| folder.join(format!("{}.{end}", listen.port()));
    let log = if on.log {
        format!("{{ format = \"json\", path = {:?} }}", path("log"))
    } else {
        "\"off\"".to_owned()
    };
    let telemetry = on.traces.map_or_else(String::new, |percent| {
        format!(
            "[telemetry]\ntraces = \"http://{collector}\"\nprotocol = \"http\"\n\
             sample-percent = {percent}\nbaggage = true\n"
        )
    });
    let admin_listen = admin.map_or_else(|| "off".to_owned(), |admin| admin.to_string());
    let text = format!(
        "[server]\nlisten = [\"{listen}\"]\nthreads = 1\naccess-log = {log}\n\
         [admin]\nlisten = \"{admin_listen}\"\n[state]\nstore = {:?}\n{telemetry}\
         [backends.old]\naddresses = [\"{backend}\"]\n[backends.new]\naddresses = [\"{backend}\"]\n\
         [migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"bench\"\n\
         expires = 2099-01-01\ndata = \"shared\"\nkey = [{{ header = \"x-user-id\" }}]\n\
         routes = [{{ path = \"/api/profile/{{id}}\" }}]\ngates.rollback = false\n\
         read-percent = 5\n",
        path("state"),
    );
    let file = path("toml");
    std::fs::write(&file, text)?;
    let file = file.to_str().context("a folder with a UTF-8 name")?;
    Ok((Pinned::start(0, &args.cutover, &["run", "-c", file], listen)?, admin))
}

/// CPU time per request of one block, in microseconds.
fn block(blocks: &Blocks<'_>, proxy: &Pinned) -> anyhow::Result<f64> {
    let Blocks { args, us, head } = blocks;
    let (rate, seconds) = (args.rate.to_string(), args.seconds.to_string());
    let words = ["load", &proxy.address().to_string(), &rate, &seconds, head];
    let before = proxy.ran_ns()?;
    let run = on_core(1, us).args(words).output().context("cannot run taskset")?;
    let after = proxy.ran_ns()?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "the load failed: {said}");
    let told: Latency = String::from_utf8_lossy(&run.stdout).parse()?;
    Ok((after - before) as f64 / 1e3 / told.replies as f64)
}

/// Measures one proxy against the control and prints the medians.
fn row(blocks: &Blocks<'_>, name: &str, control: &Pinned, proxy: &Pinned) -> anyhow::Result<()> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for pair in 0..blocks.args.pairs {
        let (a, b) = in_turn(pair, || block(blocks, control), || block(blocks, proxy))?;
        if pair > 0 {
            without.push(a);
            with.push(b);
        }
    }
    let ratios: Vec<f64> = with.iter().zip(&without).map(|(b, a)| b / a).collect();
    let (low, high) = interval(&ratios);
    writeln!(
        std::io::stdout().lock(),
        "{name:<42} {:>6.2} µs   without {:>6.2} µs   ratio {:.3} ({low:.3} to {high:.3})",
        median(&with),
        median(&without),
        median(&ratios),
    )?;
    Ok(())
}
