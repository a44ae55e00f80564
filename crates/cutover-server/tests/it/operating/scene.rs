//! A proxy under live traffic whose people type what the page says.

use super::page::Commands;
use crate::process::{Load, PATIENCE, Process, Setup, stderr, stdout};
use cutover_test::{Client, Upstream, text};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// As many as are asked who serves them.
pub(super) const USERS: usize = 200;

/// What the page puts where evidence stands, and where a receipt does.
const EVIDENCE: &str = "9f86d081884c";
pub(super) const RECEIPT: &str = "12:9f86d081884c7d65";

/// Limits and times are so small that only traffic is waited for. Few of the users see another date on `new`.
const MIGRATION: &str = r#"
[migrations.profile]
old = "b"
new = "n"
owner = "team"
expires = 2099-01-01
data = "shared"
key = [{ header = "x-user-id" }, { path = "id" }]
routes = [{ path = "/api/profile/{id}", methods = ["GET"] }]
compare = { recheck = "10ms", noise = 0 }
drill = { away = "15s", within = "2m" }
fallback.deadline = "120s"
[migrations.profile.preflight]
observe = "1s"

[migrations.profile.gates]
errors = "10%"
fallbacks = "10%"
mismatch = "50%"
latency = 100
required = ["errors", "mismatch", "coverage"]
[migrations.profile.steps]
dwell = ["0s", "0s", "0s", "0s", "0s"]
soak = "0s"
quiet = "0s"
"#;

pub(super) struct Scene {
    pub(super) commands: Commands,
    pub(super) process: Option<Process>,
    setup: Setup,
    listen: String,
    old: Upstream,
    new: Upstream,
    load: Option<Load>,
    /// Who has which token.
    tokens: HashMap<&'static str, String>,
}

impl Scene {
    /// Before anything runs.
    pub(super) async fn new() -> Self {
        let (old, new) = (service("2026-01-02").await, service("02.01.2026").await);
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
        let listen = format!("listen = [\"{free}\"]\ndebug-headers = true");
        let setup = Setup::new(&listen, old.address());
        let (commands, tokens) = (Commands::of_the_pages(), HashMap::new());
        let scene = Self { commands, process: None, setup, listen, old, new, load: None, tokens };
        scene.configure("");
        scene
    }

    /// Writes the configuration, with more lines at its end.
    pub(super) fn configure(&self, more: &str) {
        let new = self.new.address();
        let lines = format!(
            "[backends.n]\naddresses = [\"{new}\"]\nconnect-timeout = \"60s\"\ntimeout = \"120s\"\n{MIGRATION}{more}"
        );
        self.setup.write(&self.listen, self.old.address(), &lines);
    }

    /// Types the line in a shell. What it sets is what a reader would have: a home, and `cutover` itself, which on the
    /// page asks the port that it usually listens on.
    fn shell(&self, who: &str, line: &str) -> Command {
        let asks = ["run ", "check ", "config ", "explain ", "token ", "audit verify "];
        let alone = asks.iter().any(|verb| line.starts_with(&format!("cutover {verb}")));
        let admin = match &self.process {
            Some(process) if !alone => format!("--admin http://{}", process.admin),
            Some(_) | None => String::new(),
        };
        let long = ["cutover run ", "cutover status profile --watch"];
        let exec = if long.iter().any(|verb| line.starts_with(verb)) { "exec" } else { "" };
        let mut shell = Command::new("sh");
        let binary = env!("CARGO_BIN_EXE_cutover");
        shell.args(["-c", &format!("cutover() {{ {exec} \"{binary}\" \"$@\" {admin}; }}\n{line}")]);
        shell.current_dir(self.setup.folder.path()).env("HOME", self.setup.folder.path());
        shell.env_remove("RUST_LOG").env_remove("CUTOVER_TOKEN").stdin(Stdio::null());
        shell.envs(self.tokens.get(who).map(|token| ("CUTOVER_TOKEN", token)));
        shell
    }

