//! A route that is declared critical: the step waits for its comparison, however rare it is, and says so everywhere.

use crate::process::{cutover, stderr, stdout};
use crate::world::{Proxy, World, all_to, backend};
use cutover_test::{Client, Upstream};
use serde_json::{Value, json};
use std::time::Duration;

const MIGRATION: &str = "/admin/v1/migrations/profile";

/// A migration that waits for coverage and nothing else.
struct Scene {
    world: World,
    proxy: Proxy,
    users: Client,
    admin: Client,
    _sides: [Upstream; 2],
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let sides = [0, 1].map(|_| world.run(Upstream::answering(200, "same")));
        let [old, new] = sides.each_ref().map(Upstream::address);
        let migration = "[migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"team\"\n\
             expires = 2099-01-01\nkey = [{ header = \"x-user-id\" }]\n\
             routes = [\n  { path = \"/api/{id}\", methods = [\"GET\"] },\n  \
             { path = \"/refunds/{id}\", methods = [\"GET\"], critical = true },\n  \
             { path = \"/search\", methods = [\"POST\"], mirror = true },\n]\n\
             mirror-percent = 100\ncompare.noise = 0\ngates.required = [\"coverage\"]\n";
        let config = [
            backend("old", &[old], ""),
            backend("new", &[new], ""),
            migration.to_owned(),
            all_to("old"),
        ];
        let proxy = Proxy::start(&config.concat());
        let admin = proxy.running().admin_address().expect("it listens");
        let (users, admin) =
            world.run(async { (Client::http1(proxy.address()), Client::http1(admin)) });
        Self { world, proxy, users, admin, _sides: sides }
    }

    fn asks(&self, method: &str, path: &str) {
        let reply = self.world.run(self.users.send(method, path, &[("x-user-id", "a")], ""));
        assert_eq!(reply.status(), 200);
    }

    fn get(&self) -> Value {
        let reply = self.world.run(self.admin.get(MIGRATION, &[]));
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    /// What the gate says of what was compared.
    fn coverage(&self) -> String {
        let shown = self.get();
        let mut gates = shown["gates"].as_array().expect("a list").iter();
        let gate = gates.find(|gate| gate["gate"] == "coverage").expect("it is required");
        gate["text"].as_str().expect("a sentence").to_owned()
    }

    fn promote(&self) -> (u16, Value) {
        let seen = format!("\"{}\"", self.get()["generation"]);
        let path = format!("{MIGRATION}:promote");
        let why = r#"{"reason": "a test"}"#;
        let reply = self.world.run(self.admin.send("POST", &path, &[("if-match", &*seen)], why));
        (reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON"))
    }

    /// Waits until the gate says this.
    fn until(&self, part: &str) {
        for _ in 0..1_000 {
            if self.coverage().contains(part) {
                return;
            }
            self.world.run(async { tokio::time::sleep(Duration::from_millis(10)).await });
        }
        panic!("{part}\n{}", self.coverage());
    }

    /// What a verb of the command line says, on one line.
    fn says(&self, arguments: &[&str], code: i32) -> String {
        let admin = self.proxy.running().admin_address().expect("it listens");
        let admin = format!("http://{admin}");
        let folder = tempfile::tempdir().expect("a folder");
        let output = cutover(folder.path(), &[arguments, &["--admin", &admin]].concat());
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{said}");
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn a_critical_route_that_was_never_compared_blocks_the_step_and_is_named() {
    let scene = Scene::new();
    let missing = "critical and never compared: GET /refunds/{id}";
    assert_eq!(scene.promote().0, 200, "shadow is where it is compared");
    (0..20).for_each(|_| scene.asks("GET", "/api/7"));
    scene.until("100% of the traffic compared (1 of 2 route classes)");
    assert!(scene.coverage().contains(missing), "{}", scene.coverage());

    let (status, refused) = scene.promote();
    assert_eq!((status, &refused["title"]), (409, &"Not yet".into()), "{refused:#}");
    let told = refused["missing"].to_string();
    assert!(told.contains(missing), "{refused:#}");
    for arguments in [&["plan", "profile"][..], &["promote", "profile", "--reason", "x"]] {
        let said = scene.says(arguments, 2);
        assert!(said.contains(missing), "{arguments:?}: {said}");
    }
    let said = scene.says(&["status", "profile"], 0);
    assert!(said.contains(missing), "{said}");

    scene.asks("GET", "/refunds/7");
    scene.until("(2 of 2 route classes)");
    assert!(!scene.coverage().contains("never compared"), "{}", scene.coverage());
    assert_eq!(scene.get()["next"]["missing"], json!([]));
    let (status, done) = scene.promote();
    assert_eq!((status, &done["to"]), (200, &"canary 1%, mirror 100%".into()), "{done:#}");
}

/// What a route declares to read only is copied, so that its traffic counts as reads' does.
#[test]
fn requests_that_are_declared_to_read_count_too() {
    let scene = Scene::new();
    assert_eq!(scene.promote().0, 200);
    scene.asks("GET", "/refunds/7");
    scene.asks("POST", "/search");
    scene.until("100% of the traffic compared (2 of 2 route classes)");
}

/// Whatever becomes critical while it moves is waited for from then on.
#[test]
fn a_reload_can_make_a_route_critical() {
    let scene = Scene::new();
    assert_eq!(scene.promote().0, 200);
    scene.asks("GET", "/refunds/7");
    scene.until("(1 of 1 route classes)");
    let before = scene.get()["evidence"].clone();
    let route = "path = \"/api/{id}\", methods = [\"GET\"]";
    scene.proxy.reload(route, &format!("{route}, critical = true"));
    scene.until("critical and never compared: GET /api/{id}");
    let shown = scene.get();
    assert_ne!(shown["evidence"], before, "it names what the gates look at");
    assert_eq!(shown["epoch"], 0, "what was compared still counts");
    scene.proxy.reload(&format!("{route}, critical = true"), route);
    scene.until("(1 of 1 route classes)");
}
