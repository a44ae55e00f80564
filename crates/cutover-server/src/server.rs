//! The assembly: configuration, engine, sockets, listeners, admin, reload; started in this process by
//! [`Server::start`].

use crate::admin::{self, AdminApp, AdminState};
use crate::conduct::{self, Keeper};
use crate::head_guard::{Bounded, Guard, GuardSettings, Guarded, Limits};
use crate::listen::{ListenError, Sockets, data_listeners};
use crate::plane::{InstallError, Plane, Ready};
use crate::proxy::{Parts, Proxy};
use crate::reload::Reloader;
use crate::surroundings::Source;
use crate::upgrade::{self, Meeting, UpgradeError};
use cutover::config::{Config, Finding, Report, ServerSettings};
use cutover::series::Series;
use cutover::store::StoreError;
use cutover::{Charge, Conductor, Engine, EngineError, EngineOptions, Generation, charges};
use pingora::apps::HttpServerOptions;
use pingora::listeners::Listeners;
use pingora::protocols::http::v2::server::default_h2_options;
use pingora::proxy::HttpProxy;
use pingora::server::configuration::ServerConf;
use pingora::services::Service as _;
use pingora::services::listening::Service;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Connections to backends that are kept while idle.
const IDLE_BACKEND_CONNECTIONS: usize = 1024;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration.
    pub file: PathBuf,
    /// Take the sockets of the process that runs now.
    pub upgrade: bool,
    /// Reload when the file changes.
    pub watch: bool,
}

impl Options {
    /// With this configuration, taking over nothing, reloading when the file changes.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), upgrade: false, watch: true }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration has errors.
    #[error("{0}")]
    Config(Report),
    /// The engine cannot start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A plugin or a backend cannot be used.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A listener cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The running process did not hand over its sockets.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] io::Error),
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A server that runs in this process. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    data_addresses: Vec<SocketAddr>,
    admin_address: Option<SocketAddr>,
    shared: Arc<Shared>,
    /// Ends when the listeners are closed and idle connections are told.
    listening: Option<JoinHandle<()>>,
    data: Option<Runtime>,
    control: Option<Runtime>,
}

/// What the parts of a running server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) proxy: Proxy,
    pub(crate) engine: Arc<Engine>,
    pub(crate) conductor: Arc<Conductor>,
    /// What happened over time; empty without an admin listener, where nobody could look.
    pub(crate) series: Series,
    /// The folder of the store.
    state: PathBuf,
    pub(crate) guard: Arc<Guard>,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) sockets: Sockets,
    pub(crate) meeting: Meeting,
    pub(crate) drain: Duration,
    ready: AtomicBool,
    /// True: the listeners close, and connections end with their present request.
    closing: watch::Sender<bool>,
    /// True: the rest ends too.
    stopping: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self) {
        self.ready.store(false, Ordering::Release);
        self.proxy.plane().close();
        self.closing.send_replace(true);
    }
}

