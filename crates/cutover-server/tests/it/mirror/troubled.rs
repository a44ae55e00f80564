//! A side that is copied to and is slow, dead or without end: it costs users nothing, and is counted.

use super::ALWAYS;
use super::stage::{Stage, config, until};
use crate::world::World;
use bytes::Bytes;
use cutover_test::{Body, RawUpstream, Upstream, dead_address, read_head, send, text};
use futures_util::stream;
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

/// `old` answers at once; `new` is at this address.
fn stage(world: World, new: SocketAddr, more: &str) -> (Upstream, Stage) {
    let old = world.run(Upstream::answering(200, "old's"));
    let config = config(old.address(), "", new, "", &format!("{ALWAYS}{more}"));
    (old, Stage::with_config(world, &config))
}

fn failed(stage: &Stage, class: &str) -> u64 {
    stage.metric(&format!(
        "cutover_shadow_requests_total{{migration=\"profile\",side=\"new\",code_class=\"{class}\"}}"
    ))
}

fn compared(stage: &Stage, result: &str) -> u64 {
    stage.metric(&format!("cutover_comparisons_total{{migration=\"profile\",result=\"{result}\"}}"))
}

fn dropped(stage: &Stage, reason: &str) -> u64 {
    stage.metric(&format!(
        "cutover_shadow_dropped_total{{migration=\"profile\",reason=\"{reason}\"}}"
    ))
}

/// One connection of a client is used again and again while copies hang; no more of them hang than may.
#[test]
fn a_side_that_hangs_keeps_nobody_waiting() {
    let world = World::new();
    let silent = world.run(RawUpstream::silent());
    let more = "mirror = { concurrency = 3, timeout = \"1h\" }";
    let (old, stage) = stage(world, silent.address(), more);
    stage.world.run(async {
        let mut stream = send(stage.proxy.address(), "").await;
        for _ in 0..10 {
            stream.write_all(b"GET /api/7 HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("sent");
            let (status, _) = read_head(&mut stream).await;
            assert_eq!(status, 200);
            let mut body = [0; 5];
            stream.read_exact(&mut body).await.expect("a body");
            assert_eq!(&body, b"old's");
        }
    });
    assert_eq!(old.hits(), 10);
    let counts = stage.counts();
    assert_eq!((counts.picked, counts.shed, counts.new_replies), (10, 7, 0));
    assert_eq!((stage.shadow().in_flight(), dropped(&stage, "concurrency")), (3, 7));
    // And nobody waits for them in the end.
    let shadow = stage.shadow();
    drop(stage);
    until(|| shadow.counts().shed == 10, || shadow.counts());
    assert_eq!((shadow.in_flight(), shadow.memory()), (0, 0));
}

#[test]
fn a_side_that_is_slow_or_dead_is_counted_as_failing() {
    let world = World::new();
    let silent = world.run(RawUpstream::silent());
    let (_old, slow) = stage(world, silent.address(), "mirror = { timeout = \"50ms\" }");
    assert_eq!(slow.get("/api/7", &[]).status(), 200);
    slow.settled(|counts| counts.new_failures == 1);
    assert_eq!((failed(&slow, "timeout"), slow.counts().compared), (1, 0));

    let world = World::new();
    let dead = world.run(dead_address());
    let (_old, dead) = stage(world, dead, "");
    assert_eq!(dead.get("/api/7", &[]).status(), 200);
    dead.settled(|counts| counts.new_failures == 1);
    assert_eq!(failed(&dead, "connect"), 1);

    let world = World::new();
    let resetting = world.run(RawUpstream::resetting());
    let (_old, broken) = stage(world, resetting.address(), "");
    assert_eq!(broken.get("/api/7", &[]).status(), 200);
    broken.settled(|counts| counts.new_failures == 1);
    assert_eq!(failed(&broken, "broken"), 1);
    broken.settled(|_| compared(&broken, "skipped-no-copy") == 1);
}

/// A reply without an end: read up to a cap, then left.
#[test]
fn a_reply_that_never_ends_is_read_up_to_a_cap() {
    let world = World::new();
    let left = Arc::new(Notify::new());
    let told = Arc::clone(&left);
    let endless = world.run(RawUpstream::start(move |mut stream, _| {
        let left = Arc::clone(&told);
        async move {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b'x'; 64 * 1024]).await;
            }
            left.notify_one();
        }
    }));
    let (_old, stage) = stage(world, endless.address(), "mirror = { timeout = \"1h\" }");
    assert_eq!(&stage.get("/api/7", &[]).body()[..], b"old's");
    stage.settled(|counts| counts.new_replies == 1);
    stage.world.run(left.notified());
    stage.settled(|_| compared(&stage, "skipped-too-long") == 1);
    assert_eq!((stage.counts().new_failures, stage.shadow().memory()), (0, 0));
}

/// A reply that begins well, and whose body then comes a byte at a time, has failed when its time is over.
#[test]
fn a_body_that_stalls_past_the_deadline_is_a_timeout() {
    let world = World::new();
    let dribbling = world.run(RawUpstream::start(|mut stream, _| async move {
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000000\r\n\r\n";
        let mut sent = stream.write_all(head).await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            sent = stream.write_all(b"x").await;
        }
    }));
    let (_old, stage) = stage(world, dribbling.address(), "mirror = { timeout = \"300ms\" }");
    assert_eq!(&stage.get("/api/7", &[]).body()[..], b"old's");
    stage.settled(|counts| counts.new_replies == 1);
    assert_eq!((failed(&stage, "timeout"), stage.counts().new_failures), (1, 1));
    stage.settled(|_| compared(&stage, "skipped-no-copy") == 1);
    assert_eq!(stage.shadow().memory(), 0);
}

