//! Replacing the process without losing a request: the old one hands its listening sockets to the new one.
//!
//! Both meet in a folder, the one of `state.store`. The new process, started with `run --upgrade`, prepares everything
//! else first and then waits at `upgrade.sock`. SIGQUIT makes the old one send its sockets there. It goes on accepting
//! until the new one says at `ready.sock` that it does too, and only then drains; if that never happens, it just goes
//! on. The sockets stay open throughout, so the kernel queues what neither has accepted yet.

use crate::listen::Sockets;
use crate::surroundings::Source;
use cutover::config::StateSettings;
use pingora::server::Fds;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the new process waits for the old one; each time takes about six seconds.
const RECEIVE_TRIES: usize = 5;
/// How often the old process looks for the new one; each time takes about six seconds.
const SEND_TRIES: usize = 2;
/// How long the old process waits for the new one to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Longest path of a Unix socket.
const MAX_SOCKET_PATH: usize = 107;

/// Where the old and the new process meet.
#[derive(Clone, Debug)]
pub struct Meeting {
    folder: PathBuf,
}

/// Why an upgrade did not take place. The process that runs goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The folder cannot be used.
    #[error("{folder}: cannot be used to hand over sockets: {what}; change state.store")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        what: String,
    },
    /// The old process did not answer.
    #[error(
        "no running cutover handed over its sockets ({what}); start `cutover run --upgrade` with \
         the same state.store, then at once: kill -QUIT $(cat {pid})"
    )]
    NobodyThere {
        /// What the system says.
        what: String,
        /// The file with the old process's id.
        pid: String,
    },
    /// The new process did not take over.
    #[error("the new process did not say within {0:?} that it is ready")]
    NotReady(Duration),
}

impl Meeting {
    /// In the folder of the embedded store; beside the configuration if the store is a database.
    pub fn at(source: &Source, state: &StateSettings) -> Self {
        let folder = if state.store.contains("://") { "cutover.run" } else { &state.store };
        Self { folder: source.resolve(Path::new(folder)) }
    }

    /// The file with this process's id.
    pub fn pid_file(&self) -> PathBuf {
        self.folder.join("cutover.pid")
    }

    /// Where compiled plugins are kept.
    pub fn plugin_cache(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    fn sockets(&self) -> PathBuf {
        self.folder.join("upgrade.sock")
    }

    fn ready(&self) -> PathBuf {
        self.folder.join("ready.sock")
    }

    /// Makes the folder, and looks whether sockets can be there.
    fn prepare(&self) -> Result<(), UpgradeError> {
        let refused = |what: String| UpgradeError::Folder { folder: self.folder.clone(), what };
        std::fs::create_dir_all(&self.folder).map_err(|error| refused(error.to_string()))?;
        let longest = self.sockets().as_os_str().len().max(self.ready().as_os_str().len());
        if longest > MAX_SOCKET_PATH {
            return Err(refused(format!("its path is longer than {MAX_SOCKET_PATH} bytes")));
        }
        // Pingora panics if it cannot listen there.
        let trial = self.folder.join(format!("{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&trial);
        UnixListener::bind(&trial).map_err(|error| refused(error.to_string()))?;
        let _ = std::fs::remove_file(&trial);
        Ok(())
    }

    /// Leaves this process's id for scripts. Not being able to is no reason not to serve.
    pub fn write_pid(&self) {
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(self.pid_file(), format!("{}\n", std::process::id())));
        if let Err(error) = written {
            tracing::warn!("{}: cannot be written: {error}", self.pid_file().display());
        }
    }

    /// Removes the id, unless it is another process's by now.
    pub fn remove_pid(&self) {
        let file = self.pid_file();
        let ours = std::fs::read_to_string(&file)
            .is_ok_and(|text| text.trim() == std::process::id().to_string());
        if ours {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Takes the sockets of the process that runs now. Waits some seconds for it to send them.
///
/// # Errors
/// If it does not.
pub fn receive(meeting: &Meeting) -> Result<Fds, UpgradeError> {
    meeting.prepare()?;
    let path = meeting.sockets().display().to_string();
    tracing::info!(
        "waiting for the running process to hand over its sockets: kill -QUIT $(cat {})",
        meeting.pid_file().display()
    );
    let mut fds = Fds::new();
    let received = several_times(RECEIVE_TRIES, || fds.get_from_sock(path.as_str()));
    received.map_err(|what| nobody_there(meeting, what))?;
    Ok(fds)
}

/// The other process may still be busy: tries again. The error is the last one.
fn several_times<T, E: ToString>(
    tries: usize,
    mut attempt: impl FnMut() -> Result<T, E>,
) -> Result<T, String> {
    let mut last = String::new();
    for _ in 0..tries {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn nobody_there(meeting: &Meeting, what: String) -> UpgradeError {
    UpgradeError::NobodyThere { what, pid: meeting.pid_file().display().to_string() }
}

/// Tells the old process that it may drain, and leaves this one's id.
pub(crate) fn report_ready(meeting: &Meeting, upgraded: bool) {
    if !upgraded {
        return;
    }
    let told = UnixStream::connect(meeting.ready()).and_then(|mut old| old.write_all(b"ready\n"));
    if let Err(error) = told {
        tracing::warn!("the old process cannot be told that this one is ready: {error}");
    }
}

/// Hands the sockets to the new process and waits until it accepts connections. Blocks.
///
/// # Errors
/// If it does not take them, or never becomes ready: this process should go on then.
pub fn hand_over(meeting: &Meeting, sockets: &Sockets) -> Result<(), UpgradeError> {
    meeting.prepare()?;
    let refused = |error: io::Error| UpgradeError::Folder {
        folder: meeting.folder.clone(),
        what: error.to_string(),
    };
    let _ = std::fs::remove_file(meeting.ready());
    let ready = UnixListener::bind(meeting.ready()).map_err(refused)?;
    let outcome = send(meeting, sockets).and_then(|()| wait(&ready));
    let _ = std::fs::remove_file(meeting.ready());
    outcome
}

fn send(meeting: &Meeting, sockets: &Sockets) -> Result<(), UpgradeError> {
    let path = meeting.sockets().display().to_string();
    let fds = sockets.fds();
    let sent = several_times(SEND_TRIES, || fds.lock().send_to_sock(path.as_str()));
    sent.map(drop).map_err(|what| nobody_there(meeting, what))
}

/// Blocking accepts have no time limit, so another thread watches the clock and knocks itself.
fn wait(ready: &UnixListener) -> Result<(), UpgradeError> {
    let late = UpgradeError::NotReady(READY_WITHIN);
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let Ok(ready) = ready.try_clone() else { return Err(late) };
    std::thread::spawn(move || {
        let mut word = [0; 6];
        let said = ready.accept().and_then(|(mut new, _)| {
            new.set_read_timeout(Some(READY_WITHIN))?;
            new.read_exact(&mut word)
        });
        let _ = sender.send(said.is_ok() && &word == b"ready\n");
    });
    match receiver.recv_timeout(READY_WITHIN) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(late),
    }
}
