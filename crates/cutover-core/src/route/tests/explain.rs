//! Near misses.

use super::{asking, path, table};
use crate::RequestView;
use crate::route::{Missed, RouteTable};
use http::{HeaderMap, Method};

fn missed(table: &RouteTable, method: &Method, query: &str) -> Vec<(usize, Vec<Missed>)> {
    let mut headers = HeaderMap::new();
    headers.insert("x-a", http::HeaderValue::from_static("1"));
    let mut request = RequestView::new(method, "h", "/a/7", &headers);
    request.query = Some(query);
    let misses = table.near_misses(&request).into_iter();
    misses.map(|miss| (miss.route.index(), miss.missed)).collect()
}

#[test]
fn near_misses_are_what_would_have_been_preferred() {
    let table = table([
        path("/{*rest}"),
        asking("/a/{id}", "GET"),
        asking("/a/{id}", "PUT, x-a=2"),
        asking("/a/7", "GET, x-a=1, ?v=1"),
        asking("/a/8", "GET"),
        asking("/{x}/{*rest}", "GET"),
    ]);
    let v = || Missed::Query("v".into());
    let x_a = || Missed::Header(http::HeaderName::from_static("x-a"));
    assert_eq!(missed(&table, &Method::GET, "v=1"), []);
    assert_eq!(
        missed(&table, &Method::GET, "v=2"),
        [(3, vec![v()]), (2, vec![Missed::Method, x_a()])]
    );
    assert_eq!(
        missed(&table, &Method::PUT, ""),
        [
            (3, vec![Missed::Method, v()]),
            (2, vec![x_a()]),
            (1, vec![Missed::Method]),
            (5, vec![Missed::Method]),
        ]
    );
}
