//! A decision allocates nothing, whatever the request.

use cutover_core::backend::{Backend, Balance, Protocol};
use cutover_core::decide::{AskSplit, OnError, SplitAnswer, SplitQuestion};
use cutover_core::edit::Edits;
use cutover_core::fallback::FallbackPolicy;
use cutover_core::key::{KeySource, QaHeader};
use cutover_core::migration::{Plugins, TrafficState};
use cutover_core::route::{Predicate, RouteSpec};
use cutover_core::snapshot::{Place, Target};
use cutover_core::{
    BackendId, Migration, MigrationId, Percent, Phase, PlaceId, RequestView, Salt, Side, Snapshot,
    SnapshotBuilder, path,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::time::Duration;

const QA: HeaderName = HeaderName::from_static("x-qa");

struct Plugin;

impl AskSplit for Plugin {
    fn split(&mut self, question: SplitQuestion<'_, '_>) -> SplitAnswer {
        match question.params.value(question.request.path, "id") {
            Some("7") => SplitAnswer::Choose { side: Side::New, deadline: None, reason: None },
            _ => SplitAnswer::Failed(OnError::Percent),
        }
    }
}

#[test]
fn a_decision_allocates_nothing() {
    let snapshot = snapshot();
    let long_host = format!("{}example.com", "a.".repeat(120));
    let longer_host = format!("{}example.com", "a.".repeat(2_000));
    let long_path = "/x".repeat(4_096);
    let mut headers = HeaderMap::new();
    for line in ["a=1; b=2", "theme=dark; sid=user-7; c=3", "d=4"] {
        headers.append("cookie", HeaderValue::from_static(line));
    }
    let mut tester = headers.clone();
    let signed = qa_header().sign("cookies", Side::New, 10);
    tester.insert(QA, signed.parse().expect("a header value"));
    tester.insert("x-beta", HeaderValue::from_static("1"));
    let none = HeaderMap::new();
    let requests = [
        ("a hit", "h", "/api/service-77", None, &none),
        ("a capture", "h", "/api/service-77/items/4711", None, &none),
        ("a catch-all", "h", "/elsewhere/for/long", None, &none),
        ("a miss", "strict.example.org", "/none", None, &none),
        ("a long path", "h", &long_path, None, &none),
        ("many slashes", "h", "//////////////////////", None, &none),
        ("a key in a cookie", "h", "/cookies/1", None, &headers),
        ("no key", "h", "/cookies/1", None, &none),
        ("a signed header", "h", "/cookies/1", None, &tester),
        ("a key in the path", "h", "/paths/user-3/x", None, &none),
        ("a denied user", "h", "/paths/eve/x", None, &none),
        ("an allowed user", "h", "/paths/bob/x", None, &none),
        ("a key in the query", "h", "/queries/7", Some("a=1&u=user-9&b=2"), &none),
        ("predicates", "h", "/api/service-5/items/1", Some("v=2&w"), &tester),
        ("an exact host", "Shop.Example.com:8443", "/cart", None, &none),
        ("a wildcard host", "de.shop.example.com", "/cart", None, &none),
        ("an IPv6 host", "[2001:DB8::1]:80", "/cart", None, &none),
        ("a long host", &long_host, "/cart", None, &none),
        ("a host that is too long", &longer_host, "/cart", None, &none),
    ];
    for method in [Method::GET, Method::PUT, Method::from_bytes(b"PURGE").expect("a token")] {
        for (what, host, path, query, headers) in &requests {
            let mut request = RequestView::new(&method, host, path, *headers);
            request.query = *query;
            let counted = allocation_counter::measure(|| {
                let decision = snapshot.decide(&request, &mut Plugin);
                std::hint::black_box(decision).ok();
            });
            assert_eq!(counted.count_total, 0, "{method} {what}");
        }
    }
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![0u8; 8])));
    assert_eq!(counted.count_total, 1);
}

