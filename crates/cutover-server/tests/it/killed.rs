//! SIGKILL under load and under a stream of orders: every order that was acknowledged is there when the proxy has started
//! again, at most the one that was under way besides it, and users are where that puts them from the first request on.

use crate::process::{PATIENCE, Process, Setup};
use bytes::Bytes;
use cutover::core::{Percent, Salt};
use cutover_test::Upstream;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

const MIGRATION: &str = "/admin/v1/migrations/profile";

/// How often it is killed.
const KILLS: u64 = 10;

/// Users, each of whom asks again and again.
const USERS: u64 = 60;

/// Replies that are looked at after each start, before anything moves again.
const REPLIES: usize = 150;

/// Numbers that look like chance, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// Where the migration stands, as far as orders move it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    generation: u64,
    position: Position,
    mirror: u64,
    paused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Canary(u64),
    ReadsNew,
}

impl Position {
    fn percent(self) -> u64 {
        match self {
            Self::Canary(percent) => percent,
            Self::ReadsNew => 100,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Promote,
    SetWeight(u64),
    MirrorTraffic(u64),
    Pause,
    Resume,
}

impl Order {
    fn any(dice: &mut Dice) -> Self {
        match dice.below(6) {
            0 | 1 => Self::Promote,
            // Some of the users are in it: without them nothing is observed.
            2 => Self::SetWeight(10 + dice.below(90)),
            3 => Self::MirrorTraffic(dice.below(101)),
            4 => Self::Pause,
            _ => Self::Resume,
        }
    }

    /// As the API is told.
    fn told(self) -> (&'static str, Value) {
        let why = "a test";
        match self {
            Self::Promote => (":promote", json!({ "reason": why })),
            Self::SetWeight(percent) => {
                (":setWeight", json!({ "reason": why, "percent": percent }))
            }
            Self::MirrorTraffic(percent) => {
                (":mirrorTraffic", json!({ "reason": why, "percent": percent }))
            }
            Self::Pause => (":pause", json!({ "reason": why })),
            Self::Resume => (":resume", json!({ "reason": why })),
        }
    }
}

impl State {
    /// After an order that is not refused.
    fn after(&self, order: Order) -> Self {
        let mut next = Self { generation: self.generation + 1, ..self.clone() };
        match order {
            Order::Promote => {
                let step = [10, 50, 100].into_iter().find(|step| *step > self.position.percent());
                next.position = step.map_or(Position::ReadsNew, Position::Canary);
            }
            Order::SetWeight(percent) => next.position = Position::Canary(percent),
            Order::MirrorTraffic(percent) => next.mirror = percent,
            Order::Pause => next.paused = true,
            Order::Resume => next.paused = false,
        }
        next
    }

    /// As the API shows it.
    fn shown(migration: &Value) -> Self {
        let text = |key: &str| migration[key].as_str().expect("text").to_owned();
        let percent = |text: &str| text.trim_end_matches('%').parse().expect("a whole percent");
        let position = match text("position").strip_prefix("canary ") {
            Some(share) => Position::Canary(percent(share)),
            None => Position::ReadsNew,
        };
        assert_eq!(percent(&text("readPercent")), position.percent(), "{migration:#}");
        Self {
            generation: migration["generation"].as_u64().expect("a number"),
            position,
            mirror: percent(&text("mirrorPercent")),
            paused: migration["overlays"].as_array().expect("a list").contains(&"paused".into()),
        }
    }

    /// Who serves a user's reads.
    fn side_of(&self, user: u64) -> &'static str {
        let share = Percent::from_thousandths(self.position.percent() as u32 * 1_000);
        let bucket = Salt::new("profile").bucket(user.to_string().as_bytes());
        if share.admits(bucket) { "new" } else { "old" }
    }
}

/// A client that lives with a proxy that is gone.
#[derive(Clone)]
struct Asker(Hyper<HttpConnector, Full<Bytes>>);

impl Asker {
    fn new() -> Self {
        Self(Hyper::builder(TokioExecutor::new()).build_http())
    }

    /// A whole reply, or nothing.
    async fn ask(&self, request: Request<Full<Bytes>>) -> Option<Response<Bytes>> {
        let reply = async {
            let (head, body) = self.0.request(request).await.ok()?.into_parts();
            Some(Response::from_parts(head, body.collect().await.ok()?.to_bytes()))
        };
        tokio::time::timeout(PATIENCE, reply).await.expect("a reply, or none, in time")
    }

