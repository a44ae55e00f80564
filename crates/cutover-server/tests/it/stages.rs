//! LaunchDarkly's table of migration stages by operation, for the phases that cutover has: who is asked, and who answers.
//!
//! The columns are those of launchdarkly/sdk-test-harness, `sdktests/server_side_migrations.go`. Stages are the nearest
//! ones: reads go as in `off`, `shadow`, `live` and `complete`; writes stay with `old` in all of them, because in
//! cutover moving reads can never move writes. A canary of some of the users is `live` for those who are chosen and
//! `shadow` for the others. A request of each row, of everybody it is about, goes through a real proxy to two upstreams
//! that remember what they were asked.

use crate::world::{Proxy, World, all_to, backend};
use cutover::core::Salt;
use cutover_test::{Client, Seen, Upstream};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const MIGRATION: &str = "/admin/v1/migrations/profile";

/// Who is asked on behalf of a user, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Not,
    /// Its answer is the user's.
    Answers,
    /// It gets a copy.
    Copied,
}

/// Of whom a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Everybody,
    /// Those whose bucket is below 30 %.
    Chosen,
    Others,
}

/// One row: the phase, whom it is about, the nearest stage, who is asked for a read, who is asked for a write.
type Row = (&'static str, Of, &'static str, [Asked; 2], [Asked; 2]);

const OLD_ALONE: [Asked; 2] = [Asked::Answers, Asked::Not];
const NEW_COPIED: [Asked; 2] = [Asked::Answers, Asked::Copied];
const OLD_COPIED: [Asked; 2] = [Asked::Copied, Asked::Answers];

const TABLE: &[Row] = &[
    ("off", Of::Everybody, "off", OLD_ALONE, OLD_ALONE),
    ("shadow", Of::Everybody, "shadow", NEW_COPIED, OLD_ALONE),
    ("canary 30%", Of::Chosen, "live", OLD_COPIED, OLD_ALONE),
    ("canary 30%", Of::Others, "shadow", NEW_COPIED, OLD_ALONE),
    ("canary 100%", Of::Everybody, "live", OLD_COPIED, OLD_ALONE),
    ("reads-new", Of::Everybody, "live", OLD_COPIED, OLD_ALONE),
];

impl Of {
    /// Some of the users that a row is about. Who is chosen follows from the published arithmetic, not from who answers.
    fn users(self) -> Vec<String> {
        let salt = Salt::new("profile");
        let chosen = |user: &String| salt.bucket(user.as_bytes()).number() < 30_000;
        let users = (0..20).map(|number| format!("user-{number}"));
        let users: Vec<_> = users
            .filter(|user| match self {
                Self::Everybody => true,
                Self::Chosen => chosen(user),
                Self::Others => !chosen(user),
            })
            .collect();
        assert!(users.len() >= 4, "{self:?}: {users:?}");
        users
    }
}

/// A migration whose times are so short that only evidence is waited for.
struct Scene {
    world: World,
    _proxy: Proxy,
    sides: [Upstream; 2],
    users: Client,
    admin: Client,
}

impl Scene {
    fn new(routes: &str) -> Self {
        let world = World::new();
        // Alike, or every copy would be asked about once more.
        let sides = [0, 1].map(|_| world.run(Upstream::answering(200, "same")));
        let [old, new] = sides.each_ref().map(Upstream::address);
        let migration = format!(
            "[migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"team\"\n\
             expires = 2099-01-01\ndata = \"shared\"\nkey = [{{ header = \"x-user-id\" }}]\n\
             routes = [{routes}]\nmirror-percent = 100\ncompare.noise = 0\n\
             preflight = {{ observe = \"0s\", requests = 1 }}\n\
             gates = {{ required = [\"freshness\"] }}\ndrill = {{ required = false }}\n\
             steps = {{ percents = [30, 100], dwell = [\"0s\", \"0s\"], soak = \"0s\", quiet = \"0s\" }}\n"
        );
        let config =
            [backend("old", &[old], ""), backend("new", &[new], ""), migration, all_to("old")];
        let proxy = Proxy::start(&config.concat());
        let admin = proxy.running().admin_address().expect("it listens");
        let (users, admin) =
            world.run(async { (Client::http1(proxy.address()), Client::http1(admin)) });
        Self { world, _proxy: proxy, sides, users, admin }
    }

