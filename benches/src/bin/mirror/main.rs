//! What mirroring costs users: their p50 and p99 with every read mirrored, beside the same proxy with none, in one run.
//!
//! `cargo build --release && target/release/mirror target/release/cutover`. Linux only; needs `taskset`. Both proxies
//! have core 0, the one that is not asked is idle; backends and load share core 1. Blocks go A B B A at a fixed rate, from
//! an open loop; the ratio of each pair is taken, and their median with its interval of 95 %. Two proxies without a mirror
//! are the noise of the machine. Beside it, from the kernel's own count, how long the threads that serve users waited for
//! the core per request: what copies take from users, without the noise that latencies have. All of it twice: with an `old`
//! that answers at once, where every microsecond shows, and with one that works for some milliseconds, as services do.
//! Options: `--rate N` requests per second (2000), `--pairs N` (31, the first is left out), `--seconds N` (1).

use anyhow::{Context as _, ensure};
use cutover_benches::e2e::args::Args;
use cutover_benches::e2e::backend;
use cutover_benches::e2e::load::{Latency, Load};
use cutover_benches::e2e::pairs::{in_turn, interval, median};
use cutover_benches::e2e::process::{Pinned, free_address, on_core};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What `old` takes.
const OLD: [Duration; 2] = [Duration::ZERO, Duration::from_millis(5)];
/// The name of the proxy's thread that sends copies.
const MIRROR: &str = "cutover-mirror";
/// A side that is slow takes this long.
const SLOW: Duration = Duration::from_millis(200);

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["backend", listen, after_ms] => {
            backend::serve(listen.parse()?, Duration::from_millis(after_ms.parse()?), b'x')
        }
        ["load", to, per_second, seconds] => {
            let lasts = Duration::from_secs(seconds.parse()?);
            let load = Load::usual(to.parse()?, per_second.parse()?, lasts);
            writeln!(std::io::stdout().lock(), "{}", load.send()?.latency)?;
            Ok(())
        }
        _ => compare(&Args::read(&words, 2_000)?),
    }
}

/// The side that copies go to.
#[derive(Clone, Copy)]
enum Mirrored {
    Nobody,
    To(SocketAddr),
}

