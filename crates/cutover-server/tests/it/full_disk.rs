//! A disk without room under a serving proxy: users notice nothing, no migration moves, and people are told why; it goes on
//! by itself once there is room.

use crate::process::{Load, PATIENCE, Process, Setup, cutover, stderr, stdout};
use cutover_test::{Client, Upstream};
use serde_json::Value;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const MIGRATION: &str = "/admin/v1/migrations/profile";
const WHY: &str = r#"{"reason": "a test"}"#;

/// What the system says to whoever writes more than it may.
const CAUSE: &str = "File too large";
/// What the store says to do.
const NEXT: &str = "Look at the disk, then give the command again";

/// What there is to write to. Store and access log are in its folder.
#[derive(Clone, Copy)]
enum Disk {
    /// The machine's, on which no file of the process may be longer than a limit: nothing at all can be written then.
    Limited,
    /// One of its own that is small, which nobody but the process sees.
    Small,
}

impl Disk {
    /// What runs the binary on it.
    fn command(self, folder: &Path) -> Command {
        let run = "exec \"$0\" \"$@\"";
        let mut command = match self {
            Self::Limited => {
                let mut heedless = Command::new("sh");
                // A limit is to be an error, not the end.
                heedless.args(["-c", &format!("trap '' XFSZ && {run}")]);
                heedless
            }
            Self::Small => {
                let mut apart = Command::new("unshare");
                let mount = format!("mount -t tmpfs -o size=4m tmpfs {folder:?}");
                apart.args([
                    "--map-root-user",
                    "--mount",
                    "sh",
                    "-c",
                    &format!("{mount} && {run}"),
                ]);
                apart
            }
        };
        command.arg(env!("CARGO_BIN_EXE_cutover"));
        command
    }
}

/// A proxy with a canary of half of the users on a disk that can be full.
struct Scene {
    process: Process,
    disk: PathBuf,
    setup: Setup,
    old: Upstream,
    new: Upstream,
}

impl Scene {
    async fn new(disk: Disk) -> Self {
        let (old, new) = (Upstream::named("old").await, Upstream::named("new").await);
        let setup = Setup::new("", old.address());
        Self::write(&setup, &old, &new, "");
        let folder = setup.folder.path().join("disk");
        std::fs::create_dir(&folder).expect("made");
        let process = Process::start_as(disk.command(&folder), &setup.file, &["--no-watch"]);
        Self { process, disk: folder, setup, old, new }
    }

    fn write(setup: &Setup, old: &Upstream, new: &Upstream, more: &str) {
        let lines = format!(
            "[state]\nstore = \"disk/state\"\n[backends.n]\naddresses = [\"{}\"]\nconnect-timeout = \"60s\"\ntimeout = \"120s\"\n\
             [migrations.profile]\nold = \"b\"\nnew = \"n\"\nowner = \"team\"\n\
             expires = 2099-01-01\nkey = [{{ header = \"x-user-id\" }}]\n\
             routes = [{{ path = \"/api/{{id}}\", methods = [\"GET\"] }}]\nread-percent = 50\nfallback.deadline = \"120s\"\n\
             gates = {{ required = [\"freshness\"], latency = 100 }}\n{more}\n",
            new.address()
        );
        let log = setup.folder.path().join("disk/access.log");
        let server = format!("access-log = {{ format = \"json\", path = {log:?} }}");
        setup.write(&server, old.address(), &lines);
    }

    /// No file of the process may be longer than this any more.
    fn limit(&self, longest: &str) {
        let pid = self.process.pid().to_string();
        // Of the two limits the one that can be raised again.
        let limit = format!("--fsize={longest}:");
        let limited = Command::new("prlimit").args(["--pid", &pid, &limit]).output();
        let limited = limited.expect("prlimit runs");
        assert!(limited.status.success(), "{limit} {}", stderr(&limited));
    }

    /// What takes all the room on a disk that only the process sees.
    fn ballast(&self) -> PathBuf {
        let outside = PathBuf::from(format!("/proc/{}/root", self.process.pid()));
        let inside = self.disk.join("ballast");
        outside.join(inside.strip_prefix("/").expect("from the root"))
    }

    fn admin(&self) -> Client {
        Client::http1(self.process.admin)
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.admin().get(path, &[]).await;
        assert_eq!(reply.status(), 200, "{path} {:?}", reply.body());
        serde_json::from_slice(reply.body()).expect("JSON")
    }

