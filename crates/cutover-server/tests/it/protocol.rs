//! Protocols end to end: HTTP/1.1 and HTTP/2 on both sides, streams, trailers, upgrades, informational replies.

use crate::world::{Proxy, World, all_to, backend};
use bytes::Bytes;
use cutover_test::{Client, RawUpstream, Upstream, raw_exchange, read_head, send, text};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioExecutor;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

fn one(upstream: std::net::SocketAddr, more: &str) -> Proxy {
    Proxy::start(&[backend("one", &[upstream], more), all_to("one")].concat())
}

#[test]
fn http2_on_either_side() {
    let world = World::new();
    let upstream = world.run(Upstream::named("one"));
    for (more, version) in [("", "HTTP/1.1"), ("protocol = \"http2\"", "HTTP/2.0")] {
        let proxy = one(upstream.address(), more);
        let clients =
            world.run(async { [Client::http1(proxy.address()), Client::http2(proxy.address())] });
        for client in clients {
            let reply = world.run(client.send("POST", "/x", &[("te", "trailers")], "body"));
            assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"one"[..]));
            let seen = upstream.last();
            assert_eq!(format!("{:?}", seen.version), version);
            let asked = seen.uri.authority().map_or(seen.header("host"), ToString::to_string);
            assert_eq!(asked, proxy.address().to_string());
        }
    }
}

#[test]
fn grpc_streams_both_ways_with_trailers() {
    let world = World::new();
    // Answers each message with itself as it comes, then with trailers.
    let upstream = world.run(Upstream::start(|request| async move {
        assert_eq!(request.headers()["te"], "trailers");
        let (frames, out) = mpsc::channel::<Frame<Bytes>>(1);
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                if let Ok(data) = frame.into_data() {
                    let _ = frames.send(Frame::data(data)).await;
                }
            }
            let trailers = [("grpc-status", "0")].map(|(name, value)| {
                (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
            });
            let _ = frames.send(Frame::trailers(trailers.into_iter().collect())).await;
        });
        let mut reply = http::Response::new(channel_body(out).boxed());
        let grpc = http::HeaderValue::from_static("application/grpc");
        reply.headers_mut().insert("content-type", grpc);
        reply
    }));
    let proxy = one(upstream.address(), "protocol = \"http2\"");
    world.run(async {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http();
        let (frames, out) = mpsc::channel::<Frame<Bytes>>(1);
        let request = http::Request::post(format!("http://{}/pkg.Svc/Chat", proxy.address()))
            .header("te", "trailers")
            .header("content-type", "application/grpc")
            .body(channel_body(out))
            .expect("a request");
        let send = |data: &'static str| frames.send(Frame::data(Bytes::from(data)));
        send("one").await.expect("sent");
        let mut reply = client.request(request).await.expect("a reply").into_body();
        let mut next = async || reply.frame().await.expect("a frame").expect("unbroken");
        assert_eq!(next().await.into_data().expect("data"), "one");
        send("two").await.expect("sent");
        assert_eq!(next().await.into_data().expect("data"), "two");
        drop(frames);
        let trailers = next().await.into_trailers().expect("trailers");
        assert_eq!(trailers["grpc-status"], "0");
    });
}

pub(crate) fn channel_body(
    frames: mpsc::Receiver<Frame<Bytes>>,
) -> impl hyper::body::Body<Data = Bytes, Error = Infallible> + Send + Sync + Unpin {
    let stream = futures_util::stream::unfold(frames, |mut frames| async move {
        frames.recv().await.map(|frame| (Ok(frame), frames))
    });
    StreamBody::new(Box::pin(stream) as std::pin::Pin<Box<dyn Stream>>)
}

/// A stream of frames that may be shared, as a boxed body must.
pub(crate) trait Stream:
    futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync
{
}
impl<T: futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync> Stream for T {}