fn compare(args: &Args) -> anyhow::Result<()> {
    let us = std::env::current_exe()?;
    let folder = std::env::temp_dir().join(format!("cutover-mirror-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let serve = |after: Duration| -> anyhow::Result<Pinned> {
        let at = free_address()?;
        let after_ms = after.as_millis().to_string();
        Pinned::start(1, &us, &["backend", &at.to_string(), &after_ms], at)
    };
    for takes in OLD {
        writeln!(std::io::stdout().lock(), "old takes {takes:?}")?;
        against(args, &us, &folder, (&serve(takes)?, &serve(takes)?, &serve(SLOW)?))?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// All rows, for one `old`, one `new` that is healthy, and one that is slow.
fn against(
    args: &Args,
    us: &Path,
    folder: &Path,
    (old, healthy, slow): (&Pinned, &Pinned, &Pinned),
) -> anyhow::Result<()> {
    // Accepts connections into its backlog, and never reads.
    let hung = TcpListener::bind("127.0.0.1:0")?;
    let proxy = |mirrored: Mirrored| start(args, folder, old.address(), mirrored);
    let control = proxy(Mirrored::Nobody)?;
    for (name, mirrored) in [
        ("no mirror again (noise)", Mirrored::Nobody),
        ("mirrored to a healthy side", Mirrored::To(healthy.address())),
        ("to a side that takes 200 ms", Mirrored::To(slow.address())),
        ("to a side that hangs", Mirrored::To(hung.local_addr()?)),
        ("to a side that is dead", Mirrored::To(free_address()?)),
    ] {
        let mirroring = proxy(mirrored)?;
        row(args, us, name, &control, &mirroring)?;
        let named = mirroring.has_thread(MIRROR)?;
        ensure!(
            named == matches!(mirrored, Mirrored::To(_)),
            "whose waiting was counted? the mirror's thread has another name than {MIRROR}"
        );
    }
    Ok(())
}

/// A proxy whose reads are copied, or not. It goes on when its evidence turns red: what a copy costs is to be seen.
fn start(args: &Args, folder: &Path, old: SocketAddr, to: Mirrored) -> anyhow::Result<Pinned> {
    let listen = free_address()?;
    let (new, percent) = match to {
        Mirrored::Nobody => (old, 0),
        Mirrored::To(new) => (new, 100),
    };
    let state = folder.join(format!("{}.state", listen.port()));
    let text = format!(
        "[server]\nlisten = [\"{listen}\"]\nthreads = 1\naccess-log = \"off\"\n\
         [admin]\nlisten = \"off\"\n[state]\nstore = \"{}\"\n\
         [backends.old]\naddresses = [\"{old}\"]\n[backends.new]\naddresses = [\"{new}\"]\n\
         [migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"bench\"\n\
         expires = 2099-01-01\ndata = \"shared\"\nkey = [{{ header = \"x-user-id\" }}]\n\
         routes = [{{ path = \"/api/profile/{{id}}\" }}]\n\
         gates.rollback = false\nread-percent = 0\nmirror-percent = {percent}\n",
        state.display()
    );
    let file: PathBuf = folder.join(format!("{}.toml", listen.port()));
    std::fs::write(&file, text)?;
    let file = file.to_str().context("a folder with a UTF-8 name")?;
    Pinned::start(0, &args.cutover, &["run", "-c", file], listen)
}

/// What a block of load shows.
struct Block {
    latency: Latency,
    /// Per request.
    waited_us: f64,
}

/// One block of load, from a process on core 1.
fn block(args: &Args, us: &Path, proxy: &Pinned) -> anyhow::Result<Block> {
    let before = proxy.waited_ns(MIRROR)?;
    let (rate, seconds) = (args.rate.to_string(), args.seconds.to_string());
    let words = ["load", &proxy.address().to_string(), &rate, &seconds];
    let run = on_core(1, us).args(words).output().context("cannot run taskset")?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.status.success(), "the load failed: {said}");
    let latency: Latency = String::from_utf8_lossy(&run.stdout).parse()?;
    let waited = proxy.waited_ns(MIRROR)?.checked_sub(before);
    let waited = waited.context("a thread of the proxy ended under load")?;
    Ok(Block { waited_us: waited as f64 / 1e3 / latency.replies as f64, latency })
}

/// Measures one proxy against the control and prints the medians.
fn row(args: &Args, us: &Path, name: &str, control: &Pinned, proxy: &Pinned) -> anyhow::Result<()> {
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for pair in 0..args.pairs {
        let (a, b) = in_turn(pair, || block(args, us, control), || block(args, us, proxy))?;
        if pair > 0 {
            without.push(a);
            with.push(b);
        }
    }
    let (_, most_kib) = proxy.memory_kib()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}, at most {} MiB held", most_kib / 1024)?;
    let figures = |all: &[Block]| {
        let each = all.iter().map(|block| &block.latency);
        [
            each.clone().map(|latency| latency.p50_us).collect::<Vec<_>>(),
            each.clone().map(|latency| latency.p99_us).collect(),
            each.map(|latency| latency.p999_us).collect(),
        ]
    };
    let both = figures(&without).into_iter().zip(figures(&with));
    for (percentile, (a, b)) in ["p50", "p99", "p99.9"].into_iter().zip(both) {
        let ratios: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b / a).collect();
        let (low, high) = interval(&ratios);
        writeln!(
            out,
            "  {percentile:<6} {:>8.0} µs   without {:>8.0} µs   ratio {:.3} ({low:.3} to {high:.3})",
            median(&b),
            median(&a),
            median(&ratios),
        )?;
    }
    let waited = |all: &[Block]| median(&all.iter().map(|b| b.waited_us).collect::<Vec<_>>());
    let (with, without) = (waited(&with), waited(&without));
    writeln!(out, "  waited {with:>8.1} µs   without {without:>8.1} µs")?;
    Ok(())
}
