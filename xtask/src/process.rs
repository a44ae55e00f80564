//! Runs commands: their output goes to a log file, and none outlives its time limit.

use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the workspace's folder").to_owned()
}

/// The output of a short command; an error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("run {shown}"))?;
    if !done.status.success() {
        bail!("{shown}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr).trim_end());
    }
    String::from_utf8(done.stdout).with_context(|| format!("{shown} printed something not UTF-8"))
}

/// Does the command exist, and does it work?
pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What several commands print, in one file.
pub(crate) struct Log {
    path: PathBuf,
    limit: Duration,
}

impl Log {
    /// An empty log. `limit` holds for each command by itself.
    pub(crate) fn create(path: PathBuf, limit: Duration) -> Result<Self> {
        let folder = path.parent().expect("a log lies in a folder");
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        File::create(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self { path, limit })
    }

    /// Everything logged up to now.
    pub(crate) fn text(&self) -> String {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Adds a line of our own.
    pub(crate) fn note(&self, line: &str) -> Result<()> {
        writeln!(self.open()?, "{line}").with_context(|| format!("write {}", self.path.display()))
    }

    /// Runs a command to its end; an error if it fails or takes too long.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let shown = shown(command);
        self.note(&format!("$ {shown}"))?;
        command.stdin(Stdio::null()).stdout(self.open()?).stderr(self.open()?);
        // A group of its own can be ended whole. At a terminal it must share ours, or Ctrl-C would miss it.
        let own_group = !std::io::stdin().is_terminal();
        if own_group {
            command.process_group(0);
        }
        let mut child = command.spawn().with_context(|| format!("run {shown}"))?;
        match wait(&mut child, self.limit)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{shown}: {status}"),
            None => {
                end(&mut child, own_group)?;
                bail!("{shown}: ended after its limit of {} s", self.limit.as_secs());
            }
        }
    }

    fn open(&self) -> Result<File> {
        let mut options = OpenOptions::new();
        options.append(true);
        options.open(&self.path).with_context(|| format!("open {}", self.path.display()))
    }
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}

/// `None` if the command is still running after `limit`.
#[expect(clippy::disallowed_methods, reason = "a task runner's time limits are real time")]
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    // Nobody ever sends: receiving is only a pause between two looks at the child.
    let (_never, tick) = sync_channel::<()>(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        debug_assert_eq!(tick.recv_timeout(pause), Err(RecvTimeoutError::Timeout));
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

fn end(child: &mut Child, own_group: bool) -> Result<()> {
    if own_group {
        let group = format!("-{}", child.id());
        works("kill", &["-KILL", "--", &group]);
    } else {
        child.kill()?;
    }
    child.wait()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str, limit: Duration) -> Log {
        let folder = std::env::temp_dir().join(format!("cutover-xtask-{}", std::process::id()));
        Log::create(folder.join(name), limit).expect("a temporary folder can be written")
    }

    #[test]
    fn output_and_failure_of_a_command_are_kept() {
        let log = log("failing", Duration::from_secs(60));
        let failed = log.run(Command::new("sh").args(["-c", "echo said; exit 3"]));
        assert!(failed.unwrap_err().to_string().contains("exit status: 3"));
        assert!(log.text().contains("said"), "{}", log.text());
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let log = log("endless", Duration::from_millis(50));
        let failed = log.run(Command::new("sh").args(["-c", "while :; do :; done"]));
        assert!(failed.unwrap_err().to_string().contains("ended after its limit"));
    }

    #[test]
    fn a_command_that_is_not_there_does_not_work() {
        assert!(!works("cutover-no-such-command", &[]));
        assert!(works("true", &[]));
    }
}
