//! A field that differs becomes a rule to ignore while the proxy runs, and counts again when somebody says so.

use crate::world::{Proxy, World, all_to, backend, migration};
use cutover_test::{Client, Upstream, text};
use serde_json::{Value, json};
use std::time::Duration;

const MIGRATION: &str = "/admin/v1/migrations/profile";

/// Two services whose dates differ, and nothing else; every read is compared.
struct Scene {
    world: World,
    proxy: Option<Proxy>,
    _sides: [Upstream; 2],
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let dated = |date: &'static str| {
            let body = json!({ "id": 7, "joined": date }).to_string();
            world.run(Upstream::start(move |_| {
                let mut reply = text(200, body.clone());
                let kind = "application/json".parse().expect("visible");
                reply.headers_mut().insert("content-type", kind);
                async move { reply }
            }))
        };
        let sides = [dated("2026-01-02"), dated("02.01.2026")];
        let [old, new] = sides.each_ref().map(Upstream::address);
        let compare = "read-percent = 0\nmirror-percent = 100\ncompare.recheck = \"1ms\"\ncompare.noise = 0\n";
        let config = [
            backend("old", &[old], ""),
            backend("new", &[new], ""),
            migration(compare),
            all_to("old"),
        ];
        let proxy = Some(Proxy::start(&config.concat()));
        Self { world, proxy, _sides: sides }
    }

    fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("it runs")
    }

    fn admin(&self) -> Client {
        let address = self.proxy().running().admin_address().expect("it listens");
        self.world.run(async { Client::http1(address) })
    }

    fn get(&self, path: &str) -> Value {
        let reply = self.world.run(self.admin().get(&format!("{MIGRATION}{path}"), &[]));
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    fn order(&self, verb: &str, headers: &[(&str, &str)], told: &Value) -> (u16, Value) {
        let told: &'static str = Box::leak(told.to_string().into_boxed_str());
        let path = format!("{MIGRATION}{verb}");
        let reply = self.world.run(self.admin().send("POST", &path, headers, told));
        (reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON"))
    }

    /// Users read until the differences are such.
    fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let users = self.world.client(self.proxy());
        for _ in 0..2_000 {
            let reply = self.world.run(users.get("/api/7", &[("x-user-id", "a")]));
            assert_eq!(reply.status(), 200);
            let diffs = self.get("/diffs");
            if fits(&diffs) {
                return diffs;
            }
            self.world.run(async { tokio::time::sleep(Duration::from_millis(5)).await });
        }
        panic!("{what} did not come: {:#}", self.get("/diffs"));
    }

    /// So many more comparisons have come to an answer.
    fn compared(&self, more: u64) -> Value {
        let count = |diffs: &Value| diffs["compared"].as_u64().expect("a number");
        let before = count(&self.get("/diffs"));
        self.until("more comparisons", |diffs| count(diffs) >= before + more)
    }
}

fn names(diffs: &Value, field: &str) -> bool {
    diffs["groups"].as_array().expect("a list").iter().any(|group| group["field"] == field)
}

#[test]
fn a_difference_becomes_a_rule_that_survives_a_restart_and_can_be_taken_back() {
    let mut scene = Scene::new();
    let diffs = scene.until("the difference", |diffs| names(diffs, "/joined"));
    let ignore = &diffs["groups"][0]["ignore"];
    assert_eq!(*ignore, json!({ "list": "ignore", "rule": "/joined" }));
    let told = json!({ "rule": ignore["rule"], "list": ignore["list"], "reason": "it is meant" });

    let dry = json!({ "rule": "/joined", "reason": "x", "dryRun": true });
    assert_eq!(scene.order(":ignore", &[], &dry).0, 200);
    assert_eq!(scene.get("/ignores")["rules"], json!([]), "nothing was done");

    let epoch = scene.get("")["epoch"].as_u64().expect("a number");
    let (status, done) = scene.order(":ignore", &[("if-match", "\"0\"")], &told);
    assert_eq!(status, 200, "{done:#}");
    let warnings = done["warnings"].to_string();
    assert!(warnings.contains("begins anew"), "{warnings}");
    assert_eq!(scene.get("")["epoch"], epoch + 1, "what was seen so far is about other rules");
    let history = scene.get("/history?limit=1");
    let record = &history["records"][0];
    assert_eq!((&record["event"], &record["why"]), (&"ignore".into(), &"it is meant".into()));
    assert!(record["command"].as_str().is_some_and(|text| text.contains("/joined")), "{record}");

    let after = scene.compared(20);
    assert_eq!(after["groups"], json!([]), "{after:#}");
    assert_eq!(after["added"][0]["by"], "local (admin)");
    let (status, again) = scene.order(":ignore", &[], &told);
    assert_eq!(status, 409, "{again:#}");

    scene.proxy = Some(scene.proxy.take().expect("it runs").restarted());
    let rules = scene.get("/ignores")["rules"].clone();
    assert_eq!((&rules[0]["rule"], &rules[0]["source"]), (&"/joined".into(), &"added".into()));
    assert_eq!(scene.compared(20)["groups"], json!([]));
    assert_eq!(scene.get("")["addedRules"], 1);

    let (status, done) = scene.order(":unignore", &[], &told);
    assert_eq!(status, 200, "{done:#}");
    scene.until("the difference", |diffs| names(diffs, "/joined"));
    assert_eq!(scene.get("/ignores")["rules"], json!([]));
}

#[test]
fn what_would_silence_too_much_or_means_nothing_is_refused_and_changes_nothing() {
    let scene = Scene::new();
    for (verb, told, status, part) in [
        (":ignore", json!({ "reason": "x" }), 422, "rule"),
        (":ignore", json!({ "rule": "", "reason": "x" }), 422, "whole body"),
        (":ignore", json!({ "rule": "/*", "reason": "x" }), 422, "whole body"),
        (":ignore", json!({ "rule": "header:*", "reason": "x" }), 422, "header"),
        (":ignore", json!({ "rule": "joined", "reason": "x" }), 422, "joined"),
        (":ignore", json!({ "rule": "/a", "list": "every", "reason": "x" }), 422, "unordered"),
        (":ignore", json!({ "rule": "/a", "reason": " " }), 400, "reason"),
        (":ignore", json!({ "rule": "/a".repeat(300), "reason": "x" }), 422, "512 bytes"),
        (":unignore", json!({ "rule": "/a", "reason": "x" }), 422, "no such rule"),
    ] {
        let (found, problem) = scene.order(verb, &[], &told);
        assert_eq!(found, status, "{told} {problem:#}");
        let said = format!("{} {}", problem["title"], problem["detail"]);
        assert!(said.contains(part), "{told} {said}");
    }
    let told = json!({ "rule": "/a", "reason": "x" });
    assert_eq!(scene.order(":ignore", &[("if-match", "\"7\"")], &told).0, 412);
    assert_eq!(scene.get("/ignores")["rules"], json!([]));
    assert_eq!(scene.get("")["generation"], 0);
}
