//! The head guard over real sockets.

use crate::frames::{self, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, field, frame};
use crate::process::PATIENCE;
use crate::world::{Proxy, World, all_to, backend};
use cutover_server::listen::Sockets;
use cutover_server::{Options, Running, Server};
use cutover_test::{Client, Upstream, raw_exchange, read_head, send, text};
use http_body_util::BodyExt as _;
use pingora::listeners::Listeners;
use pingora::proxy::{HttpProxy, ProxyHttp, Session};
use pingora::server::configuration::ServerConf;
use pingora::services::Service as _;
use pingora::services::listening::Service;
use pingora::upstreams::peer::HttpPeer;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A server in this process, in front of one backend.
struct Guarded {
    running: Running,
    _folder: tempfile::TempDir,
}

impl Guarded {
    fn start(server: &str, backend: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("cutover.toml");
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nthreads = 2\n\
             access-log = {{ format = \"off\" }}\n{server}\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[backends.b]\naddresses = [\"{backend}\"]\n\
             [[routes]]\npath = \"/{{*rest}}\"\nbackend = \"b\"\n"
        );
        std::fs::write(&file, text).expect("written");
        let options = Options { watch: false, ..Options::new(&file) };
        let running = Server::start(&options).unwrap_or_else(|error| panic!("{error}"));
        Self { running, _folder: folder }
    }

    fn address(&self) -> SocketAddr {
        self.running.data_addresses()[0]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_http2_connection_is_closed() {
    let upstream = telling().await;
    let guarded = Guarded::start("idle-timeout = \"1s\"", upstream.address());
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut stream = send(guarded.address(), preface).await;
    let mut frames = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut frames)).await;
    ended.expect("closed in time").expect("closed, not reset");
}

/// Reads the whole request, then answers with its method and path.
async fn telling() -> Upstream {
    Upstream::start(|request| async move {
        let told = format!("{} {}\n", request.method(), request.uri().path());
        match request.into_body().collect().await {
            Ok(_) => text(200, told),
            Err(_) => text(400, "the body broke off"),
        }
    })
    .await
}

/// Status of the only reply, which must end the connection.
fn refused(reply: &str) -> u16 {
    assert!(reply.contains("server: cutover\r\n"), "{reply}");
    assert!(reply.contains("connection: close\r\n"), "{reply}");
    assert!(reply.contains("application/problem+json"), "{reply}");
    assert_eq!(reply.matches("server: cutover").count(), 1, "{reply}");
    reply[9..12].parse().expect("a status")
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_requests_are_refused_and_never_reach_the_backend() {
    let upstream = telling().await;
    let server = Guarded::start("", upstream.address());
    let post = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n0\r\n\r\n");
    let cases = [
        (400, post("Content-Length: 5\r\nTransfer-Encoding: chunked")),
        (400, post("Transfer-Encoding: chunked\r\nContent-Length: 5")),
        (400, post("Content-Length: 5\r\nContent-Length: 6")),
        (400, post("Content-Length: +5")),
        (400, post("Transfer-Encoding: xchunked")),
        (400, post("Transfer-Encoding : chunked")),
        (400, post("X: a\r\n b")),
        (501, post("Transfer-Encoding: gzip, chunked")),
        (400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.1\nHost: a\n\n".to_owned()),
        (400, "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()),
        (505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n".to_owned()),
    ];
    for (status, request) in cases {
        let reply = raw_exchange(server.address(), &request).await;
        assert_eq!(refused(&reply), status, "{request:?}\n{reply}");
    }
    assert_eq!(upstream.hits(), 0);
}

/// Pingora as it comes, in front of one backend.
struct Stock(SocketAddr);

#[async_trait::async_trait]
impl ProxyHttp for Stock {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, _: &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.0, false, String::new())))
    }
}

/// Shows that the guard is needed: the same bytes that it refuses reach the backend without it.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_guard_both_lengths_reach_the_backend() {
    let upstream = telling().await;
    let sockets = Sockets::none();
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let address = sockets.listen(anywhere, "test").expect("a port");
    let mut http = HttpProxy::new(Stock(upstream.address()), Arc::new(ServerConf::default()));
    http.handle_init_modules();
    let listeners = Listeners::tcp(&address.to_string());
    let mut service = Service::with_listeners("stock".to_owned(), listeners, http);
    let (_going_on, shutdown) = tokio::sync::watch::channel(false);
    let fds = sockets.fds();
    tokio::spawn(async move { service.start_service(Some(fds), shutdown, 1).await });
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                   Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let reply = raw_exchange(address, request).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert_eq!(upstream.hits(), 1);
}

