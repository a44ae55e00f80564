//! The binary as a process: how it starts, refuses to start, drains, and is replaced.

use cutover_test::{Client, Upstream, text};
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, run to its end.
pub(crate) fn cutover(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A running binary.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// Every line of its log.
    said: Arc<Mutex<Vec<String>>>,
    pub(crate) data: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Process {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(file: &Path, more: &[&str]) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_cutover")), file, more)
    }

    /// The same, where the command runs the binary in some other way.
    pub(crate) fn start_as(mut command: Command, file: &Path, more: &[&str]) -> Self {
        command.arg("run").arg("-c").arg(file).args(more);
        Self::of(command)
    }

    /// The same, of a command that has all that it takes.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let pipe = child.stderr.take().expect("a pipe");
        let (sender, lines) = sync_channel(10_000);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                heard.lock().expect("nobody panics with it").push(line.clone());
                // Nobody listens any more: keep the pipe empty anyway.
                let _ = sender.try_send(line);
            }
        });
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut process = Self { child, lines, said, data: unknown, admin: unknown };
        let ready = process.wait_for(" ready: ");
        let mut urls = ready.split("http://").skip(1).map(|rest| {
            let end = rest.find([',', ' ']).unwrap_or(rest.len());
            rest[..end].parse().expect("an address")
        });
        process.data = urls.next().expect("a data address");
        process.admin = urls.next().unwrap_or(unknown);
        process
    }

    /// All that its log has said so far.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// The next line of its log with this in it.
    pub(crate) fn wait_for(&self, part: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => before.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("it never said `{part}`, but:\n{}", before.join("\n"))
                }
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid).status();
        assert!(sent.expect("kill runs").success(), "signal {name}");
    }

    /// Its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration with one backend, in a folder of its own.
pub(crate) struct Setup {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) file: PathBuf,
}

impl Setup {
    pub(crate) fn new(server: &str, backend: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("cutover.toml");
        let setup = Self { folder, file };
        setup.write(server, backend, "");
        setup
    }

    /// Writes the configuration again. Without a port in `server`, the kernel chooses.
    pub(crate) fn write(&self, server: &str, backend: SocketAddr, route: &str) {
        let listen = match server.contains("listen") {
            true => "",
            false => "listen = [\"127.0.0.1:0\"]",
        };
        let off = match server.contains("access-log") {
            true => "",
            false => "access-log = { format = \"off\" }",
        };
        let text = format!(
            "[server]\n{listen}\n{off}\nthreads = 2\n{server}\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[backends.b]\naddresses = [\"{backend}\"]\n\
             [[routes]]\npath = \"/{{*rest}}\"\nbackend = \"b\"\n{route}\n"
        );
        let half = self.file.with_extension("half");
        std::fs::write(&half, text).expect("written");
        std::fs::rename(half, &self.file).expect("in place");
    }
}

