//! Addresses of a backend: taken in turn or by load, ejected when dead, checked; and what backends learn of the client.

use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{Client, Upstream, dead_address, raw_exchange, text};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn balanced(addresses: &[SocketAddr], more: &str) -> Proxy {
    Proxy::start(&[backend("pool", addresses, more), all_to("pool")].concat())
}

#[test]
fn addresses_take_turns() {
    let world = World::new();
    let pool: Vec<_> = (0..3).map(|_| world.run(Upstream::named("one"))).collect();
    let addresses: Vec<_> = pool.iter().map(Upstream::address).collect();
    let proxy = balanced(&addresses, "");
    let client = world.client(&proxy);
    for _ in 0..30 {
        assert_eq!(world.run(client.get("/", &[])).status(), 200);
    }
    assert_eq!(pool.iter().map(Upstream::hits).collect::<Vec<_>>(), [10, 10, 10]);
}

#[test]
fn a_busy_address_is_spared() {
    let world = World::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let theirs = Arc::clone(&gate);
    let slow = world.run(Upstream::start(move |_| {
        let gate = Arc::clone(&theirs);
        async move {
            gate.acquire().await.expect("open").forget();
            text(200, "slow")
        }
    }));
    let quick = world.run(Upstream::named("quick"));
    let proxy = balanced(&[slow.address(), quick.address()], "balance = \"least-requests\"");
    let client = world.client(&proxy);
    world.run(async {
        // Equals go in turn, so the first request is held at `slow`.
        let first = tokio::spawn({
            let client = client.clone();
            async move { client.get("/", &[]).await.status() }
        });
        while slow.hits() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            assert_eq!(&client.get("/", &[]).await.body()[..], b"quick");
        }
        gate.add_permits(1);
        assert_eq!(first.await.expect("answered"), 200);
    });
}

#[test]
fn a_dead_address_costs_no_request_not_even_a_write() {
    let world = World::new();
    let alive = world.run(Upstream::named("alive"));
    let dead = world.run(dead_address());
    let proxy = balanced(&[dead, alive.address()], "");
    let client = world.client(&proxy);
    for n in 0..20 {
        let method = if n % 2 == 0 { "POST" } else { "GET" };
        let reply = world.run(client.send(method, "/", &[], "x"));
        assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"alive"[..]));
    }
    assert_eq!(alive.hits(), 20);
}

#[test]
fn an_address_that_fails_its_checks_is_left_out_until_it_passes_them() {
    let world = World::new();
    let healthy = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&healthy);
    let sick = world.run(Upstream::start(move |request| {
        let fine = theirs.load(Ordering::SeqCst) || request.uri().path() != "/healthz";
        async move { text(if fine { 200 } else { 503 }, "sick") }
    }));
    let well = world.run(Upstream::named("well"));
    let health = "health = { path = \"/healthz\", every = \"20ms\", unhealthy-after = 2, healthy-after = 2 }";
    let proxy = balanced(&[sick.address(), well.address()], health);
    let client = world.client(&proxy);
    let in_a_row = |wanted: &[u8], count: usize| {
        let mut row = 0;
        for _ in 0..100_000 {
            let reply = world.run(client.get("/", &[]));
            assert_eq!(reply.status(), 200);
            row = if reply.body()[..] == *wanted { row + 1 } else { 0 };
            if row == count {
                return;
            }
        }
        panic!("never {count} in a row");
    };
    in_a_row(b"well", 50);
    healthy.store(true, Ordering::SeqCst);
    in_a_row(b"sick", 1);
}

