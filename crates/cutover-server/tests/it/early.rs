//! Replies that come before the request is whole: the client must be able to read them.

use crate::frames::{
    ACK, DATA, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, next, post,
};
use crate::world::{Proxy, World, all_to, backend};
use cutover_test::{RawUpstream, Upstream, read_head, send, text};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\n\
                         too large";

fn to(upstream: &RawUpstream) -> Proxy {
    Proxy::start(&[backend("one", &[upstream.address()], ""), all_to("one")].concat())
}

#[test]
fn a_client_that_still_sends_is_not_reset() {
    let world = World::new();
    let upstream = world.run(RawUpstream::saying(TOO_LARGE));
    let proxy = to(&upstream);
    world.run(async {
        let head = "POST /up HTTP/1.1\r\nhost: h\r\ncontent-length: 100000000\r\n\r\n";
        let mut stream = send(proxy.address(), head).await;
        let piece = [b'x'; 16 * 1024];
        stream.write_all(&piece).await.expect("sent");
        let (status, headers) = read_head(&mut stream).await;
        assert_eq!((status.as_u16(), &headers["connection"]), (413, &"close".parse().expect("ok")));
        let mut body = [0; 9];
        stream.read_exact(&mut body).await.expect("the whole reply");
        assert_eq!(&body, b"too large");
        // It goes on sending until it sees that nobody listens, and a little longer.
        let (mut reading, mut writing) = stream.split();
        let mut rest = [0; 1];
        let ended = async { reading.read(&mut rest).await.expect("ended, not reset") };
        let sending = async {
            loop {
                writing.write_all(&piece).await.expect("sent");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ended = ended => assert_eq!(ended, 0),
            () = sending => unreachable!("it never ends"),
        }
        for _ in 0..16 {
            stream.write_all(&piece).await.expect("what comes late is discarded, not answered");
        }
    });
}

#[test]
fn over_http2_the_rest_is_called_off_without_an_error() {
    let world = World::new();
    let upstream = world.run(RawUpstream::saying(TOO_LARGE));
    let proxy = to(&upstream);
    world.run(async {
        let mut stream = send(proxy.address(), "").await;
        let begin = [PREFACE, &frame(SETTINGS, 0, 0, b""), &post("h")].concat();
        stream.write_all(&begin).await.expect("sent");
        let (mut replied, mut whole) = (false, false);
        loop {
            let frame_in = next(&mut stream).await.expect("the connection stays");
            match (frame_in.kind, frame_in.stream) {
                (SETTINGS, _) if frame_in.flags & ACK == 0 => {
                    stream.write_all(&frame(SETTINGS, ACK, 0, b"")).await.expect("sent");
                    stream.write_all(&frame(DATA, 0, 1, b"one")).await.expect("sent");
                }
                (HEADERS, 1) => replied = true,
                (DATA, 1) => whole |= frame_in.flags & END_STREAM != 0,
                (RST_STREAM, 1) => {
                    assert_eq!(frame_in.payload, [0; 4], "NO_ERROR");
                    break;
                }
                _ => {}
            }
            if whole {
                stream.write_all(&frame(DATA, 0, 1, b"more")).await.expect("sent");
                let ping = frame(6, 0, 0, b"12345678");
                stream.write_all(&ping).await.expect("sent");
            }
        }
        assert!(replied && whole, "first the whole reply");
    });
}

#[test]
fn over_http2_an_upload_that_stops_is_given_up() {
    let world = World::new();
    // Answers, keeps its connection, and would take the rest.
    let upstream = world.run(RawUpstream::start(|mut stream, _| async move {
        let reply = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let _ = stream.write_all(reply.as_bytes()).await;
        let mut rest = [0; 4096];
        while matches!(stream.read(&mut rest).await, Ok(n) if n > 0) {}
    }));
    let limited = backend("one", &[upstream.address()], "timeout = \"500ms\"");
    let proxy = Proxy::with_server("idle-timeout = \"500ms\"", &[limited, all_to("one")].concat());
    world.run(async {
        let mut stream = send(proxy.address(), "").await;
        let begin = [
            PREFACE,
            &frame(SETTINGS, 0, 0, b""),
            &post("h"),
            &frame(DATA, 0, 1, b"the beginning, and no more"),
        ];
        stream.write_all(&begin.concat()).await.expect("sent");
        let mut whole = false;
        loop {
            let frame_in = next(&mut stream).await.expect("its stream is ended first");
            match (frame_in.kind, frame_in.stream) {
                (DATA, 1) => whole |= frame_in.flags & END_STREAM != 0,
                (RST_STREAM, 1) => break,
                _ => {}
            }
        }
        assert!(whole, "the reply is not lost");
    });
    let line = proxy.log_line(|line| line["refused"] == "slow-body");
    assert_eq!(
        (&line["status"], &line["method"], &line["path"]),
        (&200.into(), &"POST".into(), &"/".into())
    );
    assert_eq!(line["backend"], "one");
}

/// A backend that does not read on keeps its client from sending on, and either may have nothing to say for a while.
#[test]
fn over_http2_an_upload_may_pause_as_long_as_its_backend() {
    let world = World::new();
    let upstream = world.run(Upstream::start(|request| async move {
        let body = request.into_body().collect().await.expect("a whole body").to_bytes();
        text(200, body)
    }));
    let routes = [backend("one", &[upstream.address()], "timeout = \"60s\""), all_to("one")];
    let proxy = Proxy::with_server("idle-timeout = \"100ms\"", &routes.concat());
    world.run(async {
        let mut stream = send(proxy.address(), "").await;
        let begin = [PREFACE, &frame(SETTINGS, 0, 0, b""), &post("h"), &frame(DATA, 0, 1, b"one ")];
        stream.write_all(&begin.concat()).await.expect("sent");
        let paused = async {
            loop {
                let frame_in = next(&mut stream).await.expect("the connection stays");
                assert_ne!((frame_in.kind, frame_in.stream), (RST_STREAM, 1), "given up");
            }
        };
        // Several looks long.
        let _ = tokio::time::timeout(Duration::from_secs(1), paused).await.expect_err("a pause");
        stream.write_all(&frame(DATA, END_STREAM, 1, b"two")).await.expect("sent");
        loop {
            let frame_in = next(&mut stream).await.expect("a reply");
            if (frame_in.kind, frame_in.stream) == (DATA, 1) {
                assert_eq!(frame_in.payload, b"one two");
                break;
            }
        }
    });
}