    async fn get(&self, address: SocketAddr, path: &str) -> Value {
        let request = Request::get(format!("http://{address}{path}")).body(Full::default());
        let reply = self.ask(request.expect("a request")).await.expect("a reply");
        assert_eq!(reply.status(), 200, "{path} {:?}", reply.body());
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    /// Waits until the gates have seen what users do, without which nobody is promoted.
    async fn waits_for_evidence(&self, admin: SocketAddr) {
        let fresh = async {
            loop {
                let shown = self.get(admin, MIGRATION).await;
                let silent = shown["next"]["missing"].to_string().contains("silent");
                let mut gates = shown["gates"].as_array().expect("a list").iter();
                let fresh = gates.any(|g| g["gate"] == "freshness" && g["verdict"] == "pass");
                if fresh && !silent {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, fresh).await.expect("users are observed");
    }

    /// Gives an order. `None`: the proxy went before it answered.
    async fn order(&self, admin: SocketAddr, order: Order, seen: u64) -> Option<(u16, Value)> {
        let (verb, told) = order.told();
        let request = Request::post(format!("http://{admin}{MIGRATION}{verb}"))
            .header("if-match", format!("\"{seen}\""))
            .body(Full::from(told.to_string()));
        let reply = self.ask(request.expect("a request")).await?;
        Some((reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON")))
    }
}

/// What is going on. Its number grows; a reply belongs to a time if that has not passed since it was asked for.
#[derive(Debug, Default)]
struct Time(AtomicU64);

impl Time {
    fn passes(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Users who ask without end, also while nobody is there to answer.
struct Users {
    time: Arc<Time>,
    stop: Arc<AtomicBool>,
    /// User, side, and the time in which that was asked and answered; and the times in which nothing was answered.
    told: Arc<Mutex<Vec<(u64, String, u64)>>>,
    failed: Arc<Mutex<Vec<u64>>>,
    asking: Vec<JoinHandle<()>>,
}

impl Users {
    fn start(data: SocketAddr) -> Self {
        let (time, stop) = (Arc::new(Time::default()), Arc::new(AtomicBool::new(false)));
        let (told, failed) = (Arc::default(), Arc::default());
        let mut users = Self { time, stop, told, failed, asking: Vec::new() };
        for first in 0..8 {
            let (time, stop) = (Arc::clone(&users.time), Arc::clone(&users.stop));
            let (told, failed) = (Arc::clone(&users.told), Arc::clone(&users.failed));
            users.asking.push(tokio::spawn(async move {
                let client = Asker::new();
                let mut mine = (first..USERS).step_by(8).cycle();
                while let Some(user) = mine.next().filter(|_| !stop.load(Ordering::SeqCst)) {
                    let request = Request::get(format!("http://{data}/api/{user}"))
                        .header("x-user-id", user.to_string())
                        .body(Full::default());
                    let began = time.now();
                    let reply = client.ask(request.expect("a request")).await;
                    let whole = time.now() == began;
                    match reply.filter(|reply| reply.status() == 200) {
                        Some(reply) if whole && !is_stand_in(&reply) => {
                            let side = String::from_utf8_lossy(reply.body()).into_owned();
                            told.lock().expect("no panic").push((user, side, began));
                        }
                        None if whole => failed.lock().expect("no panic").push(began),
                        Some(_) | None => {}
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }));
        }
        users
    }

    /// What was asked and answered in a time.
    fn told_in(&self, time: u64) -> Vec<(u64, String)> {
        let told = self.told.lock().expect("no panic");
        told.iter().filter(|told| told.2 == time).map(|told| (told.0, told.1.clone())).collect()
    }

    fn failed_in(&self, time: u64) -> usize {
        self.failed.lock().expect("no panic").iter().filter(|failed| **failed == time).count()
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        for asking in self.asking {
            asking.await.expect("no panic");
        }
    }
}

/// `old` for once: that is no change of sides.
fn is_stand_in(reply: &Response<Bytes>) -> bool {
    reply.headers()["x-cutover-reason"] == "fallback"
        || reply.headers()["x-cutover-reason"] == "breaker"
}

/// At the first start 37 % of the users read from `new`, which no step of the course is.
async fn set_up() -> (Setup, [Upstream; 2], SocketAddr) {
    let (old, new) = (Upstream::named("old").await, Upstream::named("new").await);
    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let server = format!("listen = [\"{free}\"]\ndebug-headers = true");
    let setup = Setup::new(&server, old.address());
    let lines = format!(
        "[backends.n]\naddresses = [\"{}\"]\nconnect-timeout = \"60s\"\ntimeout = \"120s\"\n\
         [migrations.profile]\nold = \"b\"\nnew = \"n\"\nowner = \"team\"\n\
         expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
         routes = [{{ path = \"/api/{{id}}\", methods = [\"GET\"] }}]\nread-percent = 37\n\
         compare = {{ ignore = [\"\"] }}\nfallback.deadline = \"120s\"\n\
         gates = {{ required = [\"freshness\"], rollback = false, latency = 100, errors = \"10%\", fallbacks = \"10%\" }}\n\
         drill = {{ required = false }}\n\
         steps = {{ percents = [10, 50, 100], dwell = [\"0s\", \"0s\", \"0s\"], soak = \"0s\", quiet = \"0s\" }}\n",
        new.address()
    );
    setup.write(&server, old.address(), &lines);
    (setup, [old, new], free)
}

/// Orders that the proxy has acknowledged.
#[derive(Default)]
struct Receipts {
    all: Vec<String>,
    promotions: usize,
}

/// Gives orders until the proxy is gone; where it stands as far as was acknowledged, and what was under way.
async fn orders_until_it_dies(
    admin: SocketAddr,
    mut state: State,
    dice: &mut Dice,
    receipts: &mut Receipts,
) -> (State, Order) {
    let client = Asker::new();
    loop {
        let order = Order::any(dice);
        let Some((status, told)) = client.order(admin, order, state.generation).await else {
            return (state, order);
        };
        if status != 200 {
            if !matches!(status, 409 | 422) {
                let last = client.get(admin, "/admin/v1/audit?last=2").await;
                panic!("{order:?} in {state:?}: {status} {told:#} {last:#}");
            }
            continue;
        }
        state = state.after(order);
        assert_eq!(told["generation"], state.generation, "{order:?} {told:#}");
        receipts.all.push(told["receipt"].as_str().expect("a receipt").to_owned());
        receipts.promotions += usize::from(matches!(order, Order::Promote));
    }
}

/// Every receipt names a record that is in the log, and the log is whole.
async fn are_kept(receipts: &Receipts, admin: SocketAddr) {
    let client = Asker::new();
    let whole = client.get(admin, "/admin/v1/audit:verify").await;
    assert_eq!(whole["whole"], true, "{whole:#}");
    let (mut kept, mut from) = (BTreeSet::new(), Some(1));
    while let Some(first) = from {
        let log = client.get(admin, &format!("/admin/v1/audit?from={first}&limit=1000")).await;
        for record in log["records"].as_array().expect("a list") {
            let hash = record["hash"].as_str().expect("text");
            kept.insert(format!("{}:{}", record["seq"], &hash[..16]));
        }
        from = log["next"].as_u64();
    }
    for receipt in &receipts.all {
        assert!(kept.contains(receipt), "{receipt} was acknowledged, and is not in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill_and_users_stay_where_it_puts_them() {
    let (setup, _sides, data) = set_up().await;
    let (mut dice, mut receipts) = (Dice(3), Receipts::default());
    let mut process = Process::start(&setup.file, &["--no-watch"]);
    let users = Users::start(data);
    let client = Asker::new();
    let mut state = State::shown(&client.get(process.admin, MIGRATION).await);
    assert_eq!((state.generation, state.position), (0, Position::Canary(37)));
    for kill in 0..KILLS {
        // It serves, and takes orders.
        client.waits_for_evidence(process.admin).await;
        users.time.passes();
        let serving = users.time.now();
        let (time, pid) = (Arc::clone(&users.time), process.pid().to_string());
        let after = Duration::from_millis(100 + dice.below(900));
        let killer = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            // It dies.
            time.passes();
            Command::new("kill").args(["-KILL", &pid]).status().expect("kill runs")
        });
        let admin = process.admin;
        let (acknowledged, under_way) =
            orders_until_it_dies(admin, state, &mut dice, &mut receipts).await;
        assert!(killer.await.expect("it kills").success());
        assert_eq!(process.wait(), None, "it was killed");
        assert_eq!(users.failed_in(serving), 0, "nothing failed before");
        // It is gone, and comes back.
        users.time.passes();
        let back = users.time.now();
        process = Process::start(&setup.file, &["--no-watch"]);
        state = State::shown(&client.get(process.admin, MIGRATION).await);
        assert!(
            state == acknowledged || state == acknowledged.after(under_way),
            "kill {kill}: {acknowledged:?} was acknowledged, {under_way:?} under way, and now {state:?}"
        );
        let told = async {
            while users.told_in(back).len() < REPLIES {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("users are served again");
        for (user, side) in users.told_in(back) {
            assert_eq!(side, state.side_of(user), "kill {kill}: user {user} in {state:?}");
        }
        are_kept(&receipts, process.admin).await;
    }
    users.end().await;
    let Receipts { all, promotions } = receipts;
    assert!(all.len() > 10 && promotions > 0, "{} receipts, {promotions} promotions", all.len());
}
