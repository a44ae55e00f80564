//! `cutover rollback` under load: what began after the command had returned never reaches `new`, and what `new` was
//! answering then ends whole. Counted at the clients and at both services, not in the proxy.

use crate::process::{PATIENCE, Process, Setup, cutover, stderr};
use crate::protocol::channel_body;
use bytes::Bytes;
use cutover_test::{Body, Client, Upstream, text};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Connections that ask without a pause, half of them over HTTP/2.
const CONNECTIONS: u64 = 24;

/// Replies that are held open, of each kind and each protocol.
const HELD: usize = 3;

/// Half of a reply that is held: more than what lies in buffers between `new` and its client.
const HALF: usize = 512 << 10;

/// The command may take so much longer than a look at what it would do.
/// On a machine that does much else, most of that is waiting for a core; what moves is judged by who is asked.
const LIMIT: Duration = Duration::from_secs(10);

/// One side, which notes the number of every request that reaches it.
struct Side {
    upstream: Upstream,
    reached: Arc<Mutex<Vec<u64>>>,
}

impl Side {
    async fn start(name: &'static str, gate: &Arc<Semaphore>) -> Self {
        let (reached, gate) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(gate));
        let notes = Arc::clone(&reached);
        let upstream = Upstream::start(move |request: Request<Incoming>| {
            let number = request.uri().path().rsplit('/').next().and_then(|n| n.parse().ok());
            let number: u64 = number.expect("every request has a number");
            notes.lock().expect("nobody panics with it").push(number);
            let held = request.headers().get("x-held").cloned();
            let gate = Arc::clone(&gate);
            async move {
                match held.as_ref().map(http::HeaderValue::as_bytes) {
                    None => text(200, format!("{name} {number}")),
                    Some(b"head") => {
                        pass(&gate).await;
                        text(200, long(name, number))
                    }
                    Some(_) => in_halves(long(name, number), gate),
                }
            }
        });
        Self { upstream: upstream.await, reached }
    }

    fn reached(&self) -> Vec<u64> {
        self.reached.lock().expect("nobody panics with it").clone()
    }
}

async fn pass(gate: &Semaphore) {
    let _passed = gate.acquire().await.expect("never closed");
}

/// Bytes that no other reply has.
fn long(name: &str, number: u64) -> Bytes {
    let mut bytes = format!("{name} {number};").repeat(2 * HALF / 6).into_bytes();
    bytes.truncate(2 * HALF);
    bytes.into()
}

/// A reply of which one half is sent before the gate opens, and the other one then.
fn in_halves(mut whole: Bytes, gate: Arc<Semaphore>) -> Response<Body> {
    let (frames, out) = mpsc::channel(1);
    tokio::spawn(async move {
        let first = whole.split_to(HALF);
        for half in [first, whole] {
            // Whoever has gone shows at the client.
            let _ = frames.send(Frame::data(half)).await;
            pass(&gate).await;
        }
    });
    Response::new(channel_body(out).boxed())
}

/// Clients that ask without a pause. Numbers are given before a request is sent: what has a higher one began later.
struct Load {
    next: Arc<AtomicU64>,
    done: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<(u64, String)>>>,
}

impl Load {
    fn start(process: &Process) -> Self {
        let (next, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let one = |user: u64| {
            let (next, done, stop) = (Arc::clone(&next), Arc::clone(&done), Arc::clone(&stop));
            let client = match user % 2 {
                0 => Client::http1(process.data),
                _ => Client::http2(process.data),
            };
            tokio::spawn(async move {
                let (user, mut told) = (user.to_string(), Vec::new());
                while !stop.load(Ordering::SeqCst) {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let reply = client.get(&path(number), &[("x-user-id", &user)]).await;
                    assert_eq!(reply.status(), 200, "{number}: {:?}", reply.body());
                    told.push((number, String::from_utf8_lossy(reply.body()).into_owned()));
                    done.fetch_add(1, Ordering::SeqCst);
                }
                told
            })
        };
        let clients = (0..CONNECTIONS).map(one).collect();
        Self { next, done, stop, clients }
    }

    /// The number of a request that begins now.
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// Waits for this many more replies.
    async fn more(&self, replies: u64) {
        let until = self.done.load(Ordering::SeqCst) + replies;
        let enough = async {
            while self.done.load(Ordering::SeqCst) < until {
                assert!(self.clients.iter().all(|one| !one.is_finished()), "a request failed");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.expect("replies keep coming");
    }

    /// What every client was told, by the numbers of the requests; panics if one of them failed.
    async fn end(self) -> Vec<(u64, String)> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.expect("no request failed"));
        }
        all
    }
}

fn path(number: u64) -> String {
    format!("/api/{number}")
}

/// A reply that `new` holds, of which its client has nothing yet, or the first half.
struct Held {
    number: u64,
    rest: JoinHandle<Vec<u8>>,
}

