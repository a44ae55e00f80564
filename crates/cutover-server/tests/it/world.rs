//! A running server between real upstreams and real clients, for the tests of the data plane.

use cutover_server::reload::{Request, Trigger};
use cutover_server::server::{Options, Running, Server};
use cutover_test::Client;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Upstreams and clients run here; the server has its own threads.
pub(crate) struct World {
    runtime: Runtime,
}

/// A running server and its folder.
pub(crate) struct Proxy {
    running: Running,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { runtime: Runtime::new().expect("threads") }
    }

    pub(crate) fn run<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// A client of HTTP/1.1.
    pub(crate) fn client(&self, proxy: &Proxy) -> Client {
        let _inside = self.runtime.enter();
        Client::http1(proxy.address())
    }

    /// A client of HTTP/2 with prior knowledge.
    pub(crate) fn client_of_http2(&self, proxy: &Proxy) -> Client {
        let _inside = self.runtime.enter();
        Client::http2(proxy.address())
    }
}

impl Proxy {
    /// Starts with this configuration; `[server]` and `[admin]` are given.
    pub(crate) fn start(rest: &str) -> Self {
        Self::with_server("", rest)
    }

    /// The same, with more lines for `[server]`. The access log goes to a file of the folder.
    pub(crate) fn with_server(server: &str, rest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("access.log");
        let server =
            format!("listen = [\"127.0.0.1:0\"]\nthreads = 2\ndebug-headers = true\n{server}");
        Self::in_folder(
            &format!(
                "[server]\n{server}\naccess-log = {{ format = \"json\", path = {log:?} }}\n\
                 [admin]\nlisten = \"127.0.0.1:0\"\n{rest}"
            ),
            folder,
        )
    }

    /// The whole configuration, next to files that the folder holds already.
    pub(crate) fn in_folder(config: &str, folder: tempfile::TempDir) -> Self {
        std::fs::write(folder.path().join("cutover.toml"), config).expect("written");
        Self::in_place(folder)
    }

    fn in_place(folder: tempfile::TempDir) -> Self {
        let running = Server::start(&options(&folder)).unwrap_or_else(|error| panic!("{error}"));
        Self { running, folder }
    }

    /// Ends, and starts again in the same folder.
    pub(crate) fn restarted(self) -> Self {
        let Self { running, folder } = self;
        running.stop();
        Self::in_place(folder)
    }

    /// Why another one cannot start beside it.
    pub(crate) fn started_twice(&self) -> String {
        match Server::start(&options(&self.folder)) {
            Ok(_) => panic!("two servers have one store"),
            Err(error) => error.to_string(),
        }
    }

    /// Reloads with something else in the file, and answers with the warnings.
    pub(crate) fn reload(&self, from: &str, to: &str) -> Vec<String> {
        let file = self.folder.path().join("cutover.toml");
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replace(from, to)).expect("written");
        let request = Request {
            trigger: Trigger::Signal,
            by: None,
            reason: "a test".to_owned(),
            dry_run: false,
            only_if: None,
        };
        let reloaded = self.running.reloader().reload(&request).unwrap_or_else(|e| panic!("{e}"));
        reloaded.warnings.into_iter().map(|warning| warning.what).collect()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.data_addresses()[0]
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// Waits until the access log has a line that fits, for 10 s at most, and answers with it.
    #[expect(clippy::disallowed_methods, reason = "a file of another thread gives no event")]
    pub(crate) fn log_line(&self, fits: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let file = self.folder.path().join("access.log");
        for _ in 0..2_000 {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let mut lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            if let Some(line) = lines.find(&fits) {
                return line;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no such line in {}", std::fs::read_to_string(&file).unwrap_or_default());
    }
}

fn options(folder: &tempfile::TempDir) -> Options {
    Options { watch: false, ..Options::new(folder.path().join("cutover.toml")) }
}

/// `[backends.NAME]` with these addresses and more lines.
pub(crate) fn backend(name: &str, addresses: &[SocketAddr], more: &str) -> String {
    let addresses: Vec<_> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
    format!("[backends.{name}]\naddresses = [{}]\n{more}\n", addresses.join(", "))
}

/// Everything to one backend.
pub(crate) fn all_to(backend: &str) -> String {
    format!("[[routes]]\npath = \"/{{*rest}}\"\nbackend = \"{backend}\"\n")
}

/// A migration of `/api/…` from `old` to `new`, with more lines. It is not rolled back by itself: what a `new` that fails
/// does to single requests is to be seen for as long as a test looks.
pub(crate) fn migration(more: &str) -> String {
    format!(
        "[migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"team\"\n\
         expires = 2099-01-01\ngates.rollback = false\nkey = [{{ header = \"x-user-id\" }}]\n\
         routes = [{{ path = \"/api/{{*rest}}\" }}]\n{more}\n"
    )
}
