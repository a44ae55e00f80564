//! Two replies compared. Budgets: 20 µs for a pair of 1 KiB, 1 ms for one of 64 KiB.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use cutover_benches::bodies::{CHANGES, Change, body, headers, reply};
use cutover_core::compare::{RuleSpec, Rules, compare};
use std::hint::black_box;

const SIZES: [(&str, usize); 2] = [("1KiB", 1 << 10), ("64KiB", 64 << 10)];

fn rule_sets() -> [(&'static str, Rules); 2] {
    let paths = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect();
    let spec = RuleSpec {
        ignore: paths(&["/items/*/etag", "/updated_at", "header:x-a"]),
        unordered: paths(&["/items/*/tags", "/items"]),
        numbers: vec![("/items/*/stock/count".to_owned(), "1%".to_owned())],
        ..RuleSpec::default()
    };
    let compiled = Rules::compile(&spec).expect("the rules have no mistakes");
    [("no-rules", Rules::default()), ("rules", compiled)]
}

fn pairs(criterion: &mut Criterion) {
    let headers = headers();
    for (rules_name, rules) in rule_sets() {
        let mut group = criterion.benchmark_group(format!("compare/{rules_name}"));
        for (size_name, size) in SIZES {
            let old = body(size, Change::Nothing);
            group.throughput(Throughput::Bytes(2 * old.len() as u64));
            for (change_name, change) in CHANGES {
                let new = body(size, change);
                let id = BenchmarkId::new(change_name, size_name);
                group.bench_function(id, |bench| {
                    bench.iter(|| {
                        let (old, new) = (reply(&headers, &old), reply(&headers, &new));
                        black_box(compare(black_box(&old), black_box(&new), &rules))
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, pairs);
criterion_main!(benches);