const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 4096;
/// Growth that no buffering of 256 MiB would keep to.
const BOUNDED: usize = 96 << 20;

#[test]
fn uploads_stream_in_bounded_memory() {
    let world = World::new();
    let (half, halfway) = tokio::sync::watch::channel(false);
    let upstream = world.run(Upstream::start(move |request| {
        let half = half.clone();
        async move {
            let (mut body, mut received) = (request.into_body(), 0);
            while let Some(Ok(frame)) = body.frame().await {
                received += frame.data_ref().map_or(0, Bytes::len);
                half.send_if_modified(|half| {
                    let reached = !*half && received > CHUNK * CHUNKS / 4;
                    *half |= reached;
                    reached
                });
            }
            text(200, received.to_string())
        }
    }));
    let proxy = one(upstream.address(), "timeout = \"60s\"");
    let before = resident_bytes();
    world.run(async {
        let head = "POST /up HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut stream = send(proxy.address(), head).await;
        let chunk = [format!("{CHUNK:x}\r\n").into_bytes(), vec![b'x'; CHUNK], b"\r\n".to_vec()];
        let chunk = chunk.concat();
        for n in 0..CHUNKS {
            if n == CHUNKS / 2 {
                // The second half is sent only once the first arrives.
                halfway.clone().wait_for(|half| *half).await.expect("bytes arrive before the end");
            }
            stream.write_all(&chunk).await.expect("sent");
        }
        let grown = resident_bytes().saturating_sub(before);
        stream.write_all(b"0\r\n\r\n").await.expect("sent");
        assert_eq!(read_head(&mut stream).await.0, 200);
        let mut count = vec![0; (CHUNK * CHUNKS).to_string().len()];
        stream.read_exact(&mut count).await.expect("a body");
        assert_eq!(String::from_utf8_lossy(&count), (CHUNK * CHUNKS).to_string());
        assert!(grown < BOUNDED, "{grown} bytes more");
    });
}

#[test]
fn downloads_stream_in_bounded_memory() {
    let world = World::new();
    let (half, halfway) = tokio::sync::watch::channel(false);
    let upstream = world.run(Upstream::start(move |_| {
        let (frames, out) = mpsc::channel(1);
        let mut halfway = halfway.clone();
        tokio::spawn(async move {
            let chunk = Bytes::from(vec![b'x'; CHUNK]);
            for n in 0..CHUNKS {
                if n == CHUNKS / 2 && halfway.wait_for(|half| *half).await.is_err() {
                    return;
                }
                let _ = frames.send(Frame::data(chunk.clone())).await;
            }
        });
        async move { http::Response::new(channel_body(out).boxed()) }
    }));
    let proxy = one(upstream.address(), "timeout = \"60s\"");
    let before = resident_bytes();
    world.run(async {
        let get = "GET /down HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
        let mut stream = send(proxy.address(), get).await;
        assert_eq!(read_head(&mut stream).await.0, 200);
        let mut buffer = vec![0; 1 << 20];
        let mut received = 0;
        loop {
            let n = stream.read(&mut buffer).await.expect("unbroken");
            if n == 0 {
                break;
            }
            received += n;
            if received > CHUNK * CHUNKS / 4 {
                half.send_replace(true);
            }
        }
        let grown = resident_bytes().saturating_sub(before);
        assert!(received > CHUNK * CHUNKS, "{received} with the framing of chunks");
        assert!(grown < BOUNDED, "{grown} bytes more");
    });
}