/// Clients that ask without a pause until told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// Each reply goes through `check`; a request without a reply panics.
    pub(crate) fn start(
        address: SocketAddr,
        clients: usize,
        check: impl Fn(&http::Response<bytes::Bytes>) + Clone + Send + 'static,
    ) -> Self {
        Self::of(address, "/load", clients, check)
    }

    /// The same, of another path.
    pub(crate) fn of(
        address: SocketAddr,
        path: &'static str,
        clients: usize,
        check: impl Fn(&http::Response<bytes::Bytes>) + Clone + Send + 'static,
    ) -> Self {
        Self::over(address, move |_| path.to_owned(), clients, check)
    }

    /// The same, where each request has a number, from which its path follows.
    pub(crate) fn over(
        address: SocketAddr,
        path: impl Fn(usize) -> String + Clone + Send + 'static,
        clients: usize,
        check: impl Fn(&http::Response<bytes::Bytes>) + Clone + Send + 'static,
    ) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let asked = Arc::new(AtomicUsize::new(0));
        let one = |_| {
            let (stop, done, check) = (Arc::clone(&stop), Arc::clone(&done), check.clone());
            let (asked, path) = (Arc::clone(&asked), path.clone());
            tokio::spawn(async move {
                let client = Client::http1(address);
                while !stop.load(Ordering::Acquire) {
                    let path = path(asked.fetch_add(1, Ordering::AcqRel));
                    let reply = client.get(&path, &[]).await;
                    check(&reply);
                    done.fetch_add(1, Ordering::AcqRel);
                }
            })
        };
        let clients = (0..clients).map(one).collect();
        Self { stop, done, clients }
    }

    /// Waits for this many more replies.
    pub(crate) async fn more(&self, replies: usize) {
        let until = self.done.load(Ordering::Acquire) + replies;
        let enough = async {
            while self.done.load(Ordering::Acquire) < until {
                assert!(
                    self.clients.iter().all(|client| !client.is_finished()),
                    "a request failed"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.expect("replies keep coming");
    }

    /// Stops; panics if any request failed.
    pub(crate) async fn end(self) -> usize {
        self.stop.store(true, Ordering::Release);
        for client in self.clients {
            client.await.expect("no request failed");
        }
        self.done.load(Ordering::Acquire)
    }
}

fn ok(reply: &http::Response<bytes::Bytes>) {
    assert_eq!(reply.status(), 200, "{:?}", reply.body());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_an_error_that_says_what_to_do() {
    let upstream = Upstream::named("b").await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let setup = Setup::new(&format!("listen = [\"{address}\"]"), upstream.address());
    let output = cutover(setup.folder.path(), &["run", "-c", "cutover.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains(&address.to_string()), "{said}");
    assert!(said.contains("address already in use"), "{said}");
    assert!(said.contains("server.listen"), "{said}");
}

#[test]
fn a_bad_configuration_is_refused_with_every_finding() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[server]\nlisten = [\"127.0.0.1:0\"]\nthread = 2\n\
                [[routes]]\npath = \"/{*rest}\"\nbackend = \"nobody\"\n";
    std::fs::write(folder.path().join("cutover.toml"), text).expect("written");
    let output = cutover(folder.path(), &["run", "-c", "cutover.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("thread") && said.contains("nobody"), "{said}");
    assert!(said.contains("cutover.toml:3"), "{said}");
}

#[test]
fn a_certificate_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[server]\nlisten = [{ address = \"127.0.0.1:0\", tls = { cert = \"a.pem\", \
                key = \"b.pem\" } }]\n[backends.b]\naddresses = [\"127.0.0.1:9\"]\n\
                [[routes]]\npath = \"/{*rest}\"\nbackend = \"b\"\n";
    std::fs::write(folder.path().join("cutover.toml"), text).expect("written");
    let output = cutover(folder.path(), &["run", "-c", "cutover.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("a.pem"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_slow_request_end() {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = {
        let gate = Arc::clone(&gate);
        Upstream::start(move |_| {
            let gate = Arc::clone(&gate);
            async move {
                let _passed = gate.acquire().await.expect("never closed");
                text(200, "slow")
            }
        })
        .await
    };
    let setup = Setup::new("", upstream.address());
    let mut process = Process::start(&setup.file, &[]);
    let address = process.data;
    let slow = tokio::spawn(async move { Client::http1(address).get("/slow", &[]).await });
    while upstream.hits() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.signal("TERM");
    process.wait_for("draining");
    // It says so, and then closes.
    while Client::http1(process.admin).get("/readyz", &[]).await.status() != 503 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gate.add_permits(1);
    let reply = slow.await.expect("a reply");
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["connection"], "close", "or its next request would be lost");
    assert_eq!(reply.body(), "slow");
    assert_eq!(process.wait(), Some(0));
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn a_signal_that_comes_with_ready_is_heeded() {
    for _ in 0..5 {
        let setup = Setup::new("", SocketAddr::from(([127, 0, 0, 1], 9)));
        let mut process = Process::start(&setup.file, &[]);
        process.signal("TERM");
        assert_eq!(process.wait(), Some(0), "drained, not killed");
    }
}

/// Plugins reserve a terabyte of address space, which containers and valgrind may not have to give.
#[test]
fn without_plugins_little_address_space_is_enough() {
    let setup = Setup::new("", SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut limited = Command::new("sh");
    let kib = 4 << 20;
    limited.args(["-c", &format!("ulimit -v {kib} && exec \"$0\" \"$@\"")]);
    limited.arg(env!("CARGO_BIN_EXE_cutover"));
    let mut process = Process::start_as(limited, &setup.file, &[]);
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_under_load_loses_no_request() {
    let upstream = Upstream::named("b").await;
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let setup = Setup::new(&format!("listen = [\"{free}\"]"), upstream.address());
    let mut old = Process::start(&setup.file, &[]);
    let load = Load::start(old.data, 8, ok);
    load.more(200).await;
    let file = setup.file.clone();
    let new = tokio::task::spawn_blocking(move || Process::start(&file, &["--upgrade"]));
    old.signal("QUIT");
    let mut new = new.await.expect("it starts");
    assert_eq!(new.data, old.data);
    load.more(200).await;
    assert_eq!(old.wait(), Some(0), "the old one has drained");
    load.more(200).await;
    load.end().await;
    new.signal("TERM");
    assert_eq!(new.wait(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_without_a_new_process_changes_nothing() {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    let process = Process::start(&setup.file, &[]);
    process.signal("QUIT");
    process.wait_for("not replaced, going on");
    ok(&Client::http1(process.data).get("/", &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_for_logs_stops_nobody() {
    let upstream = Upstream::named("b").await;
    let log = "access-log = { format = \"json\", path = \"/dev/full\" }";
    let setup = Setup::new(log, upstream.address());
    let process = Process::start(&setup.file, &[]);
    let client = Client::http1(process.data);
    for _ in 0..100 {
        ok(&client.get("/", &[]).await);
    }
    // The log is written beside the path of requests, some time after.
    let admin = Client::http1(process.admin);
    let counted = async {
        loop {
            let metrics = admin.get("/metrics", &[]).await;
            let metrics = String::from_utf8_lossy(metrics.body()).into_owned();
            let name = "cutover_access_log_dropped_total ";
            let dropped = metrics.lines().find_map(|line| line.strip_prefix(name));
            let dropped: f64 = dropped.and_then(|v| v.parse().ok()).expect("the metric is there");
            if dropped >= 1.0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let counted = tokio::time::timeout(PATIENCE, counted).await;
    counted.expect("what could not be written is counted");
}
