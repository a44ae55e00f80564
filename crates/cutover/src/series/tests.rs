//! Steps, their sums, and what is forgotten.

use super::*;
use crate::testing::{GET, Nothing, StillClock, engine_with};
use crate::{Engine, Outcome, RequestView};
use http::{HeaderMap, StatusCode};

const CONFIG: &str = r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.old]
addresses = ["127.0.0.1:9001"]
[backends.new]
addresses = ["127.0.0.1:9002"]
[migrations.profile]
old = "old"
new = "new"
owner = "team"
expires = 2099-03-01
data = "shared"
key = [{ header = "x-user-id" }]
allow = ["ana"]
routes = [{ path = "/api/{id}" }]
read-percent = 0
"#;

fn installed(engine: &Engine, text: &str) {
    let config = crate::config::load(text, "test.toml", &Nothing).expect("it is valid");
    let prepared = engine.prepare(config.snapshot, &config.plugins, &Nothing).expect("no plugins");
    engine.install(prepared);
}

/// A request of this user, answered like this.
fn request(engine: &Engine, user: &'static str, outcome: Outcome) {
    let mut headers = HeaderMap::new();
    headers.insert("x-user-id", user.parse().expect("visible"));
    let request = RequestView::new(&GET, "h", "/api/7", &headers);
    engine.begin(&request).expect("a route").finish(outcome);
}

const FINE_OUTCOME: Outcome = Outcome::Replied(StatusCode::OK);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_step_has_what_happened_in_it_by_side() {
    let clock = StillClock::new();
    let engine = engine_with(clock);
    installed(&engine, CONFIG);
    let series = Series::default();
    request(&engine, "ben", FINE_OUTCOME);
    series.sample(&engine.current(), 0);
    assert_eq!(series.of("profile", HOUR), Some((FINE, Vec::new())), "before the first step's end");

    for _ in 0..3 {
        request(&engine, "ben", FINE_OUTCOME);
    }
    request(&engine, "ana", Outcome::Broken);
    series.sample(&engine.current(), 1_000);
    assert_eq!(series.latest("profile"), None, "not yet time");
    series.sample(&engine.current(), 5_000);
    let point = series.latest("profile").expect("a step");
    assert_eq!((point.old.requests, point.old.errors, point.new.requests), (3, 0, 1));
    assert_eq!((point.new.errors, point.share(), point.end_ms), (1, Some(0.25), 5_000));
    series.sample(&engine.current(), 10_000);
    let silent = series.latest("profile").expect("a step");
    assert_eq!((silent.old.requests, silent.share(), silent.old.times), (0, None, None));
}

#[test]
fn a_fresh_fault_does_not_drown_in_what_went_well_before() {
    let engine = engine_with(StillClock::new());
    installed(&engine, CONFIG);
    let series = Series::default();
    assert_eq!(series.lately(&engine.current(), "profile", 0), None, "nobody has looked yet");
    // Two minutes in which all is well.
    for step in 0..=24 {
        series.sample(&engine.current(), step * 5_000);
        request(&engine, "ana", FINE_OUTCOME);
    }
    request(&engine, "ana", Outcome::Broken);
    let lately = |now_ms| series.lately(&engine.current(), "profile", now_ms);
    let (over, point) = lately(121_000).expect("it is known");
    assert_eq!((over, point.end_ms), (Duration::from_secs(61), 121_000));
    // One after the oldest mark, one after each of the twelve samples since, and the fault.
    assert_eq!((point.new.requests, point.new.errors, point.old.requests), (14, 1, 0));
    for step in 25..=40 {
        series.sample(&engine.current(), step * 5_000);
    }
    let (_, silent) = lately(200_000).expect("it is known");
    assert_eq!((silent.new.requests, silent.new.errors), (0, 0), "and it passes");
    assert_eq!(series.lately(&engine.current(), "orders", 200_000), None);
}

#[test]
fn a_day_is_told_in_minutes_and_no_more_is_kept() {
    let engine = engine_with(StillClock::new());
    installed(&engine, CONFIG);
    let series = Series::default();
    for step in 0..2 * 17_280 {
        if step % 12 == 1 {
            request(&engine, "ben", FINE_OUTCOME);
        }
        series.sample(&engine.current(), step * 5_000);
    }
    let (step, fine) = series.of("profile", HOUR).expect("it is known");
    assert_eq!((step, fine.len()), (FINE, FINE_POINTS));
    let (step, coarse) = series.of("profile", 24 * HOUR).expect("it is known");
    assert_eq!((step, coarse.len()), (COARSE, COARSE_POINTS));
    assert!(coarse.iter().all(|point| point.old.requests == 1), "one a minute");
    let (_, last) = series.of("profile", Duration::from_secs(60)).expect("it is known");
    assert_eq!(last.len(), 12);
    assert_eq!(last[11], fine[FINE_POINTS - 1]);
}

#[test]
fn a_migration_that_left_is_forgotten_and_counters_that_survive_count_from_then_on() {
    let engine = engine_with(StillClock::new());
    installed(&engine, CONFIG);
    let series = Series::default();
    series.sample(&engine.current(), 0);
    installed(&engine, &CONFIG.replace("migrations.profile", "migrations.orders"));
    series.sample(&engine.current(), 5_000);
    assert_eq!(series.of("profile", HOUR), None);
    assert_eq!(series.of("orders", HOUR), Some((FINE, Vec::new())));
}

#[test]
fn percentiles_are_times_that_were_seen() {
    let ms = Duration::from_micros;
    assert_eq!(percentiles(&[]), None);
    let one = Percentiles { p50: ms(7), p95: ms(7), p99: ms(7) };
    assert_eq!(percentiles(&[(7, 1)]), Some(one));
    let spread = percentiles(&(1..=100).map(|us| (us, 1)).collect::<Vec<_>>());
    assert_eq!(spread, Some(Percentiles { p50: ms(50), p95: ms(95), p99: ms(99) }));
}