/// Old answers its users and hangs when it is asked a second time: no more such requests hang than may, and the replies of
/// the others are still compared.
#[test]
fn what_is_asked_for_noise_is_bounded() {
    let world = World::new();
    let old = world.run(Upstream::start(|request| async move {
        if request.headers().contains_key("x-cutover-mirror") {
            std::future::pending::<()>().await;
        }
        text(200, "same")
    }));
    let new = world.run(Upstream::answering(200, "same"));
    let more = format!(
        "{ALWAYS}mirror = {{ timeout = \"1h\" }}\ncompare = {{ recheck = \"1ms\", noise = 100 }}"
    );
    let stage = Stage::between(world, old, new, &more);
    for _ in 0..20 {
        assert_eq!(stage.get("/api/7", &[]).status(), 200);
    }
    stage.settled(|counts| counts.compared == 4);
    assert_eq!(compared(&stage, "skipped-noise-busy"), 4);
    until(|| stage.old().hits() == 36, || stage.counts());
}

/// Many differences at once, and an old that is slow when it is asked again: they take turns, and all of them count.
#[test]
fn doubts_take_turns() {
    let world = World::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let peak = Arc::clone(&most);
    let old = world.run(Upstream::start(move |request| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            if request.headers().contains_key("x-cutover-mirror") {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::time::sleep(Duration::from_millis(200)).await;
                now.fetch_sub(1, SeqCst);
            }
            text(200, "old's")
        }
    }));
    let new = world.run(Upstream::answering(200, "new's"));
    let more = format!("{ALWAYS}compare = {{ recheck = \"200ms\", noise = 0 }}");
    let stage = Stage::between(world, old, new, &more);
    for _ in 0..40 {
        assert_eq!(stage.get("/api/7", &[]).status(), 200);
    }
    stage.settled(|counts| counts.mismatched == 40);
    assert!(peak.load(SeqCst) <= 16, "{} at once", peak.load(SeqCst));
}

/// The body of a declared read goes along, up to the limit; beyond it the read is served and not copied.
#[test]
fn bodies_are_copied_up_to_the_limit() {
    let world = World::new();
    let echo = |request: http::Request<hyper::body::Incoming>| async {
        let body = request.into_body().collect().await.expect("whole").to_bytes();
        text(200, body)
    };
    let (old, new) =
        world.run(async { (Upstream::start(echo).await, Upstream::start(echo).await) });
    let route = "{ path = \"/search\", methods = [\"POST\"], mirror = true }";
    let more = format!("{ALWAYS}mirror.max-body = \"8B\"");
    let config = config(old.address(), "", new.address(), "", &more)
        .replace("routes = [", &format!("routes = [{route}, "));
    let stage = Stage::with_config(world, &config);
    assert_eq!(&stage.send("POST", "/search", &[], "12345678").body()[..], b"12345678");
    stage.settled(|counts| counts.compared == 1);
    assert_eq!(new.last().header("content-length"), "8");
    let large = stage.send("POST", "/search", &[], "123456789");
    assert_eq!(&large.body()[..], b"123456789");
    // One that says nothing of its length.
    let request = "POST /search HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\
                   connection: close\r\n\r\n5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n";
    let reply = stage.world.run(cutover_test::raw_exchange(stage.proxy.address(), request));
    assert!(reply.ends_with("1234567890") || reply.contains("1234567890"), "{reply}");
    let chunked = request.replace("5\r\n67890\r\n", "3\r\n678\r\n");
    stage.world.run(cutover_test::raw_exchange(stage.proxy.address(), &chunked));
    stage.settled(|counts| counts.compared == 2);
    assert_eq!((dropped(&stage, "oversize"), new.hits(), old.hits()), (2, 2, 4));
}

/// The client leaves in the middle of its reply: the copy goes on, and there is nothing to compare.
#[test]
fn a_client_that_leaves_cancels_no_copy() {
    let world = World::new();
    let answers = Arc::new(Notify::new());
    let may = Arc::clone(&answers);
    let old = world.run(Upstream::start(|_| async { never_whole() }));
    let new = world.run(Upstream::start(move |_| {
        let may = Arc::clone(&may);
        async move {
            may.notified().await;
            text(200, "late")
        }
    }));
    let stage = Stage::between(world, old, new, ALWAYS);
    stage.world.run(async {
        let request = "GET /api/7 HTTP/1.1\r\nhost: h\r\n\r\n";
        let mut stream = send(stage.proxy.address(), request).await;
        read_head(&mut stream).await;
    });
    let line = stage.proxy.log_line(|line| line["side"] == "old");
    assert_eq!(line["status"], 200);
    assert_eq!((stage.shadow().in_flight(), stage.counts().new_replies), (1, 0));
    answers.notify_one();
    stage.settled(|counts| counts.new_replies == 1);
    stage.settled(|_| compared(&stage, "skipped-client-gone") == 1);
    assert_eq!(stage.counts().new_failures, 0);
}

/// A body whose end never comes.
fn never_whole() -> Response<Body> {
    let parts = stream::unfold((), |()| async {
        tokio::task::yield_now().await;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"part"))), ()))
    });
    Response::new(StreamBody::new(parts).boxed())
}
