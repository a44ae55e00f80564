//! The page about metrics is what the tables say.

use super::*;
use expect_test::expect_file;
use std::fmt::Write as _;

/// Links of the page, which is in another folder.
const SHIPPED: &str = "\nAlert rules for Prometheus, and their tests, are in \
    [prometheus/](prometheus/cutover.rules.yml), a dashboard for Grafana in [grafana/](grafana/cutover.json).\n";

#[test]
fn the_page_says_what_the_tables_say() {
    let mut page = format!("{}{SHIPPED}", include_str!("page.md"));
    for (title, table) in [
        ("The engine", cutover::metrics::TABLE),
        ("Migrations that move", cutover::metrics::MOVES),
        ("The server", TABLE),
    ] {
        let _ = write!(
            page,
            "\n## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
        );
        for metric in table {
            let labels =
                if metric.labels.is_empty() { "none".to_owned() } else { metric.labels.join(", ") };
            let (name, kind) = (metric.exposed_name(), format!("{:?}", metric.kind).to_lowercase());
            let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {} |", metric.meaning);
        }
    }
    expect_file!["../../../../docs/metrics.md"].assert_eq(&page);
}

#[test]
fn every_name_is_there_once() {
    let tables = [cutover::metrics::TABLE, cutover::metrics::MOVES, TABLE].concat();
    let mut names: Vec<_> = tables.iter().map(Metric::exposed_name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// Rules and dashboards that name a metric which is gone are silent for ever.
#[test]
fn what_ships_for_prometheus_and_grafana_names_metrics_that_exist() {
    let tables = [cutover::metrics::TABLE, cutover::metrics::MOVES, TABLE].concat();
    let known: Vec<_> = tables.iter().map(Metric::exposed_name).collect();
    let exists = |name: &str| {
        let parts = ["_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end));
        parts.chain([name]).any(|name| known.iter().any(|known| known == name))
    };
    let rules = include_str!("../../../../docs/prometheus/cutover.rules.yml");
    let tests = include_str!("../../../../docs/prometheus/cutover.rules.test.yml");
    let dashboard = include_str!("../../../../docs/grafana/cutover.json");
    let shown: serde_json::Value = serde_json::from_str(dashboard).expect("it is JSON");
    assert!(shown["panels"].as_array().is_some_and(|panels| panels.len() > 15));
    let mut named = 0;
    for text in [rules, tests, dashboard] {
        for (at, _) in text.match_indices("cutover_") {
            let rest = &text[at..];
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            assert!(exists(name), "there is no metric {name}");
            named += 1;
        }
    }
    assert!(named > 60, "only {named} names were found");
    let alerts = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        for what in ["fires", "is quiet"] {
            assert!(
                tests.contains(&format!("\"{alert} {what}\"")),
                "{alert}: no test that it {what}"
            );
        }
    }
}
