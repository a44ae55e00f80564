//! The tables for people.

use super::{Got, Report, Row};
use crate::measure::Measured;
use crate::scenario::Scenario;
use std::fmt::Write as _;

pub(super) fn text(report: &Report) -> String {
    let mut text = head(report);
    for (scenario, rows) in &report.blocks {
        text.push_str(&block(*scenario, rows));
    }
    text.push_str("\n\"over\": the load or the backends were at their end before the proxy was.\n");
    if report.blocks.iter().any(|(scenario, _)| scenario.is_mirrored()) {
        text.push_str(
            "\"not in time\": users' requests, sent or not, that had no reply half a second after the last one was due; they \
             count in the percentiles with the time they had waited by then. \"copied\": requests of which the other side \
             got its copy.\n",
        );
    }
    reloads(report, &mut text);
    idle(report, &mut text);
    starts(report, &mut text);
    text.push_str("\n## What ran\n\n");
    for (name, version) in &report.versions {
        let _ = writeln!(text, "- {name}: {version}");
    }
    text
}

fn head(report: &Report) -> String {
    let Report { rate, pairs, seconds, machine, .. } = report;
    let mut text = format!(
        "# Beside its peers\n\n{}. {rate} requests per second (a quarter where all are mirrored), {pairs} pairs of blocks of {seconds} s. {}, Linux {}, commit {}; \
         {} processes ran or waited before it began",
        report.verdict(),
        machine.processor,
        machine.kernel,
        machine.commit,
        machine.waiting,
    );
    match machine.stolen_percent() {
        Some(stolen) => drop(writeln!(text, ", others had {stolen:.1} % of the cores' time.")),
        None => text.push_str(".\n"),
    }
    text
}

fn block(scenario: Scenario, rows: &[Row<Measured>]) -> String {
    let mut heads = vec!["µs of CPU per request", "beside bare Pingora", "95 %", "p50", "p99"];
    if scenario == Scenario::MirrorHung {
        heads.push("not in time");
    } else {
        heads.push("most per second");
    }
    if scenario == Scenario::Mirror {
        heads.push("copied");
    }
    heads.push("peak memory");
    let cells = |m: &Measured| {
        let mut cells = vec![
            format!("{:.1}", m.cpu_us),
            format!("{:.2}", m.ratio),
            format!("{:.2} to {:.2}", m.interval.0, m.interval.1),
            micros(m.p50_us),
            micros(m.p99_us),
        ];
        cells.push(if scenario == Scenario::MirrorHung {
            format!("{:.1} %", m.unanswered * 100.0)
        } else {
            m.most.map_or_else(
                || "?".to_owned(),
                |most| {
                    let over = if most.is_a_floor() { "over " } else { "" };
                    format!("{over}{:.0}", most.per_s)
                },
            )
        });
        if let Some(copied) = m.copied {
            cells.push(format!("{:.1} %", copied * 100.0));
        }
        cells.push(format!("{:.0} MiB", m.peak_mib));
        cells
    };
    let title = title(scenario.name());
    format!("\n## {title}\n\n{}", table(&heads, rows.iter().map(|row| (row, None)), cells))
}

fn reloads(report: &Report, text: &mut String) {
    if report.reloads.is_empty() {
        return;
    }
    let heads = [
        "failed",
        "sent again",
        "of requests",
        "first reply of the new",
        "last of the old",
        "p99 before",
        "p99 in the second after",
        "reloads",
    ];
    let rows = report.reloads.iter().map(|(how, row)| (row, Some(*how)));
    let table = table(&heads, rows, |r| {
        vec![
            r.failed.to_string(),
            r.again.to_string(),
            r.requests.to_string(),
            millis(r.first_ms),
            millis(r.last_ms),
            micros(r.p99_before_us),
            micros(r.p99_after_us),
            r.reloads.to_string(),
        ]
    });
    let _ = write!(
        text,
        "\n## A new configuration under load\n\n{table}\n\"sent again\": a connection was closed, without a word before, under \
         a request that was on its way; the client sent it once more over a new one. Times are \
         medians, and count from the moment of the change.\n"
    );
}

fn idle(report: &Report, text: &mut String) {
    if report.idle.is_empty() {
        return;
    }
    let heads = ["memory of one", "connections", "CPU while they rest"];
    let table = table(&heads, report.idle.iter().map(|row| (row, None)), |idle| {
        vec![
            format!("{:.1} KiB", idle.bytes_each / 1024.0),
            idle.connections.to_string(),
            format!("{:.2} ms a second", idle.cpu_ms_per_s),
        ]
    });
    let _ = write!(
        text,
        "\n## Connections that rest\n\n{table}\nEach has had one reply, and gets another one afterwards. Resident memory of the \
         process; what the kernel holds for a socket is not in it.\n"
    );
}

fn starts(report: &Report, text: &mut String) {
    for (scenario, rows) in &report.starts {
        let table = table(
            &["first good reply", "least to greatest", "memory then"],
            rows.iter().map(|row| (row, None)),
            |start| {
                let (low, high) = start.range;
                vec![
                    millis(start.ms),
                    format!("{} to {}", millis(low), millis(high)),
                    format!("{:.0} MiB", start.mib),
                ]
            },
        );
        let _ = write!(text, "\n## From start to first reply: {}\n\n{table}", scenario.name());
    }
    if let Some(nothing) = report.start_of_nothing {
        let _ = writeln!(text, "\nStarting `true` in the same way takes {}.", millis(nothing));
    }
}

/// A table with one line for each row, after its name what else is to be said of it.
fn table<'r, T: 'r>(
    heads: &[&str],
    rows: impl Iterator<Item = (&'r Row<T>, Option<&'static str>)>,
    cells: impl Fn(&T) -> Vec<String>,
) -> String {
    let mut text = format!("| | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for (row, more) in rows {
        let name = more.map_or_else(|| row.name.to_owned(), |more| format!("{}: {more}", row.name));
        let cells = match &row.got {
            Got::Measured(measured) => cells(measured),
            Got::Not(why) => {
                let mut cells = vec![format!("not measured: {why}")];
                cells.resize(heads.len(), String::new());
                cells
            }
        };
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

fn micros(us: f64) -> String {
    if us >= 10_000.0 { millis(us / 1e3) } else { format!("{us:.0} µs") }
}

fn millis(ms: f64) -> String {
    if ms >= 10.0 { format!("{ms:.0} ms") } else { format!("{ms:.1} ms") }
}

fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_not_measured_stands_in_the_table_with_the_reason() {
        let rows = [
            Row { name: "one", got: Got::Measured(7) },
            Row { name: "other", got: Got::Not("it cannot") },
        ];
        let table = table(&["a", "b"], rows.iter().map(|row| (row, None)), |n: &i32| {
            vec![n.to_string(), "x".to_owned()]
        });
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "| | a | b |",
                "|---|---|---|",
                "| one | 7 | x |",
                "| other | not measured: it cannot |  |"
            ]
        );
    }
}