#[test]
fn a_normal_path_and_a_parameter_allocate_nothing() {
    let snapshot = snapshot();
    let headers = HeaderMap::new();
    let counted = allocation_counter::measure(|| {
        for path in ["/paths/user-3/x", "/a%20b//c", "/.well-known/x", "/..a/%C3%A9"] {
            assert!(path::normalise(path).is_ok_and(|normal| normal == path));
        }
        let request = RequestView::new(&Method::GET, "h", "/paths/user-3/x", &headers);
        let matched = snapshot.find(&request).expect("the route matches");
        let params = snapshot.routes().params(&matched);
        assert_eq!(params.value(request.path, "id"), Some("user-3"));
        assert_eq!(params.iter(request.path).count(), 1);
    });
    assert_eq!(counted.count_total, 0);
}

fn qa_header() -> QaHeader {
    QaHeader { name: QA, secret: (*b"secret").into() }
}

fn snapshot() -> Snapshot {
    let mut builder = Snapshot::builder();
    let (old, new) = (builder.backend(backend("old")), builder.backend(backend("new")));
    let place = builder.place(Place { plugin: "p".into(), migration: "queries".into() });
    let cookies =
        [KeySource::Header(HeaderName::from_static("x-user")), KeySource::Cookie("sid".into())];
    let cookies = builder.migration(migration("cookies", &cookies, None, old, new));
    let paths =
        builder.migration(migration("paths", &[KeySource::Path("id".into())], None, old, new));
    let query = [KeySource::Query("u".into())];
    let queries = builder.migration(migration("queries", &query, Some(place), old, new));
    let plain = |builder: &mut SnapshotBuilder, spec| {
        builder.route(spec, Target::Backend(old, Edits::default())).expect("valid");
    };
    let migrated = |builder: &mut SnapshotBuilder, path, id: MigrationId| {
        builder
            .route(
                spec(None, path),
                Target::Migration { id, write: false, mirror: None, critical: false },
            )
            .expect("valid");
    };
    for n in 0..1_000 {
        plain(&mut builder, spec(None, &format!("/api/service-{n}")));
        plain(&mut builder, spec(None, &format!("/api/service-{n}/items/{{id}}")));
    }
    plain(
        &mut builder,
        RouteSpec {
            methods: vec![Method::GET, Method::from_bytes(b"PURGE").expect("a token")],
            headers: vec![(HeaderName::from_static("x-beta"), Predicate::Is("1".into()))],
            query: vec![("v".into(), Predicate::Is("2".into())), ("w".into(), Predicate::Present)],
            ..spec(None, "/api/service-5/items/{id}")
        },
    );
    plain(&mut builder, spec(None, "/{*rest}"));
    for host in ["shop.example.com", "*.shop.example.com", "*.example.com", "[2001:db8::1]"] {
        plain(&mut builder, spec(Some(host), "/cart"));
    }
    migrated(&mut builder, "/cookies/{id}", cookies);
    migrated(&mut builder, "/paths/{id}/x", paths);
    migrated(&mut builder, "/queries/{id}", queries);
    builder.finish()
}

fn spec(host: Option<&str>, path: &str) -> RouteSpec {
    RouteSpec { host: host.map(Into::into), path: path.into(), ..RouteSpec::default() }
}

fn backend(name: &str) -> Backend {
    Backend {
        name: name.into(),
        addresses: ["127.0.0.1:1".into()].into(),
        tls: None,
        protocol: Protocol::Http1,
        host: None,
        balance: Balance::RoundRobin,
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: None,
    }
}

fn migration(
    name: &str,
    key: &[KeySource],
    split: Option<PlaceId>,
    old: BackendId,
    new: BackendId,
) -> Migration {
    Migration {
        name: name.into(),
        old,
        new,
        key: key.into(),
        salt: Salt::new(name),
        allow: ["bob"].into_iter().collect(),
        deny: ["eve"].into_iter().collect(),
        qa: Some(qa_header()),
        disabled: false,
        phase: Phase::Canary,
        state: TrafficState {
            read_percent: Percent::from_thousandths(50_000),
            ..TrafficState::default()
        },
        rolled_back: false,
        edits: Edits::default(),
        fallback: FallbackPolicy::default(),
        plugins: Plugins { split, ..Plugins::default() },
        ignored: Default::default(),
    }
}