/// What the whole process holds; 0 where nobody tells.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[test]
fn websockets_pass_through() {
    let world = World::new();
    let upstream = world.run(RawUpstream::start(|stream, _| async move {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        use futures_util::{SinkExt as _, StreamExt as _};
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() && socket.send(message).await.is_err() {
                return;
            }
        }
    }));
    let proxy = one(upstream.address(), "");
    world.run(async {
        use futures_util::{SinkExt as _, StreamExt as _};
        let url = format!("ws://{}/socket", proxy.address());
        let (mut socket, reply) = tokio_tungstenite::connect_async(url).await.expect("upgraded");
        assert_eq!(reply.status(), 101);
        for text in ["one", "two", &"x".repeat(100_000)] {
            socket.send(text.into()).await.expect("sent");
            let echo = socket.next().await.expect("an echo").expect("unbroken");
            assert_eq!(echo.into_text().expect("text").as_str(), text);
        }
        socket.close(None).await.expect("closed");
    });
}

#[test]
fn a_body_waits_for_100_continue() {
    let world = World::new();
    let upstream = world.run(Upstream::start(|request| async move {
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        text(200, body)
    }));
    let proxy = one(upstream.address(), "");
    world.run(async {
        let head = "PUT /x HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\
                    expect: 100-continue\r\nconnection: close\r\n\r\n";
        let mut stream = send(proxy.address(), head).await;
        assert_eq!(read_head(&mut stream).await.0, 100);
        stream.write_all(b"body").await.expect("sent");
        assert_eq!(read_head(&mut stream).await.0, 200);
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.expect("closed");
        assert_eq!(rest, "body");
    });
}

#[test]
fn early_hints_come_first() {
    let world = World::new();
    let upstream = world.run(RawUpstream::saying(
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ));
    let proxy = one(upstream.address(), "");
    world.run(async {
        let get = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
        let mut stream = send(proxy.address(), get).await;
        let (status, headers) = read_head(&mut stream).await;
        assert_eq!((status.as_u16(), &headers["link"]), (103, &"</a.css>".parse().expect("ok")));
        assert_eq!(read_head(&mut stream).await.0, 200);
    });
}

#[test]
fn replies_without_a_body_keep_the_connection_in_step() {
    let world = World::new();
    let upstream = world.run(Upstream::start(|request| async move {
        let status = request.uri().path()[1..].parse().expect("a status");
        text(status, if status == 200 { "body" } else { "" })
    }));
    let proxy = one(upstream.address(), "");
    world.run(async {
        let mut stream = send(proxy.address(), "HEAD /200 HTTP/1.1\r\nhost: h\r\n\r\n").await;
        let (status, headers) = read_head(&mut stream).await;
        assert_eq!((status.as_u16(), headers["content-length"].as_bytes()), (200, &b"4"[..]));
        for status in [204, 304, 200] {
            let get = format!("GET /{status} HTTP/1.1\r\nhost: h\r\n\r\n");
            stream.write_all(get.as_bytes()).await.expect("sent");
            assert_eq!(read_head(&mut stream).await.0, status);
        }
        let mut body = [0; 4];
        stream.read_exact(&mut body).await.expect("a body");
        assert_eq!(&body, b"body");
    });
    assert_eq!(upstream.connections(), 1, "the connection to the backend is kept");
}

#[test]
fn hop_by_hop_fields_end_here() {
    let world = World::new();
    let upstream = world.run(RawUpstream::saying(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: x-hop, close\r\nx-hop: 1\r\n\
         connection: x-second\r\nx-second: 1\r\n\
         keep-alive: timeout=5\r\nupgrade: h2c\r\nproxy-connection: close\r\nx-end: 1\r\n\r\n",
    ));
    let proxy = one(upstream.address(), "");
    let get = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let reply = world.run(raw_exchange(proxy.address(), get)).to_lowercase();
    for gone in ["x-hop", "x-second", "keep-alive", "upgrade", "proxy-connection"] {
        assert!(!reply.contains(gone), "{gone} in {reply}");
    }
    assert!(reply.contains("x-end: 1"), "{reply}");
    let seen = world.run(Upstream::named("one"));
    let proxy = one(seen.address(), "");
    let get = "GET / HTTP/1.1\r\nhost: h\r\nconnection: x-hop\r\nx-hop: 1\r\nte: gzip\r\n\
               connection: X-Second, Close\r\nx-second: 1\r\n\
               keep-alive: 5\r\nproxy-authorization: secret\r\nx-end: 1\r\n\r\n";
    world.run(raw_exchange(proxy.address(), get));
    let last = seen.last();
    for gone in ["x-hop", "x-second", "te", "keep-alive", "proxy-authorization"] {
        assert_eq!(last.header(gone), "", "{gone}");
    }
    assert_eq!(last.header("x-end"), "1");
}