impl Server {
    /// Starts a server, with its own threads, and comes back when it accepts connections. A port of 0 in the
    /// configuration is chosen by the kernel. Blocks while plugins compile.
    ///
    /// # Errors
    /// If the configuration or anything it names cannot be used. Nothing runs then.
    pub fn start(options: &Options) -> Result<Running, StartError> {
        let source = Source::new(&options.file);
        let text = source.text().map_err(StartError::Config)?;
        let config = source.check(&text).map_err(StartError::Config)?;
        let threads = threads(&config.server);
        let meeting = Meeting::at(&source, &config.state);
        let plugin_cache = Some(meeting.plugin_cache());
        let engine = EngineOptions { workers: threads, plugin_cache, ..EngineOptions::default() };
        let engine = Arc::new(Engine::new(engine)?);
        let parts = Parts { engine: Arc::clone(&engine), server: config.server.clone() };
        let proxy = Proxy::new(parts);
        let ready = proxy.plane().prepare(
            config.snapshot.clone(),
            &config.plugins,
            &config.plans,
            (&config.server, config.telemetry.as_ref()),
            &source,
        )?;
        let sockets = match options.upgrade {
            true => Sockets::inherited(upgrade::receive(&meeting)?),
            false => Sockets::none(),
        };
        let bound = bind(&config, &sockets)?;
        let listeners = data_listeners(&config.server.listen, &bound.data)?;
        // Last, when nothing else can fail: the process that runs has let go of the store by now.
        let state = conduct::folder(&source, &config.state);
        let conductor = Arc::new(conduct::open(proxy.plane(), &state)?);
        engine.metrics().register(conductor.collector());
        put_in_force(&conductor, proxy.plane(), charges(&config, &source), ready);
        conduct::announce(&config, &conductor);
        let hears = Box::new(Arc::clone(proxy.plane()));
        let guard = Guard::new(guard_settings(&config.server), Some(hears));
        let drain = config.server.drain;
        let parts = (proxy.clone(), Arc::clone(&conductor), Arc::clone(&guard));
        let reloader = Reloader::new(source, parts, config, &text);
        let shared = Arc::new(Shared {
            proxy,
            engine,
            conductor,
            series: Series::default(),
            state,
            guard,
            reloader: Arc::new(reloader),
            sockets,
            meeting,
            drain,
            ready: AtomicBool::new(true),
            closing: watch::Sender::new(false),
            stopping: watch::Sender::new(false),
        });
        let running = launch(shared, bound, listeners, threads, options.watch)?;
        upgrade::report_ready(&running.shared.meeting, options.upgrade);
        Ok(running)
    }
}

/// Puts a configuration in force, with its migrations where they stand.
pub(crate) fn put_in_force(
    conductor: &Conductor,
    plane: &Plane,
    charges: Vec<Charge>,
    mut ready: Ready,
) -> Generation {
    conductor.adopt(charges, |stand| {
        ready.restate(stand);
        plane.install(ready)
    })
}

/// Addresses that are listened on.
struct Bound {
    data: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
}

fn bind(config: &Config, sockets: &Sockets) -> Result<Bound, ListenError> {
    let data =
        config.server.listen.iter().map(|each| sockets.listen(each.address, "server.listen"));
    let data = data.collect::<Result<Vec<_>, _>>()?;
    let admin = config.admin.listen.map(|address| sockets.listen(address, "admin.listen"));
    let admin = admin.transpose()?;
    let closed = sockets.close_all_but(data.iter().copied().chain(admin));
    if !closed.is_empty() {
        tracing::warn!("no longer configured, closed: {}", closed.join(", "));
    }
    Ok(Bound { data, admin })
}

fn launch(
    shared: Arc<Shared>,
    bound: Bound,
    listeners: Listeners,
    threads: usize,
    watch_file: bool,
) -> Result<Running, StartError> {
    let data = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("cutover-data")
        .enable_all()
        .build()?;
    let control = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("cutover-control")
        .enable_all()
        .build()?;
    let guard = shared.reloader.with_present(|config| guard_settings(&config.server));
    let http = http_proxy(shared.proxy.clone(), threads, &guard);
    let app = Bounded::new(http, Arc::clone(&shared.guard));
    let app = Guarded::new(app, Arc::clone(&shared.guard));
    let mut service = Service::with_listeners("data".to_owned(), listeners, app);
    let (fds, closing) = (shared.sockets.fds(), shared.closing.subscribe());
    data.spawn({
        let (proxy, stop) = (shared.proxy.clone(), shared.stopping.subscribe());
        async move { proxy.background(stop).await }
    });
    let listening = data.spawn(async move { service.start_service(Some(fds), closing, 1).await });
    if let Some(address) = bound.admin {
        let state = AdminState::new(Arc::clone(&shared), address);
        control.spawn(admin::keep_sampling(Arc::clone(&shared), state.samples()));
        let app = AdminApp::new(admin::router(state));
        let listeners = Listeners::tcp(&address.to_string());
        let mut service = Service::with_listeners("admin".to_owned(), listeners, app);
        let (fds, stopping) = (shared.sockets.fds(), shared.stopping.subscribe());
        control.spawn(async move { service.start_service(Some(fds), stopping, 1).await });
    }
    control.spawn(conduct::keep_ticking(Arc::clone(&shared.conductor)));
    if watch_file {
        control.spawn(Arc::clone(&shared.reloader).watch_file());
    }
    Ok(Running {
        data_addresses: bound.data,
        admin_address: bound.admin,
        shared,
        listening: Some(listening),
        data: Some(data),
        control: Some(control),
    })
}

