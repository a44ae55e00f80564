//! From a configuration's text to a snapshot, by number of routes. Budget: 10,000 in 200 ms, 100,000 in 2 s.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use cutover_benches::traffic::pattern;
use cutover_config::Surroundings;
use std::fmt::Write as _;
use std::hint::black_box;

struct Nothing;

impl Surroundings for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn text(routes: usize) -> String {
    let mut text = String::from(
        "[server]\nlisten = [\"127.0.0.1:8080\"]\n\
         [backends.monolith]\naddresses = [\"127.0.0.1:9001\"]\n",
    );
    for number in 0..routes {
        let _ =
            writeln!(text, "[[routes]]\npath = \"{}\"\nbackend = \"monolith\"", pattern(number));
    }
    text
}

fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("config/load");
    group.sample_size(10);
    for size in [1, 100, 10_000, 100_000] {
        let text = text(size);
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
