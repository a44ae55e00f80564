//! From the start of a program to its first good reply.

use crate::args::Args;
use crate::configure::Setting;
use crate::product::{Product, Running};
use crate::scenario::Scenario;
use crate::stage::Stage;
use anyhow::{Context as _, ensure};
use cutover_benches::e2e::backend::BODY_BYTES;
use cutover_benches::e2e::pairs::{median, range};
use cutover_benches::e2e::process::on_core;
use cutover_benches::e2e::reply::{Came, Wanted, read};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_micros(300);
/// Longer than a copy takes to arrive.
const COPY: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    /// Median and ends.
    pub(crate) ms: f64,
    pub(crate) range: (f64, f64),
    /// Resident memory at that moment, the median.
    pub(crate) mib: f64,
}

/// Each time a new process with a new folder; the first, which warms the system's caches, is left out.
pub(crate) fn measure(
    args: &Args,
    stage: &Stage,
    product: &Product,
    scenario: Scenario,
) -> anyhow::Result<Started> {
    let (mut ms, mut mib) = (Vec::new(), Vec::new());
    for number in 0..args.pairs {
        let began = now();
        let running = product.spawn(stage, scenario, Setting::Usual)?;
        first_reply(&running, began, scenario)?;
        if number > 0 || args.pairs == 1 {
            ms.push(began.elapsed().as_secs_f64() * 1e3);
            mib.push(running.pinned.memory_kib()?.0 as f64 / 1024.0);
        }
    }
    Ok(Started { ms: median(&ms), range: range(&ms), mib: median(&mib) })
}

/// Waits until a program answers as it should, which may be later than it listens.
#[expect(clippy::disallowed_methods, reason = "the copy of what was asked comes after its reply")]
pub(crate) fn ready(running: &Running, scenario: Scenario) -> anyhow::Result<()> {
    first_reply(running, now(), scenario)?;
    std::thread::sleep(COPY);
    Ok(())
}

/// What starting anything takes here, `setpriv` and `taskset` included, which every product has in its figure.
pub(crate) fn nothing(args: &Args) -> anyhow::Result<f64> {
    let mut ms = Vec::new();
    for _ in 0..args.pairs {
        let began = now();
        let done = on_core(0, Path::new("true")).status().context("cannot run taskset")?;
        ensure!(done.success(), "`true` failed");
        ms.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&ms))
}

#[expect(clippy::disallowed_methods, reason = "waits for another process to answer")]
fn first_reply(running: &Running, began: Instant, scenario: Scenario) -> anyhow::Result<()> {
    let from = running.pinned.address();
    loop {
        let came = ask(from, &scenario.path());
        if matches!(came, Ok(Some(Came::Whole { .. }))) {
            return Ok(());
        }
        // Some listen before they know any route, and say 404 until then.
        ensure!(began.elapsed() < PATIENCE, "no good reply in {PATIENCE:?}, but {came:?}");
        std::thread::sleep(LOOK);
    }
}

/// `None` as long as nobody listens; a reply that is not as it should be is an error.
fn ask(from: SocketAddr, path: &str) -> anyhow::Result<Option<Came>> {
    let Ok(mut stream) = TcpStream::connect(from) else { return Ok(None) };
    stream.set_read_timeout(Some(PATIENCE))?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: bench.example\r\nx-user-id: user-7\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let wanted = Wanted { body_bytes: BODY_BYTES, edited: false };
    read(&mut stream, &mut [0; 4096], wanted).map(Some)
}

#[expect(clippy::disallowed_methods, reason = "measures time")]
fn now() -> Instant {
    Instant::now()
}

impl Started {
    pub(crate) fn line(&self) -> String {
        let (low, high) = self.range;
        format!("{:.0} ms ({low:.0} to {high:.0}), {:.0} MiB", self.ms, self.mib)
    }
}
