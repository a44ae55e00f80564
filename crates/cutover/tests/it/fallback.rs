//! What happens when `new` fails, over time.

use crate::scene::{Scene, profile_config};
use cutover::{Action, Cause, Exchange, Outcome, RequestView, Role, Side};
use http::{Method, StatusCode};
use std::time::Duration;

const OK: Outcome = Outcome::Replied(StatusCode::OK);

fn fail(exchange: &mut Exchange, view: &RequestView<'_>, cause: Cause) -> Action {
    exchange.failed(view, cause, None, true, false)
}

/// A read that fails on `new`; it must be answered by `old`.
fn fall_back(scene: &Scene) {
    scene.read("user-1", |mut exchange, view| {
        assert_eq!((exchange.side(), exchange.role()), (Some(Side::New), Role::Served));
        let old = exchange.migration().expect("it is the migration's").old;
        assert_eq!(fail(&mut exchange, view, Cause::Connect), Action::Retry(old));
        assert_eq!(exchange.backend(), old);
        assert_eq!((exchange.side(), exchange.role()), (Some(Side::Old), Role::Fallback));
        assert_eq!(exchange.decision().migration.map(|(_, side)| side), Some(Side::New));
        exchange.finish(OK);
    });
}

fn served(scene: &Scene) -> (Option<Side>, Role) {
    scene.read("user-1", |exchange, _| {
        let by = (exchange.side(), exchange.role());
        exchange.finish(OK);
        by
    })
}

#[test]
fn the_breaker_over_time() {
    let scene = Scene::new("100%");
    for _ in 0..20 {
        fall_back(&scene);
    }
    assert_eq!(scene.metric(r#"cutover_breaker_state{migration="profile"}"#), 2.0);
    assert_eq!(served(&scene), (Some(Side::Old), Role::Breaker), "the cohort reads from old");
    scene.clock.pass(5_000);
    fall_back(&scene);
    assert_eq!(served(&scene), (Some(Side::Old), Role::Breaker), "the probe failed");
    scene.clock.pass(5_000);
    assert_eq!(served(&scene), (Some(Side::Old), Role::Breaker), "the wait has doubled");
    scene.clock.pass(5_000);
    scene.read("user-1", |mut probe, view| {
        assert_eq!((probe.side(), probe.role()), (Some(Side::New), Role::Served));
        assert_eq!(served(&scene), (Some(Side::Old), Role::Breaker), "others wait for the probe");
        let mut reply = http::HeaderMap::new();
        probe.edit_response(view, StatusCode::OK, &mut reply).expect("no plugins");
        assert_eq!(served(&scene), (Some(Side::New), Role::Served), "a reply's header is enough");
        probe.finish(OK);
    });
    let count = |series: &str| scene.metric(series);
    assert_eq!(count(r#"cutover_fallback_total{migration="profile",cause="connect"}"#), 21.0);
    assert_eq!(count(r#"cutover_fallback_total{migration="profile",cause="circuit-open"}"#), 4.0);
    assert_eq!(count(r#"cutover_breaker_opened_total{migration="profile"}"#), 1.0);
}

#[test]
fn a_probe_whose_client_leaves_makes_room_for_the_next() {
    let scene = Scene::new("100%");
    for _ in 0..20 {
        fall_back(&scene);
    }
    scene.clock.pass(5_000);
    scene.read("user-1", |probe, _| drop(probe));
    assert_eq!(served(&scene), (Some(Side::New), Role::Served));
    assert_eq!(served(&scene), (Some(Side::New), Role::Served), "the second probe closed it");
}

#[test]
fn a_websocket_that_stays_open_is_no_probe() {
    let scene = Scene::new("100%");
    for _ in 0..20 {
        fall_back(&scene);
    }
    scene.clock.pass(5_000);
    scene.request(&Method::GET, Some("user-1"), |exchange, view| {
        exchange.expect("not refused").finish(Outcome::ClientGone);
        let view = RequestView { websocket: true, ..*view };
        let socket = scene.engine.begin(&view).expect("not refused");
        assert_eq!((socket.side(), socket.role()), (Some(Side::Old), Role::Breaker));
        assert_eq!(served(&scene), (Some(Side::New), Role::Served), "the probe");
        assert_eq!(served(&scene), (Some(Side::New), Role::Served), "it is closed again");
        drop(socket);
    });
}

#[test]
fn writes_never_fall_back_and_never_open_the_breaker() {
    let scene = Scene::empty();
    let config = profile_config("100%", "");
    scene.reload(&config);
    for _ in 0..50 {
        scene.request(&Method::PUT, Some("user-1"), |exchange, view| {
            let mut exchange = exchange.expect("not refused");
            assert_eq!(fail(&mut exchange, view, Cause::Connect), Action::Propagate);
            exchange.finish(Outcome::Replied(StatusCode::BAD_GATEWAY));
        });
    }
    assert_eq!(served(&scene), (Some(Side::New), Role::Served));
}

#[test]
fn what_cannot_be_sent_again_is_propagated() {
    let scene = Scene::new("100%");
    scene.read("user-1", |mut exchange, view| {
        let action = exchange.failed(view, Cause::Reset, None, false, false);
        assert_eq!(action, Action::Propagate, "the body is gone");
        exchange.finish(Outcome::Broken);
    });
    scene.read("user-1", |mut exchange, view| {
        let action = exchange.failed(view, Cause::Reset, None, true, true);
        assert_eq!(action, Action::Propagate, "the client has a part of a reply");
        exchange.finish(Outcome::Broken);
    });
    scene.read("user-1", |mut exchange, view| {
        scene.clock.pass(2_000);
        assert_eq!(fail(&mut exchange, view, Cause::Timeout), Action::Propagate, "no time is left");
        exchange.finish(Outcome::Broken);
    });
}

#[test]
fn old_that_fails_has_nowhere_to_fall_back_to() {
    let scene = Scene::new("100%");
    scene.read("user-1", |mut exchange, view| {
        assert!(matches!(fail(&mut exchange, view, Cause::Connect), Action::Retry(_)));
        assert_eq!(fail(&mut exchange, view, Cause::Connect), Action::Propagate);
        exchange.finish(Outcome::Replied(StatusCode::BAD_GATEWAY));
    });
    let failed = r#"cutover_failed_attempts_total{migration="profile",side="old",cause="connect"}"#;
    assert_eq!(scene.metric(failed), 1.0);
}

#[test]
fn causes_that_are_not_declared_are_passed_on() {
    let scene = Scene::empty();
    scene.reload(&profile_config("100%", "[migrations.profile.fallback]\non = [\"connect\"]\n"));
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    for _ in 0..50 {
        scene.read("user-1", |mut exchange, view| {
            let action = exchange.failed(view, Cause::Status, Some(status), true, false);
            assert_eq!(action, Action::Propagate);
            exchange.finish(Outcome::Replied(status));
        });
    }
    assert_eq!(served(&scene), (Some(Side::New), Role::Served), "nor do they open the breaker");
}

#[test]
fn time_is_kept_for_old() {
    let scene = Scene::new("100%");
    scene.read("user-1", |mut exchange, view| {
        assert_eq!(exchange.time_left(), Some(Duration::from_millis(1_500)));
        scene.clock.pass(1_500);
        assert!(matches!(fail(&mut exchange, view, Cause::Timeout), Action::Retry(_)));
        assert_eq!(exchange.time_left(), Some(Duration::from_millis(500)));
        exchange.finish(OK);
    });
}
