//! What one read after another gets, and that options reach the socket.

use super::*;
use std::sync::atomic::AtomicUsize;
use std::task::{Wake, Waker};
use tokio::net::TcpListener;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_read_waits_for_the_end_of_the_request_and_once_more() {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let cx = Context::from_waker(&waker);
    let wakes = || woken.0.load(Ordering::SeqCst);
    let first_read = FirstRead::default();
    first_read.release();
    assert!(first_read.poll_open(&cx).is_ready(), "TLS shakes hands before the request");
    first_read.hold();
    assert!(first_read.poll_open(&cx).is_pending());
    assert!(first_read.poll_open(&cx).is_pending());
    assert_eq!(wakes(), 0);
    first_read.release();
    assert_eq!(wakes(), 1, "by the end of the request");
    assert!(first_read.poll_open(&cx).is_pending(), "the end is taken first");
    assert_eq!(wakes(), 2, "by itself");
    assert!(first_read.poll_open(&cx).is_ready());
    first_read.release();
    assert!(first_read.poll_open(&cx).is_ready(), "the client's messages are bodies too");
}

#[test]
fn an_option_reaches_the_socket() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback");
        let address = listener.local_addr().expect("it is bound");
        let tcp = TcpStream::connect(address).await.expect("connected");
        assert!(!tcp.nodelay().expect("an option"), "off unless asked for");
        let waiting = Waiting { tcp, first_read: Arc::default() };
        waiting.set_socket_option(VirtualSockOpt::NoDelay).expect("set");
        assert!(waiting.tcp.nodelay().expect("an option"));
    });
}

#[test]
fn only_a_peer_that_may_be_upgraded_waits() {
    let mut peer = HttpPeer::new("127.0.0.1:1", true, String::new());
    peer.options.alpn = ALPN::H2;
    assert!(FirstRead::of(&mut peer).is_none());
    assert!(peer.options.custom_l4.is_none());
    let mut keys = Vec::new();
    for alpn in [ALPN::H1, ALPN::H2H1] {
        peer.options.alpn = alpn;
        assert!(FirstRead::of(&mut peer).is_some());
        assert_eq!(peer.options.alpn.get_max_http_version(), 1);
        keys.push(peer.group_key);
    }
    assert_ne!(keys[0], keys[1]);
}
