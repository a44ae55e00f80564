//! Large files: right, and not quadratic. No time is judged here; the test would simply not come back.

use crate::surroundings::{loaded, usual};
use cutover_config::load;
use cutover_core::RequestView;
use cutover_core::decide::NoPlugins;
use std::fmt::Write as _;

/// A backend, `count` routes with parameters and predicates, and a migration over some of them.
pub(crate) fn many_routes(count: usize) -> String {
    let mut text = String::from("[backends.a]\naddresses = [\"127.0.0.1:9001\"]\n");
    text.push_str("[backends.b]\naddresses = [\"127.0.0.1:9002\"]\n");
    for at in 0..count {
        let backend = if at % 2 == 0 { "a" } else { "b" };
        let _ = write!(
            text,
            "[[routes]]\npath = \"/api/v{}/r{at}/{{id}}\"\nmethods = [\"GET\"]\nbackend = \"{backend}\"\n",
            at % 7
        );
    }
    text
}

#[test]
fn ten_and_a_hundred_thousand_routes() {
    for count in [10_000, 100_000] {
        let config = loaded(&many_routes(count));
        assert_eq!(config.snapshot.routes().len(), count);
        let at = count - 1;
        let (method, path) = (http::Method::GET, format!("/api/v{}/r{at}/7", at % 7));
        let headers = http::HeaderMap::new();
        let request = RequestView::new(&method, "example.com", &path, &headers);
        let decision = config.snapshot.decide(&request, &mut NoPlugins).expect("a route matches");
        assert_eq!(decision.route.index(), at);
    }
}

#[test]
fn a_large_broken_file_is_reported_in_full() {
    let text = many_routes(5_000).replace("backend = \"b\"", "backend = \"bb\"");
    let report = load(&text, "cutover.toml", &usual()).expect_err("no backend bb");
    // One for each route, and one for the backend that nobody uses now.
    assert_eq!(report.findings.len(), 2_501);
}
