//! Every metric is explained in the documentation: whoever is on call looks its name up there.

use super::Finding;
use super::tree::Tree;

/// One row for each metric of the engine: `NAME: Counter "requests" in "seconds" […]`.
const TABLE: &str = "crates/cutover/src/metrics.rs";
/// The server writes the names of its own series out.
const SERVER: &str = "crates/cutover-server/src/";
const PREFIX: &str = "cutover_";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".rs").filter(|(path, _)| is_source(path)) {
        for (at, line) in text.lines().enumerate() {
            for name in of_row(line).into_iter().chain(written_out(line)) {
                if !explained(tree, &name) {
                    let what = format!("no page of docs/ explains the metric {name}");
                    findings.push(Finding::new(path, at + 1, what));
                }
            }
        }
    }
    findings
}

fn is_source(path: &str) -> bool {
    path == TABLE || path.starts_with(SERVER) && !path.ends_with("tests.rs")
}

fn explained(tree: &Tree, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let in_text =
        |text: &str| text.match_indices(name).any(|(at, _)| ends(&text[at + name.len()..]));
    tree.ending(".md").any(|(path, text)| path.starts_with("docs/") && in_text(text))
}

/// The full name that a row of the table stands for.
fn of_row(line: &str) -> Option<String> {
    let (_, row) = line.trim().split_once(": ")?;
    let (kind, rest) = row.split_once(" \"")?;
    let (name, rest) = rest.split_once('"')?;
    let suffix = match kind {
        "Counter" => "_total",
        "Gauge" | "Histogram" => "",
        _ => return None,
    };
    let unit = rest.strip_prefix(" in \"").and_then(|rest| rest.split('"').next());
    let unit = unit.map(|unit| format!("_{unit}")).unwrap_or_default();
    Some(format!("{PREFIX}{name}{unit}{suffix}"))
}

/// Names in string literals; not those of our crates, which log filters name.
fn written_out(line: &str) -> impl Iterator<Item = String> {
    let code = if line.trim_start().starts_with("//") { "" } else { line };
    let starts = code.match_indices("\"cutover_").map(|(at, _)| &code[at + 1..]);
    let names = starts.map(|rest| {
        let whole =
            rest.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
        let name = whole.into_iter().next().unwrap_or_default();
        let parts = ["_bucket", "_count", "_sum"];
        parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name).to_owned()
    });
    let crates = ["cutover_server", "cutover_core", "cutover_config", "cutover_wasm"];
    names.filter(move |name| !crates.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "\
        REQUESTS: Counter \"requests\" [\"side\"]\n\
        DURATION: Histogram \"request_duration\" in \"seconds\" []\n\
        STATE: Gauge \"breaker_state\" []\n\
        name: String \"x\"\n";

    fn findings(docs: &str) -> Vec<String> {
        let server = "    writeln!(out, \"cutover_open_connections {}\", n);\n// \"cutover_gone\"\n\
                      let filter = \"cutover_server=info\";\n";
        let tree = Tree::of(&[
            (TABLE, ROWS),
            ("crates/cutover-server/src/head_guard.rs", server),
            ("docs/operating.md", docs),
        ]);
        check(&tree).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn explained_metrics_are_fine() {
        let docs = "cutover_requests_total cutover_request_duration_seconds\n\
                    cutover_breaker_state, cutover_open_connections\n";
        assert_eq!(findings(docs), Vec::<String>::new());
    }

    #[test]
    fn a_metric_that_nothing_explains_is_found() {
        let found = findings(
            "cutover_requests_totals cutover_request_duration_seconds cutover_open_connections\n",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with("cutover_requests_total"));
        assert!(found[1].ends_with("cutover_breaker_state"));
    }
}
