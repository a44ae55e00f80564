//! Route sets and requests of a stated size. Everything is made from a number, so every run measures the same.

use cutover_core::backend::{Backend, Balance, Protocol};
use cutover_core::edit::Edits;
use cutover_core::fallback::FallbackPolicy;
use cutover_core::key::{KeySource, UserList};
use cutover_core::migration::{Plugins, TrafficState};
use cutover_core::route::RouteSpec;
use cutover_core::snapshot::Target;
use cutover_core::{Migration, Percent, Phase, Salt, Snapshot};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// Sizes of route tables that are measured.
pub const SIZES: [usize; 4] = [1, 100, 10_000, 100_000];
/// The salt of the migration, and of the baselines.
pub const SALT: &str = "profile";
/// The header that holds the key.
pub const KEY: HeaderName = HeaderName::from_static("x-user-id");

/// The pattern of route `number`: one of 64 services, a resource of its own, a parameter, a fixed end.
pub fn pattern(number: usize) -> String {
    format!("/api/service-{}/resource-{number}/{{id}}/detail", number % 64)
}

/// A path that route `number` matches.
pub fn path(number: usize) -> String {
    format!("/api/service-{}/resource-{number}/8f14e45f/detail", number % 64)
}

/// A path that no route matches, found out only at its last segment.
pub fn worst_path(number: usize) -> String {
    format!("/api/service-{}/resource-{number}/8f14e45f/details", number % 64)
}

/// A path that no route matches, found out at its first segment.
pub const MISS: &str = "/nothing/of/this/kind";

/// Numbers below `size`, each once, in an order that defeats caches but is always the same.
pub fn shuffled(size: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..size).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for at in (1..size).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers.swap(at, (state >> 33) as usize % (at + 1));
    }
    numbers
}

/// The headers of a request as a browser sends it, with the key among them.
pub fn headers(user: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let fixed = [
        ("host", "api.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "application/json, text/plain, */*"),
        ("accept-language", "en-GB,en;q=0.7,de;q=0.3"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "https://app.example.com/settings/profile"),
        ("cookie", "theme=dark; sid=31d4d96e407aad42; consent=1"),
        ("x-tenant", "acme"),
    ];
    for (name, value) in fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(KEY, HeaderValue::from_str(user).expect("a visible text"));
    headers
}

/// A snapshot in which every route belongs to one migration that splits 5 % by header.
pub fn snapshot(routes: usize) -> Snapshot {
    let mut builder = Snapshot::builder();
    let old = builder.backend(backend("monolith"));
    let new = builder.backend(backend("profile-service"));
    let id = builder.migration(Migration {
        name: SALT.into(),
        old,
        new,
        key: Box::new([KeySource::Header(KEY)]),
        salt: Salt::new(SALT),
        allow: UserList::default(),
        deny: UserList::default(),
        qa: None,
        disabled: false,
        phase: Phase::Canary,
        state: TrafficState {
            read_percent: Percent::from_thousandths(5_000),
            ..TrafficState::default()
        },
        rolled_back: false,
        edits: Edits::default(),
        fallback: FallbackPolicy::default(),
        plugins: Plugins::default(),
        ignored: Default::default(),
    });
    for number in 0..routes {
        let spec = RouteSpec { path: pattern(number).into(), ..RouteSpec::default() };
        let target = Target::Migration { id, write: false, mirror: None, critical: false };
        builder.route(spec, target).expect("patterns of different numbers differ");
    }
    builder.finish()
}

fn backend(name: &str) -> Backend {
    Backend {
        name: name.into(),
        addresses: Box::new(["127.0.0.1:9001".into()]),
        tls: None,
        protocol: Protocol::Http1,
        host: None,
        balance: Balance::RoundRobin,
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(2),
        health: None,
    }
}
