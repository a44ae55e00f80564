//! Many connections that ask for nothing: what each of them holds, and what they cost while they do.

use crate::args::Args;
use crate::configure::Setting;
use crate::product::Product;
use crate::scenario::Scenario;
use crate::stage::Stage;
use anyhow::{Context as _, ensure};
use cutover_benches::e2e::backend::BODY_BYTES;
use cutover_benches::e2e::reply::{Came, Wanted, read};
use cutover_benches::e2e::sides::OLD;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Connections of a run, and of a smoke.
const MANY: usize = 5_000;
const FEW: usize = 200;
/// Files that a program needs besides.
const OTHER_FILES: usize = 500;
/// Opened before the first look at the memory, so that what is made once is there.
const WARM_UP: usize = 64;
/// So long nothing is asked. Shorter than any of their limits for idle connections.
const REST: Duration = Duration::from_secs(10);
const SHORT_REST: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    /// Resident memory of the process for each, without the kernel's part.
    pub(crate) bytes_each: f64,
    /// CPU time in a second in which nobody asks.
    pub(crate) cpu_ms_per_s: f64,
}

#[expect(clippy::disallowed_methods, reason = "the rest that is measured")]
pub(crate) fn measure(args: &Args, stage: &Stage, product: &Product) -> anyhow::Result<Idle> {
    let running = product.start(stage, Scenario::Pass, Setting::ManyConnections)?;
    let proxy = &running.pinned;
    let connections = affordable(if args.smoke { FEW } else { MANY })?;
    let warm: Vec<TcpStream> = open(proxy.address(), WARM_UP)?;
    let (before, _) = proxy.memory_kib()?;
    let mut lines = open(proxy.address(), connections)?;
    let (after, _) = proxy.memory_kib()?;
    let rest = if args.smoke { SHORT_REST } else { REST };
    let ran = proxy.ran_ns()?;
    std::thread::sleep(rest);
    let ran_ms = (proxy.ran_ns()? - ran) as f64 / 1e6;
    // They were kept, all of them, or the figure is of something else.
    for (number, line) in lines.iter_mut().enumerate() {
        ask(line).with_context(|| format!("connection {number} of {connections} was not kept"))?;
    }
    drop(warm);
    Ok(Idle {
        connections,
        bytes_each: after.saturating_sub(before) as f64 * 1024.0 / connections as f64,
        cpu_ms_per_s: ran_ms / rest.as_secs_f64(),
    })
}

/// As many connections, each of which has had one reply.
fn open(to: SocketAddr, connections: usize) -> anyhow::Result<Vec<TcpStream>> {
    let line = |_| -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        ask(&mut stream)?;
        Ok(stream)
    };
    (0..connections).map(line).collect()
}

fn ask(stream: &mut TcpStream) -> anyhow::Result<()> {
    stream.write_all(b"GET /api/profile/4711 HTTP/1.1\r\nhost: bench.example\r\n\r\n")?;
    let wanted = Wanted { body_bytes: BODY_BYTES, edited: false };
    let came = read(stream, &mut [0; 4096], wanted)?;
    ensure!(came == Came::Whole { byte: OLD, last: false }, "not a whole reply of old: {came:?}");
    Ok(())
}

/// No more than the limit for open files allows, which the programs inherit from here.
fn affordable(wanted: usize) -> anyhow::Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let most = files(&limits).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES);
    ensure!(most >= FEW, "the limit for open files is too low: ulimit -n 8192");
    Ok(wanted.min(most))
}

fn files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Idle {
    pub(crate) fn line(&self) -> String {
        let Self { connections, bytes_each, cpu_ms_per_s } = self;
        format!(
            "{:.1} KiB each of {connections}, {cpu_ms_per_s:.2} ms of CPU a second",
            bytes_each / 1024.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_for_files_is_read() {
        let limits =
            "Limit  Soft  Hard  Units\nMax open files            1024      4096      files\n";
        assert_eq!(files(limits), Some(1024));
        assert_eq!(files("Max open files   unlimited  unlimited  files"), None);
    }
}
