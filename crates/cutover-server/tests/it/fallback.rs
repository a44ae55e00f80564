//! Fallback, counted at both upstreams: safe requests never fail because `new` does, writes are never sent twice.

use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{RawUpstream, Upstream, dead_address};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn sides(old: &Upstream, new: SocketAddr, more: &str) -> Proxy {
    let config = [
        backend("old", &[old.address()], ""),
        backend("new", &[new], "timeout = \"150ms\"\nconnect-timeout = \"1s\""),
        migration(more),
        all_to("old"),
    ];
    Proxy::start(&config.concat())
}

const ALL: &str = "read-percent = 100\nfallback.deadline = \"5s\"";

/// Every read is answered by `old`, and the log says why.
#[track_caller]
fn check(world: &World, new: SocketAddr, cause: &str) {
    let old = world.run(Upstream::named("old"));
    let proxy = sides(&old, new, ALL);
    let client = world.client(&proxy);
    for n in 0..30 {
        let user = n.to_string();
        let method = if n % 2 == 0 { "GET" } else { "OPTIONS" };
        let reply = world.run(client.send(method, "/api/x", &[("x-user-id", &user)], ""));
        assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"old"[..]), "{cause} {n}");
    }
    assert_eq!(old.hits(), 30);
    let line = proxy.log_line(|line| line["role"] == "fallback");
    assert_eq!((&line["failed"], &line["attempts"]), (&cause.into(), &2.into()));
    // The budget's floor is 20: then the breaker opens, and `new` is left alone.
    proxy.log_line(|line| line["role"] == "breaker");
}

#[test]
fn no_connection() {
    let world = World::new();
    let dead = world.run(dead_address());
    check(&world, dead, "connect");
}

#[test]
fn a_reset_instead_of_a_reply() {
    let world = World::new();
    let new = world.run(RawUpstream::resetting());
    check(&world, new.address(), "reset");
}

#[test]
fn a_reply_that_breaks_off_in_its_header() {
    let world = World::new();
    let new = world.run(RawUpstream::saying("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-"));
    check(&world, new.address(), "reset");
}

#[test]
fn silence() {
    let world = World::new();
    let new = world.run(RawUpstream::silent());
    check(&world, new.address(), "timeout");
}

#[test]
fn a_server_error() {
    let world = World::new();
    let new = world.run(Upstream::answering(503, "down"));
    check(&world, new.address(), "5xx");
}

#[test]
fn a_request_with_a_small_body_is_sent_again_whole() {
    let world = World::new();
    let old = world.run(Upstream::start(|request| async move {
        let body = http_body_util::BodyExt::collect(request.into_body()).await.expect("a body");
        cutover_test::text(200, body.to_bytes())
    }));
    let new = world.run(Upstream::answering(500, "no"));
    let proxy = sides(&old, new.address(), ALL);
    let reply =
        world.run(world.client(&proxy).send("OPTIONS", "/api/x", &[("x-user-id", "1")], "body!"));
    assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"body!"[..]));
    assert_eq!((old.hits(), new.hits()), (1, 1));
}

#[test]
fn a_server_error_that_is_not_declared_goes_through_unchanged() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::answering(503, "the whole story"));
    let proxy = sides(&old, new.address(), &format!("{ALL}\nfallback.on = [\"connect\"]"));
    let client = world.client(&proxy);
    for _ in 0..5 {
        let reply = world.run(client.get("/api/x", &[("x-user-id", "1")]));
        assert_eq!(reply.status(), 503);
        assert_eq!(&reply.body()[..], b"the whole story");
        assert!(!reply.headers().contains_key("server"));
    }
    assert_eq!((old.hits(), new.hits()), (0, 5));
}

#[test]
fn a_write_is_never_sent_twice() {
    let world = World::new();
    let new = world.run(Upstream::named("new"));
    let resetting = world.run(RawUpstream::resetting());
    let failing = world.run(Upstream::answering(503, "no"));
    for (old, expected) in [(resetting.address(), 502), (failing.address(), 503)] {
        let config =
            [backend("old", &[old], ""), backend("new", &[new.address()], ""), migration(ALL)];
        let proxy = Proxy::start(&config.concat());
        let client = world.client(&proxy);
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let reply = world.run(client.send(method, "/api/x", &[("x-user-id", "1")], "x"));
            assert_eq!(reply.status(), expected, "{method}");
        }
    }
    assert_eq!((resetting.connections(), failing.hits(), new.hits()), (4, 4, 0));
}

#[test]
fn a_reply_that_has_begun_is_not_begun_again() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let new = world.run(RawUpstream::saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"));
    let proxy = sides(&old, new.address(), ALL);
    let request = "GET /api/x HTTP/1.1\r\nhost: h\r\nx-user-id: 1\r\nconnection: close\r\n\r\n";
    let reply = world.run(cutover_test::raw_exchange(proxy.address(), request));
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("\r\n\r\nhalf"), "{reply}");
    assert_eq!((old.hits(), new.connections()), (0, 1));
}

/// The deadline is for the first byte of a reply. Pingora has one limit for that and for pauses in a body.
#[test]
fn a_pause_between_two_events_does_not_end_their_stream() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let new = world.run(RawUpstream::start(|mut stream, _| async move {
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let first = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
        let _ = stream.write_all(first.as_bytes()).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let _ = stream.write_all(b"data: 2\n\n").await;
    }));
    let config = [
        backend("old", &[old.address()], ""),
        backend("new", &[new.address()], "timeout = \"30s\""),
        migration("read-percent = 100\nfallback.deadline = \"200ms\""),
        all_to("old"),
    ];
    let proxy = Proxy::start(&config.concat());
    let request = "GET /api/x HTTP/1.1\r\nhost: h\r\nx-user-id: 1\r\naccept: text/event-stream\r\n\
                   connection: close\r\n\r\n";
    let reply = world.run(cutover_test::raw_exchange(proxy.address(), request));
    assert!(reply.contains("data: 1\n\n") && reply.contains("data: 2\n\n"), "{reply}");
    assert_eq!(old.hits(), 0);
}

#[test]
fn killing_new_under_load_fails_no_read() {
    let world = World::new();
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::named("new"));
    let proxy = sides(&old, new.address(), ALL);
    let client = world.client(&proxy);
    world.run(async {
        let mut tasks = tokio::task::JoinSet::new();
        let (reached, mut progress) = tokio::sync::mpsc::channel(2000);
        for worker in 0..16 {
            let (client, reached) = (client.clone(), reached.clone());
            tasks.spawn(async move {
                for n in 0..100 {
                    let user = format!("{worker}-{n}");
                    let reply = client.get("/api/x", &[("x-user-id", &user)]).await;
                    assert_eq!(reply.status(), 200);
                    reached.send(()).await.expect("counted");
                }
            });
        }
        for _ in 0..400 {
            progress.recv().await.expect("requests arrive");
        }
        new.kill().await;
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no request failed");
        }
    });
    assert!(old.hits() >= 1);
}
