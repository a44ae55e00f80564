//! Programs under test: each a process of its own, pinned to a core, ended when it is dropped.

use anyhow::{Context as _, bail, ensure};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks in a second, as Linux shows them to programs.
const TICKS: f64 = 100.0;

/// How long a program may take until it listens.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// How long a program with processes of its own may take to end them.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A process on a core of its own. Dropping it ends it.
#[derive(Debug)]
pub struct Pinned {
    child: Child,
    address: SocketAddr,
    family: Family,
}

/// What the kernel has counted of a thread.
struct Thread {
    name: String,
    ran_ns: u64,
    waited_ns: u64,
}

/// Does a program have processes of its own?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// No: it is ended at once.
    Single,
    /// It is asked to end, because its processes would outlive it if it were killed.
    Master,
}

impl Family {
    fn last_signal(self) -> &'static str {
        match self {
            Self::Single => "KILL",
            Self::Master => "TERM",
        }
    }
}

impl Pinned {
    /// Starts a program on a core and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started, or does not listen in time.
    pub fn start(
        core: u32,
        program: &Path,
        args: &[&str],
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        Self::spawn(core, program, args, address, Family::Single)?.when_it_listens()
    }

    /// Starts a program on a core, and does not wait for anything.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(
        core: u32,
        program: &Path,
        args: &[&str],
        address: SocketAddr,
        family: Family,
    ) -> anyhow::Result<Self> {
        let child = command(core, program, family.last_signal())
            .args(args)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot run setpriv and taskset; install util-linux")?;
        Ok(Self { child, address, family })
    }

    /// Itself, as soon as it listens.
    ///
    /// # Errors
    /// If it ends, or does not in time.
    #[expect(clippy::disallowed_methods, reason = "waits for another process to listen")]
    pub fn when_it_listens(mut self) -> anyhow::Result<Self> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} before it listened");
            }
            if began.elapsed() > STARTS_WITHIN {
                bail!("it does not listen on {}", self.address);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(self)
    }

    /// Sends it a signal, `HUP` for one.
    ///
    /// # Errors
    /// If it has ended.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid).status()?;
        ensure!(sent.success(), "no SIG{name}: it has ended");
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// User and system time of the process, in seconds.
    ///
    /// # Errors
    /// If it has ended.
    pub fn cpu_s(&self) -> anyhow::Result<f64> {
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

    /// Time its threads have run, in nanoseconds: finer than [`Pinned::cpu_s`], and without threads that have ended.
    ///
    /// # Errors
    /// If it has ended.
    pub fn ran_ns(&self) -> anyhow::Result<u64> {
        Ok(self.threads()?.iter().map(|thread| thread.ran_ns).sum())
    }

    /// Time its threads have waited for their core while they had work, in nanoseconds; without those of this name.
    ///
    /// # Errors
    /// If it has ended.
    pub fn waited_ns(&self, but: &str) -> anyhow::Result<u64> {
        let threads = self.threads()?;
        Ok(threads.iter().filter(|thread| thread.name != but).map(|t| t.waited_ns).sum())
    }

    /// Has it a thread of this name?
    ///
    /// # Errors
    /// If it has ended.
    pub fn has_thread(&self, name: &str) -> anyhow::Result<bool> {
        Ok(self.threads()?.iter().any(|thread| thread.name == name))
    }

    fn threads(&self) -> anyhow::Result<Vec<Thread>> {
        let mut threads = Vec::new();
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let folder = thread?.path();
            let read = |file: &str| std::fs::read_to_string(folder.join(file));
            // It may end between the calls.
            let (Ok(name), Ok(stat)) = (read("comm"), read("schedstat")) else { continue };
            let mut words = stat.split_whitespace();
            let mut number = || -> anyhow::Result<u64> {
                Ok(words.next().context("a short schedstat")?.parse()?)
            };
            let (ran_ns, waited_ns) = (number()?, number()?);
            threads.push(Thread { name: name.trim_end().to_owned(), ran_ns, waited_ns });
        }
        Ok(threads)
    }

    /// Memory it holds now, and the most it has held, in KiB.
    ///
    /// # Errors
    /// If it has ended.
    pub fn memory_kib(&self) -> anyhow::Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = |name: &str| -> anyhow::Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            Ok(word.context("a short /proc/PID/status")?.parse()?)
        };
        Ok((line("VmRSS:")?, line("VmHWM:")?))
    }
}

impl Drop for Pinned {
    #[expect(clippy::disallowed_methods, reason = "waits for another process to end")]
    fn drop(&mut self) {
        if self.family == Family::Master && self.signal("TERM").is_ok() {
            let began = Instant::now();
            while began.elapsed() < ENDS_WITHIN && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that will run on this core alone, and end with the thread that starts it: whoever interrupts a measurement
/// gets no chance to drop what it has started, and a proxy left on a core spoils the next one.
pub fn on_core(core: u32, program: &Path) -> Command {
    command(core, program, Family::Single.last_signal())
}

fn command(core: u32, program: &Path, last_signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", last_signal, "taskset", "-c", &core.to_string()]).arg(program);
    command
}

/// An address nobody listens on.
///
/// # Errors
/// If the kernel has no port left.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
