//! Migrations that move: under requests, and over the end of a process.

use crate::world::{Proxy, World, all_to, backend, migration};
use cutover::core::migration::{Actor, Back, Command, Order, Role};
use cutover_test::{Client, Upstream};
use std::net::SocketAddr;

/// Everybody reads from `new`, which `more` may say more about.
fn canary(old: SocketAddr, new: SocketAddr, more: &str) -> Proxy {
    let config = [
        backend("old", &[old], ""),
        backend("new", &[new], ""),
        migration(&format!("read-percent = 100\n{more}")),
        all_to("old"),
    ];
    Proxy::start(&config.concat().replace("gates.rollback = false\n", ""))
}

fn order(command: Command) -> Order {
    let by = Actor::new("ana", Role::OnCall);
    Order { command, by, why: "a test".into(), seen: None }
}

/// What a user gets: the body, and why.
async fn asked(client: &Client) -> (String, String) {
    let reply = client.get("/api/x", &[("x-user-id", "1")]).await;
    assert_eq!(reply.status(), 200);
    let why = reply.headers()["x-cutover-reason"].to_str().expect("a word").to_owned();
    (String::from_utf8_lossy(reply.body()).into_owned(), why)
}

#[test]
fn a_rollback_is_in_force_for_the_next_request_of_an_open_connection() {
    let world = World::new();
    let (old, new) = (world.run(Upstream::named("old")), world.run(Upstream::named("new")));
    let proxy = canary(old.address(), new.address(), "");
    let client = world.client(&proxy);
    assert_eq!(world.run(asked(&client)).0, "new");
    let conductor = proxy.running().conductor();
    conductor.order("profile", &order(Command::Rollback(Back::Now))).expect("it is allowed");
    let (body, why) = world.run(asked(&client));
    assert_eq!((&*body, &*why), ("old", "rolled-back"));
}

#[test]
fn a_new_service_that_fails_is_left_for_good_and_nobody_notices() {
    let world = World::new();
    let (old, new) = (world.run(Upstream::named("old")), world.run(Upstream::answering(503, "")));
    let proxy = canary(old.address(), new.address(), "");
    let client = world.client(&proxy);
    // The breaker answers first; the conductor looks once a second.
    let left = world.run(async {
        for _ in 0..2_000 {
            let (body, why) = asked(&client).await;
            assert_eq!(body, "old");
            if why == "rolled-back" {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        false
    });
    assert!(left, "reads are still tried on new");
    let records = proxy.running().conductor().recent(1, None).expect("the store is there");
    assert_eq!((&*records[0].by, &*records[0].from.reads), ("cutover", "100%"));
    assert!(records[0].to.overlays.iter().any(|overlay| &**overlay == "rolled-back"));
}

#[test]
fn who_was_rolled_back_stays_so_when_the_process_starts_again() {
    let world = World::new();
    let (old, new) = (world.run(Upstream::named("old")), world.run(Upstream::named("new")));
    let proxy = canary(old.address(), new.address(), "");
    let conductor = proxy.running().conductor();
    conductor.order("profile", &order(Command::Rollback(Back::Now))).expect("it is allowed");
    let proxy = proxy.restarted();
    let (body, why) = world.run(asked(&world.client(&proxy)));
    assert_eq!((&*body, &*why), ("old", "rolled-back"));
    proxy.running().conductor().verify().expect("the audit log is whole");
}

#[test]
fn another_percent_in_the_file_moves_only_who_has_never_moved() {
    let world = World::new();
    let (old, new) = (world.run(Upstream::named("old")), world.run(Upstream::named("new")));
    let proxy = canary(old.address(), new.address(), "");
    let client = world.client(&proxy);
    proxy.reload("read-percent = 100", "read-percent = 0");
    assert_eq!(world.run(asked(&client)).0, "old");
    proxy.reload("read-percent = 0", "read-percent = 100");
    assert_eq!(world.run(asked(&client)).0, "new");

    let conductor = proxy.running().conductor();
    conductor.order("profile", &order(Command::Pause)).expect("it is allowed");
    let warnings = proxy.reload("read-percent = 100", "read-percent = 0");
    assert!(warnings.iter().any(|warning| warning.contains("has moved")), "{warnings:?}");
    assert_eq!(world.run(asked(&client)).0, "new");
}

#[test]
fn a_store_that_somebody_else_has_open_is_refused_in_words() {
    let world = World::new();
    let (old, new) = (world.run(Upstream::named("old")), world.run(Upstream::named("new")));
    let proxy = canary(old.address(), new.address(), "");
    let error = proxy.started_twice();
    assert!(error.contains("another cutover has the store"), "{error}");
}
