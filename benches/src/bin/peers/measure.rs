//! Blocks of load, and what they show.

use crate::args::Args;
use crate::find::found;
use crate::scenario::Scenario;
use crate::stage::Stage;
use anyhow::{Context as _, ensure};
use cutover_benches::e2e::backend::served;
use cutover_benches::e2e::load::Sent;
use cutover_benches::e2e::pairs::{in_turn, interval, median};
use cutover_benches::e2e::process::{Pinned, on_core};
use std::time::Duration;

/// Seconds of a closed loop.
const SATURATION_S: u32 = 3;

/// Copies may arrive so much later than the last reply.
const COPIES_WITHIN: Duration = Duration::from_secs(2);

/// A proxy that takes less than this of its core is not what limits a closed loop.
const BUSY: f64 = 0.9;

/// One product in one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// CPU time per request.
    pub(crate) cpu_us: f64,
    /// Over that of the bare proxy's pass-through, and its interval.
    pub(crate) ratio: f64,
    pub(crate) interval: (f64, f64),
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Share of the requests that had no reply when the load gave up.
    pub(crate) unanswered: f64,
    /// Share of the requests that the other side got a copy of, where that is to be seen.
    pub(crate) copied: Option<f64>,
    /// What a closed loop got through it, if there is a `wrk` and the scenario lets one end.
    pub(crate) most: Option<Most>,
    /// The most memory it has held.
    pub(crate) peak_mib: f64,
}

/// What a closed loop got through a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) per_s: f64,
    /// How much of its core the proxy took.
    pub(crate) busy: f64,
}

/// A block of load.
struct Block {
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
    unanswered: f64,
    copied: Option<f64>,
}

impl Stage {
    pub(crate) fn compare(
        &self,
        args: &Args,
        scenario: Scenario,
        control: &Pinned,
        proxy: &Pinned,
    ) -> anyhow::Result<Measured> {
        let (mut theirs, mut ratios) = (Vec::new(), Vec::new());
        if args.smoke {
            // Only replies are judged, and those of the control were when it was itself the product.
            ratios.push(f64::NAN);
            theirs.push(self.block(scenario, proxy)?);
        }
        for pair in 0..if args.smoke { 0 } else { args.pairs } {
            let bare = || self.block(Scenario::Pass, control);
            let (a, b) = in_turn(pair, bare, || self.block(scenario, proxy))?;
            if pair > 0 {
                ratios.push(b.cpu_us / a.cpu_us);
                theirs.push(b);
            }
        }
        let middle =
            |of: &dyn Fn(&Block) -> f64| median(&theirs.iter().map(of).collect::<Vec<_>>());
        let copied: Vec<f64> = theirs.iter().filter_map(|block| block.copied).collect();
        // Against a side that hangs a loop would mostly measure how long it waits.
        let endless = args.smoke || scenario == Scenario::MirrorHung;
        let most = if endless { None } else { saturation(scenario, proxy)? };
        let (_, peak_kib) = proxy.memory_kib()?;
        Ok(Measured {
            cpu_us: middle(&|block| block.cpu_us),
            ratio: median(&ratios),
            interval: interval(&ratios),
            p50_us: middle(&|block| block.p50_us),
            p99_us: middle(&|block| block.p99_us),
            unanswered: middle(&|block| block.unanswered),
            copied: (!copied.is_empty()).then(|| median(&copied)),
            most,
            peak_mib: peak_kib as f64 / 1024.0,
        })
    }

    fn block(&self, scenario: Scenario, proxy: &Pinned) -> anyhow::Result<Block> {
        let (rate, seconds) = (self.rate.to_string(), self.seconds.to_string());
        let copies = (scenario == Scenario::Mirror).then(|| served(self.new)).transpose()?;
        let before = proxy.ran_ns()?;
        let words = ["load", &proxy.address().to_string(), &rate, &seconds, scenario.word()];
        let run = on_core(1, &self.us).args(words).output().context("cannot run taskset")?;
        let after = proxy.ran_ns()?;
        let said = String::from_utf8_lossy(&run.stderr);
        ensure!(run.status.success(), "the load failed: {said}");
        let sent: Sent = String::from_utf8_lossy(&run.stdout).parse()?;
        scenario.check(&sent)?;
        let replies = sent.latency.replies as f64;
        let copied = copies.map(|before| self.copied(before, sent.latency.replies)).transpose()?;
        Ok(Block {
            cpu_us: (after - before) as f64 / 1e3 / replies,
            p50_us: sent.latency.p50_us,
            p99_us: sent.latency.p99_us,
            unanswered: sent.unanswered as f64 / (replies + sent.unanswered as f64),
            copied,
        })
    }

    /// Share of the requests that new had a copy of since it had `before`. What is busy may leave some out, but none
    /// may arrive twice, and not all may be missing.
    #[expect(clippy::disallowed_methods, reason = "waits for copies that are on their way")]
    fn copied(&self, before: u64, replies: u64) -> anyhow::Result<f64> {
        let pause = Duration::from_millis(100);
        let (mut waited, mut copies) = (Duration::ZERO, served(self.new)? - before);
        while copies < replies && waited < COPIES_WITHIN {
            std::thread::sleep(pause);
            waited += pause;
            copies = served(self.new)? - before;
        }
        ensure!(copies > 0, "nothing was mirrored");
        ensure!(copies <= replies, "{copies} copies of {replies} requests");
        Ok(copies as f64 / replies as f64)
    }
}

/// What it does at most, by `wrk` with 64 connections; every reply must be a 200.
fn saturation(scenario: Scenario, proxy: &Pinned) -> anyhow::Result<Option<Most>> {
    let Some(wrk) = found("wrk") else { return Ok(None) };
    let before = proxy.ran_ns()?;
    let run = on_core(1, &wrk)
        .args(["-t1", "-c64", &format!("-d{SATURATION_S}s"), "-H", "x-user-id: user-4711"])
        .arg(format!("http://{}{}", proxy.address(), scenario.path()))
        .output()?;
    let ran_s = (proxy.ran_ns()? - before) as f64 / 1e9;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let wrong = said.contains("Non-2xx") || said.contains("Socket errors");
    ensure!(!wrong, "not every reply was a 200:\n{said}");
    let rate = said.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    let per_s = rate.with_context(|| format!("wrk said:\n{said}"))?.trim().parse()?;
    Ok(Some(Most { per_s, busy: ran_s / f64::from(SATURATION_S) }))
}

impl Most {
    /// Did the load or the backends end first? Then the proxy would do more than this.
    pub(crate) fn is_a_floor(self) -> bool {
        self.busy < BUSY
    }
}

impl Measured {
    pub(crate) fn line(&self) -> String {
        let (low, high) = self.interval;
        format!(
            "{:>6.1} µs/request   ratio {:.2} ({low:.2} to {high:.2})   p99 {:>5.0} µs",
            self.cpu_us, self.ratio, self.p99_us
        )
    }

    /// Is the noise of the machine too loud? Asked of the bare proxy against itself.
    pub(crate) fn is_void(&self) -> bool {
        let (low, high) = self.interval;
        low < 0.95 || high > 1.05
    }
}
