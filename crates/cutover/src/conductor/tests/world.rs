//! An engine, a store and a conductor, with users who make requests.

use crate::conductor::{Conductor, Done, OrderError, View, charges};
use crate::config::load;
use crate::mirror::{Doubt, Ended, Shadow};
use crate::store::{AuditRecord, Commit, Loaded, Memory, Receipt, Store, StoreError, Verified};
use crate::testing::{GET, Nothing, StillClock, engine_with};
use crate::{Action, Cause, Engine, Exchange, Outcome, Reason, RequestView, Side};
use cutover_core::compare::{Body, Reply};
use cutover_core::evidence::{Answer, Gate};
use cutover_core::migration::{Actor, Command, Order, Role};
use cutover_core::{Percent, Phase};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::sync::{Arc, Mutex};

/// A canary of 5 % that needs clean requests and time, and nothing else.
pub(super) const CANARY: &str = r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.monolith]
addresses = ["127.0.0.1:9001"]
[backends.profile-service]
addresses = ["127.0.0.1:9002"]
[migrations.profile]
old = "monolith"
new = "profile-service"
owner = "identity team"
expires = 2099-03-01
data = "shared"
key = [{ header = "x-user-id" }]
routes = [{ path = "/api/{id}", methods = ["GET"] }]
read-percent = 5
[migrations.profile.gates]
required = ["errors"]
[migrations.profile.drill]
required = false
[migrations.profile.steps]
percents = [5, 50, 100]
dwell = ["10m", "10m", "10m"]
"#;

pub(super) fn percent(whole: u32) -> Percent {
    Percent::from_thousandths(whole * 1_000)
}

/// A store that can be told to refuse.
#[derive(Debug, Default)]
pub(super) struct Fragile {
    kept: Memory,
    refuses: Mutex<Option<StoreError>>,
}

impl Fragile {
    pub(super) fn fail(&self, error: StoreError) {
        *self.refuses.lock().expect("no test panics with it") = Some(error);
    }

    pub(super) fn mend(&self) {
        *self.refuses.lock().expect("no test panics with it") = None;
    }
}

impl Store for Fragile {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.kept.load()
    }

    fn commit(&self, commit: &Commit) -> Result<Receipt, StoreError> {
        self.health()?;
        self.kept.commit(commit)
    }

    fn save_evidence(&self, evidence: &[(Box<str>, Vec<u64>)]) -> Result<(), StoreError> {
        self.kept.save_evidence(evidence)
    }

    fn audit(
        &self,
        from: u64,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.kept.audit(from, limit, migration)
    }

    fn recent(
        &self,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.kept.recent(limit, migration)
    }

    fn verify(&self) -> Result<Verified, StoreError> {
        self.kept.verify()
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        self.kept.secret(name)
    }

    fn health(&self) -> Result<(), StoreError> {
        let refuses = self.refuses.lock().expect("no test panics with it").clone();
        refuses.map_or(Ok(()), Err)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.kept.close()
    }
}

fn json() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    [(http::header::CONTENT_TYPE, json)].into_iter().collect()
}

fn reply<'a>(headers: &'a HeaderMap, body: &'a str) -> Reply<'a> {
    Reply { status: StatusCode::OK, headers, body: Body::Whole(body.as_bytes()) }
}

/// Both sides say the same again.
pub(super) fn settle(doubt: &mut Doubt, old: &str, new: &str) {
    let json = json();
    assert!(doubt.settle(&reply(&json, old), &reply(&json, new)), "both have answered");
}

/// Everything there is.
pub(super) struct World {
    engine: Arc<Engine>,
    clock: Arc<StillClock>,
    pub(super) store: Arc<Fragile>,
    pub(super) conductor: Conductor,
    heard: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(super) fn new(config: &str) -> Self {
        Self::with(config, StillClock::new(), Arc::default())
    }

