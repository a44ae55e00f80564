//! One block of load against one proxy: requests from `wrk`, CPU time from `/proc`.

use anyhow::Context as _;
use cutover_benches::e2e::process::{Pinned, on_core};
use std::path::Path;

/// Length of a block.
const SECONDS: u32 = 4;

/// What a block showed.
pub(crate) struct Block {
    pub(crate) cpu_us: f64,
    pub(crate) errors: u64,
}

/// One block.
pub(crate) fn block(proxy: &Pinned) -> anyhow::Result<Block> {
    let before = proxy.cpu_s()?;
    let run = on_core(1, Path::new("wrk"))
        .args(["-t1", "-c64", &format!("-d{SECONDS}s")])
        .args(["-H", "x-user-id: user-4711", "-H", "user-agent: bench/1"])
        .arg(format!("http://{}/api/profile/4711", proxy.address()))
        .output()
        .context("cannot run taskset and wrk; install Debian's packages util-linux and wrk")?;
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