#[test]
fn backends_learn_who_asked() {
    let world = World::new();
    let one = world.run(Upstream::named("one"));
    let forged = "GET / HTTP/1.1\r\nhost: shop.example:80\r\nx-forwarded-for: 6.6.6.6\r\n\
                  x-forwarded-proto: https\r\nforwarded: for=6.6.6.6\r\nconnection: close\r\n\r\n";
    let cases = [
        ("", "127.0.0.1", "http", "for=127.0.0.1;proto=http;host=\"shop.example:80\""),
        (
            "trusted-proxies = [\"127.0.0.0/8\"]",
            "6.6.6.6, 127.0.0.1",
            "https",
            "for=6.6.6.6, for=127.0.0.1;proto=http;host=\"shop.example:80\"",
        ),
    ];
    for (server, forwarded_for, proto, forwarded) in cases {
        let routes = [backend("one", &[one.address()], "host = \"inner\""), all_to("one")].concat();
        let proxy = Proxy::with_server(server, &routes);
        world.run(raw_exchange(proxy.address(), forged));
        let seen = one.last();
        assert_eq!(seen.header("host"), "inner");
        assert_eq!(seen.header("x-forwarded-for"), forwarded_for);
        assert_eq!(seen.header("x-forwarded-proto"), proto);
        assert_eq!(seen.header("x-forwarded-host"), "shop.example:80");
        assert_eq!(seen.header("forwarded"), forwarded);
        let client = if server.is_empty() { "127.0.0.1" } else { "6.6.6.6" };
        proxy.log_line(|line| line["client"] == client);
    }
}

/// Where the configuration means the name with underscores, the one with dashes is the forgery.
#[test]
fn a_key_with_underscores_has_no_double_with_dashes() {
    let world = World::new();
    let one = world.run(Upstream::named("one"));
    let backends = [backend("old", &[one.address()], ""), backend("new", &[one.address()], "")];
    let keyed = migration("read-percent = 100").replace("x-user-id", "x_user_id");
    let proxy = Proxy::start(&[backends.concat(), keyed, all_to("old")].concat());
    let request = "GET /api/x HTTP/1.1\r\nhost: h\r\nx_user_id: 1\r\nX-User-Id: forged\r\n\
                   x-user-idle: kept\r\nconnection: close\r\n\r\n";
    let reply = world.run(raw_exchange(proxy.address(), request));
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let seen = one.last();
    assert_eq!((&*seen.header("x_user_id"), &*seen.header("x-user-id")), ("1", ""));
    assert_eq!(seen.header("x-user-idle"), "kept");
}

/// `x-user-id` and `x_user_id` are one variable to a program behind CGI or WSGI.
#[test]
fn headers_that_programs_mistake_for_ours_are_removed() {
    let world = World::new();
    let one = world.run(Upstream::named("one"));
    let config = [
        backend("old", &[one.address()], ""),
        backend("new", &[one.address()], ""),
        migration("read-percent = 100\nheaders.request.set = { x-served-by = \"new\" }"),
        all_to("old"),
    ];
    let proxy = Proxy::start(&config.concat());
    let gone = [
        "x_user_id",
        "X_User-Id",
        "x_forwarded_for",
        "X-Forwarded_Proto",
        "x_real_ip",
        "x_cutover_side",
        "x-cutover_anything",
        "x_served_by",
        "content_length",
        "Transfer_Encoding",
        "proxy_authorization",
    ];
    let doubles: String = gone.iter().map(|name| format!("{name}: forged\r\n")).collect();
    for path in ["/api/x", "/elsewhere"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: h\r\nx-user-id: 1\r\n{doubles}x_other: kept\r\n\
             _: kept\r\nconnection: close\r\n\r\n"
        );
        let reply = world.run(raw_exchange(proxy.address(), &request));
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        let seen = one.last();
        for name in gone {
            assert_eq!(seen.header(name), "", "{name}");
        }
        assert_eq!((&*seen.header("x-user-id"), &*seen.header("x_other")), ("1", "kept"));
        assert_eq!(seen.header("_"), "kept");
        assert_eq!(seen.header("x-forwarded-for"), "127.0.0.1");
    }
    let admin = proxy.running().admin_address().expect("it listens");
    let metrics = world.run(async { Client::http1(admin).get("/metrics", &[]).await });
    let metrics = String::from_utf8_lossy(metrics.body()).into_owned();
    let counted = format!("cutover_lookalike_headers_removed_total {}\n", 2 * gone.len());
    assert!(metrics.contains(&counted), "{metrics}");
}
