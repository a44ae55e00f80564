//! Clients: hyper's for HTTP/1.1 and HTTP/2, and bytes over TCP for what no library would send.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client with kept connections.
#[derive(Clone, Debug)]
pub struct Client {
    hyper: Hyper<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Client {
    /// HTTP/1.1.
    pub fn http1(address: SocketAddr) -> Self {
        Self { hyper: Hyper::builder(TokioExecutor::new()).build_http(), address }
    }

    /// HTTP/2 with prior knowledge.
    pub fn http2(address: SocketAddr) -> Self {
        let hyper = Hyper::builder(TokioExecutor::new()).http2_only(true).build_http();
        Self { hyper, address }
    }

    /// GET, with headers.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        self.send("GET", path, headers, "").await
    }

    /// Any method. Panics if there is no whole reply: a test that expects none says so with bytes.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Response<Bytes> {
        let mut request =
            Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let reply = async {
            let reply = self.hyper.request(request).await.expect("a reply");
            let (head, body) = reply.into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes();
            Response::from_parts(head, body)
        };
        tokio::time::timeout(PATIENCE, reply).await.expect("a reply in time")
    }
}

/// Sends bytes and reads until the other side closes.
pub async fn raw_exchange(address: SocketAddr, bytes: &str) -> String {
    let mut stream = send(address, bytes).await;
    let mut reply = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut reply))
        .await
        .expect("closed in time")
        .ok();
    String::from_utf8_lossy(&reply).into_owned()
}

/// Connects and sends bytes.
pub async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.set_nodelay(true).expect("a socket option");
    stream.write_all(bytes.as_bytes()).await.expect("sent");
    stream
}

/// Reads one HTTP/1.1 header: status and fields. Bytes after it stay in the stream.
pub async fn read_head(stream: &mut TcpStream) -> (StatusCode, HeaderMap) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("in time");
        head.push(byte.expect("a header"));
    }
    let text = String::from_utf8(head).expect("a header in text");
    let mut lines = text.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a field");
        (name.parse().expect("a name"), value.trim().parse().expect("a value"))
    });
    (
        status.parse().expect("a status"),
        fields.collect::<Vec<(http::HeaderName, _)>>().into_iter().collect(),
    )
}
