//! The documented table of precedence is the test.

use super::asking;
use crate::RequestView;
use crate::route::RouteTable;
use http::{HeaderMap, HeaderName, HeaderValue};

const TEXT: &str = include_str!("../precedence.md");

#[test]
fn the_documented_table_holds() {
    let tables = tables();
    let [routes, requests] = tables.as_slice() else { panic!("two tables, not {}", tables.len()) };
    let mut builder = RouteTable::builder();
    let mut names = Vec::new();
    for row in routes {
        let mut spec = asking(row[2], row[3]);
        spec.host = (!row[1].is_empty()).then(|| row[1].into());
        let id = builder.insert(spec).unwrap_or_else(|error| panic!("{}: {error}", row[0]));
        assert_eq!(id.index(), names.len());
        names.push(row[0]);
    }
    let table = builder.finish();
    assert!(requests.len() > 30, "the table of requests was read");
    for row in requests {
        let found = find(&table, row[0]).map(|route| names[route]);
        assert_eq!(found, Some(row[1]), "{} ({})", row[0], row[2]);
    }
    let unused = names.iter().filter(|name| !requests.iter().any(|row| row[1] == **name));
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&&str>::new(), "every route answers something");
}

/// The rows of the Markdown tables in the text, without their heads.
fn tables() -> Vec<Vec<Vec<&'static str>>> {
    let mut tables: Vec<Vec<Vec<&str>>> = Vec::new();
    let mut head = true;
    for line in TEXT.lines() {
        let Some(row) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            head = true;
            continue;
        };
        if head {
            tables.push(Vec::new());
            head = false;
        } else if !row.starts_with("---") {
            let rows = tables.last_mut().expect("a head came first");
            rows.push(row.split('|').map(str::trim).collect());
        }
    }
    tables
}

/// `GET host /path?query name:value …`
fn find(table: &RouteTable, text: &str) -> Option<usize> {
    let mut words = text.split(' ');
    let mut word = || words.next().expect("method, host and path");
    let (method, host, target) = (word().parse().expect("a method"), word(), word());
    let headers: HeaderMap = words
        .map(|word| word.split_once(':').expect("name:value"))
        .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
        .collect::<Vec<(HeaderName, HeaderValue)>>()
        .into_iter()
        .collect();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut request = RequestView::new(&method, host, path, &headers);
    request.query = query;
    table.find(&request).map(|found| found.route.index())
}
