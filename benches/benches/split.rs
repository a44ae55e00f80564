//! From a key to a bucket, by length of the key, and user lists by size.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use cutover_benches::traffic::SALT;
use cutover_core::Salt;
use cutover_core::key::UserList;
use std::hint::black_box;

fn bucket(criterion: &mut Criterion) {
    let salt = Salt::new(SALT);
    let mut group = criterion.benchmark_group("split/bucket");
    for length in [8, 36, 64, 256] {
        let key = vec![b'k'; length];
        group.bench_function(BenchmarkId::from_parameter(length), |bench| {
            bench.iter(|| black_box(salt.bucket(black_box(&key))));
        });
    }
    group.finish();
}

fn list(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("split/list");
    for size in [0, 10, 10_000, 1_000_000] {
        let users: Vec<String> = (0..size).map(|user| format!("user-{user}")).collect();
        let list: UserList = users.iter().map(String::as_str).collect();
        group.bench_function(BenchmarkId::from_parameter(size), |bench| {
            bench.iter(|| black_box(list.contains(black_box(b"user-4711"))));
        });
    }
    group.finish();
}

criterion_group!(benches, bucket, list);
criterion_main!(benches);
