//! The exposition is well-formed OpenMetrics, complete, and survives reloads.

use super::*;
use crate::testing::{GET, StillClock, engine_with, reload};
use crate::{Action, Cause, Engine, Outcome, RequestView};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::collections::{BTreeMap, BTreeSet};

const CONFIG: &str = r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.monolith]
addresses = ["127.0.0.1:9001"]
[backends.profile-service]
addresses = ["127.0.0.1:9002"]
[[routes]]
path = "/{*rest}"
backend = "monolith"
[migrations.profile]
old = "monolith"
new = "profile-service"
owner = "identity team"
expires = 2027-03-01
data = "shared"
key = [{ header = "x-user-id" }]
routes = [{ path = "/api/profile/{id}" }]
read-percent = 100
"#;

/// Sends one request through; `fails` makes its first attempt fail.
fn send(engine: &Engine, clock: &StillClock, path: &str, fails: bool) {
    let mut headers = HeaderMap::new();
    headers.insert("x-user-id", HeaderValue::from_static("user-1"));
    let request = RequestView::new(&GET, "", path, &headers);
    let mut exchange = engine.begin(&request).expect("a route matches");
    clock.pass(3);
    if fails {
        let action = exchange.failed(&request, Cause::Reset, None, true, false);
        assert!(matches!(action, Action::Retry(_)));
    }
    exchange.finish(Outcome::Replied(StatusCode::OK));
}

fn exposition(engine: &Engine) -> String {
    let mut text = String::new();
    engine.metrics().encode(&mut text).expect("strings can be written to");
    text
}

/// Samples by series, after checking the form of every line.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let (mut family, mut families) = (String::new(), BTreeSet::new());
    let (body, end) = text.split_at(text.len() - "# EOF\n".len());
    assert_eq!(end, "# EOF\n");
    for line in body.lines() {
        if let Some(meta) = line.strip_prefix("# ") {
            let mut words = meta.splitn(3, ' ');
            let (kind, name) = (words.next().expect("a word"), words.next().expect("a name"));
            assert!(["HELP", "TYPE", "UNIT"].contains(&kind), "{line}");
            if kind == "HELP" {
                assert!(families.insert(name.to_owned()), "{name} comes twice");
                name.clone_into(&mut family);
            }
            assert_eq!(name, family, "{line}");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        let name = series.split('{').next().expect("a name");
        let suffix = name.strip_prefix(&*family).unwrap_or_else(|| panic!("{line} in {family}"));
        assert!(["", "_total", "_sum", "_count", "_bucket"].contains(&suffix), "{line}");
        assert!(series.find('{').is_none() || series.ends_with('}'), "{line}");
        let value: f64 = value.parse().expect("a number");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{series} comes twice");
    }
    samples
}

#[test]
fn every_metric_of_the_table_is_exposed_and_no_other() {
    let engine = engine_with(StillClock::new());
    reload(&engine, CONFIG);
    let text = exposition(&engine);
    parse(&text);
    let told: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned))
        .collect();
    let table: BTreeSet<String> = TABLE
        .iter()
        .map(|metric| metric.exposed_name().trim_end_matches("_total").to_owned())
        .collect();
    assert_eq!(told, table);
}

#[test]
fn exchanges_are_counted_and_counters_survive_reloads() {
    let clock = StillClock::new();
    let engine = engine_with(clock.clone());
    reload(&engine, CONFIG);
    send(&engine, &clock, "/api/profile/1", false);
    send(&engine, &clock, "/api/profile/1", true);
    reload(&engine, CONFIG);
    send(&engine, &clock, "/api/profile/1", false);
    send(&engine, &clock, "/elsewhere", false);
    let samples = parse(&exposition(&engine));
    let count = |series: &str| samples[series];
    let requests = |side, role| {
        count(&format!(
            r#"cutover_requests_total{{migration="profile",side="{side}",role="{role}",code_class="2xx"}}"#
        ))
    };
    assert_eq!(requests("new", "served"), 2.0);
    assert_eq!(requests("old", "fallback"), 1.0);
    assert_eq!(requests("old", "served"), 0.0);
    assert_eq!(count(r#"cutover_route_requests_total{backend="monolith",code_class="2xx"}"#), 1.0);
    assert_eq!(count(r#"cutover_fallback_total{migration="profile",cause="reset"}"#), 1.0);
    let failed = r#"cutover_failed_attempts_total{migration="profile",side="new",cause="reset"}"#;
    assert_eq!(count(failed), 1.0);
    let bucket = |le| {
        count(&format!(
            r#"cutover_request_duration_seconds_bucket{{le="{le}",migration="profile",side="new",role="served"}}"#
        ))
    };
    assert_eq!((bucket("0.002"), bucket("0.005"), bucket("+Inf")), (0.0, 2.0, 2.0));
    assert_eq!(count("cutover_config_generation"), 2.0);
    assert_eq!(count(r#"cutover_read_percent{migration="profile"}"#), 100.0);
}

#[test]
fn refusals_are_counted() {
    let engine = engine_with(StillClock::new());
    let headers = HeaderMap::new();
    let refused = engine.begin(&RequestView::new(&GET, "", "/", &headers)).expect_err("no routes");
    assert_eq!(refused.status(), StatusCode::NOT_FOUND);
    engine.metrics().reload_refused();
    let samples = parse(&exposition(&engine));
    assert_eq!(samples[r#"cutover_refused_total{reason="no-route"}"#], 1.0);
    assert_eq!(samples[r#"cutover_config_reloads_total{result="refused"}"#], 1.0);
    assert_eq!(samples["cutover_config_last_reload_success"], 0.0);
}

#[test]
fn an_exchange_that_is_dropped_counts_as_gone() {
    let engine = engine_with(StillClock::new());
    reload(&engine, CONFIG);
    let headers = HeaderMap::new();
    drop(engine.begin(&RequestView::new(&GET, "", "/elsewhere", &headers)));
    let samples = parse(&exposition(&engine));
    assert_eq!(
        samples[r#"cutover_route_requests_total{backend="monolith",code_class="gone"}"#],
        1.0
    );
}