#[test]
fn clients_of_http_1_0_get_no_chunks_and_no_early_hints() {
    let world = World::new();
    let upstream = world.run(RawUpstream::saying(
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n\
         HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\non\r\n2\r\nce\r\n0\r\n\r\n",
    ));
    let endless = world.run(RawUpstream::saying("HTTP/1.1 200 OK\r\n\r\nonce"));
    let counted = world.run(Upstream::answering(200, "once"));
    for upstream in [upstream.address(), endless.address(), counted.address()] {
        let proxy = one(upstream, "");
        for more in ["", "connection: keep-alive\r\n"] {
            let get = format!("GET / HTTP/1.0\r\n{more}\r\n");
            let mut stream = world.run(send(proxy.address(), &get));
            world.run(async {
                let (status, headers) = read_head(&mut stream).await;
                assert_eq!((status.as_u16(), headers.get("transfer-encoding")), (200, None));
                if headers.contains_key("content-length") {
                    assert_eq!(headers["content-length"], "4");
                } else {
                    assert_eq!(headers["connection"], "close");
                }
                let mut body = [0; 4];
                stream.read_exact(&mut body).await.expect("a body");
                assert_eq!(&body, b"once");
                if headers["connection"] == "close" {
                    assert_eq!(stream.read(&mut body).await.expect("closed"), 0);
                }
            });
        }
    }
}

#[test]
fn tls_with_http2_by_alpn_on_both_sides() {
    let world = World::new();
    let upstream = world.run(Upstream::named("behind"));
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["inner.test".to_owned()]).expect("made");
    let write = |name: &str, pem: &str| std::fs::write(folder.path().join(name), pem);
    write("cert.pem", &made.cert.pem()).expect("written");
    write("key.pem", &made.signing_key.serialize_pem()).expect("written");
    let cert = std::fs::read(folder.path().join("cert.pem")).expect("there");
    let inner = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\naccess-log = \"off\"\n\
         tls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n[admin]\nlisten = \"127.0.0.1:0\"\n{}{}",
        backend("behind", &[upstream.address()], ""),
        all_to("behind"),
    );
    let inner = Proxy::in_folder(&inner, folder);
    for protocol in ["auto", "http2", "http1"] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), &cert).expect("written");
        let tls = "tls = { server-name = \"inner.test\", ca = \"ca.pem\" }\nhost = \"inner.test\"";
        let outer = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\naccess-log = \"off\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}{}",
            backend("inner", &[inner.address()], &format!("protocol = \"{protocol}\"\n{tls}")),
            all_to("inner"),
        );
        let outer = Proxy::in_folder(&outer, folder);
        let reply = world.run(world.client(&outer).get("/x", &[]));
        assert_eq!(
            (reply.status().as_u16(), &reply.body()[..]),
            (200, &b"behind"[..]),
            "{protocol}"
        );
        assert_eq!(upstream.last().header("host"), "inner.test");
        assert_eq!(upstream.last().header("x-forwarded-proto"), "https");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let unknown = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\naccess-log = \"off\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}{}",
        backend("inner", &[inner.address()], "tls = { server-name = \"inner.test\" }"),
        all_to("inner"),
    );
    let outer = Proxy::in_folder(&unknown, folder);
    let reply = world.run(world.client(&outer).get("/x", &[]));
    assert_eq!(reply.status(), 502, "a certificate of nobody we trust");
}
