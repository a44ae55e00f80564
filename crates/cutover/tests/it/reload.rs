//! Generations: a request sees one; what is refused changes nothing; what a migration knows survives.

use crate::scene::{Scene, parse, profile_config, repository};
use cutover::core::snapshot::Place;
use cutover::{BreakerState, Cause, Engine, Generation, Outcome, ProblemKind, Side, Snapshot};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const ADDED_HEADER: &str = r#"
[migrations.profile.headers.request]
set = { x-served-by = "new" }
"#;

#[test]
fn a_request_that_has_begun_keeps_its_generation() {
    let scene = Scene::empty();
    let first = scene.reload(&profile_config("100%", ADDED_HEADER));
    scene.read("user-1", |mut exchange, view| {
        let second = scene.reload(&profile_config("0%", ""));
        assert_eq!(second, Generation(first.0 + 1));
        assert_eq!(exchange.generation(), first);
        assert_eq!(exchange.side(), Some(Side::New));

        let mut sent = HeaderMap::new();
        exchange.edit_request(view, &mut sent).expect("no plugins");
        assert_eq!(sent.get("x-served-by"), Some(&HeaderValue::from_static("new")));
        let weak = std::sync::Arc::downgrade(exchange.installed());
        exchange.finish(Outcome::Replied(StatusCode::OK));
        assert!(weak.upgrade().is_none(), "the old generation goes with its last request");
    });
    scene.read("user-1", |exchange, _| {
        assert_eq!(exchange.generation(), Generation(2));
        assert_eq!(exchange.side(), Some(Side::Old));
    });
}

#[test]
fn a_refused_prepare_leaves_the_generation_serving() {
    let scene = Scene::new("100%");
    let mut builder = Snapshot::builder();
    builder.place(Place { plugin: "tenant-split".into(), migration: "profile".into() });
    let error = scene
        .engine
        .prepare(builder.finish(), &[], &repository())
        .expect_err("the place has no plugin");
    assert_eq!(error.problems.len(), 1);
    assert_eq!(error.problems[0].kind, ProblemKind::Mismatch);
    assert!(error.to_string().contains("migration profile, plugin tenant-split"), "{error}");
    assert_eq!(scene.engine.current().generation(), Generation(1));
    assert_eq!(scene.metric("cutover_config_last_reload_success"), 0.0);
    scene.read("user-1", |exchange, _| assert_eq!(exchange.side(), Some(Side::New)));
    scene.reload(&profile_config("100%", ""));
    assert_eq!(scene.metric("cutover_config_last_reload_success"), 1.0);
}

#[test]
fn preparing_alone_changes_nothing() {
    let scene = Scene::new("100%");
    let config = parse(&profile_config("0%", ""));
    let prepared = scene.engine.prepare(config.snapshot, &config.plugins, &repository());
    let prepared = prepared.expect("it is fine");
    scene.read("user-1", |exchange, _| assert_eq!(exchange.side(), Some(Side::New)));
    assert_eq!(prepared.snapshot().migrations().len(), 1);
    scene.engine.install(prepared);
    scene.read("user-1", |exchange, _| assert_eq!(exchange.side(), Some(Side::Old)));
}

fn breaker(engine: &Engine) -> BreakerState {
    let installed = engine.current();
    let id = engine_migration(engine);
    installed.breaker(id)
}

fn engine_migration(engine: &Engine) -> cutover::core::MigrationId {
    let headers = HeaderMap::new();
    let view = cutover::RequestView::new(&Method::PUT, "", "/api/profile/1", &headers);
    let exchange = engine.begin(&view).expect("a route matches");
    exchange.decision().migration.expect("it is the migration's").0
}

#[test]
fn a_breaker_survives_reloads_while_its_backends_are_the_same() {
    let scene = Scene::new("100%");
    for _ in 0..20 {
        scene.read("user-1", |mut exchange, view| {
            exchange.failed(view, Cause::Connect, None, true, false);
            exchange.finish(Outcome::Replied(StatusCode::OK));
        });
    }
    assert_eq!(breaker(&scene.engine), BreakerState::Open);
    scene.reload(&profile_config("90%", ""));
    assert_eq!(breaker(&scene.engine), BreakerState::Open, "a percent is no reason to forget");
    let elsewhere = profile_config("90%", "").replace("127.0.0.1:9002", "127.0.0.1:9003");
    scene.reload(&elsewhere);
    assert_eq!(breaker(&scene.engine), BreakerState::Closed, "another address is another service");
}

#[test]
fn installs_race_with_requests_and_no_request_sees_two_generations() {
    let scene = Scene::new("100%");
    std::thread::scope(|scope| {
        let requests = scope.spawn(|| {
            for _ in 0..2_000 {
                scene.read("user-1", |mut exchange, view| {
                    let (generation, side) = (exchange.generation(), exchange.side());
                    let odd = generation.0 % 2 == 1;
                    assert_eq!(side, Some(if odd { Side::New } else { Side::Old }));
                    exchange.edit_request(view, &mut HeaderMap::new()).expect("no plugins");
                    assert_eq!(exchange.generation(), generation);
                    exchange.finish(Outcome::Replied(StatusCode::OK));
                });
            }
        });
        for turn in 0..100 {
            scene.reload(&profile_config(if turn % 2 == 0 { "0%" } else { "100%" }, ""));
        }
        requests.join().expect("no assertion failed");
    });
    assert_eq!(scene.engine.current().generation(), Generation(101));
}
