//! Decisions that reach the wire: split, stickiness, edits, debug headers, refusals and their bodies.

use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{RawUpstream, Upstream, dead_address, raw_exchange};
use std::collections::BTreeMap;

fn two_sides(world: &World, more: &str) -> (Upstream, Upstream, Proxy) {
    let old = world.run(Upstream::named("old"));
    let new = world.run(Upstream::named("new"));
    let config = format!(
        "{}{}{}{}",
        backend("old", &[old.address()], ""),
        backend("new", &[new.address()], ""),
        migration(more),
        all_to("old"),
    );
    let proxy = Proxy::start(&config);
    (old, new, proxy)
}

#[test]
fn users_are_split_and_stay_where_they_are() {
    let world = World::new();
    let (old, new, proxy) = two_sides(&world, "read-percent = 30");
    let client = world.client(&proxy);
    let mut sides = BTreeMap::new();
    for round in 0..2 {
        for user in 0..300 {
            let user = format!("user-{user}");
            let reply = world.run(client.get("/api/7", &[("x-user-id", &user)]));
            assert_eq!(reply.status(), 200);
            assert_eq!(reply.headers()["x-cutover-side"].as_bytes(), &reply.body()[..]);
            assert_eq!(reply.headers()["x-cutover-reason"], "percent");
            let side = sides.entry(user).or_insert_with(|| reply.body().clone());
            assert_eq!(side, reply.body(), "round {round}");
        }
    }
    let on_new = sides.values().filter(|side| &side[..] == b"new").count();
    assert!((55..=125).contains(&on_new), "{on_new} of 300 at 30 %");
    assert_eq!((old.hits(), new.hits()), (600 - on_new * 2, on_new * 2));
    let line = proxy.log_line(|line| line["side"] == "new");
    assert_eq!((&line["migration"], &line["status"]), (&"profile".into(), &200.into()));
    assert_eq!(line["address"], new.address().to_string());
}

#[test]
fn writes_and_strangers_stay_on_old() {
    let world = World::new();
    let (old, new, proxy) = two_sides(&world, "read-percent = 100");
    let client = world.client(&proxy);
    let user = [("x-user-id", "a")];
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let reply = world.run(client.send(method, "/api/7", &user, "x"));
        assert_eq!(&reply.body()[..], b"old", "{method}");
        assert_eq!(reply.headers()["x-cutover-reason"], "write-owner");
    }
    let elsewhere = world.run(client.get("/other", &user));
    assert!(!elsewhere.headers().contains_key("x-cutover-side"));
    assert_eq!(&world.run(client.get("/api/7", &user)).body()[..], b"new");
    assert_eq!((old.hits(), new.hits()), (5, 1));
}

#[test]
fn edits_reach_new_only() {
    let world = World::new();
    let (old, new, proxy) = two_sides(
        &world,
        "allow = [\"a\"]\nread-percent = 0\npath = { strip-prefix = \"/api\", add-prefix = \"/v2\" }\n\
         headers.request.set = { x-served-by = \"new\" }\nheaders.request.remove = [\"x-gone\"]\n\
         headers.response.set = { x-reply = \"edited\" }",
    );
    let client = world.client(&proxy);
    let get =
        async |user: &str| client.get("/api/7?q=1", &[("x-user-id", user), ("x-gone", "1")]).await;
    let (edited, plain) = (world.run(get("a")), world.run(get("b")));
    assert_eq!(edited.headers()["x-reply"], "edited");
    assert!(!plain.headers().contains_key("x-reply"));
    let (new, old) = (new.last(), old.last());
    assert_eq!((new.uri.to_string().as_str(), &*new.header("x-served-by")), ("/v2/7?q=1", "new"));
    assert_eq!((old.uri.to_string().as_str(), &*old.header("x-served-by")), ("/api/7?q=1", ""));
    assert_eq!((&*new.header("x-gone"), &*old.header("x-gone")), ("", "1"));
}

#[test]
fn what_is_matched_is_what_is_forwarded() {
    let world = World::new();
    let (old, _new, proxy) = two_sides(&world, "read-percent = 0");
    let cases = [
        ("/a/b?x=%2f", "/a/b?x=%2f"),
        ("/a/./b/../c", "/a/c"),
        ("/%61pi/x", "/api/x"),
        ("//a//b", "//a//b"),
        ("/a%20b", "/a%20b"),
        ("http://h/abs?q", "/abs?q"),
    ];
    for (sent, expected) in cases {
        let request = format!("GET {sent} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        let reply = world.run(raw_exchange(proxy.address(), &request));
        assert!(reply.starts_with("HTTP/1.1 200"), "{sent}: {reply}");
        assert_eq!(old.last().uri.to_string(), expected, "{sent}");
    }
    for (target, head) in [
        ("/a%2fb", "host: h\r\n"),
        ("/a%5cb", "host: h\r\n"),
        ("/a%00b", "host: h\r\n"),
        ("/a%zz", "host: h\r\n"),
        ("/a", ""),
        ("/a", "host: h\r\nhost: i\r\n"),
        ("http://other/a", "host: h\r\n"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{head}connection: close\r\n\r\n");
        let reply = world.run(raw_exchange(proxy.address(), &request));
        assert!(reply.starts_with("HTTP/1.1 400"), "{target} {head}: {reply}");
    }
    assert_eq!(old.hits(), cases.len());
}

#[test]
fn replies_of_our_own_say_so_and_the_log_has_their_id() {
    let world = World::new();
    let dead = world.run(dead_address());
    let silent = world.run(RawUpstream::silent());
    let broken = world.run(RawUpstream::saying("HTTP/1.1 200 OK\r\ncontent-le"));
    let route = |path: &str| format!("[[routes]]\npath = \"/{path}\"\nbackend = \"{path}\"\n");
    let config = [
        backend("dead", &[dead], ""),
        backend("silent", &[silent.address()], "timeout = \"200ms\""),
        backend("broken", &[broken.address()], ""),
        route("dead"),
        route("silent"),
        route("broken"),
    ];
    let proxy = Proxy::start(&config.concat());
    let client = world.client(&proxy);
    let cases = [
        ("/nowhere", 404, "no-route"),
        ("/a%2Fb", 400, "bad-path"),
        ("/dead", 502, "connect"),
        ("/broken", 502, "reset"),
        ("/silent", 504, "timeout"),
    ];
    for (path, status, refused) in cases {
        let reply = world.run(client.get(path, &[]));
        assert_eq!(reply.status(), status, "{path}");
        assert_eq!(reply.headers()["server"], "cutover");
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
        let body = std::str::from_utf8(reply.body()).expect("text");
        assert_eq!(body.matches('\n').count(), 1, "one line: {body}");
        let problem: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(problem["status"], status);
        let line = proxy.log_line(|line| line["id"] == problem["id"]);
        assert_eq!((&line["refused"], &line["status"]), (&refused.into(), &status.into()));
        let head = world.run(client.send("HEAD", path, &[], ""));
        assert_eq!((head.status().as_u16(), head.body().len()), (status, 0), "{path}");
    }
    let connect = "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n";
    let reply = world.run(raw_exchange(proxy.address(), connect));
    assert!(reply.starts_with("HTTP/1.1 405"), "{reply}");
}
