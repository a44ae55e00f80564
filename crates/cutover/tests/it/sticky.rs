//! A user keeps their side: over requests, reinstalls and a growing percent.

use crate::scene::{Scene, profile_config};
use cutover::{Outcome, Side};
use http::{Method, StatusCode};

const USERS: usize = 10_000;

fn sides(scene: &Scene) -> Vec<Side> {
    let side = |user: usize| {
        scene.read(&format!("user-{user}"), |exchange, _| {
            let side = exchange.side().expect("a route of the migration");
            exchange.finish(Outcome::Replied(StatusCode::OK));
            side
        })
    };
    (0..USERS).map(side).collect()
}

#[test]
fn five_percent_of_the_users_read_from_new_and_stay_there() {
    let scene = Scene::new("5%");
    let first = sides(&scene);
    let share = first.iter().filter(|side| **side == Side::New).count();
    assert!((430..=570).contains(&share), "{share} of {USERS}");
    assert_eq!(sides(&scene), first);
    scene.reload(&profile_config("5%", ""));
    assert_eq!(sides(&scene), first, "a reinstall moves nobody");

    let mut before = first;
    for percent in ["5.5%", "20%", "60%", "100%"] {
        scene.reload(&profile_config(percent, ""));
        let after = sides(&scene);
        let moved_back =
            before.iter().zip(&after).filter(|both| *both == (&Side::New, &Side::Old)).count();
        assert_eq!(moved_back, 0, "growing to {percent} only adds users");
        before = after;
    }
    assert!(before.iter().all(|side| *side == Side::New));
}

#[test]
fn writes_follow_their_owner_whatever_the_percent() {
    let scene = Scene::new("100%");
    scene.request(&Method::PUT, Some("user-1"), |exchange, _| {
        let exchange = exchange.expect("not refused");
        assert_eq!(exchange.side(), Some(Side::Old));
        assert!(exchange.decision().write);
        assert_eq!(exchange.time_left(), None);
        exchange.finish(Outcome::Replied(StatusCode::OK));
    });
}

#[test]
fn other_routes_have_no_side() {
    let scene = Scene::new("100%");
    scene.request(&Method::DELETE, Some("user-1"), |exchange, _| {
        let exchange = exchange.expect("the catch-all matches");
        assert_eq!(exchange.side(), None);
        assert_eq!(&*exchange.snapshot().backend(exchange.backend()).name, "monolith");
        exchange.finish(Outcome::Replied(StatusCode::OK));
    });
}