    /// Where the migration stands.
    async fn stands(&self) -> [Value; 4] {
        let shown = self.get(MIGRATION).await;
        ["generation", "position", "readPercent", "mirrorPercent"].map(|key| shown[key].clone())
    }

    async fn order(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        told: &'static str,
    ) -> (u16, Value) {
        let reply = self.admin().send("POST", &format!("{MIGRATION}{path}"), headers, told).await;
        (reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON"))
    }

    /// Which side each of these users reads from.
    async fn sides(&self) -> Vec<String> {
        let client = Client::http1(self.process.data);
        let mut sides = Vec::new();
        for user in 0..40 {
            let reply = client.get("/api/1", &[("x-user-id", &user.to_string())]).await;
            assert_eq!(reply.status(), 200);
            sides.push(String::from_utf8_lossy(reply.body()).into_owned());
        }
        sides
    }

    /// A sample of a metric without labels.
    async fn metric(&self, name: &str) -> f64 {
        let reply = self.admin().get("/metrics", &[]).await;
        let text = String::from_utf8_lossy(reply.body()).into_owned();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}: {text}"))
    }

    fn types(&self, arguments: &[&str]) -> Output {
        let admin = format!("http://{}", self.process.admin);
        cutover(self.setup.folder.path(), &[arguments, &["--admin", &admin]].concat())
    }

    /// Reads the configuration again, with more lines of the migration.
    async fn reload(&self, more: &str) {
        Self::write(&self.setup, &self.old, &self.new, more);
        let reply = self.admin().send("POST", "/admin/v1/config:reload", &[], WHY).await;
        assert_eq!(reply.status(), 200, "{:?}", reply.body());
    }

