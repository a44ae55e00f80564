//! What every test needs: a host, the faulty component, a place, a request.

use cutover_core::backend::{Balance, Protocol};
use cutover_core::edit::HeaderSink;
use cutover_core::fallback::{Cause, Failure};
use cutover_core::route::{RouteSpec, RouteTable};
use cutover_core::{Backend, BackendId, Bucket, Headers, Percent, RequestView, Salt, Snapshot};
use cutover_wasm::{
    CallView, Component, Fault, HookSet, Host, HostOptions, Isolation, Normalised, Place,
    PlaceOptions, ReplyView,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Memory cap of test places.
pub(crate) const MEMORY: usize = 4 * 1024 * 1024;

/// A deadline that no well-behaved call exceeds, however busy the machine is.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);

/// A deadline for calls that shall exceed it.
pub(crate) const STRICT: Duration = Duration::from_millis(5);

/// A component from `plugins/dist`.
pub(crate) fn dist(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/dist").join(name);
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask plugins` builds it", path.display())
    })
}

/// A host of its own, for tests that count its instances.
pub(crate) fn host() -> Host {
    Host::new(HostOptions { workers: 4, ..HostOptions::default() }).expect("the host starts")
}

/// The faulty component, compiled once for all tests.
pub(crate) fn faulty() -> &'static Component {
    static FAULTY: LazyLock<Component> =
        LazyLock::new(|| host().compile(&dist("test_faulty.wasm")).expect("it compiles"));
    &FAULTY
}

pub(crate) fn options() -> PlaceOptions {
    PlaceOptions {
        name: "profile".into(),
        backends: vec!["old".into(), "new".into()],
        config: "{}".into(),
        hooks: HookSet { split: true, rewrite: true, fallback: true, normalise: true },
        on_error: cutover_core::decide::OnError::Old,
        deadline: PATIENT,
        memory: MEMORY,
        isolation: Isolation::Worker,
    }
}

/// Options under which the plugin does this wrong.
pub(crate) fn options_for(fault: &str) -> PlaceOptions {
    let strict = matches!(fault, "loop" | "chatter");
    PlaceOptions {
        config: format!("{{\"fault\":\"{fault}\"}}"),
        deadline: if strict { STRICT } else { PATIENT },
        ..options()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where tests get an instant from")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Asks with a request that has these headers.
pub(crate) fn ask<R>(headers: &[(&str, &str)], call: impl FnOnce(&CallView<'_>) -> R) -> R {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        map.append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    let mut table = RouteTable::default();
    table
        .insert(RouteSpec { path: "/api/profile/{id}".into(), ..RouteSpec::default() })
        .expect("a route");
    let mut request = RequestView::new(&Method::GET, "old.example:8080", "/api/profile/7", &map);
    request.query = Some("p=1&q=two");
    let matched = table.find(&request).expect("matches");
    call(&CallView {
        request: &request,
        params: &table.params(&matched),
        bucket: Some(bucket()),
        share: Percent::FULL,
    })
}

/// Has a reply of `new` made comparable, whose body may become as large as any.
pub(crate) fn normalise(
    place: &Place,
    call: &CallView<'_>,
    body: &str,
) -> Result<Normalised, Fault> {
    let (headers, body) = (&HeaderMap::new(), body.as_bytes());
    let reply = ReplyView { backend: 1, status: 200, headers, body };
    place.normalise(&place.keep(call), &reply, usize::MAX, now())
}

/// Some user's bucket.
fn bucket() -> Bucket {
    Salt::new("profile").bucket(b"user-7")
}

pub(crate) fn failure() -> Failure {
    Failure {
        cause: Cause::Status,
        backend: backend_id(),
        attempt: 1,
        status: Some(http::StatusCode::BAD_GATEWAY),
        elapsed: Duration::from_millis(12),
        left: Duration::from_millis(88),
        safe: true,
        replayable: true,
        response_started: false,
    }
}

fn backend_id() -> BackendId {
    Snapshot::builder().backend(Backend {
        name: "new".into(),
        addresses: Box::new(["127.0.0.1:1".into()]),
        tls: None,
        protocol: Protocol::Http1,
        host: None,
        balance: Balance::default(),
        connect_timeout: PATIENT,
        timeout: PATIENT,
        health: None,
    })
}

/// Counts edits and allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) set: usize,
    pub(crate) appended: usize,
    pub(crate) removed: usize,
}

impl Headers for Tally {
    fn first(&self, _: &HeaderName) -> Option<&[u8]> {
        None
    }

    fn each<'a>(&'a self, _: &HeaderName, _: &mut dyn FnMut(&'a [u8]) -> bool) {}
}

impl HeaderSink for Tally {
    fn set(&mut self, _: &HeaderName, _: HeaderValue) {
        self.set += 1;
    }

    fn append(&mut self, _: &HeaderName, _: HeaderValue) {
        self.appended += 1;
    }

    fn remove(&mut self, _: &HeaderName) {
        self.removed += 1;
    }
}
