//! `cutover run`: a server, and the signals that change or end it.

use crate::args::{Output, Run};
use crate::check;
use crate::exit::{Exit, say};
use cutover_server::conduct::Keeper;
use cutover_server::drain::drain;
use cutover_server::listen::Sockets;
use cutover_server::reload::Trigger;
use cutover_server::upgrade::{self, Meeting, UpgradeError};
use cutover_server::{Options, Running, Server};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

pub(crate) fn run(args: &Run) -> Exit {
    if args.check {
        return check::check(&args.config, Output::Text);
    }
    let options =
        Options { file: args.config.clone(), upgrade: args.upgrade, watch: !args.no_watch };
    let running = match Server::start(&options) {
        Ok(running) => running,
        Err(error) => {
            say(format_args!("error: {error}"));
            return Exit::Failed;
        }
    };
    for warning in running.warnings() {
        tracing::warn!("{}: {}", warning.key, warning.what);
    }
    let (runtime, signals) = match heed_signals() {
        Ok(heeding) => heeding,
        Err(error) => {
            say(format_args!("error: cannot wait for signals: {error}"));
            return Exit::Failed;
        }
    };
    running.meeting().write_pid();
    say(started(&running));
    let exit = runtime.block_on(until_the_end(running, signals));
    tracing::info!("stopped");
    exit
}

/// `cutover 0.1.0 ready: http://127.0.0.1:8080 (generation 1), admin http://127.0.0.1:8081`
fn started(running: &Running) -> String {
    let data: Vec<String> = running.data_urls().collect();
    let admin = match running.admin_address() {
        Some(address) => format!("http://{address}"),
        None => "off".to_owned(),
    };
    format!(
        "cutover {} ready: {}, admin {admin}, generation {}",
        env!("CARGO_PKG_VERSION"),
        data.join(" "),
        running.generation(),
    )
}

/// What a signal asks for.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// From here on signals wait to be asked for. Whoever reads the pid or `ready` may send one at once, and unheeded it
/// would end the process without a drain.
fn heed_signals() -> std::io::Result<(Runtime, Signals)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    let signals = Signals::new()?;
    drop(inside);
    Ok((runtime, signals))
}

async fn until_the_end(mut running: Running, mut signals: Signals) -> Exit {
    let mut handing_over: Option<JoinHandle<bool>> = None;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => {
                tracing::info!("SIGINT: stopping at once");
                running.meeting().remove_pid();
                running.stop();
                return Exit::Done;
            }
            _ = signals.quit.recv() => {
                handing_over.get_or_insert_with(|| tokio::spawn(replaced(&running)));
            }
            replaced = ended(&mut handing_over) => if replaced { break },
            _ = signals.hang_up.recv() => {
                running.reopen_log();
                let reloader = Arc::clone(running.reloader());
                tokio::spawn(reloader.reload_aside(Trigger::Signal, "SIGHUP".to_owned()));
            }
        }
    }
    tracing::info!("draining: no new connections, waiting for the last exchange");
    tokio::select! {
        drained = drain(&mut running) => {
            if drained.cut > 0 {
                tracing::warn!(connections = drained.cut, "server.drain is over: cut");
            }
            tracing::info!(took_ms = drained.took.as_millis() as u64, "drained");
        }
        _ = signals.interrupt.recv() => tracing::info!("SIGINT: not waiting any longer"),
    }
    running.meeting().remove_pid();
    running.stop();
    Exit::Done
}

/// Hands the sockets over. False: nobody took them, and this process goes on.
fn replaced(running: &Running) -> impl Future<Output = bool> + use<> {
    tracing::info!("SIGQUIT: handing the listening sockets to the new process");
    let (meeting, sockets) = (running.meeting().clone(), running.sockets().clone());
    let keeper = running.keeper();
    let handed = tokio::task::spawn_blocking(move || hand_over(&meeting, &sockets, &keeper));
    async move {
        let failed = match handed.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!("not replaced, going on: {failed}");
        false
    }
}

/// The store first: the new process needs it before it is ready.
fn hand_over(meeting: &Meeting, sockets: &Sockets, keeper: &Keeper) -> Result<(), UpgradeError> {
    if let Err(error) = keeper.release() {
        tracing::warn!("the store did not take everything: {error}");
    }
    let handed = upgrade::hand_over(meeting, sockets);
    if handed.is_err()
        && let Err(error) = keeper.take_back()
    {
        tracing::error!("migrations stay where they are until a restart: {error}");
    }
    handed
}

/// Waits for the end of the handing over, for ever if there is none.
async fn ended(handing_over: &mut Option<JoinHandle<bool>>) -> bool {
    let Some(task) = handing_over else { return std::future::pending().await };
    let replaced = task.await.unwrap_or(false);
    *handing_over = None;
    replaced
}
