//! Two sides, a migration that is mirrored, and what its shadow knows.

use crate::world::{Proxy, World, all_to, backend, migration};
use bytes::Bytes;
use cutover::mirror::{Shadow, ShadowCounts};
use cutover_test::{Client, Upstream};
use http::Response;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Stage {
    /// Goes first: upstreams that end before it break its copies.
    pub(super) proxy: Proxy,
    pub(super) world: World,
    client: Client,
    old: Option<Upstream>,
    new: Option<Upstream>,
}

impl Stage {
    /// Both sides answer alike.
    pub(super) fn new(more: &str) -> Self {
        let world = World::new();
        let (old, new) = world.run(async { (super::alike().await, super::alike().await) });
        Self::between(world, old, new, more)
    }

    /// With these two sides.
    pub(super) fn between(world: World, old: Upstream, new: Upstream, more: &str) -> Self {
        let config = config(old.address(), "", new.address(), "", more);
        let mut stage = Self::with_config(world, &config);
        (stage.old, stage.new) = (Some(old), Some(new));
        stage
    }

    /// With a whole configuration.
    pub(super) fn with_config(world: World, config: &str) -> Self {
        let proxy = Proxy::start(config);
        let client = world.client(&proxy);
        Self { world, proxy, client, old: None, new: None }
    }

    pub(super) fn old(&self) -> &Upstream {
        self.old.as_ref().expect("a side of its own")
    }

    pub(super) fn new_side(&self) -> &Upstream {
        self.new.as_ref().expect("a side of its own")
    }

    pub(super) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        self.world.run(self.client.get(path, headers))
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Response<Bytes> {
        self.world.run(self.client.send(method, path, headers, body))
    }

    /// What the admin API answers.
    pub(super) fn admin(&self, path: &str) -> serde_json::Value {
        let address = self.proxy.running().admin_address().expect("it listens");
        let reply = self.world.run(async { Client::http1(address).get(path, &[]).await });
        assert_eq!(reply.status(), 200, "{path}");
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    pub(super) fn shadow(&self) -> Arc<Shadow> {
        let installed = self.proxy.running().engine().current();
        Arc::clone(installed.shadow_of("profile").expect("it is there"))
    }

    pub(super) fn counts(&self) -> ShadowCounts {
        self.shadow().counts()
    }

    /// A sample of `/metrics`.
    pub(super) fn metric(&self, series: &str) -> u64 {
        let mut text = String::new();
        self.proxy.running().engine().metrics().encode(&mut text).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series}")).parse::<f64>().expect("a number") as u64
    }

    /// Waits until the counts fit.
    pub(super) fn settled(&self, fits: impl Fn(&ShadowCounts) -> bool) {
        until(|| fits(&self.counts()), || self.counts());
    }
}

/// Waits until something is so, for 10 s at most.
#[expect(clippy::disallowed_methods, reason = "counters of another thread give no event")]
pub(super) fn until(is_so: impl Fn() -> bool, counts: impl Fn() -> ShadowCounts) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("still {:?}", counts());
}

/// A migration of `/api/…` between two addresses; everything else goes to `old`.
pub(super) fn config(
    old: SocketAddr,
    old_more: &str,
    new: SocketAddr,
    new_more: &str,
    more: &str,
) -> String {
    format!(
        "{}{}{}{}",
        backend("old", &[old], old_more),
        backend("new", &[new], new_more),
        migration(more),
        all_to("old"),
    )
}
