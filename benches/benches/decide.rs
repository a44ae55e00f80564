//! One decision at 1 to 100,000 routes, beside bare `matchit` with the same header look-up and hash, and a linear scan.
//!
//! `hit` asks all routes in shuffled order, so that caches see what a proxy with that many routes sees.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use cutover_benches::baseline::{Bare, Linear};
use cutover_benches::traffic::{MISS, SIZES, headers, path, shuffled, snapshot, worst_path};
use cutover_core::RequestView;
use cutover_core::decide::NoPlugins;
use http::Method;
use std::hint::black_box;

/// Longest list that the linear scan is given: it takes seconds a sample beyond.
const LINEAR_LIMIT: usize = 10_000;

fn decide(criterion: &mut Criterion) {
    let headers = headers("user-4711");
    for size in SIZES {
        let snapshot = snapshot(size);
        let bare = Bare::new(size);
        let linear = (size <= LINEAR_LIMIT).then(|| Linear::new(size));
        let hits: Vec<String> = shuffled(size).into_iter().map(path).collect();
        let worst: Vec<String> = shuffled(size).into_iter().map(worst_path).collect();
        let cases = [("hit", hits), ("miss", vec![MISS.to_owned()]), ("worst", worst)];
        for (case, paths) in cases {
            let mut group = criterion.benchmark_group(format!("decide/{case}"));
            let mut next = paths.iter().cycle();
            let mut path = || next.next().expect("a cycle does not end").as_str();
            group.bench_function(BenchmarkId::new("cutover", size), |bench| {
                bench.iter(|| {
                    let view = RequestView::new(&Method::GET, "api.example.com", path(), &headers);
                    black_box(snapshot.decide(black_box(&view), &mut NoPlugins))
                });
            });
            group.bench_function(BenchmarkId::new("matchit", size), |bench| {
                bench.iter(|| black_box(bare.decide(black_box(path()), &headers)));
            });
            if let Some(linear) = &linear {
                group.bench_function(BenchmarkId::new("linear", size), |bench| {
                    bench.iter(|| black_box(linear.decide(black_box(path()), &headers)));
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, decide);
criterion_main!(benches);
