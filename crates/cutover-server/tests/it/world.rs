//! A running server between real upstreams and real clients, for the tests of the data plane.

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
        let file = folder.path().join("cutover.toml");
        std::fs::write(&file, config).expect("written");
        let options = Options { watch: false, ..Options::new(&file) };
        let running = Server::start(&options).unwrap_or_else(|error| panic!("{error}\n{config}"));
        Self { running, folder }
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

/// `[backends.NAME]` with these addresses and more lines.
pub(crate) fn backend(name: &str, addresses: &[SocketAddr], more: &str) -> String {
    let addresses: Vec<_> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
    format!("[backends.{name}]\naddresses = [{}]\n{more}\n", addresses.join(", "))
}

/// Everything to one backend.
pub(crate) fn all_to(backend: &str) -> String {
    format!("[[routes]]\npath = \"/{{*rest}}\"\nbackend = \"{backend}\"\n")
}

/// A migration of `/api/…` from `old` to `new`, with more lines.
pub(crate) fn migration(more: &str) -> String {
    format!(
        "[migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"team\"\n\
         expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
         routes = [{{ path = \"/api/{{*rest}}\" }}]\n{more}\n"
    )
}