    /// What the admin API says.
    fn get(&self, path: &str) -> Value {
        let reply = self.world.run(self.admin.get(&format!("{MIGRATION}{path}"), &[]));
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    /// Gives an order, under this name, on the generation that is in force.
    fn order(&self, by: &str, path: &str, mut told: Value) -> (u16, Value) {
        told["reason"] = "a test".into();
        let told: &'static str = Box::leak(told.to_string().into_boxed_str());
        let seen = format!("\"{}\"", self.get("")["generation"]);
        let headers = [("if-match", &*seen), ("x-cutover-actor", by)];
        let path = format!("{MIGRATION}{path}");
        let reply = self.world.run(self.admin.send("POST", &path, &headers, told));
        (reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON"))
    }

    fn send(&self, method: &str, user: &str) -> String {
        let user = [("x-user-id", user)];
        let reply = self.world.run(self.users.send(method, "/api/7", &user, ""));
        assert_eq!(reply.status(), 200);
        reply.headers()["x-cutover-side"].to_str().expect("a word").to_owned()
    }

    /// Users read until nothing is missing for the next step but people.
    fn evidence(&self) {
        for _ in 0..2_000 {
            self.send("GET", "a");
            let shown = self.get("");
            let mut missing = shown["next"]["missing"].as_array().expect("a list").iter();
            if missing.all(|blocker| blocker["name"] == "approvals") {
                return;
            }
            self.world.run(async { tokio::time::sleep(Duration::from_millis(10)).await });
        }
        panic!("{:#}", self.get(""));
    }

    /// One request of a user, and who was asked what for it.
    fn asked(&self, method: &str, user: &str, copied: bool) -> [Asked; 2] {
        self.settled();
        let before = self.sides.each_ref().map(Upstream::hits);
        let side = self.send(method, user);
        self.settled();
        let now = self.sides.each_ref().map(Upstream::hits);
        let told = [("old", 0), ("new", 1)].map(|(name, at)| match now[at] - before[at] {
            0 => Asked::Not,
            1 if name == side => Asked::Answers,
            1 => Asked::Copied,
            more => panic!("{name} was asked {more} times"),
        });
        assert_eq!(told.contains(&Asked::Copied), copied, "{told:?}");
        told
    }

    /// Waits until every copy has ended in a comparison, or was not made.
    fn settled(&self) {
        for _ in 0..2_000 {
            let diffs = self.get("/diffs");
            let count = |name: &str| diffs[name].as_u64().expect("a number");
            if count("copied") == count("shed") + count("compared") {
                return;
            }
            self.world.run(async { tokio::time::sleep(Duration::from_millis(5)).await });
        }
        panic!("{:#}", self.get("/diffs"));
    }
}

#[test]
fn reads_go_as_in_the_table_and_writes_reach_old_alone() {
    let scene = Scene::new(
        r#"{ path = "/api/{id}", methods = ["GET"] }, { path = "/api/{id}", methods = ["POST"], write = true }"#,
    );
    for (at, (phase, of, stage, reads, writes)) in TABLE.iter().enumerate() {
        if at > 0 && TABLE[at - 1].0 != *phase {
            scene.evidence();
            let (status, told) = scene.order("ana", ":promote", json!({}));
            assert_eq!(status, 200, "{phase}: {told:#}");
        }
        assert_eq!(scene.get("")["position"], *phase);
        let copied = reads.contains(&Asked::Copied);
        for user in of.users() {
            let row = format!("{phase}, nearest {stage}, {user}");
            assert_eq!(scene.asked("GET", &user, copied), *reads, "{row}: a read");
            assert_eq!(scene.asked("POST", &user, false), *writes, "{row}: a write");
        }
    }
    let is_write = |seen: &Seen| seen.method == Method::POST;
    let written = scene.sides.each_ref().map(|side| side.seen().iter().any(is_write));
    assert_eq!(written, [true, false]);

    // What moves writes is refused, not faked.
    for (path, told) in [(":switchTraffic", json!({ "writes": true })), (":promote", json!({}))] {
        scene.evidence();
        let (status, problem) = scene.order("ana", path, told);
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(matches!(status, 409 | 422) && detail.contains("write"), "{status} {problem:#}");
    }
    assert_eq!(scene.get("")["position"], "reads-new");
}

/// Without a write route a migration ends: `new` alone is asked, as in the last stage.
#[test]
fn a_migration_without_writes_ends_with_new_alone() {
    let scene = Scene::new(r#"{ path = "/api/{id}", methods = ["GET"] }"#);
    for phase in ["shadow", "canary 30%", "canary 100%", "reads-new"] {
        scene.evidence();
        let (status, told) = scene.order("ana", ":promote", json!({}));
        assert_eq!((status, &scene.get("")["position"]), (200, &phase.into()), "{told:#}");
    }
    scene.evidence();
    let complete = json!({ "confirm": "profile" });
    let (status, refused) = scene.order("ana", ":complete", complete.clone());
    assert_eq!(status, 409, "it takes two people: {refused:#}");
    let evidence = scene.get("")["evidence"].clone();
    let (status, told) =
        scene.order("ben", "/approvals", json!({ "evidence": evidence, "to": "complete" }));
    assert_eq!(status, 200, "{told:#}");
    let (status, told) = scene.order("ana", ":complete", complete);
    assert_eq!((status, &scene.get("")["position"]), (200, &"complete".into()), "{told:#}");
    assert_eq!(scene.asked("GET", "a", false), [Asked::Not, Asked::Answers]);
}
