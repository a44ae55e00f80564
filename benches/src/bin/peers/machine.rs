//! Where and of what the figures are: they mean nothing without it.

use std::path::Path;
use std::process::Command;

/// What a machine says of itself when a run begins.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) kernel: String,
    /// Of the tree the command was run in; with `-dirty` if it had changes.
    pub(crate) commit: String,
    /// Processes that ran or waited, averaged over the minute before: what else the machine did.
    pub(crate) waiting: String,
    before: Option<Ticks>,
}

/// Clock ticks of all cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    all: u64,
    /// When a guest of this machine's host had the core instead.
    stolen: u64,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |file: &str| std::fs::read_to_string(Path::new(file)).unwrap_or_default();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let processor = processor(&read("/proc/cpuinfo"));
        let git = Command::new("git").args(["describe", "--always", "--dirty"]).output();
        let commit = git.ok().filter(|git| git.status.success());
        let commit = commit.map_or_else(
            || "unknown".to_owned(),
            |git| String::from_utf8_lossy(&git.stdout).trim().to_owned(),
        );
        Self {
            processor: format!("{processor}, {cores} cores"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            commit,
            waiting: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            before: ticks(&read("/proc/stat")),
        }
    }

    /// Share of the cores' time, in percent, that others had since the run began.
    pub(crate) fn stolen_percent(&self) -> Option<f64> {
        let (before, after) = (self.before?, ticks(&std::fs::read_to_string("/proc/stat").ok()?)?);
        let all = after.all.saturating_sub(before.all);
        (all > 0).then(|| after.stolen.saturating_sub(before.stolen) as f64 * 100.0 / all as f64)
    }
}

fn processor(cpuinfo: &str) -> String {
    let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let name = lines.find(|(key, _)| key.trim() == "model name");
    name.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}

/// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; guests' are in the user's.
fn ticks(stat: &str) -> Option<Ticks> {
    let words = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Option<Vec<u64>> =
        words.split_whitespace().take(8).map(|word| word.parse().ok()).collect();
    let fields = fields?;
    Some(Ticks { all: fields.iter().sum(), stolen: *fields.get(7)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let stat = "cpu  10 1 20 60 2 3 1 3 7 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(ticks(stat), Some(Ticks { all: 100, stolen: 3 }));
        assert_eq!(ticks("cpu  10 1 20\n"), None);
        assert_eq!(ticks("intr 1 2\n"), None);
        assert_eq!(processor("processor : 0\nmodel name\t: Fast 3000\n"), "Fast 3000");
        assert_eq!(processor(""), "unknown processor");
    }
}
