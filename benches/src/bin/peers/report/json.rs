//! The same for programs.

use super::{Got, Report, Row};
use crate::measure::Measured;
use serde_json::{Value, json};

pub(super) fn text(report: &Report) -> anyhow::Result<String> {
    let Report { rate, pairs, seconds, machine, .. } = report;
    let versions: serde_json::Map<String, Value> = report
        .versions
        .iter()
        .map(|(name, version)| ((*name).to_owned(), json!(version)))
        .collect();
    let blocks = report.blocks.iter().flat_map(|(scenario, rows)| {
        rows.iter().map(|row| named(json!({ "scenario": scenario.name() }), row, block))
    });
    let reloads = report.reloads.iter().map(|(how, row)| {
        named(json!({ "how": how }), row, |r| {
            json!({
                "reloads": r.reloads, "requests": r.requests, "failed": r.failed, "sent_again": r.again,
                "first_ms": r.first_ms, "last_ms": r.last_ms, "p99_before_us": r.p99_before_us,
                "p99_after_us": r.p99_after_us,
            })
        })
    });
    let idle = report.idle.iter().map(|row| {
        named(json!({}), row, |idle| {
            json!({
                "connections": idle.connections, "bytes_each": idle.bytes_each,
                "cpu_ms_per_s": idle.cpu_ms_per_s,
            })
        })
    });
    let starts = report.starts.iter().flat_map(|(scenario, rows)| {
        rows.iter().map(|row| {
            named(json!({ "scenario": scenario.name() }), row, |start| {
                json!({ "ms": start.ms, "low": start.range.0, "high": start.range.1, "mib": start.mib })
            })
        })
    });
    let all = json!({
        "verdict": report.verdict(),
        "commit": machine.commit,
        "processor": machine.processor,
        "kernel": machine.kernel,
        "waiting_before": machine.waiting,
        "stolen_percent": machine.stolen_percent(),
        "rate_per_s": rate,
        "pairs": pairs,
        "block_s": seconds,
        "versions": versions,
        "rows": blocks.collect::<Vec<_>>(),
        "reloads": reloads.collect::<Vec<_>>(),
        "idle": idle.collect::<Vec<_>>(),
        "starts": starts.collect::<Vec<_>>(),
        "start_of_nothing_ms": report.start_of_nothing,
    });
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn block(m: &Measured) -> Value {
    json!({
        "cpu_us": m.cpu_us, "ratio": m.ratio, "low": m.interval.0, "high": m.interval.1, "p50_us": m.p50_us,
        "p99_us": m.p99_us, "most_per_s": m.most.map(|most| most.per_s),
        "busy_at_most": m.most.map(|most| most.busy), "unanswered": m.unanswered, "copied": m.copied,
        "peak_mib": m.peak_mib,
    })
}

/// One object: whose it is, where, and what is known.
fn named<T>(mut place: Value, row: &Row<T>, figures: impl Fn(&T) -> Value) -> Value {
    let got = match &row.got {
        Got::Measured(measured) => figures(measured),
        Got::Not(why) => json!({ "not_measured": why }),
    };
    if let (Value::Object(place), Value::Object(got)) = (&mut place, got) {
        place.insert("product".to_owned(), json!(row.name));
        place.extend(got);
    }
    place
}
