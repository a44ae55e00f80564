//! One block of load against one proxy: requests from `wrk`, CPU time from `/proc`.

use anyhow::{Context as _, bail};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Length of a block.
const SECONDS: u32 = 4;
/// Clock ticks in a second, as Linux shows them to programs.
const TICKS: f64 = 100.0;

/// A process on a core of its own. Dropping it ends it.
pub(crate) struct Proxy {
    child: Child,
    address: SocketAddr,
}

/// What a block showed.
pub(crate) struct Block {
    pub(crate) cpu_us: f64,
    pub(crate) errors: u64,
}

impl Proxy {
    /// Starts a program on a core and waits until it listens.
    #[expect(clippy::disallowed_methods, reason = "waits for another process to listen")]
    pub(crate) fn start(
        core: u32,
        program: &Path,
        args: &[&str],
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .args(args)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot run taskset; install util-linux")?;
        let proxy = Self { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                bail!("{} does not listen on {address}", program.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(proxy)
    }

    /// User and system time of the process, in seconds.
    fn cpu_s(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold spaces; what follows does not.
        let (_, rest) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
        let field = |number: usize| -> anyhow::Result<f64> {
            // Fields are counted from 1, and the third is the first after the name.
            let word = rest.split_whitespace().nth(number - 3).context("a short /proc/PID/stat")?;
            Ok(word.parse()?)
        };
        Ok((field(14)? + field(15)?) / TICKS)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One block.
pub(crate) fn block(proxy: &Proxy) -> anyhow::Result<Block> {
    let before = proxy.cpu_s()?;
    let run = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", "-c64", &format!("-d{SECONDS}s")])
        .args(["-H", "x-user-id: user-4711", "-H", "user-agent: bench/1"])
        .arg(format!("http://{}/api/profile/4711", proxy.address))
        .output()
        .context("cannot run wrk; install Debian's package `wrk`")?;
    let after = proxy.cpu_s()?;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let line = said.lines().find(|line| line.contains(" requests in "));
    let requests: f64 = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("wrk said:\n{said}"))?;
    let bad = said.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: "));
    let sockets = u64::from(said.contains("Socket errors"));
    let errors = bad.and_then(|count| count.trim().parse().ok()).unwrap_or(0) + sockets;
    Ok(Block { cpu_us: (after - before) * 1e6 / requests, errors })
}

/// An address nobody listens on.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    (low, high)
}