/// Pingora's proxy with HTTP/2 on plain listeners by prior knowledge, and its bounded HTTP/2 options.
fn http_proxy(proxy: Proxy, threads: usize, guard: &GuardSettings) -> HttpProxy<Proxy> {
    let conf = ServerConf {
        threads,
        upstream_keepalive_pool_size: IDLE_BACKEND_CONNECTIONS,
        ..ServerConf::default()
    };
    let mut http = HttpProxy::new(proxy, Arc::new(conf));
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    // Pingora has no limit unless told: connections without a stream would stay for ever.
    options.h2_idle_timeout = Some(guard.idle_timeout);
    http.server_options = Some(options);
    let mut h2 = default_h2_options();
    h2.max_header_list_size(u32::try_from(guard.limits.header_bytes).unwrap_or(u32::MAX));
    http.h2_options = Some(h2);
    http.handle_init_modules();
    http
}

/// What the guard takes from the settings.
pub(crate) fn guard_settings(server: &ServerSettings) -> GuardSettings {
    GuardSettings {
        limits: Limits::new(server.max_header_bytes, server.max_headers),
        header_timeout: server.header_timeout,
        idle_timeout: server.idle_timeout,
    }
}

fn threads(server: &ServerSettings) -> usize {
    match server.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

impl Running {
    /// Where it proxies, in the order of `server.listen`.
    pub fn data_addresses(&self) -> &[SocketAddr] {
        &self.data_addresses
    }

    /// Where the admin API listens.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.shared.engine
    }

    /// The generation in force.
    pub fn generation(&self) -> Generation {
        self.shared.engine.current().generation()
    }

    /// Warnings of the configuration in force.
    pub fn warnings(&self) -> Vec<Finding> {
        self.shared.reloader.warnings()
    }

    /// Moves its migrations.
    pub fn conductor(&self) -> &Arc<Conductor> {
        &self.shared.conductor
    }

    /// Gives its store to the process that takes over.
    pub fn keeper(&self) -> Keeper {
        let conductor = Arc::clone(&self.shared.conductor);
        Keeper { conductor, folder: self.shared.state.clone() }
    }

    /// Changes its configuration.
    pub fn reloader(&self) -> &Arc<Reloader> {
        &self.shared.reloader
    }

    /// Where it proxies, as a person types it.
    pub fn data_urls(&self) -> impl Iterator<Item = String> {
        let tls = self.shared.reloader.with_present(|config| {
            config.server.listen.iter().map(|listen| listen.tls.is_some()).collect::<Vec<_>>()
        });
        self.data_addresses.iter().zip(tls).map(|(address, tls)| {
            let scheme = if tls { "https" } else { "http" };
            format!("{scheme}://{address}")
        })
    }

    /// Where it meets the process that replaces it.
    pub fn meeting(&self) -> &Meeting {
        &self.shared.meeting
    }

    /// Its listening sockets.
    pub fn sockets(&self) -> &Sockets {
        &self.shared.sockets
    }

    /// Opens the access log's file again, after somebody rotated it away.
    pub fn reopen_log(&self) {
        self.shared.proxy.plane().reopen_log();
    }

    /// Waits until its access log and its spans are written, sent or lost; a few seconds at most.
    pub fn flush(&self) {
        self.shared.proxy.plane().flush();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The listeners' task; only once.
    pub(crate) fn take_listening(&mut self) -> Option<JoinHandle<()>> {
        self.listening.take()
    }

    /// Stops at once: requests in flight are cut. [`drain`](crate::drain::drain) lets them end.
    pub fn stop(mut self) {
        self.stop_now();
    }

    fn stop_now(&mut self) {
        self.shared.close();
        self.shared.stopping.send_replace(true);
        self.flush();
        // An error means that it was closed before, or that its disk has failed, which has been said.
        let _ = self.shared.conductor.close();
        for runtime in [self.data.take(), self.control.take()].into_iter().flatten() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_now();
    }
}
