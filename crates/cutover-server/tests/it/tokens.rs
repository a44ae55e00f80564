//! Tokens of the admin API: made by the binary, known by their hash, asked for over real sockets.

use crate::process::{Process, Setup, cutover, stderr, stdout};
use cutover_test::{Client, Upstream};
use http::Response;
use serde_json::Value;
use std::process::{Command, Stdio};

/// A token of the binary's making: itself, and its lines for the configuration.
pub(crate) struct Made {
    pub(crate) token: String,
    lines: String,
}

impl Made {
    fn new(setup: &Setup, name: &str, role: &str) -> Self {
        let verb = ["token", "new", "--name", name, "--role", role];
        let made = cutover(setup.folder.path(), &verb);
        assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
        let text = stdout(&made);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let token = text.lines().find(|line| line.starts_with("cut_")).expect("a token");
        let lines = text.lines().skip_while(|line| *line != "[[admin.tokens]]");
        let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        assert!(!lines.concat().contains(token), "{text}");
        Self { token: token.to_owned(), lines: lines.join("\n") }
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

pub(crate) struct Scene {
    setup: Setup,
    pub(crate) process: Process,
    upstream: Upstream,
}

impl Scene {
    /// Puts these tokens in force, in place of those before, with more lines.
    pub(crate) async fn reload(&self, tokens: &[&Made], more: &str, by: &Made) {
        let lines: Vec<_> = tokens.iter().map(|made| made.lines.as_str()).collect();
        let lines = format!("{more}\n{}", lines.join("\n"));
        self.setup.write("", self.upstream.address(), &lines);
        let client = Client::http1(self.process.admin);
        let reply = client.send("POST", RELOAD, &[("authorization", &by.bearer())], "").await;
        assert_eq!(reply.status(), 200, "{:?}", reply.body());
    }
}

/// A proxy that knows these tokens.
pub(crate) async fn proxy(people: &[(&str, &str)]) -> (Scene, Vec<Made>) {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    let made: Vec<_> = people.iter().map(|(name, role)| Made::new(&setup, name, role)).collect();
    write(&setup, &upstream, &made);
    let process = Process::start(&setup.file, &["--no-watch", "--log-level", "debug"]);
    (Scene { setup, process, upstream }, made)
}

fn write(setup: &Setup, upstream: &Upstream, tokens: &[Made]) {
    let lines: Vec<_> = tokens.iter().map(|made| made.lines.as_str()).collect();
    setup.write("", upstream.address(), &lines.join("\n"));
}

pub(crate) fn json(reply: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_else(|_| panic!("{:?}", reply.body()))
}

pub(crate) const RELOAD: &str = "/admin/v1/config:reload?reason=test";

#[tokio::test(flavor = "multi_thread")]
async fn with_tokens_everything_but_the_probes_takes_one() {
    let (scene, made) = proxy(&[("vera", "viewer"), ("ana", "on-call"), ("app", "approver")]).await;
    let client = Client::http1(scene.process.admin);
    for open in ["/livez", "/readyz"] {
        assert_eq!(client.get(open, &[]).await.status(), 200, "{open}");
    }
    for closed in ["/metrics", "/version", "/admin/v1/status", "/admin/v1/openapi.json", "/nowhere"]
    {
        let reply = client.get(closed, &[]).await;
        assert_eq!(reply.status(), 401, "{closed}");
        assert_eq!(reply.headers()["www-authenticate"], "Bearer realm=\"cutover\"");
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
    }
    let [vera, ana, app] = [&made[0], &made[1], &made[2]].map(Made::bearer);
    assert_eq!(client.get("/metrics", &[("authorization", &vera)]).await.status(), 200);
    let lower = vera.replace("Bearer", "bearer");
    assert_eq!(client.get("/metrics", &[("authorization", &lower)]).await.status(), 200);
    for (who, token) in [("vera (viewer)", &vera), ("app (approver)", &app)] {
        let reply = client.send("POST", RELOAD, &[("authorization", token)], "").await;
        assert_eq!(reply.status(), 403);
        let detail = json(&reply)["detail"].clone();
        let expected = format!("{who} may not do this; it takes one of: operator, on-call, admin.");
        assert_eq!(detail, expected);
    }
    // A name that nothing proves does not outrank the token's.
    let headers = [("authorization", ana.as_str()), ("x-cutover-actor", "mallory")];
    assert_eq!(client.send("POST", RELOAD, &headers, "").await.status(), 200);
    let status = client.get("/admin/v1/status", &[("authorization", &ana)]).await;
    assert_eq!(json(&status)["lastReload"]["by"], "ana (on-call)");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_token_is_refused_and_counted() {
    let (scene, made) = proxy(&[("ana", "on-call")]).await;
    let client = Client::http1(scene.process.admin);
    let (token, hash) = (&made[0].token, made[0].lines.split('"').nth(5).expect("a hash"));
    let almost = format!("{}0", &token[..token.len() - 1]);
    let almost = if almost == *token { format!("{}1", &token[..token.len() - 1]) } else { almost };
    let wrong = [
        format!("Bearer {almost}"),
        format!("Bearer {hash}"),
        format!("Basic {token}"),
        token.clone(),
        "Bearer ".to_owned(),
    ];
    for value in &wrong {
        let reply = client.get("/metrics", &[("authorization", value)]).await;
        assert_eq!(reply.status(), 401, "{value}");
        let challenge = "Bearer realm=\"cutover\", error=\"invalid_token\"";
        assert_eq!(reply.headers()["www-authenticate"], challenge);
        assert!(!String::from_utf8_lossy(reply.body()).contains(&token[..20]));
    }
    let good = made[0].bearer();
    let twice = [("authorization", good.as_str()), ("authorization", "Bearer x")];
    assert_eq!(client.get("/metrics", &twice).await.status(), 401);
    // A token in an address would stand in logs and histories.
    for path in [format!("/metrics?token={token}"), format!("/metrics?access_token={token}")] {
        assert_eq!(client.get(&path, &[]).await.status(), 401);
    }
    for _ in 0..2 {
        assert_eq!(client.get("/metrics", &[]).await.status(), 401);
    }
    // Those were ten.
    let reply = client.get("/metrics", &[("authorization", &wrong[0])]).await;
    assert_eq!(reply.status(), 429);
    let wait: u64 = reply.headers()["retry-after"].to_str().expect("digits").parse().expect("u64");
    assert!((1..=60).contains(&wait), "{wait}");
    // Nobody locks out whoever is about to roll back.
    assert_eq!(client.get("/metrics", &[("authorization", &good)]).await.status(), 200);
    let warned = scene.process.wait_for("too many requests without a good token");
    assert!(warned.contains("127.0.0.1") && !warned.contains(&token[..8]), "{warned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_change_with_a_reload() {
    let (scene, mut made) = proxy(&[("ana", "on-call")]).await;
    let client = Client::http1(scene.process.admin);
    let ana = made[0].bearer();
    made.push(Made::new(&scene.setup, "ben", "operator"));
    let ben = made[1].bearer();
    assert_eq!(client.get("/metrics", &[("authorization", &ben)]).await.status(), 401);
    write(&scene.setup, &scene.upstream, &made[1..]);
    let reply = client.send("POST", RELOAD, &[("authorization", &ana)], "").await;
    assert_eq!(reply.status(), 200, "{:?}", reply.body());
    assert_eq!(client.get("/metrics", &[("authorization", &ana)]).await.status(), 401);
    assert_eq!(client.get("/metrics", &[("authorization", &ben)]).await.status(), 200);
    // The log says who, and never shows a token: not even at its most talkative.
    let line = scene.process.wait_for("configuration reloaded");
    assert!(line.contains("ana (on-call)"), "{line}");
    drop(client);
    scene.process.signal("TERM");
    scene.process.wait_for("draining");
    let said = scene.process.said();
    assert!(said.len() >= 3, "{said:?}");
    assert!(!said.iter().any(|line| line.contains("cut_")), "{said:#?}");
}

/// Elsewhere a browser's page could pretend to be us by name; with tokens it has none, so any name may lead here.
#[tokio::test(flavor = "multi_thread")]
async fn with_tokens_it_may_listen_everywhere_under_any_name() {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    let made = Made::new(&setup, "ana", "on-call");
    write(&setup, &upstream, std::slice::from_ref(&made));
    let text = std::fs::read_to_string(&setup.file).expect("readable");
    let everywhere = "[admin]\nlisten = \"0.0.0.0:0\"";
    let text = text.replace("[admin]\nlisten = \"127.0.0.1:0\"", everywhere);
    assert!(text.contains(everywhere), "{text}");
    std::fs::write(&setup.file, &text).expect("written");
    let mut process = Process::start(&setup.file, &["--no-watch"]);
    process.admin.set_ip([127, 0, 0, 1].into());
    let client = Client::http1(process.admin);
    let named = ("host", "cutover.internal:8081");
    assert_eq!(client.get("/metrics", &[named]).await.status(), 401);
    let good = made.bearer();
    assert_eq!(client.get("/metrics", &[named, ("authorization", &good)]).await.status(), 200);
    let without = text.split("[[admin.tokens]]").next().expect("a beginning");
    std::fs::write(&setup.file, without).expect("written");
    let reply = client.send("POST", RELOAD, &[("authorization", &good)], "").await;
    assert_eq!(reply.status(), 422);
    assert!(json(&reply)["detail"].as_str().is_some_and(|text| text.contains("no tokens")));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_a_name_is_taken_on_trust() {
    let (scene, _) = proxy(&[]).await;
    let client = Client::http1(scene.process.admin);
    let by = async |headers: &[(&str, &str)]| {
        let reply = client.send("POST", RELOAD, headers, "").await;
        assert_eq!(reply.status(), 200, "{:?}", reply.body());
        json(&client.get("/admin/v1/status", &[]).await)["lastReload"]["by"].clone()
    };
    assert_eq!(by(&[]).await, "local (admin)");
    assert_eq!(by(&[("x-cutover-actor", "ana")]).await, "ana (admin)");
    for name in ["cutover", "", "a\tb"] {
        let reply = client.send("POST", RELOAD, &[("x-cutover-actor", name)], "").await;
        assert_eq!(reply.status(), 400, "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_reads_a_token_from_the_environment_or_a_file() {
    let (scene, made) = proxy(&[("ana", "on-call")]).await;
    let admin = format!("http://{}", scene.process.admin);
    let folder = scene.setup.folder.path();
    std::fs::write(folder.join("token"), format!("{}\n", made[0].token)).expect("written");
    let run = |arguments: &[&str], token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command.args(arguments).args(["--admin", &admin]).current_dir(folder);
        command.env_remove("CUTOVER_TOKEN").stdin(Stdio::null());
        command.envs(token.map(|token| ("CUTOVER_TOKEN", token)));
        command.output().expect("the binary runs")
    };
    let without = run(&["status"], None);
    assert_eq!(without.status.code(), Some(1));
    assert!(stderr(&without).contains("CUTOVER_TOKEN"), "{}", stderr(&without));
    let (good, file) = (Some(&*made[0].token), ["--token-file", "token"]);
    for verb in [&["status"][..], &["explain", "GET /x"], &["reload", "--reason", "test"]] {
        let by_variable = run(verb, good);
        assert_eq!(by_variable.status.code(), Some(0), "{verb:?} {}", stderr(&by_variable));
        let by_file = run(&[verb, &file].concat(), Some("cut_bad"));
        assert_eq!(by_file.status.code(), Some(0), "{verb:?} {}", stderr(&by_file));
    }
    let nowhere = run(&["status", "--token-file", "nowhere"], good);
    assert!(stderr(&nowhere).contains("nowhere cannot be read"), "{}", stderr(&nowhere));
    let argument = run(&["status", "--token", &made[0].token], None);
    assert_eq!(argument.status.code(), Some(64), "{}", stdout(&argument));
}

#[test]
fn a_token_is_made_for_somebody() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = |name: &str, role: &str| {
        cutover(folder.path(), &["token", "new", "--name", name, "--role", role, "-o", "json"])
    };
    let made: Value = serde_json::from_slice(&new("ana \"a\"", "admin").stdout).expect("JSON");
    assert_eq!((&made["name"], &made["role"]), (&"ana \"a\"".into(), &"admin".into()));
    assert!(made["hash"].as_str().is_some_and(|hash| hash.starts_with("sha256:")), "{made}");
    for (name, role) in [("ana", "boss"), ("cutover", "admin"), ("", "admin")] {
        let refused = new(name, role);
        assert_eq!(refused.status.code(), Some(64), "{name} {role}: {}", stderr(&refused));
    }
}
