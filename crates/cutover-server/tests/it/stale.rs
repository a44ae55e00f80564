//! Kept connections to a backend that die in the moment they are used, and backends that refuse a request unseen.

use crate::frames::{
    END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, next,
};
use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{Client, RawUpstream};
use http::Response;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

async fn answer(stream: &mut TcpStream, text: &str) {
    let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    let _ = stream.write_all(reply.as_bytes()).await;
}

/// Reads requests without a body up to the end of their header.
async fn request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// Sends a request over a kept connection that dies when the request's way through the proxy is nearly over: a rewrite
/// plugin holds it after its connection is chosen and before its header is written.
fn over_a_dying_connection(method: &'static str) -> (Response<bytes::Bytes>, usize) {
    let world = World::new();
    let dies = Arc::new(Notify::new());
    let later = Arc::new(AtomicUsize::new(0));
    let upstream = world.run(RawUpstream::start({
        let (dies, later) = (Arc::clone(&dies), Arc::clone(&later));
        move |mut stream, number| {
            let (dies, later) = (Arc::clone(&dies), Arc::clone(&later));
            async move {
                if number == 1 && request(&mut stream).await {
                    answer(&mut stream, "first").await;
                    dies.notified().await;
                    let _ = stream.set_zero_linger();
                    return;
                }
                while request(&mut stream).await {
                    later.fetch_add(1, Ordering::SeqCst);
                    answer(&mut stream, "again").await;
                }
            }
        }
    }));
    let component = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../plugins/dist/test_faulty.wasm");
    let config = [
        backend("old", &[upstream.address()], ""),
        backend("new", &[upstream.address()], ""),
        migration("read-percent = 0\nplugins.rewrite = \"faulty\""),
        format!(
            "[plugins.faulty]\ncomponent = {component:?}\non-error = \"old\"\ndeadline = \"1s\"\n"
        ),
    ];
    let proxy = Proxy::start(&config.concat());
    let client = world.client(&proxy);
    let first = world.run(client.get("/api/x", &[("x-user-id", "1")]));
    assert_eq!(&first.body()[..], b"first");
    let admin = proxy.running().admin_address().expect("it listens");
    let reply = world.run(async {
        let held = [("x-user-id", "1"), ("x-fault", "loop")];
        let reply = client.send(method, "/api/x", &held, "");
        let killed = async {
            let admin = Client::http1(admin);
            loop {
                let backends = admin.get("/admin/v1/backends", &[]).await;
                if String::from_utf8_lossy(backends.body()).contains("\"inFlight\":1") {
                    break;
                }
            }
            dies.notify_one();
        };
        tokio::join!(reply, killed).0
    });
    (reply, later.load(Ordering::SeqCst))
}

#[test]
fn a_header_that_could_not_be_written_is_written_elsewhere_once() {
    for method in ["GET", "DELETE"] {
        let (reply, later) = over_a_dying_connection(method);
        let told = (reply.status().as_u16(), &reply.body()[..]);
        assert_eq!(told, (200, &b"again"[..]), "{method}");
        assert_eq!(later, 1, "{method}");
    }
}

#[test]
fn what_a_dying_backend_may_have_read_is_not_sent_twice() {
    let world = World::new();
    // The second request of a connection is read, and the connection reset.
    let upstream = world.run(RawUpstream::start(|mut stream, _| async move {
        if request(&mut stream).await {
            answer(&mut stream, "first").await;
            request(&mut stream).await;
            let _ = stream.set_zero_linger();
        }
    }));
    let routes = [backend("one", &[upstream.address()], ""), all_to("one")].concat();
    let proxy = Proxy::start(&routes);
    let client = world.client(&proxy);
    for _ in 0..3 {
        let kept = world.run(client.get("/", &[]));
        assert_eq!(kept.status(), 200, "a read is sent again");
    }
    let before = upstream.connections();
    let write = world.run(client.send("DELETE", "/", &[], ""));
    assert_eq!((write.status().as_u16(), upstream.connections()), (502, before));
}

/// A backend that treats the first request in this way, and answers later ones.
async fn refusing(
    first: impl Fn(&Frame) -> Vec<u8> + Clone + Send + Sync + 'static,
) -> RawUpstream {
    let refused = Arc::new(AtomicUsize::new(0));
    RawUpstream::start(move |mut stream, _| {
        let (refused, first) = (Arc::clone(&refused), first.clone());
        async move {
            let mut preface = [0; PREFACE.len()];
            if stream.read_exact(&mut preface).await.is_err() {
                return;
            }
            let _ = stream.write_all(&frame(SETTINGS, 0, 0, b"")).await;
            while let Some(head) = next(&mut stream).await {
                if head.kind != HEADERS {
                    continue;
                }
                let reply = match refused.fetch_add(1, Ordering::SeqCst) {
                    0 => first(&head),
                    // `:status: 200`
                    _ => frame(HEADERS, END_HEADERS | END_STREAM, head.stream, &[0x88]),
                };
                let _ = stream.write_all(&reply).await;
            }
        }
    })
    .await
}

#[test]
fn a_request_that_was_refused_unseen_is_sent_again_whatever_its_method() {
    const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
    let world = World::new();
    let reset = refusing(|head| frame(RST_STREAM, 0, head.stream, &REFUSED_STREAM));
    let goes = refusing(|_| frame(GOAWAY, 0, 0, &[0; 8]));
    let internal = refusing(|head| frame(RST_STREAM, 0, head.stream, &[0, 0, 0, 2]));
    for (upstream, expected) in
        [(world.run(reset), 200), (world.run(goes), 200), (world.run(internal), 502)]
    {
        let one = backend("one", &[upstream.address()], "protocol = \"http2\"");
        let proxy = Proxy::start(&[one, all_to("one")].concat());
        let reply = world.run(world.client(&proxy).send("POST", "/", &[], "body"));
        assert_eq!(reply.status(), expected);
    }
}
