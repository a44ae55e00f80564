//! What of it goes into the picture.

use super::{Report, Row};
use crate::svg::{Bar, Group, chart};

pub(super) fn of(report: &Report) -> String {
    let mut groups: Vec<Group> = Vec::new();
    for (scenario, rows) in &report.blocks {
        groups.push(group(scenario.name(), "µs", "µs of CPU per request", rows, |m| m.cpu_us));
    }
    if !report.idle.is_empty() {
        let (title, what) = ("connections that rest", "KiB of memory for one");
        groups.push(group(title, "KiB", what, &report.idle, |idle| idle.bytes_each / 1024.0));
    }
    for (scenario, rows) in &report.starts {
        let title = format!("from start to first reply, {}", scenario.name());
        groups.push(group(&title, "ms", "ms to the first good reply", rows, |start| start.ms));
    }
    chart(&groups, &report.verdict())
}

fn group<T>(
    title: &str,
    unit: &'static str,
    what: &'static str,
    rows: &[Row<T>],
    value: impl Fn(&T) -> f64,
) -> Group {
    let bar = |row: &Row<T>| Bar { name: row.name, value: row.measured().map(&value) };
    Group { title: title.to_owned(), unit, what, bars: rows.iter().map(bar).collect() }
}
