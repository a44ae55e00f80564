//! WebSockets: backends that answer the handshake at once, that refuse it, and ways to them that fail.

use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{RawUpstream, dead_address, read_head, send};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

const UPGRADE: &str = "GET /api/socket HTTP/1.1\r\nhost: h\r\nx-user-id: 1\r\n\
    connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHING: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

/// A backend that says 101 before it has read anything, and sends back what comes after the request.
async fn hasty_echo() -> RawUpstream {
    RawUpstream::start(|mut stream, _| async move {
        let _ = stream.write_all(SWITCHING.as_bytes()).await;
        if read_request(&mut stream).await.is_some() {
            let (mut from, mut to) = stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
    })
    .await
}

/// The header of a request; `None` if there is no more.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Opens a WebSocket and says something over it. Does it come back?
async fn is_carried(proxy: SocketAddr) -> bool {
    let mut stream = send(proxy, UPGRADE).await;
    assert_eq!(read_head(&mut stream).await.0, 101);
    let mut echo = [0; 5];
    stream.write_all(b"hello").await.is_ok()
        && stream.read_exact(&mut echo).await.is_ok()
        && echo == *b"hello"
}

#[test]
fn a_101_that_is_there_at_once_does_not_end_the_websocket() {
    let world = World::new();
    let upstream = world.run(hasty_echo());
    let proxy = Proxy::start(&[backend("one", &[upstream.address()], ""), all_to("one")].concat());
    let mut lost = 0;
    for _ in 0..500 {
        lost += usize::from(!world.run(is_carried(proxy.address())));
    }
    assert_eq!(lost, 0, "of 500");
}

/// To Pingora the connection of a WebSocket is one without a descriptor, and a backend that refuses a WebSocket leaves
/// its connection open for more.
#[test]
fn a_refused_handshake_leaves_no_connection_in_the_pool() {
    let world = World::new();
    let ended = Arc::new(Semaphore::new(0));
    let theirs = Arc::clone(&ended);
    let upstream = world.run(RawUpstream::start(move |mut stream, number| {
        let ended = Arc::clone(&theirs);
        async move {
            while let Some(head) = read_request(&mut stream).await {
                let status = if head.contains("upgrade") { "403 Forbidden" } else { "200 OK" };
                let reply = format!("HTTP/1.1 {status}\r\ncontent-length: 1\r\n\r\n{number}");
                let _ = stream.write_all(reply.as_bytes()).await;
            }
            ended.add_permits(1);
        }
    }));
    let proxy = Proxy::start(&[backend("one", &[upstream.address()], ""), all_to("one")].concat());
    let plain = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
    let ask = async |request| {
        let mut stream = send(proxy.address(), request).await;
        let (status, _) = read_head(&mut stream).await;
        (status.as_u16(), stream.read_u8().await.expect("a body") - b'0')
    };
    world.run(async {
        assert_eq!(ask(plain).await, (200, 1));
        for round in [[2, 3], [4, 5]] {
            let (one, other) = tokio::join!(ask(UPGRADE), ask(UPGRADE));
            let mut numbers = [one.1, other.1];
            numbers.sort_unstable();
            assert_eq!((one.0, other.0, numbers), (403, 403, round), "connections of their own");
            let both =
                tokio::time::timeout(std::time::Duration::from_secs(30), ended.acquire_many(2));
            both.await.expect("closed, not kept").expect("open").forget();
            assert_eq!(ask(plain).await, (200, 1), "the kept one is as it was");
        }
    });
}

/// A request with a body may wait for `100 Continue` before it sends it.
#[test]
fn a_handshake_with_a_body_hears_from_the_backend_before_it_ends() {
    let world = World::new();
    let upstream = world.run(RawUpstream::start(|mut stream, _| async move {
        if read_request(&mut stream).await.is_some() {
            let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            let _ = stream.read_exact(&mut [0; 4]).await;
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        }
    }));
    let proxy = Proxy::start(&[backend("one", &[upstream.address()], ""), all_to("one")].concat());
    let fields = "upgrade: websocket\r\nexpect: 100-continue\r\ncontent-length: 4\r\n";
    let request = UPGRADE.replace("upgrade: websocket\r\n", fields);
    world.run(async {
        let mut stream = send(proxy.address(), &request).await;
        assert_eq!(read_head(&mut stream).await.0, 100);
        stream.write_all(b"body").await.expect("sent");
        assert_eq!(read_head(&mut stream).await.0, 403);
    });
}

#[test]
fn a_websocket_finds_another_address_and_falls_back_to_old() {
    let world = World::new();
    let alive = world.run(hasty_echo());
    let dead = world.run(dead_address());
    let config = [
        backend("old", &[dead, alive.address()], ""),
        backend("new", &[dead], ""),
        migration("read-percent = 100"),
        all_to("old"),
    ];
    let proxy = Proxy::start(&config.concat());
    for _ in 0..4 {
        assert!(world.run(is_carried(proxy.address())));
    }
    proxy.log_line(|line| line["role"] == "fallback" && line["status"] == 101);
}

#[test]
fn a_websocket_over_tls_is_http1_and_its_handshake_has_a_limit() {
    let world = World::new();
    let upstream = world.run(hasty_echo());
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["inner.test".to_owned()]).expect("made");
    let cert = made.cert.pem();
    std::fs::write(folder.path().join("cert.pem"), &cert).expect("written");
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())
        .expect("written");
    let top = |tls: &str| {
        format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\naccess-log = \"off\"\n{tls}\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n"
        )
    };
    let inner = [
        top("tls = { cert = \"cert.pem\", key = \"key.pem\" }"),
        backend("behind", &[upstream.address()], ""),
        all_to("behind"),
    ];
    let inner = Proxy::in_folder(&inner.concat(), folder);
    let silent = world.run(RawUpstream::silent());
    for protocol in ["http1", "auto"] {
        let start = |address, more: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::write(folder.path().join("ca.pem"), &cert).expect("written");
            let tls = "tls = { server-name = \"inner.test\", ca = \"ca.pem\" }";
            let more = format!("protocol = \"{protocol}\"\n{tls}\n{more}");
            let config = [top(""), backend("inner", &[address], &more), all_to("inner")];
            Proxy::in_folder(&config.concat(), folder)
        };
        let outer = start(inner.address(), "");
        for _ in 0..20 {
            assert!(world.run(is_carried(outer.address())), "{protocol}");
        }
        let stuck = start(silent.address(), "connect-timeout = \"100ms\"");
        world.run(async {
            let mut stream = send(stuck.address(), UPGRADE).await;
            assert_eq!(read_head(&mut stream).await.0, 504, "{protocol}");
        });
    }
}

/// A peer that vanishes without a word is found by TCP alone.
#[cfg(target_os = "linux")]
#[test]
fn the_connection_of_a_websocket_is_kept_alive_by_tcp() {
    let world = World::new();
    let upstream = world.run(hasty_echo());
    let proxy = Proxy::start(&[backend("one", &[upstream.address()], ""), all_to("one")].concat());
    world.run(async {
        let mut stream = send(proxy.address(), UPGRADE).await;
        assert_eq!(read_head(&mut stream).await.0, 101);
        let port = format!(":{:04X}", upstream.address().port());
        // `sl local remote state queues timer…`: a connection is 01, the timer of keep-alive 02.
        let is_kept = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[2].ends_with(&port) && fields[3] == "01" && fields[5].starts_with("02:")
        };
        let found = async {
            while !std::fs::read_to_string("/proc/net/tcp").expect("Linux").lines().any(is_kept) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), found).await.expect("kept alive");
    });
}
