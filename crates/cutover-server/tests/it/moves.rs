//! A migration moved over the admin API and by the command line, against a running proxy.

use crate::process::{PATIENCE, Process, Setup, cutover, stderr, stdout};
use cutover_test::{Client, Upstream, send};
use http::Response;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// A proxy with a canary of half of the users, whose times are so short that only evidence is waited for.
struct Scene {
    process: Process,
    setup: Setup,
    _old: Upstream,
    _new: Upstream,
}

const MIGRATION: &str = "/admin/v1/migrations/profile";

impl Scene {
    async fn new(more: &str) -> Self {
        let (old, new) = (Upstream::named("old").await, Upstream::named("new").await);
        let setup = Setup::new("", old.address());
        let lines = format!(
            "[backends.n]\naddresses = [\"{}\"]\n\
             [migrations.profile]\nold = \"b\"\nnew = \"n\"\nowner = \"team\"\n\
             expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
             routes = [{{ path = \"/api/{{id}}\", methods = [\"GET\"] }}]\nread-percent = 50\n\
             gates = {{ required = [\"freshness\"] }}\ndrill = {{ required = false }}\n\
             steps = {{ percents = [50, 100], dwell = [\"0s\", \"0s\"], soak = \"0s\", quiet = \"0s\" }}\n\
             {more}\n",
            new.address()
        );
        setup.write("", old.address(), &lines);
        let process = Process::start(&setup.file, &["--no-watch"]);
        Self { process, setup, _old: old, _new: new }
    }

    fn admin(&self) -> Client {
        Client::http1(self.process.admin)
    }

    /// Requests of users, until the gates have seen some.
    async fn evidence(&self) {
        let (users, admin) = (Client::http1(self.process.data), self.admin());
        for user in 0..2_000_u32 {
            let reply = users.get("/api/1", &[("x-user-id", &user.to_string())]).await;
            assert_eq!(reply.status(), 200);
            let missing = get(&admin, MIGRATION).await["next"]["missing"].clone();
            if missing == json!([]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:#}", get(&admin, MIGRATION).await);
    }

    /// Who answers this many users.
    async fn answered_by_new(&self, users: u32) -> usize {
        let client = Client::http1(self.process.data);
        let mut count = 0;
        for user in 0..users {
            let reply = client.get("/api/1", &[("x-user-id", &user.to_string())]).await;
            count += usize::from(reply.body() == "new");
        }
        count
    }

    /// A verb of the command line.
    fn verb(&self, arguments: &[&str]) -> Output {
        let admin = format!("http://{}", self.process.admin);
        cutover(self.setup.folder.path(), &[arguments, &["--admin", &admin]].concat())
    }

    /// The same, which is expected to end like this and say that.
    fn says(&self, arguments: &[&str], code: i32, parts: &[&str]) -> String {
        let output = self.verb(arguments);
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{said}");
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: {part}\n{said}");
        }
        let wide = said.lines().find(|line| line.chars().count() > 80 && !line.contains("http"));
        assert_eq!(wide, None, "{arguments:?}\n{said}");
        said
    }
}

fn body(reply: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_else(|_| panic!("{:?}", reply.body()))
}

async fn get(client: &Client, path: &str) -> Value {
    let reply = client.get(path, &[]).await;
    assert_eq!(reply.status(), 200, "{path} {:?}", reply.body());
    body(&reply)
}

/// An order, with these headers besides.
async fn order(
    client: &Client,
    path: &str,
    headers: &[(&str, &str)],
    told: &'static str,
) -> (u16, Value) {
    let reply = client.send("POST", &format!("{MIGRATION}{path}"), headers, told).await;
    let problem = reply.headers()["content-type"] == "application/problem+json";
    assert_eq!(problem, !reply.status().is_success());
    (reply.status().as_u16(), body(&reply))
}

const WHY: &str = r#"{"reason": "a test"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn forward_takes_evidence_and_the_generation_that_was_seen() {
    let scene = Scene::new("").await;
    let client = scene.admin();
    let first = client.get(MIGRATION, &[]).await;
    assert_eq!(first.headers()["etag"], "\"0\"");
    let first = body(&first);
    assert_eq!((&first["position"], &first["health"]), (&"canary 50%".into(), &"ok".into()));
    let seen = [("if-match", "\"0\"")];

    assert_eq!(order(&client, ":promote", &seen, "").await.0, 400, "a reason is needed");
    assert_eq!(order(&client, ":promote", &[], WHY).await.0, 428, "a generation is needed");
    let (status, refused) = order(&client, ":promote", &seen, WHY).await;
    assert_eq!((status, &refused["title"]), (409, &"Not yet".into()), "{refused:#}");
    let names: Vec<_> = refused["missing"].as_array().expect("a list").iter().collect();
    assert!(names.iter().any(|missing| missing["name"] == "silent"), "{refused:#}");

    scene.evidence().await;
    let (status, plan) = order(&client, ":promote?dryRun=All", &seen, WHY).await;
    assert_eq!((status, &plan["missing"]), (200, &json!([])), "{plan:#}");
    assert!(plan["actions"].as_array().is_some_and(|actions| actions.len() > 1), "{plan:#}");
    assert_eq!(get(&client, MIGRATION).await["generation"], 0, "nothing was done");

    let once = [("if-match", "\"0\""), ("idempotency-key", "k1")];
    let (status, done) = order(&client, ":promote", &once, WHY).await;
    assert_eq!((status, &done["to"]), (200, &"canary 100%".into()), "{done:#}");
    assert_eq!(order(&client, ":promote", &once, WHY).await, (200, done), "done once");
    assert_eq!(scene.answered_by_new(20).await, 20);
    assert_eq!(order(&client, ":promote", &seen, WHY).await.0, 412, "seen too long ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn back_is_one_order_and_in_force_for_the_next_request() {
    let scene = Scene::new("").await;
    let client = scene.admin();
    assert!(scene.answered_by_new(40).await > 0);
    let cost = get(&client, &format!("{MIGRATION}/rollback-cost")).await;
    assert_eq!((&cost["possible"], &cost["writesLost"]), (&true.into(), &0.into()), "{cost:#}");

    let (status, done) = order(&client, ":rollback", &[], WHY).await;
    assert_eq!(status, 200, "{done:#}");
    assert_eq!(scene.answered_by_new(40).await, 0);
    let state = get(&client, &format!("{MIGRATION}/status")).await;
    assert_eq!((&state["health"], &state["overlays"]), (&"failed".into(), &json!(["rolled-back"])));

    let history = get(&client, &format!("{MIGRATION}/history?limit=1")).await;
    let record = &history["records"][0];
    assert_eq!((&record["event"], &record["why"]), (&"rollback".into(), &"a test".into()));
    let audit = get(&client, "/admin/v1/audit?migration=profile").await;
    assert_eq!(audit["records"][0], *record);
    let whole = get(&client, "/admin/v1/audit:verify").await;
    assert_eq!((&whole["whole"], &whole["records"]), (&true.into(), &1.into()));
    let receipt = done["receipt"].as_str().expect("a receipt");
    assert!(whole["head"].as_str().is_some_and(|head| head.contains(&receipt[2..])), "{whole}");

    let (status, _) = order(&client, ":retry", &[], WHY).await;
    assert_eq!(status, 200);
    assert_eq!(get(&client, MIGRATION).await["position"], "shadow");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_said_and_changes_nothing() {
    let scene = Scene::new("").await;
    let client = scene.admin();
    for (path, told, status, part) in [
        (":promot", WHY, 404, "promote"),
        (":pause", r#"{"reason": "x", "percent": 5}"#, 400, "percent"),
        (":pause", "[]", 400, "JSON object"),
        (":pause", "{", 400, "JSON object"),
        (":pause?percent=5", WHY, 400, "percent"),
        (":pause", r#"{"reason": "  "}"#, 400, "reason"),
        (":setWeight", WHY, 422, "percent"),
        (":setWeight", r#"{"reason": "x", "percent": "half"}"#, 422, "percent"),
        (":rollback", r#"{"reason": "x", "to": 5, "now": true}"#, 422, "one of"),
        (":rollback", r#"{"reason": "x", "graded": "soon"}"#, 422, "duration"),
        (":switchTraffic", WHY, 422, "separately"),
        (":switchTraffic", r#"{"reason": "x", "writes": true}"#, 422, "not in this version"),
        ("/approvals", WHY, 422, "evidence"),
        ("/approvals", r#"{"reason": "x", "evidence": "000000000000"}"#, 422, "epoch"),
    ] {
        let (found, problem) = order(&client, path, &[("if-match", "\"0\"")], told).await;
        assert_eq!(found, status, "{path} {told} {problem:#}");
        assert!(problem["detail"].as_str().is_some_and(|d| d.contains(part)), "{path} {problem:#}");
    }
    let unknown = client.send("POST", "/admin/v1/migrations/nobody:pause", &[], WHY).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(client.get("/admin/v1/migrations/nobody", &[]).await.status(), 404);
    let whole = get(&client, "/admin/v1/audit:verify").await;
    assert_eq!(whole["records"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_names_the_evidence_and_is_somebody_elses() {
    let scene = Scene::new("").await;
    let client = scene.admin();
    scene.evidence().await;
    let shown = get(&client, MIGRATION).await;
    let evidence = &shown["evidence"].as_str().expect("a hash")[..12];
    let told = format!(r#"{{"reason": "read it", "evidence": "{evidence}", "full": true}}"#);
    let told: &'static str = Box::leak(told.into_boxed_str());
    let (status, done) = order(&client, "/approvals", &[("x-cutover-actor", "ben")], told).await;
    assert_eq!(status, 200, "{done:#}");
    let listed = get(&client, &format!("{MIGRATION}/approvals")).await;
    let opinion = &listed["approvals"][0];
    assert_eq!((&opinion["by"], &opinion["approves"]), (&"ben".into(), &true.into()), "{listed:#}");
    assert!(opinion["evidence"].as_str().is_some_and(|hash| hash.starts_with(evidence)));
}

/// Roles are the tokens', whatever a header says.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_looks_and_moves_nothing() {
    let setup = tempfile::tempdir().expect("a folder");
    let made = |name: &str, role: &str| {
        let arguments = ["token", "new", "--name", name, "--role", role, "-o", "json"];
        let made = cutover(setup.path(), &arguments);
        serde_json::from_slice::<Value>(&made.stdout).expect("JSON")
    };
    let (vera, auto) = (made("vera", "viewer"), made("script", "automation"));
    let line = |made: &Value| {
        let [name, role, hash] = ["name", "role", "hash"].map(|key| made[key].as_str());
        let [name, role, hash] = [name, role, hash].map(|text| text.expect("text"));
        format!("[[admin.tokens]]\nname = {name:?}\nrole = {role:?}\nhash = {hash:?}\n")
    };
    let scene = Scene::new(&format!("{}{}", line(&vera), line(&auto))).await;
    let client = scene.admin();
    let bearer = |made: &Value| format!("Bearer {}", made["token"].as_str().expect("text"));
    let (vera, auto) = (bearer(&vera), bearer(&auto));
    let vera = [("authorization", vera.as_str()), ("x-cutover-actor", "ana")];
    assert_eq!(client.get(MIGRATION, &vera).await.status(), 200);
    let (status, refused) = order(&client, ":pause", &vera, WHY).await;
    assert_eq!(status, 403);
    assert!(refused["detail"].as_str().is_some_and(|text| text.contains("vera (viewer)")));
    let forward = [("authorization", auto.as_str()), ("if-match", "\"0\"")];
    assert_eq!(order(&client, ":promote", &forward, WHY).await.0, 403, "a script goes only back");
    assert_eq!(order(&client, ":rollback", &forward[..1], WHY).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_as_they_happen() {
    let scene = Scene::new("").await;
    let request = format!("GET /admin/v1/events HTTP/1.1\r\nhost: {}\r\n\r\n", scene.process.admin);
    let mut stream = send(scene.process.admin, &request).await;
    let mut told = String::new();
    let mut until = async |part: &str| {
        let mut piece = [0; 4_096];
        while !told.contains(part) {
            let read = tokio::time::timeout(PATIENCE, stream.read(&mut piece)).await;
            let read = read.expect("in time").expect("it stays open");
            assert!(read > 0, "{told}");
            told.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    };
    until("text/event-stream").await;
    assert_eq!(order(&scene.admin(), ":pause", &[], WHY).await.0, 200);
    until("event: pause").await;
    until("\"reason\":\"a test\"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_moves_it_from_the_command_line() {
    let scene = Scene::new("").await;
    scene.says(&["list"], 0, &["profile", "canary 50%", "ok"]);
    scene.says(&["promote", "profile", "--reason", "x"], 2, &["no evidence yet", "status profile"]);
    scene.says(&["plan", "profile"], 2, &["acting upon profile: canary 50%", "nothing was done"]);
    scene.evidence().await;
    let status = scene.says(&["status", "profile"], 0, &["freshness: ", "nothing is wrong"]);
    assert!(status.contains("next: cutover promote profile --reason"), "{status}");
    scene.says(&["plan", "profile"], 0, &["1. record the transition", "nothing was done"]);
    scene.says(&["pause", "profile", "--reason", "lunch"], 0, &["canary 50%, paused"]);
    scene.says(&["status", "profile"], 2, &["held: paused by", "lunch", "resume profile"]);
    scene.says(&["promote", "profile", "--reason", "x"], 2, &["paused by", "resume lifts it"]);
    scene.says(&["resume", "profile", "--reason", "back"], 0, &["in force after"]);
    let promoted = ["promote", "profile", "--to", "100", "--reason", "all gates pass"];
    scene.says(&promoted, 0, &["canary 50% -> canary 100%", "audit 3:"]);
    scene.says(&["set-weight", "profile", "--percent", "50", "--reason", "x"], 0, &["canary 50%"]);
    let dry = ["rollback", "profile", "--dry-run"];
    scene.says(&dry, 0, &["everything on old", "nothing was done"]);
    scene.says(&["rollback", "profile", "--reason", "it is 3 am"], 0, &["rolled-back"]);
    assert_eq!(scene.answered_by_new(20).await, 0);
    let failed = scene.says(&["status"], 1, &["wrong: profile: rolled back by", "it is 3 am"]);
    assert!(failed.contains("cutover retry profile"), "{failed}");
    scene.says(&["promote", "profile", "--reason", "x"], 1, &["rolled back by"]);
    let audit = scene.says(&["audit"], 0, &["rollback profile by", "why: it is 3 am"]);
    assert_eq!(audit.matches("why: ").count(), 5, "{audit}");
    scene.says(&["audit", "--verify"], 0, &["the audit log is whole: 5 records"]);
    scene.says(&["retry", "profile", "--reason", "mended"], 0, &["-> shadow"]);
    scene.says(&["abort", "profile", "--reason", "given up"], 0, &["-> off"]);
    let json = scene.verb(&["pause", "profile", "--reason", "x", "-o", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert!(json["status"] == 409 || json["generation"].is_u64(), "{json:#}");
}

#[test]
fn what_is_typed_wrongly_is_64() {
    let folder = tempfile::tempdir().expect("a folder");
    for wrong in [
        &["promote", "profile"][..],
        &["promote", "profile", "--to", "5", "--full", "--reason", "x"],
        &["switch-traffic", "profile", "--reason", "x"],
        &["switch-traffic", "profile", "--reads", "--writes", "--reason", "x"],
        &["complete", "profile", "--reason", "x"],
        &["approve", "profile", "--reason", "x"],
        &["rollback", "profile", "--now", "--to", "5", "--reason", "x"],
    ] {
        let output = cutover(folder.path(), wrong);
        assert_eq!(output.status.code(), Some(64), "{wrong:?} {}", stderr(&output));
    }
}

/// What is scraped is where it stands, and every row of the table is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_knows_what_was_moved_and_what_the_gates_say() {
    let scene = Scene::new("").await;
    let client = scene.admin();
    let scrape = async || {
        let reply = client.get("/metrics", &[]).await;
        String::from_utf8_lossy(reply.body()).into_owned()
    };
    let has = |text: &str, line: &str| text.lines().any(|found| found == line);
    let before = scrape().await;
    for line in [
        "cutover_gate_verdict{migration=\"profile\",gate=\"freshness\"} 0.0",
        "cutover_overlay{migration=\"profile\",overlay=\"rolled-back\"} 0.0",
        "cutover_migration_generation{migration=\"profile\"} 0.0",
        "cutover_expiry_timestamp_seconds{migration=\"profile\"} 4070908800.0",
        "cutover_store_writable 1.0",
    ] {
        assert!(has(&before, line), "{line}\n{before}");
    }
    assert!(!before.contains("cutover_transitions_total{"), "{before}");
    assert_eq!(order(&client, ":pause", &[], WHY).await.0, 200);
    assert_eq!(order(&client, ":rollback", &[], WHY).await.0, 200);
    let after = scrape().await;
    for line in [
        "cutover_transitions_total{migration=\"profile\",event=\"pause\"} 1",
        "cutover_transitions_total{migration=\"profile\",event=\"rollback\"} 1",
        "cutover_overlay{migration=\"profile\",overlay=\"rolled-back\"} 1.0",
        "cutover_overlay{migration=\"profile\",overlay=\"paused\"} 1.0",
        "cutover_migration_generation{migration=\"profile\"} 2.0",
    ] {
        assert!(has(&after, line), "{line}\n{after}");
    }
    // Nobody has practised yet, and nothing was measured.
    let absent = ["last_drill_timestamp", "gate_value"];
    for metric in cutover::metrics::MOVES.iter().filter(|metric| !absent.contains(&metric.name)) {
        let name = metric.exposed_name();
        let sample = |line: &str| {
            line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} "))
        };
        assert!(after.lines().any(sample), "no sample of {name}");
    }
}

/// What somebody on call leaves open shows what happens without being asked.
#[tokio::test(flavor = "multi_thread")]
async fn watching_shows_what_happens() {
    let scene = Scene::new("").await;
    let admin = format!("http://{}", scene.process.admin);
    let mut child = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["status", "profile", "--watch", "--admin", &admin])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut until = |part: &str| {
        let found = lines.by_ref().map_while(Result::ok).find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("it ended before it said {part}"))
    };
    until("profile: canary, 50%");
    scene.says(&["rollback", "profile", "--reason", "watched"], 0, &[]);
    let line = until("wrong: profile: rolled back by");
    assert!(!line.contains('\u{1b}'), "colours only on a terminal: {line:?}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}