    /// Another process with the same store.
    pub(super) fn restarted(&self, config: &str) -> Self {
        self.conductor.save(&self.conductor.lock());
        Self::with(config, Arc::clone(&self.clock), Arc::clone(&self.store))
    }

    fn with(config: &str, clock: Arc<StillClock>, store: Arc<Fragile>) -> Self {
        let engine = Arc::new(engine_with(Arc::clone(&clock)));
        let stage = Arc::clone(&engine) as Arc<dyn crate::Stage>;
        let kept = Arc::clone(&store) as Arc<dyn Store>;
        let conductor = Conductor::new(stage, kept, Arc::clone(&clock) as Arc<dyn crate::Clock>);
        let conductor = conductor.expect("memory can be read");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&heard);
        conductor.listen(move |happened| {
            let told = format!("{} {}", happened.receipt.seq, happened.entry.event.name());
            listener.lock().expect("no test panics with it").push(told);
        });
        let world = Self { engine, clock, store, conductor, heard };
        world.load(config);
        world
    }

    pub(super) fn load(&self, text: &str) {
        let config = load(text, "test.toml", &Nothing).unwrap_or_else(|report| panic!("{report}"));
        let charges = charges(&config, &Nothing);
        let prepared = self.engine.prepare(config.snapshot, &config.plugins, &Nothing);
        let prepared = prepared.expect("it names no plugins").with_plans(&config.plans);
        let mut prepared = prepared.expect("its rules compile");
        self.conductor.adopt(charges, |stand| {
            prepared.restate(stand);
            self.engine.install(prepared)
        });
    }

    /// One second with so many requests, each of another user; they get what `reply` says for their side, after so many
    /// milliseconds. Then a tick.
    pub(super) fn second(&self, requests: u32, reply: impl Fn(Side) -> (StatusCode, u64)) {
        for user in 0..requests {
            self.exchange(&format!("user-{user}"), &reply);
        }
        self.clock.pass(1_000);
        self.conductor.tick();
    }

    pub(super) fn seconds(&self, seconds: u32, requests: u32, reply: impl Fn(Side) -> StatusCode) {
        for _ in 0..seconds {
            self.second(requests, |side| (reply(side), 0));
        }
    }

    /// Minutes of clean traffic.
    pub(super) fn minutes(&self, minutes: u32, requests_a_second: u32) {
        self.seconds(60 * minutes, requests_a_second, |_| StatusCode::OK);
    }

    fn exchange(&self, user: &str, reply: &impl Fn(Side) -> (StatusCode, u64)) -> (Side, Reason) {
        let mut headers = HeaderMap::new();
        headers.insert("x-user-id", user.parse().expect("it is visible ASCII"));
        let request = RequestView::new(&GET, "shop.example", "/api/7", &headers);
        let mut exchange = self.engine.begin(&request).expect("the route is there");
        let side = exchange.side().expect("it belongs to a migration");
        let (status, took_ms) = reply(side);
        self.clock.pass(took_ms);
        let edited = exchange.edit_response(&request, status, &mut HeaderMap::new());
        edited.expect("no plugin guards it");
        let reason = exchange.decision().reason;
        exchange.finish(Outcome::Replied(status));
        (side, reason)
    }

    /// A request of this user that has been sent, and whose reply has not ended.
    pub(super) fn open(&self, user: &str) -> Exchange {
        self.opened(user, false)
    }

    /// The same for a WebSocket.
    pub(super) fn open_socket(&self, user: &str) -> Exchange {
        self.opened(user, true)
    }

    /// The same, where `new` has failed and `old` answers in its place.
    pub(super) fn fallen_back(&self, user: &str) -> Exchange {
        let mut exchange = self.open(user);
        let headers = HeaderMap::new();
        let request = RequestView::new(&GET, "shop.example", "/api/7", &headers);
        let action = exchange.failed(&request, Cause::Connect, None, true, false);
        assert!(matches!(action, Action::Retry(_)) && exchange.side() == Some(Side::Old));
        exchange
    }

    fn opened(&self, user: &str, websocket: bool) -> Exchange {
        let mut headers = HeaderMap::new();
        headers.insert("x-user-id", user.parse().expect("it is visible ASCII"));
        let mut request = RequestView::new(&GET, "shop.example", "/api/7", &headers);
        request.websocket = websocket;
        let exchange = self.engine.begin(&request).expect("the route is there");
        assert_eq!(exchange.side(), Some(Side::New));
        exchange
    }

    /// A request's copy, compared with what `old` said: bodies of JSON.
    pub(super) fn compared(&self, old: &str, new: &str) -> Option<Doubt> {
        let headers = HeaderMap::new();
        let request = RequestView::new(&GET, "shop.example", "/api/7", &headers);
        let exchange = self.engine.begin(&request).expect("the route is there");
        let mut mirrored = exchange.mirror(&request).expect("all are copied");
        mirrored.sent();
        mirrored.ended(Ended::Replied(StatusCode::OK));
        let json = json();
        let doubt = mirrored.compare(&reply(&json, old), &reply(&json, new), "id-1");
        exchange.finish(Outcome::Replied(StatusCode::OK));
        doubt
    }

    /// The same, asked about again if it differs. Did it match?
    pub(super) fn matched(&self, old: &str, new: &str) -> bool {
        let Some(mut doubt) = self.compared(old, new) else { return true };
        settle(&mut doubt, old, new);
        false
    }

    /// Who answers this user, and why.
    pub(super) fn request(&self, user: &str) -> (Side, Reason) {
        self.exchange(user, &|_| (StatusCode::OK, 0))
    }

    pub(super) fn user_on_new(&self) -> String {
        let mut users = (0..1_000).map(|user| format!("user-{user}"));
        users.find(|user| self.request(user).0 == Side::New).expect("5 % of a thousand are some")
    }

    pub(super) fn ana(&self) -> Actor {
        Actor::new("ana", Role::OnCall)
    }

    pub(super) fn order(&self, command: Command) -> Result<Done, OrderError> {
        self.order_of("profile", command)
    }

    pub(super) fn order_of(&self, migration: &str, command: Command) -> Result<Done, OrderError> {
        self.give(migration, self.ana(), command)
    }

    pub(super) fn order_as(
        &self,
        name: &str,
        role: Role,
        command: Command,
    ) -> Result<Done, OrderError> {
        self.give("profile", Actor::new(name, role), command)
    }

    fn give(&self, migration: &str, by: Actor, command: Command) -> Result<Done, OrderError> {
        let view = self.conductor.view(migration, &by);
        let seen = view.map(|view| view.standing.generation());
        self.conductor.order(migration, &Order { command, by, why: "a test".into(), seen })
    }

    pub(super) fn view(&self) -> View {
        self.conductor.view("profile", &self.ana()).expect("it is configured")
    }

    pub(super) fn gate(&self, gate: Gate) -> Answer {
        let answers = self.view().gates.into_iter();
        answers.into_iter().find(|answer| answer.gate == gate).expect("it is watched")
    }

    pub(super) fn missing(&self) -> String {
        let missing = self.view().missing;
        missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    /// What requests see.
    pub(super) fn share(&self) -> Percent {
        self.engine.current().snapshot().migrations()[0].state.read_percent
    }

    pub(super) fn phase(&self) -> Phase {
        self.engine.current().snapshot().migrations()[0].phase
    }

    /// What is known of its mirror.
    pub(super) fn shadow(&self) -> Arc<Shadow> {
        Arc::clone(self.engine.current().shadow_of("profile").expect("it is configured"))
    }

    /// What the last drill showed.
    pub(super) fn drilled(&self) -> String {
        let view = self.view();
        let drilled = view.standing.progress().drilled.as_ref();
        drilled.expect("it is over").to_string()
    }

    pub(super) fn records(&self) -> Vec<AuditRecord> {
        self.conductor.audit(0, 100, None).expect("memory can be read")
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no test panics with it").clone()
    }
}