    /// What comes of a line, which may be of no page.
    pub(super) fn types(&self, who: &str, line: &str, code: i32, parts: &[&str]) -> String {
        let output = self.shell(who, line).output().expect("sh runs");
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{who}: {line}\n{said}");
        // Wherever the terminal's width has broken it.
        let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(flat.contains(part), "{who}: {line}\nit does not say: {part}\n{said}");
        }
        said
    }

    /// A line of the page ends with success, and says this.
    pub(super) fn plays(&mut self, who: &str, line: &str, parts: &[&str]) -> String {
        self.ends(who, line, 0, parts)
    }

    /// The same, where another code is promised.
    pub(super) fn ends(&mut self, who: &str, line: &str, code: i32, parts: &[&str]) -> String {
        self.commands.play(line);
        self.types(who, line, code, parts)
    }

    /// A line that names evidence or a receipt, which is in its place one of ours.
    pub(super) fn plays_with(&mut self, who: &str, line: &str, [from, to]: [&str; 2]) -> String {
        self.commands.play(line);
        assert!(line.contains(from), "{line}");
        self.types(who, &line.replace(from, to), 0, &[])
    }

    /// A line about evidence, which a look has shown just before.
    pub(super) fn judges(&mut self, who: &str, line: &str) -> String {
        let shown = self.types(who, "cutover status profile", 0, &[]);
        let shown = shown.split("evidence ").nth(1).and_then(|rest| rest.get(..12));
        let shown = shown.unwrap_or_else(|| panic!("status shows no evidence")).to_owned();
        self.plays_with(who, line, [EVIDENCE, &shown])
    }

    /// A line that starts a proxy, which the test is in place of the shell of: what is in the background there is so here.
    pub(super) fn started_by(&mut self, line: &str) -> Command {
        self.commands.play(line);
        self.shell("", line.trim_end_matches(" &"))
    }

    /// A line whose output is left open.
    pub(super) fn watches(&mut self, who: &str, line: &str) -> Watch {
        self.commands.play(line);
        let mut child = self.shell(who, line).stdout(Stdio::piped()).spawn().expect("sh runs");
        let said = Arc::new(Mutex::new(String::new()));
        let (heard, pipe) = (Arc::clone(&said), child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                heard.lock().expect("nobody panics with it").push_str(&(line + "\n"));
            }
        });
        Watch { child, said }
    }

    /// Somebody gets a token of that role; the answer is what was printed.
    pub(super) fn has_token(&mut self, who: &'static str, printed: &str) -> String {
        let token = printed.lines().find(|line| line.starts_with("cut_")).expect("a token");
        self.tokens.insert(who, token.to_owned());
        let lines = printed.lines().skip_while(|line| *line != "[[admin.tokens]]");
        lines.take_while(|line| !line.is_empty()).fold("\n".to_owned(), |all, l| all + l + "\n")
    }

    pub(super) fn keep(&self, name: &str, text: &str) {
        std::fs::write(self.setup.folder.path().join(name), text).expect("written");
    }

    pub(super) fn kept(&self, name: &str) -> String {
        std::fs::read_to_string(self.setup.folder.path().join(name)).expect("it is there")
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// Users who ask without an end; each of their requests is answered well.
    pub(super) fn crowd(&mut self) {
        let path = |number: usize| format!("/api/profile/{}", number % USERS);
        let well = |reply: &http::Response<bytes::Bytes>| assert_eq!(reply.status(), 200);
        self.load = Some(Load::over(self.running().data, path, 4, well));
    }

    pub(super) async fn crowd_asks(&self, more: usize) {
        self.load.as_ref().expect("it has begun").more(more).await;
    }

    pub(super) async fn crowd_leaves(&mut self) {
        self.load.take().expect("it has begun").end().await;
    }

    /// How many of the users `new` serves. Some at a time: it is over before anything moves by itself.
    pub(super) async fn by_new(&self) -> usize {
        let client = Client::http1(self.running().data);
        let ask = |user: usize| {
            let client = client.clone();
            async move {
                let reply = client.get(&format!("/api/profile/{user}"), &[]).await;
                assert_eq!(reply.status(), 200);
                reply.headers()["x-cutover-side"] == "new"
            }
        };
        let sides: Vec<bool> = stream::iter(0..USERS).map(ask).buffer_unordered(20).collect().await;
        sides.into_iter().filter(|by_new| *by_new).count()
    }

    /// The migration, as the admin API shows it to ana.
    pub(super) async fn shown(&self) -> Value {
        let bearer = format!("Bearer {}", self.tokens["ana"]);
        let client = Client::http1(self.running().admin);
        let path = "/admin/v1/migrations/profile";
        let reply = client.get(path, &[("authorization", &bearer)]).await;
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    pub(super) async fn stands(&self, position: &str) {
        let shown = self.shown().await;
        assert_eq!(shown["position"], position, "{shown:#}");
    }

    /// Waits until it is shown so.
    pub(super) async fn until(&self, what: &str, fits: impl Fn(&Value) -> bool) {
        let looking = async {
            while !fits(&self.shown().await) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, looking).await.is_err() {
            panic!("{what} did not come: {:#}", self.shown().await);
        }
    }

    /// Waits until nothing but people, or a drill, is missing for the next step.
    pub(super) async fn evidence(&self) {
        let people = ["approvals", "drill"];
        let is_people = |missing: &Value| people.iter().any(|name| missing["name"] == *name);
        self.until("the evidence", |shown| {
            shown["next"]["missing"].as_array().is_some_and(|all| all.iter().all(is_people))
        })
        .await;
    }
}

/// A profile service; `joined` of a few of its users is written in its own way. It takes its time, and both take the same.
async fn service(joined: &'static str) -> Upstream {
    Upstream::start(move |request| {
        let odd = ["/33", "/66", "/99"].iter().any(|end| request.uri().path().ends_with(end));
        let joined = if odd { joined } else { "2026-01-01" };
        let mut reply = text(200, format!(r#"{{"name":"Ann","joined":"{joined}"}}"#));
        let kind = http::HeaderValue::from_static("application/json");
        reply.headers_mut().insert("content-type", kind);
        async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            reply
        }
    })
    .await
}

/// A command that shows something until it is stopped.
pub(super) struct Watch {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Watch {
    /// Waits until it has shown this.
    pub(super) async fn shows(&self, part: &str) {
        let said = || self.said.lock().expect("nobody panics with it").clone();
        let looking = async {
            while !said().contains(part) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("it never showed {part}, but:\n{}", said()));
    }

    /// Ctrl-C.
    pub(super) fn stops(mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        self.child.wait().expect("it ends")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
