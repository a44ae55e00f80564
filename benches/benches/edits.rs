//! Native edits of headers and paths.

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use cutover_benches::traffic::headers;
use cutover_core::edit::{HeaderEdits, PathEdit};
use http::{HeaderName, HeaderValue};
use std::hint::black_box;

fn header_edits(criterion: &mut Criterion) {
    let original = headers("user-4711");
    let mut group = criterion.benchmark_group("edits/headers");
    for count in [0, 2, 8] {
        let set = (0..count).map(|number| {
            let name = HeaderName::try_from(format!("x-edited-{number}")).expect("a header name");
            (name, HeaderValue::from_static("new"))
        });
        let edits = HeaderEdits { set: set.collect(), ..HeaderEdits::default() };
        group.bench_function(BenchmarkId::from_parameter(count), |bench| {
            let copy = || original.clone();
            bench.iter_batched_ref(copy, |map| edits.apply(black_box(map)), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn path_edit(criterion: &mut Criterion) {
    let edit = PathEdit { strip_prefix: Some("/api".into()), add_prefix: Some("/v2".into()) };
    let (stays, changes) = ("/files/7", "/api/profile/7");
    let mut group = criterion.benchmark_group("edits/path");
    for (case, path) in [("none", stays), ("prefix", changes)] {
        let none = PathEdit::default();
        let edit = if case == "none" { &none } else { &edit };
        group.bench_function(case, |bench| bench.iter(|| black_box(edit.apply(black_box(path)))));
    }
    group.finish();
}

criterion_group!(benches, header_edits, path_edit);
criterion_main!(benches);
