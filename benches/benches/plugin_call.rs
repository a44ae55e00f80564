//! One call of a plugin through the host, with the components of `plugins/dist`.
//!
//! `c-1-field` is the smallest guest there is and stands for the floor. `6-fields` reads six declared values. `fresh`
//! makes a new instance for each call (`isolation = "request"`).

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
        ("c-1-field", "tenant_split_c.wasm", TENANTS, Isolation::Worker),
        ("1-field", "tenant_split.wasm", TENANTS, Isolation::Worker),
        ("6-fields", "test_faulty.wasm", "{}", Isolation::Worker),
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
    let place = place(&host, "test_faulty.wasm", "{}", hooks, Isolation::Worker);
    let now = now();
    let mut map = HeaderMap::new();
    map.insert("x-served-by", HeaderValue::from_static("old"));
    with_call(|call| {
        criterion.bench_function("plugin_call/rewrite/6-fields-and-edits", |bench| {
            bench.iter_batched_ref(
                || map.clone(),
                |map| black_box(place.on_request(black_box(call), 1, map, now)),
                criterion::BatchSize::SmallInput,
            );
        });
    });
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