    /// Every order is refused in words, and nothing has moved.
    async fn refuses_orders(&self) {
        let before = (self.stands().await, self.sides().await);
        let generation = format!("\"{}\"", before.0[0]);
        let seen = [("if-match", &*generation), ("idempotency-key", "once")];
        let orders: [(_, &[_], _); 6] = [
            (":pause", &seen, WHY),
            (":rollback", &[], WHY),
            (":setWeight", &seen[..1], r#"{"reason": "a test", "percent": 20}"#),
            (":mirrorTraffic", &[], r#"{"reason": "a test", "percent": 20}"#),
            (":ignore", &seen[..1], r#"{"reason": "a test", "rule": "/at"}"#),
            (":abort", &[], WHY),
        ];
        for (path, headers, told) in orders {
            let (status, problem) = self.order(path, headers, told).await;
            assert_eq!((status, &problem["status"]), (503, &503.into()), "{path} {problem:#}");
            let detail = problem["detail"].as_str().unwrap_or_default();
            for part in ["state.redb", CAUSE, "nothing was changed", NEXT] {
                assert!(detail.contains(part), "{path}: {part}: {problem:#}");
            }
            assert_eq!((self.stands().await, self.sides().await), before, "{path}");
        }
    }

    /// The person on call reads it wherever they look.
    async fn tells_people(&self) {
        let refused = self.types(&["rollback", "profile", "--reason", "it is 3 am"]);
        assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
        let status = self.types(&["status"]);
        assert_eq!(status.status.code(), Some(1), "{}", stdout(&status));
        let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (refused, status) = (joined(stderr(&refused)), joined(stdout(&status)));
        for part in [CAUSE, NEXT] {
            assert!(refused.contains(part), "{part}: {refused}");
            assert!(status.contains(part), "{part}: {status}");
        }
        for part in [
            "wrong: profile: nothing can be written: ",
            "next: until it is mended, disabled = true in [migrations.profile] takes reads back",
        ] {
            assert!(status.contains(part), "{part}: {status}");
        }
        assert_eq!(self.metric("cutover_store_writable").await, 0.0);
        let logged = async {
            while !self.process.said().iter().any(|line| line.contains(CAUSE)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, logged).await.expect("its log has it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_users_are_served_and_nothing_moves_until_there_is() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        println!("SKIPPED: no prlimit here");
        return;
    }
    let scene = Scene::new(Disk::Limited).await;
    let load = Load::of(scene.process.data, "/api/1", 4, |reply| assert_eq!(reply.status(), 200));
    load.more(50).await;
    let less = r#"{"reason": "a test", "percent": 40}"#;
    assert_eq!(scene.order(":setWeight", &[("if-match", "\"0\"")], less).await.0, 200);
    let (stands, sides) = (scene.stands().await, scene.sides().await);
    assert!(sides.iter().any(|side| side == "new") && sides.iter().any(|side| side == "old"));

    scene.limit("0");
    scene.refuses_orders().await;
    scene.tells_people().await;
    load.more(200).await;
    // That file is full, too. It is written some time after.
    let counted = async {
        while scene.metric("cutover_access_log_dropped_total").await < 1.0 {
            load.more(10).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.expect("lines are dropped, and counted");
    // The way back that is left, and it is none of the store's.
    scene.reload("disabled = true").await;
    assert!(scene.sides().await.iter().all(|side| side == "old"));
    scene.reload("").await;
    assert_eq!((scene.stands().await, scene.sides().await), (stands, sides));

    scene.limit("unlimited");
    // What was refused under a key is not what the key stands for.
    let again = [("if-match", "\"1\""), ("idempotency-key", "once")];
    let (status, done) = scene.order(":pause", &again, WHY).await;
    assert_eq!((status, &done["to"]), (200, &"canary 40%, paused".into()), "{done:#}");
    assert_eq!(scene.metric("cutover_store_writable").await, 1.0);
    assert_eq!(scene.types(&["resume", "profile", "--reason", "back"]).status.code(), Some(0));
    let status = stdout(&scene.types(&["status"]));
    assert!(status.contains("profile: canary, 40%"), "{status}");
    assert!(!status.contains("nothing can be written"), "{status}");
    let rolled_back = scene.types(&["rollback", "profile", "--reason", "it is 3 am"]);
    assert_eq!(rolled_back.status.code(), Some(0), "{}", stderr(&rolled_back));
    assert!(scene.sides().await.iter().all(|side| side == "old"));
    let whole = scene.get("/admin/v1/audit:verify").await;
    assert_eq!((&whole["whole"], &whole["records"]), (&true.into(), &4.into()), "{whole:#}");
    load.end().await;
}

/// Of what little needs no more room some is written all the same, until one order needs more.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_finds_no_room_has_not_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut trial = Disk::Small.command(folder.path());
    if !trial.arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: no small disk can be mounted here");
        return;
    }
    let scene = Scene::new(Disk::Small).await;
    let load = Load::of(scene.process.data, "/api/1", 4, |reply| assert_eq!(reply.status(), 200));
    let mut ballast = std::fs::File::create(scene.ballast()).expect("it is seen from outside");
    let full = loop {
        if let Err(error) = ballast.write_all(&[1; 4_096]) {
            break error.kind();
        }
    };
    assert_eq!(full, ErrorKind::StorageFull);
    let sides = scene.sides().await;
    let mut written = 0;
    let problem = loop {
        let verb = if written % 2 == 0 { ":pause" } else { ":resume" };
        let (status, told) = scene.order(verb, &[], WHY).await;
        if status != 200 {
            assert_eq!(status, 503, "{told:#}");
            break told;
        }
        written += 1;
        assert!(written < 5_000, "a full disk has room for everything");
    };
    let detail = problem["detail"].as_str().unwrap_or_default();
    for part in [
        "no room for the store",
        "No space left on device",
        "nothing was changed",
        "Make room on the disk, then give the command again",
    ] {
        assert!(detail.contains(part), "{part}: {problem:#}");
    }
    let position = scene.stands().await[1].clone();
    assert_eq!(
        (scene.stands().await[0].as_u64(), &position),
        (Some(written), &"canary 50%".into())
    );
    load.more(200).await;
    assert_eq!(scene.sides().await, sides);

    drop(ballast);
    std::fs::remove_file(scene.ballast()).expect("removed");
    let (status, done) = scene.order(":rollback", &[], WHY).await;
    assert_eq!((status, done["generation"].as_u64()), (200, Some(written + 1)), "{done:#}");
    let whole = scene.get("/admin/v1/audit:verify").await;
    assert_eq!((&whole["whole"], whole["records"].as_u64()), (&true.into(), Some(written + 1)));
    assert!(scene.sides().await.iter().all(|side| side == "old"));
    load.end().await;
}
