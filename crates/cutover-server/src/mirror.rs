//! Sends copies of exchanges to the side that does not serve them, beside the path of requests: on one thread of its
//! own, with connections of its own. Nothing on the path of a request waits for it; what there is no room for is shed
//! by the engine, which also compares what comes back.

mod again;
mod ask;
mod decode;
mod header;
mod judge;
mod reply;

pub(crate) use header::{MARK, copy_of};
pub(crate) use reply::{Capture, Whole};

use crate::trace::CopySpan;
use crate::upstream::Pool;
use bytes::Bytes;
use cutover::mirror::{Mirrored, Shed, Skipped};
use cutover::{Clock, Engine};
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OnceCell, oneshot, watch};

/// Of the mirror's thread: about a tenth of what a thread of requests gets while both have work (decision 0031).
const NICENESS: i32 = 10;

/// The mirror of one process. Its thread starts with the first copy.
#[derive(Debug)]
pub(crate) struct Mirror {
    client: Client,
    runtime: Mutex<Option<Runtime>>,
    started: std::sync::OnceLock<Option<Handle>>,
    /// True: no more copies.
    closing: watch::Sender<bool>,
}

/// What copies are sent with.
#[derive(Clone)]
struct Client {
    clock: Arc<dyn Clock>,
    /// Made on the mirror's thread, because it reads the system's certificate authorities.
    connector: Arc<OnceCell<Connector>>,
    /// Held by the comparison that asks a plugin.
    plugin: Arc<tokio::sync::Mutex<()>>,
    /// Room for what is asked again.
    again: Arc<again::Room>,
}

/// One copy that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) mirrored: Mirrored,
    /// The backend it goes to, and the one that serves the exchange.
    pub(crate) pools: Pools,
    pub(crate) header: RequestHeader,
    pub(crate) body: Bytes,
    /// What the side that serves has replied, once it is known.
    pub(crate) served: oneshot::Receiver<Result<Served, Skipped>>,
    /// `None` without `[telemetry]`.
    pub(crate) span: Option<CopySpan>,
}

/// The two backends of an exchange that is copied.
#[derive(Clone, Debug)]
pub(crate) struct Pools {
    pub(crate) copied: Arc<Pool>,
    pub(crate) served: Arc<Pool>,
}

/// What the side that serves was asked and has replied.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) request: Box<RequestHeader>,
    pub(crate) reply: Whole,
    /// The exchange's id in the access log.
    pub(crate) id: String,
}

impl Mirror {
    pub(crate) fn new(engine: &Engine) -> Self {
        let clock = Arc::clone(engine.clock());
        Self {
            client: Client {
                clock,
                connector: Arc::default(),
                plugin: Arc::default(),
                again: Arc::default(),
            },
            runtime: Mutex::default(),
            started: std::sync::OnceLock::new(),
            closing: watch::Sender::new(false),
        }
    }

    /// Sends a copy. Comes back at once.
    pub(crate) fn send(&self, mut copy: Copy) {
        let handle = self.started.get_or_init(|| match self.start() {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::error!(%error, "nothing is mirrored: cannot start a thread for it");
                None
            }
        });
        let Some(handle) = handle.as_ref().filter(|_| !*self.closing.borrow()) else {
            return copy.mirrored.shed(Shed::Closing);
        };
        copy.mirrored.sent();
        let (client, mut closing) = (self.client.clone(), self.closing.subscribe());
        handle.spawn(async move {
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => {}
                () = judge::run(&client, copy) => {}
            }
        });
    }

    fn start(&self) -> io::Result<Handle> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("cutover-mirror")
            .on_thread_start(yield_to_users)
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        *self.runtime.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime);
        Ok(handle)
    }

    /// Gives up every copy, and takes no more. Nobody waits for one.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// Where both want the processor, a user's request goes first.
fn yield_to_users() {
    // On Linux the niceness is the thread's own. Where it cannot be had, copies are as urgent as requests.
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "the mirror's thread keeps its priority");
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let runtime = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            // It may be dropped by a task, which must not wait.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}
