//! What a search costs at worst, counted in steps, and what a large table costs to build.

use super::{asking, get, path, table};
use crate::route::trie::{Leaf, Visit};
use crate::route::{MAX_PARAMS, RouteTable, Spans};

/// Enters everything it can, and counts.
#[derive(Default)]
struct Counter {
    nodes: usize,
    leaves: usize,
    spans: Spans,
}

impl Visit for Counter {
    fn spans(&mut self) -> &mut Spans {
        &mut self.spans
    }

    fn leaf(&mut self, _: Leaf) -> bool {
        self.leaves += 1;
        false
    }

    fn node(&mut self) {
        self.nodes += 1;
    }
}

/// The steps of a walk that no leaf ends, which is the worst case of every request with this path.
fn worst(table: &RouteTable, path: &str) -> Counter {
    let mut counter = Counter::default();
    table.hosts.roots("", |root| table.trie.walk(root, path, &mut counter));
    counter
}

/// All patterns of `depth` segments, each `a` or a parameter: the table in which backtracking is
/// worst.
fn all_choices(depth: usize) -> RouteTable {
    table((0..1usize << depth).map(|bits| {
        let segment = |at: usize| match bits >> at & 1 {
            0 => "/a".to_owned(),
            _ => format!("/{{p{at}}}"),
        };
        path(&(0..depth).map(segment).collect::<String>())
    }))
}

#[test]
fn a_walk_enters_each_node_at_most_once() {
    let table = all_choices(MAX_PARAMS);
    let full = worst(&table, &"/a".repeat(MAX_PARAMS));
    assert_eq!(full.leaves, 1 << MAX_PARAMS, "every pattern matches");
    assert!(full.nodes <= table.trie.len(), "{} of {}", full.nodes, table.trie.len());
    // A path of 8 KiB costs no more than one as deep as the patterns: depth is the table's, not the
    // client's.
    let long = worst(&table, &"/a".repeat(4_096));
    assert!(long.nodes <= full.nodes, "{} > {}", long.nodes, full.nodes);
    assert_eq!(long.leaves, 0);
}

#[test]
fn a_catch_all_at_every_depth_costs_a_step_for_each_segment() {
    let depth = 100;
    let table = table((0..depth).map(|n| path(&format!("{}/{{*rest}}", "/a".repeat(n)))));
    let counted = worst(&table, &"/a".repeat(4_096));
    assert_eq!((counted.nodes, counted.leaves), (depth, depth));
}

#[test]
fn other_long_paths_end_early() {
    let table = table([
        path("/api/v1/users/{id}"),
        path("/api/v1/{kind}/list"),
        path("/api/{*rest}"),
        path("/{a}/{b}/{c}/x"),
    ]);
    for long in ["/".repeat(8_192), "/api/v1".repeat(1_170), format!("/{}", "x".repeat(8_191))] {
        let counted = worst(&table, &long);
        assert!(counted.nodes <= table.trie.len(), "{} of {}", counted.nodes, table.trie.len());
    }
}

#[test]
fn a_hundred_thousand_siblings_are_found() {
    let count = 100_000;
    let routes = (0..count).map(|n| path(&format!("/api/v1/service-{n}/items/{{id}}")));
    let table = table(routes.chain([path("/{*rest}")]));
    for n in (0..count).step_by(997) {
        let text = format!("/api/v1/service-{n}/items/x{n}");
        let value = format!("x{n}");
        assert_eq!(get(&table, &text), Some((n, vec![("id".to_owned(), value.as_str())])));
        // Root, the node with all the siblings, the sibling, and back up.
        assert!(worst(&table, &text).nodes <= 4);
    }
    assert_eq!(get(&table, "/api/v1/service-100000/items/x").map(|found| found.0), Some(count));
    assert!(table.trie.len() <= count + 3, "{} nodes", table.trie.len());
}

#[test]
fn a_hundred_thousand_hosts_and_many_routes_of_one_path() {
    let count = 100_000;
    let hosts = (0..count).map(|n| {
        let mut spec = path("/{*rest}");
        spec.host = Some(format!("tenant-{n}.example.com").into());
        spec
    });
    let versions = (0..2_000).map(|n| asking("/v", &format!("x-version={n}")));
    let table = table(hosts.chain(versions));
    let headers = http::HeaderMap::new();
    for n in (0..count).step_by(4_999) {
        let host = format!("Tenant-{n}.example.com:443");
        let request = crate::RequestView::new(&http::Method::GET, &host, "/x", &headers);
        assert_eq!(table.find(&request).map(|found| found.route.index()), Some(n));
    }
    assert_eq!(get(&table, "/v"), None);
}

#[test]
fn long_texts_and_odd_paths_are_walked_rightly() {
    let long = "x".repeat(300);
    let table = table([
        path(&format!("/{long}/{{id}}")),
        path(&format!("/{long}y/{{id}}")),
        path("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z"),
        path("/"),
    ]);
    assert_eq!(get(&table, &format!("/{long}/1")).map(|found| found.0), Some(0));
    assert_eq!(get(&table, &format!("/{long}y/1")).map(|found| found.0), Some(1));
    assert_eq!(get(&table, &format!("/{long}z/1")), None);
    let alphabet = "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z";
    assert_eq!(get(&table, alphabet).map(|found| found.0), Some(2));
    assert_eq!(get(&table, &format!("{alphabet}a")), None);
    assert_eq!(get(&table, &format!("{alphabet}/")), None);
    assert_eq!(get(&table, "/").map(|found| found.0), Some(3));
    for nothing in ["", "*", "a", "//"] {
        assert_eq!(get(&table, nothing), None, "{nothing}");
    }
    assert_eq!(get(&RouteTable::default(), "/"), None);
}