#[test]
fn refused_heads_are_in_the_access_log() {
    let world = World::new();
    let upstream = world.run(telling());
    let proxy = Proxy::with_server(
        "header-timeout = \"500ms\"",
        &[backend("b", &[upstream.address()], ""), all_to("b")].concat(),
    );
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked";
    let broken = "POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n";
    let cases = [
        (format!("POST /both?secret HTTP/1.1\r\nHost: a\r\n{both}\r\n\r\n"), 400, "both-lengths"),
        ("GET /late HTTP/1.1\r\nHost: a\r\nX: ".to_owned(), 408, "timeout"),
        (format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000)), 414, "target-too-long"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n".to_owned(), 405, "connect"),
        ("GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400, "authority"),
        ("\x16\x03\x01\n".to_owned(), 400, "bare-lf"),
        (broken.to_owned(), 400, "bad-request"),
    ];
    for (request, status, refused) in cases {
        let reply = world.run(raw_exchange(proxy.address(), &request));
        assert_eq!(reply[9..12], status.to_string(), "{reply}");
        let line = proxy.log_line(|line| line["refused"] == refused);
        assert_eq!((&line["status"], &line["client"]), (&status.into(), &"127.0.0.1".into()));
        assert!(reply.contains(line["id"].as_str().expect("an id")), "{line} {reply}");
        assert_eq!(line.get("side"), None);
        let path = line["path"].as_str().expect("a path");
        let target = request.split([' ', '?']).nth(1).unwrap_or_default();
        assert!(target.starts_with(path), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn header_bombs_are_refused() {
    let upstream = telling().await;
    let server = Guarded::start("max-headers = 50\nmax-header-bytes = 16384", upstream.address());
    let many = "X: y\r\n".repeat(300);
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    assert_eq!(refused(&raw_exchange(server.address(), &request).await), 431);
    for size in [64 * 1024, 1024 * 1024] {
        let large = "y".repeat(size);
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {large}\r\n\r\n");
        assert_eq!(refused(&raw_exchange(server.address(), &request).await), 431);
        let request = format!("GET /{large} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(refused(&raw_exchange(server.address(), &request).await), 414);
    }
    assert_eq!(upstream.hits(), 0);
}

/// What becomes of `GET /` with these fields: the first byte of a reply's header, or `None` if there is no reply.
async fn over_http2(address: SocketAddr, fields: &[u8]) -> Option<u8> {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frames::get("a", fields)].concat();
    // The server may have seen enough before it has seen all.
    let _ = stream.write_all(&bytes).await;
    while let Some(frame) = frames::next(&mut stream).await {
        match frame.kind {
            HEADERS => return frame.payload.first().copied(),
            RST_STREAM | GOAWAY => return None,
            _ => {}
        }
    }
    None
}

/// The bytes are our own, because no client library sends what the server's settings forbid.
#[tokio::test(flavor = "multi_thread")]
async fn header_bombs_are_refused_over_http2() {
    /// `:status: 200` in HPACK's static table.
    const OK: Option<u8> = Some(0x88);
    let upstream = telling().await;
    let server = Guarded::start("max-headers = 50\nmax-header-bytes = 16384", upstream.address());
    assert_eq!(over_http2(server.address(), &field("x", &[b'y'; 4000])).await, OK);
    assert_eq!(upstream.hits(), 1, "what is within the limits passes");
    for size in [64 * 1024, 1024 * 1024] {
        let answer = over_http2(server.address(), &field("x", &vec![b'y'; size])).await;
        assert_ne!(answer, OK, "{size}");
    }
    // Five kilobytes that unfold to four million: a field, and a thousand times the same again.
    let folded = [field("x", &[b'y'; 4000]), vec![0x80 | 62; 1000]].concat();
    assert_ne!(over_http2(server.address(), &folded).await, OK);
    // Few bytes, but too many fields.
    let names: Vec<String> = (0..60).map(|n| format!("x-{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "y")).collect();
    let client = Client::http2(server.address());
    let reply = client.get("/", &many).await;
    assert_eq!((reply.status().as_u16(), upstream.hits()), (431, 1), "{:?}", reply.body());
    assert_eq!(reply.headers()["content-type"], "application/problem+json");
    assert_eq!(client.get("/", &many[..40]).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_trickles_is_ended_by_the_deadline() {
    let upstream = telling().await;
    let server = Guarded::start("header-timeout = \"500ms\"", upstream.address());
    let mut slow = send(server.address(), "GET / HTTP/1.1\r\nHost: a\r\nX: ").await;
    let (mut reading, mut writing) = slow.split();
    let mut reply = Vec::new();
    // A byte now and then: each read is in time, the header as a whole is not.
    let trickle = async {
        while writing.write_all(b"y").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = tokio::time::timeout(PATIENCE, reading.read_to_end(&mut reply)) => ended,
        () = trickle => unreachable!("it never ends"),
    };
    ended.expect("the server ends it").ok();
    assert_eq!(refused(&String::from_utf8_lossy(&reply)), 408);
    // Who says nothing at all is just cut.
    let silent = raw_exchange(server.address(), "").await;
    assert_eq!(silent, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_a_row_are_answered_in_order() {
    let upstream = telling().await;
    let server = Guarded::start("", upstream.address());
    let requests = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\
                    POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
                    POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                    GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let replies = raw_exchange(server.address(), requests).await;
    let at = |part: &str| replies.find(part).unwrap_or_else(|| panic!("no {part}: {replies}"));
    let order = [at("GET /1"), at("POST /2"), at("POST /3"), at("GET /4")];
    assert!(order.is_sorted(), "{replies}");
    assert_eq!(upstream.hits(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smuggled_second_request_is_refused_after_the_first_is_answered() {
    let upstream = telling().await;
    let server = Guarded::start("", upstream.address());
    let requests = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\
                    POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let replies = raw_exchange(server.address(), requests).await;
    assert!(replies.starts_with("HTTP/1.1 200"), "{replies}");
    assert!(replies.contains("HTTP/1.1 400"), "{replies}");
    assert_eq!(upstream.hits(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_chunk_ends_the_connection() {
    let upstream = telling().await;
    let server = Guarded::start("", upstream.address());
    let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n\
                   GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let replies = raw_exchange(server.address(), request).await;
    assert!(!replies.contains("/smuggled"), "{replies}");
    assert!(upstream.seen().iter().all(|seen| seen.uri.path() != "/smuggled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_gets_it() {
    let upstream = telling().await;
    let server = Guarded::start("", upstream.address());
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    let mut stream = send(server.address(), head).await;
    let (status, _) = read_head(&mut stream).await;
    assert_eq!(status, 100);
    stream.write_all(b"abc").await.expect("sent");
    let (status, _) = read_head(&mut stream).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_with_prior_knowledge_passes() {
    let upstream = telling().await;
    let server = Guarded::start("", upstream.address());
    let reply = Client::http2(server.address()).get("/h2", &[]).await;
    assert_eq!((reply.status().as_u16(), reply.version()), (200, http::Version::HTTP_2));
    assert_eq!(reply.body(), "GET /h2\n");
}
