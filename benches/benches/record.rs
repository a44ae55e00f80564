//! What an exchange costs beside its decision: counters, histograms, the breaker's window. Twice: with a clock that
//! stands still, and with the machine's.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use cutover::core::decide::NoPlugins;
use cutover::{Clock, Engine, EngineOptions, Exchange, Outcome, RequestView, SystemClock, config};
use cutover_benches::document::Nothing;
use http::{HeaderMap, Method, StatusCode};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const CONFIG: &str = r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.old]
addresses = ["127.0.0.1:9001"]
[backends.new]
addresses = ["127.0.0.1:9002"]
[migrations.profile]
old = "old"
new = "new"
owner = "bench"
expires = 2099-01-01
data = "shared"
key = [{ header = "x-user-id" }]
routes = [{ path = "/api/profile/{id}", methods = ["GET"] }]
read-percent = 100
"#;

#[derive(Debug)]
struct StillClock(Instant);

impl Clock for StillClock {
    fn now(&self) -> Instant {
        self.0
    }

    fn unix_ms(&self) -> u64 {
        0
    }
}

fn engine(clock: Arc<dyn Clock>) -> Engine {
    let config = config::load(CONFIG, "bench.toml", &Nothing).expect("it is right");
    let options = EngineOptions { clock, ..EngineOptions::default() };
    let engine = Engine::new(options).expect("it has no plugins");
    let prepared = engine.prepare(config.snapshot, &config.plugins, &Nothing);
    engine.install(prepared.expect("it has no plugins"));
    engine
}

fn record(criterion: &mut Criterion) {
    let mut headers = HeaderMap::new();
    headers.insert("x-user-id", "user-7".parse().expect("it is visible"));
    let request = RequestView::new(&Method::GET, "shop.example", "/api/profile/7", &headers);
    let still = engine(Arc::new(StillClock(SystemClock.now())));
    let mut group = criterion.benchmark_group("record");
    let snapshot = still.current();
    group.bench_function("decide", |bench| {
        bench.iter(|| black_box(snapshot.snapshot().decide(black_box(&request), &mut NoPlugins)));
    });
    let begin = |engine: &Engine| engine.begin(black_box(&request)).expect("there is a route");
    let end = |mut exchange: Exchange| {
        let edited = exchange.edit_response(&request, StatusCode::OK, &mut HeaderMap::new());
        edited.expect("no plugin guards it");
        exchange.finish(Outcome::Replied(StatusCode::OK));
    };
    let real = engine(Arc::new(SystemClock));
    for (name, engine) in [("clock stands still", &still), ("the machine's clock", &real)] {
        group.bench_function(format!("exchange, {name}"), |bench| {
            bench.iter(|| end(begin(engine)));
        });
        // Nearly all that is counted of one is counted here, beside the edits of its reply, of which there are none.
        group.bench_function(format!("its end, {name}"), |bench| {
            bench.iter_batched(|| begin(engine), end, BatchSize::SmallInput);
        });
    }
    // What is in "its end" and is no end: it is handed over.
    group.bench_function("handing one over", |bench| {
        let forget = |exchange| std::mem::forget(black_box(exchange));
        bench.iter_batched(|| begin(&still), forget, BatchSize::SmallInput);
    });
    group.bench_function("clock", |bench| bench.iter(|| black_box(SystemClock.now())));
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);