impl Held {
    async fn begin(process: &Process, load: &Load, kind: &'static str, http2: bool) -> Self {
        let number = load.number();
        let request = Request::get(format!("http://{}{}", process.data, path(number)))
            .header("x-user-id", "held")
            .header("x-held", kind)
            .body(Empty::<Bytes>::new())
            .expect("a request");
        let client: Hyper<HttpConnector, _> =
            Hyper::builder(TokioExecutor::new()).http2_only(http2).build_http();
        let (begun, first) = tokio::sync::oneshot::channel();
        let rest = tokio::spawn(async move {
            let mut body = client.request(request).await.expect("a reply").into_body();
            let (mut bytes, mut begun) = (Vec::new(), Some(begun));
            while let Some(frame) = body.frame().await {
                let frame = frame.expect("a reply that does not break off");
                bytes.extend(frame.into_data().expect("no trailers"));
                if bytes.len() == HALF
                    && let Some(begun) = begun.take()
                {
                    let _ = begun.send(());
                }
            }
            bytes
        });
        if kind == "body" {
            let first = tokio::time::timeout(PATIENCE, first).await.expect("in time");
            first.expect("the first half");
        }
        Self { number, rest }
    }

    async fn ends_whole(self) {
        let rest = tokio::time::timeout(PATIENCE, self.rest).await.expect("it ends");
        let bytes = rest.expect("it does not fail");
        assert_eq!(bytes.len(), 2 * HALF, "{}", self.number);
        assert!(bytes == long("new", self.number), "{} has other bytes", self.number);
    }
}

/// Everybody reads from `new`.
fn set_up(old: &Side, new: &Side) -> Setup {
    let (old, new) = (old.upstream.address(), new.upstream.address());
    let setup = Setup::new("", old);
    let lines = format!(
        "[backends.n]\naddresses = [\"{new}\"]\nconnect-timeout = \"60s\"\ntimeout = \"120s\"\n\
         [migrations.profile]\nold = \"b\"\nnew = \"n\"\nowner = \"team\"\n\
         expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
         routes = [{{ path = \"/api/{{id}}\", methods = [\"GET\"] }}]\nread-percent = 100\n\
         fallback.deadline = \"120s\"\ngates = {{ required = [\"freshness\"], rollback = false }}\n"
    );
    setup.write("", old, &lines);
    setup
}

/// Runs a command to its end, and says how long that took.
#[expect(clippy::disallowed_methods, reason = "a person at a terminal waits in real time")]
async fn typed(process: &Process, setup: &Setup, more: &[&'static str]) -> Duration {
    let (folder, admin) = (setup.folder.path().to_owned(), format!("http://{}", process.admin));
    let more = more.to_vec();
    let run = move || {
        let began = Instant::now();
        let output = cutover(&folder, &[&more[..], &["--admin", &admin]].concat());
        assert_eq!(output.status.code(), Some(0), "{more:?} {}", stderr(&output));
        began.elapsed()
    };
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_moves_what_begins_later_and_lets_end_what_has_begun() {
    let gate = Arc::new(Semaphore::new(0));
    let (old, new) = (Side::start("old", &gate).await, Side::start("new", &gate).await);
    let setup = set_up(&old, &new);
    let process = Process::start(&setup.file, &["--no-watch"]);
    let load = Load::start(&process);
    load.more(500).await;
    let mut held = Vec::new();
    for kind in ["head", "body"] {
        for http2 in [false, true] {
            for _ in 0..HELD {
                held.push(Held::begin(&process, &load, kind, http2).await);
            }
        }
    }
    let all_there = async {
        while !held.iter().all(|held| new.reached().contains(&held.number)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_there).await.expect("new has all that it is to hold");
    assert_eq!(old.reached(), [0; 0], "everybody read from new");

    // The same program, asking the same process under the same load: what it takes longer, it takes to roll back.
    let look = typed(&process, &setup, &["rollback", "profile", "--dry-run"]).await;
    let took = typed(&process, &setup, &["rollback", "profile", "--reason", "a test"]).await;
    let returned = load.number();
    assert!(took < look + LIMIT, "a rollback takes {took:?}, a look {look:?}");

    load.more(1_000).await;
    assert!(held.iter().all(|held| !held.rest.is_finished()), "they were held all the time");
    gate.add_permits(1);
    for held in held {
        held.ends_whole().await;
    }
    load.more(CONNECTIONS).await;
    let sent = load.next.clone();
    let told = load.end().await;

    let late: Vec<_> = new.reached().into_iter().filter(|number| *number > returned).collect();
    assert_eq!(late, [0; 0], "they began after the command, number {returned}, and reached new");
    for (number, body) in &told {
        let side = if new.reached().contains(number) { "new" } else { "old" };
        assert_eq!(*body, format!("{side} {number}"));
    }
    assert!(told.iter().filter(|(number, _)| *number > returned).count() >= 1_000);
    // Each reached one side, once: nothing was lost, and nothing was sent twice. The command itself took a number.
    let mut reached = [new.reached(), old.reached()].concat();
    reached.push(returned);
    reached.sort_unstable();
    let sent: Vec<u64> = (0..sent.load(Ordering::SeqCst)).collect();
    assert!(reached == sent, "{} were sent, {} arrived", sent.len(), reached.len());
}
