//! A stage for stories: an engine whose clock stands still until it is turned, and a configuration to vary.

use cutover::config::{Config, load};
use cutover::{
    Clock, Engine, EngineOptions, Exchange, Generation, PrepareError, Refused, RequestView,
    Surroundings,
};
use http::{HeaderMap, HeaderValue, Method};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub(crate) struct StillClock {
    base: Instant,
    passed_ms: AtomicU64,
}

impl StillClock {
    pub(crate) fn pass(&self, ms: u64) {
        self.passed_ms.fetch_add(ms, Relaxed);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Instant {
        self.base + Duration::from_millis(self.passed_ms.load(Relaxed))
    }

    fn unix_ms(&self) -> u64 {
        1_800_000_000_000 + self.passed_ms.load(Relaxed)
    }
}

/// Files below a folder, and no variables.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Surroundings for Folder {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }
}

/// The repository.
pub(crate) fn repository() -> Folder {
    Folder(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")))
}

pub(crate) struct Scene {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<StillClock>,
}

impl Scene {
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no other beginning; only offsets count"
    )]
    pub(crate) fn empty() -> Self {
        let base = Instant::now();
        let clock = Arc::new(StillClock { base, passed_ms: AtomicU64::new(0) });
        let options = EngineOptions { workers: 2, clock: clock.clone(), plugin_cache: None };
        Self { engine: Arc::new(Engine::new(options).expect("no cache folder")), clock }
    }

    /// With `profile_config(percent, more)` installed.
    pub(crate) fn new(percent: &str) -> Self {
        let scene = Self::empty();
        scene.reload(&profile_config(percent, ""));
        scene
    }

    pub(crate) fn reload(&self, text: &str) -> Generation {
        self.try_reload(text).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_reload(&self, text: &str) -> Result<Generation, PrepareError> {
        let Config { snapshot, plugins, plans, .. } = parse(text);
        let prepared = self.engine.prepare(snapshot, &plugins, &repository())?;
        let prepared = prepared.with_plans(&plans).expect("loading has compiled its rules");
        Ok(self.engine.install(prepared).generation())
    }

    /// Begins a request for `/api/profile/1`, and hands it on with its view.
    pub(crate) fn request<R>(
        &self,
        method: &Method,
        user: Option<&str>,
        go_on: impl FnOnce(Result<Exchange, Refused>, &RequestView<'_>) -> R,
    ) -> R {
        let user = user.map(|user| ("x-user-id", user));
        self.request_with(method, user.as_slice(), go_on)
    }

    /// The same with any headers.
    pub(crate) fn request_with<R>(
        &self,
        method: &Method,
        sent: &[(&'static str, &str)],
        go_on: impl FnOnce(Result<Exchange, Refused>, &RequestView<'_>) -> R,
    ) -> R {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.insert(*name, HeaderValue::from_bytes(value.as_bytes()).expect("plain text"));
        }
        let view = RequestView::new(method, "shop.example", "/api/profile/1", &headers);
        go_on(self.engine.begin(&view), &view)
    }

    /// Begins a read that must not be refused.
    pub(crate) fn read<R>(
        &self,
        user: &str,
        go_on: impl FnOnce(Exchange, &RequestView<'_>) -> R,
    ) -> R {
        self.request(&Method::GET, Some(user), |exchange, view| {
            go_on(exchange.expect("not refused"), view)
        })
    }

    /// A sample of the exposition; 0 if it is not there.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let mut text = String::new();
        self.engine.metrics().encode(&mut text).expect("strings can be written to");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }
}

pub(crate) fn parse(text: &str) -> Config {
    load(text, "cutover.toml", &repository()).unwrap_or_else(|report| panic!("{report}"))
}

/// One migration in canary; `more` is added to its table.
pub(crate) fn profile_config(percent: &str, more: &str) -> String {
    format!(
        r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.monolith]
addresses = ["127.0.0.1:9001"]
[backends.profile-service]
addresses = ["127.0.0.1:9002"]
[[routes]]
path = "/{{*rest}}"
backend = "monolith"
[migrations.profile]
old = "monolith"
new = "profile-service"
owner = "identity team"
expires = 2027-03-01
data = "shared"
key = [{{ header = "x-user-id" }}]
routes = [
  {{ path = "/api/profile/{{id}}", methods = ["GET", "HEAD"] }},
  {{ path = "/api/profile/{{id}}", methods = ["PUT"], write = true }},
]
read-percent = "{percent}"
{more}"#
    )
}
