//! One call of a plugin through the host, with the components of `plugins/dist`.
//!
//! `nop` reads and edits nothing: what any call costs. `c-1-field` is the smallest guest there is, `6-fields` reads six
//! declared values, `…-and-2-edits` also sets two headers. `fresh` makes a new instance for each call
//! (`isolation = "request"`). Budgets on a quiet machine: 400 ns with six fields, 1.2 µs with eight edits.

use criterion::{Criterion, criterion_group, criterion_main};
use cutover_benches::traffic::{SALT, headers};
use cutover_core::decide::OnError;
use cutover_core::route::{RouteSpec, RouteTable};
use cutover_core::{Percent, RequestView, Salt};
use cutover_wasm::{CallView, HookSet, Host, HostOptions, Isolation, Place, PlaceOptions};
use http::{HeaderMap, HeaderValue, Method};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// Does as much as it is told.
const PLAIN: &str = "test_plain.wasm";
const TENANTS: &str = r#"{"tenants":["acme","globex"]}"#;

fn place(host: &Host, file: &str, config: &str, hooks: HookSet, isolation: Isolation) -> Place {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist").join(file);
    let bytes = std::fs::read(&path).expect("`cargo xtask plugins` builds plugins/dist");
    let options = PlaceOptions {
        name: SALT.to_owned(),
        backends: vec!["old".to_owned(), "new".to_owned()],
        config: config.to_owned(),
        hooks,
        on_error: OnError::Old,
        deadline: Duration::from_secs(1),
        memory: 16 << 20,
        isolation,
    };
    host.compile(&bytes).and_then(|component| component.install(options)).expect("it installs")
}

#[expect(clippy::disallowed_methods, reason = "quarantine wants an instant; one will do")]
fn now() -> Instant {
    Instant::now()
}

fn split(criterion: &mut Criterion) {
    let host = Host::new(HostOptions::default()).expect("the host starts");
    let hooks = HookSet { split: true, ..HookSet::default() };
    let cases = [
        ("nop", PLAIN, "{}", Isolation::Worker),
        ("c-1-field", "tenant_split_c.wasm", TENANTS, Isolation::Worker),
        ("1-field", "tenant_split.wasm", TENANTS, Isolation::Worker),
        ("6-fields", PLAIN, r#"{"reads":6}"#, Isolation::Worker),
        ("fresh", "tenant_split.wasm", TENANTS, Isolation::Request),
    ];
    let mut group = criterion.benchmark_group("plugin_call/split");
    for (case, file, config, isolation) in cases {
        let place = place(&host, file, config, hooks, isolation);
        let now = now();
        with_call(|call| {
            group.bench_function(case, |bench| {
                bench.iter(|| black_box(place.split(black_box(call), now)));
            });
        });
    }
    group.finish();
}

fn rewrite(criterion: &mut Criterion) {
    let host = Host::new(HostOptions::default()).expect("the host starts");
    let hooks = HookSet { rewrite: true, ..HookSet::default() };
    let cases = [
        ("nop", "{}"),
        ("6-fields-and-2-edits", r#"{"reads":6,"edits":2}"#),
        ("6-fields-and-8-edits", r#"{"reads":6,"edits":8}"#),
    ];
    let mut group = criterion.benchmark_group("plugin_call/rewrite");
    for (case, config) in cases {
        let place = place(&host, PLAIN, config, hooks, Isolation::Worker);
        let now = now();
        // A request has some of what is set already.
        let mut map = HeaderMap::new();
        map.insert("x-1", HeaderValue::from_static("old"));
        with_call(|call| {
            group.bench_function(case, |bench| {
                bench.iter_batched_ref(
                    || map.clone(),
                    |map| black_box(place.on_request(black_box(call), 1, map, now)),
                    criterion::BatchSize::SmallInput,
                );
            });
        });
    }
    group.finish();
}

/// Calls with a view of one request.
fn with_call(each: impl FnOnce(&CallView<'_>)) {
    let headers = headers("user-4711");
    let mut table = RouteTable::default();
    table
        .insert(RouteSpec { path: "/api/profile/{id}".into(), ..RouteSpec::default() })
        .expect("a route");
    let mut request =
        RequestView::new(&Method::GET, "api.example.com", "/api/profile/4711", &headers);
    request.query = Some("p=1&q=two");
    let matched = table.find(&request).expect("it matches");
    each(&CallView {
        request: &request,
        params: &table.params(&matched),
        bucket: Some(Salt::new(SALT).bucket(b"user-4711")),
        share: Percent::from_thousandths(5_000),
    });
}

criterion_group!(benches, split, rewrite);
criterion_main!(benches);
