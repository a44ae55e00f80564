//! A migration between two upstreams that say the same, behind a running server: users who ask, and people who look and
//! order over the admin API and by the command line.

use crate::process::{cutover, stderr, stdout};
use crate::world::{Proxy, World, all_to, backend};
use cutover_test::{Client, Upstream, text};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

const MIGRATION: &str = "/admin/v1/migrations/profile";

pub(crate) struct Scene {
    world: World,
    pub(crate) proxy: Proxy,
    users: Client,
    admin: Client,
    old_answers: Arc<AtomicU16>,
    _sides: [Upstream; 2],
}

impl Scene {
    /// With these lines of the migration, and these of `old`.
    pub(crate) fn new(lines: &str, old_lines: &str) -> Self {
        let world = World::new();
        let old_answers = Arc::new(AtomicU16::new(200));
        let told = Arc::clone(&old_answers);
        let old = Upstream::start(move |_| {
            let status = told.load(Ordering::SeqCst);
            async move { text(status, "same") }
        });
        let sides = [world.run(old), world.run(Upstream::answering(200, "same"))];
        let [old, new] = sides.each_ref().map(Upstream::address);
        let migration = format!(
            "[migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"team\"\n\
             expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
             mirror-percent = 100\ncompare.noise = 0\n{lines}\n"
        );
        let config = [
            backend("old", &[old], old_lines),
            backend("new", &[new], ""),
            migration,
            all_to("old"),
        ];
        let proxy = Proxy::start(&config.concat());
        let admin = proxy.running().admin_address().expect("it listens");
        let (users, admin) =
            world.run(async { (Client::http1(proxy.address()), Client::http1(admin)) });
        Self { world, proxy, users, admin, old_answers, _sides: sides }
    }

    /// From now on `old` answers everybody with this status.
    pub(crate) fn old_answers(&self, status: u16) {
        self.old_answers.store(status, Ordering::SeqCst);
    }

    /// What a user gets.
    pub(crate) fn asks(&self, method: &str, path: &str) -> u16 {
        let reply = self.world.run(self.users.send(method, path, &[("x-user-id", "a")], ""));
        reply.status().as_u16()
    }

    /// The migration as the API shows it.
    pub(crate) fn get(&self) -> Value {
        let reply = self.world.run(self.admin.get(MIGRATION, &[]));
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    /// What a gate says; `None`: it is not asked.
    pub(crate) fn gate(&self, name: &str) -> Option<Value> {
        let shown = self.get();
        let gates = shown["gates"].as_array().expect("a list");
        gates.iter().find(|gate| gate["gate"] == name).cloned()
    }

    /// Its sentence.
    pub(crate) fn told(&self, gate: &str) -> String {
        let gate = self.gate(gate).expect("it is asked");
        gate["text"].as_str().expect("a sentence").to_owned()
    }

    pub(crate) fn promote(&self) -> (u16, Value) {
        let seen = format!("\"{}\"", self.get()["generation"]);
        let path = format!("{MIGRATION}:promote");
        let why = r#"{"reason": "a test"}"#;
        let reply = self.world.run(self.admin.send("POST", &path, &[("if-match", &*seen)], why));
        (reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON"))
    }

    /// Waits for it, doing something meanwhile.
    pub(crate) fn until(&self, is_so: impl Fn() -> bool, meanwhile: impl Fn()) {
        for _ in 0..2_000 {
            if is_so() {
                return;
            }
            meanwhile();
            self.world.run(async { tokio::time::sleep(Duration::from_millis(10)).await });
        }
        panic!("{:#}", self.get());
    }

    /// What a verb of the command line says, on one line.
    pub(crate) fn says(&self, arguments: &[&str], code: i32) -> String {
        let admin = self.proxy.running().admin_address().expect("it listens");
        let admin = format!("http://{admin}");
        let folder = tempfile::tempdir().expect("a folder");
        let output = cutover(folder.path(), &[arguments, &["--admin", &admin]].concat());
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{said}");
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What a scrape finds.
    pub(crate) fn metrics(&self) -> String {
        let reply = self.world.run(self.admin.get("/metrics", &[]));
        String::from_utf8_lossy(reply.body()).into_owned()
    }
}
