//! From a configuration's text to a snapshot, by number of routes. Budget: 10,000 in 200 ms, 100,000 in 2 s.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use cutover_benches::document::{Nothing, of_routes};
use std::hint::black_box;

fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("config/load");
    group.sample_size(10);
    for size in [1, 100, 10_000, 100_000] {
        let text = of_routes(size);
        group.bench_function(BenchmarkId::from_parameter(size), |bench| {
            bench.iter(|| {
                let config = cutover_config::load(black_box(&text), "cutover.toml", &Nothing);
                black_box(config.expect("a valid configuration"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, load);
criterion_main!(benches);
