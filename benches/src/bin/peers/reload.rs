//! A configuration changed under load: what failed, and how soon the new one served.

use crate::args::Args;
use crate::configure::Setting;
use crate::product::{Product, Running};
use crate::scenario::Scenario;
use crate::stage::Stage;
use anyhow::{Context as _, ensure};
use cutover_benches::e2e::pairs::median;
use cutover_benches::e2e::process::on_core;
use cutover_benches::e2e::sides::{NEW, OLD};
use cutover_benches::e2e::turn::{Turn, Turned};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Connections of the load.
const CONNECTIONS: u32 = 32;
/// A connection that is not served by the new configuration so long after it never will be.
const NEVER: Duration = Duration::from_secs(10);
/// Time between the start of the load's process and its first request.
const SOON: Duration = Duration::from_millis(300);

/// What all of a product's reloads came to.
#[derive(Clone, Debug)]
pub(crate) struct Reloaded {
    pub(crate) reloads: usize,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// Sent once more, because a connection was closed under them.
    pub(crate) again: u64,
    /// Medians: from the change to the first reply by the new configuration, and to the last one by the old.
    pub(crate) first_ms: f64,
    pub(crate) last_ms: f64,
    /// Medians of what the requests before the change and in the second after it took.
    pub(crate) p99_before_us: f64,
    pub(crate) p99_after_us: f64,
}

pub(crate) fn measure(args: &Args, stage: &Stage, product: &Product) -> anyhow::Result<Reloaded> {
    let running = product.start(stage, Scenario::Pass, Setting::Reloads)?;
    let mut all = Vec::new();
    for number in 0..args.pairs {
        let into = if number % 2 == 0 { NEW } else { OLD };
        all.push(turn(stage, product, &running, into)?);
    }
    let middle = |of: &dyn Fn(&Turned) -> f64| median(&all.iter().map(of).collect::<Vec<_>>());
    Ok(Reloaded {
        reloads: all.len(),
        requests: all.iter().map(|turned| turned.replies + turned.failed).sum(),
        failed: all.iter().map(|turned| turned.failed).sum(),
        again: all.iter().map(|turned| turned.again).sum(),
        first_ms: middle(&|turned| turned.first_ms),
        last_ms: middle(&|turned| turned.last_ms),
        p99_before_us: middle(&|turned| turned.p99_before_us),
        p99_after_us: middle(&|turned| turned.p99_after_us),
    })
}

/// One change, in the middle of a load from core 1.
#[expect(clippy::disallowed_methods, reason = "a moment that two processes share")]
fn turn(stage: &Stage, product: &Product, running: &Running, into: u8) -> anyhow::Result<Turned> {
    let each = Duration::from_secs(stage.seconds.into());
    let at = SystemTime::now() + SOON + each;
    let at_unix_ms = at.duration_since(UNIX_EPOCH)?.as_millis();
    let words = [
        "turn".to_owned(),
        running.pinned.address().to_string(),
        stage.rate.to_string(),
        stage.seconds.to_string(),
        at_unix_ms.to_string(),
        char::from(into).to_string(),
    ];
    let load = on_core(1, &stage.us)
        .args(words)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .context("cannot run taskset")?;
    let moment = UNIX_EPOCH + Duration::from_millis(u64::try_from(at_unix_ms)?);
    std::thread::sleep(moment.duration_since(SystemTime::now()).unwrap_or_default());
    let backend = if into == NEW { stage.new } else { stage.old };
    product.turn(stage, running, backend)?;
    let done = load.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the load failed: {said}");
    let turned: Turned = String::from_utf8_lossy(&done.stdout).parse()?;
    check(&turned)?;
    Ok(turned)
}

/// The change must have been made, for everybody, before the load ended.
fn check(turned: &Turned) -> anyhow::Result<()> {
    ensure!(turned.first_ms > 0.0, "the new configuration never served");
    let (unsettled, last) = (turned.unsettled, turned.last_ms);
    ensure!(unsettled == 0, "{unsettled} connections had the old configuration for {last:.0} ms");
    Ok(())
}

/// The load's own process.
pub(crate) fn load(words: &[&str]) -> anyhow::Result<Turned> {
    let [to, per_second, seconds, at_unix_ms, into] = *words else {
        anyhow::bail!("a turn has five words")
    };
    let turn = Turn {
        to: to.parse()?,
        per_second: per_second.parse()?,
        connections: CONNECTIONS,
        each: Duration::from_secs(seconds.parse()?),
        never: NEVER,
        at_unix_ms: at_unix_ms.parse()?,
        into: *into.as_bytes().first().context("no side")?,
    };
    turn.send()
}

impl Reloaded {
    pub(crate) fn line(&self) -> String {
        format!(
            "{} failed, {} sent again of {}; new after {:.0} ms, old until {:.0} ms",
            self.failed, self.again, self.requests, self.first_ms, self.last_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_some_never_see_is_none() {
        let good = Turned { first_ms: 5.0, last_ms: 20.0, ..Turned::default() };
        assert!(check(&good).is_ok());
        assert!(check(&Turned { first_ms: 0.0, ..good }).is_err());
        assert!(check(&Turned { unsettled: 1, ..good }).is_err());
    }
}
