//! The two services of the demo: real processes, so that one of them can really be killed.

use anyhow::{Context as _, bail};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// How much a slow service takes more, in milliseconds: less than its timeout, so that nobody is told but by the clock.
const SLOW_MS: u64 = 400;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Which {
    /// The old system: knows everything, takes about 3 ms.
    Monolith,
    /// The new one: knows profiles and orders, takes about 1 ms.
    Profile,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::Monolith => "monolith",
            Self::Profile => "profile-service",
        }
    }

    fn thinks_for(self) -> Duration {
        match self {
            Self::Monolith => Duration::from_millis(3),
            Self::Profile => Duration::from_millis(1),
        }
    }
}

/// Serves until killed; the body of the hidden command `demo-service`. Its first line of output is its address.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) async fn serve(which: Which, address: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await.context("demo service: cannot listen")?;
    // Standard output is buffered by lines.
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let faults = Arc::new(Faults::default());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let faults = Arc::clone(&faults);
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(which, Arc::clone(&faults), request));
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            // A client that goes away is no news to a demo.
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answer(
    which: Which,
    faults: Arc<Faults>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    if let Some(fault) = path.strip_prefix("/_fault/") {
        return Ok(faults.set(fault));
    }
    tokio::time::sleep(which.thinks_for() + faults.delay()).await;
    let user = path.rsplit('/').next().unwrap_or_default();
    let joined = if faults.dates() { "07.03.2024" } else { "2024-03-07" };
    let body = serde_json::json!({ "id": user, "name": format!("User {user}"), "joined": joined });
    let known = which == Which::Monolith || path.starts_with("/api/") || path == "/healthz";
    let response = Response::builder()
        .status(if known { 200 } else { 404 })
        .header("content-type", "application/json")
        .header("x-service", which.name())
        .body(Full::from(format!("{body}\n")));
    Ok(response.expect("constant header names and values are valid"))
}

/// What is wrong with a service, until somebody mends it.
#[derive(Debug, Default)]
struct Faults {
    /// Dates as people in some countries write them, and programs elsewhere do not read them.
    dates: AtomicBool,
    delay_ms: AtomicU64,
}

impl Faults {
    fn dates(&self) -> bool {
        self.dates.load(Ordering::Relaxed)
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.load(Ordering::Relaxed))
    }

    /// `dates`, `slow` or `none`.
    fn set(&self, fault: &str) -> Response<Full<Bytes>> {
        self.dates.store(fault == "dates", Ordering::Relaxed);
        self.delay_ms.store(if fault == "slow" { SLOW_MS } else { 0 }, Ordering::Relaxed);
        Response::new(Full::default())
    }
}

/// A service in its own process.
#[derive(Debug)]
pub(crate) struct Service {
    which: Which,
    address: SocketAddr,
    child: Child,
}

impl Service {
    /// Starts one on a port of the kernel's choice.
    ///
    /// # Errors
    /// If this program cannot be started again as a service.
    pub(crate) async fn start(which: Which) -> anyhow::Result<Self> {
        Self::start_at(which, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    async fn start_at(which: Which, address: SocketAddr) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("demo: where is this program?")?;
        let kind = match which {
            Which::Monolith => "monolith",
            Which::Profile => "profile",
        };
        let mut child = Command::new(program)
            .args(["demo-service", kind, "--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("demo: cannot start a service")?;
        let output = child.stdout.take().context("demo: the service has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let Ok(address) = line.trim().parse() else {
            bail!("demo: the {} did not say where it listens", which.name());
        };
        Ok(Self { which, address, child })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Breaks or mends it: `dates`, `slow` or `none`.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn fault(&self, fault: &str) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(self.address).await.context("demo: the service")?;
        let head =
            format!("GET /_fault/{fault} HTTP/1.1\r\nhost: demo\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "demo: the service says {answer}");
        Ok(())
    }

    /// SIGKILL: no farewell, connections are reset.
    ///
    /// # Errors
    /// If the process cannot be killed.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("demo: cannot kill the service")
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// If its port has been taken meanwhile.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        *self = Self::start_at(self.which, self.address).await?;
        Ok(())
    }
}
