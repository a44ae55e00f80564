//! Whoever has read only README and docs/operating.md runs a migration and rolls it back: every command of those pages is
//! played here, against a proxy under live traffic, and has the effect that the page says.

mod page;
mod scene;

use crate::process::Process;
use page::Commands;
use scene::{RECEIPT, Scene, USERS};
use std::os::unix::process::ExitStatusExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_pages_does_what_they_say() {
    let mut scene = Scene::new().await;
    starts(&mut scene);
    scene.crowd();
    gives_tokens(&mut scene).await;
    let watch = scene.watches("ana", "cutover status profile --watch");
    begins(&mut scene).await;
    compares(&mut scene).await;
    goes_forward(&mut scene).await;
    watch.shows("profile: canary, 100%").await;
    needs_two_people(&mut scene).await;
    goes_back(&mut scene).await;
    watch.shows("wrong: profile: rolled back by").await;
    assert_eq!(watch.stops().signal(), Some(2), "it stays until Ctrl-C");
    let receipt = ends(&mut scene).await;
    is_written_down(&mut scene, &receipt);
    is_upgraded(&mut scene).await;
    scene.plays("", "cutover audit verify cutover.state", &["are as they were written", &receipt]);
    scene.commands.all_played();
}

/// README and "Start".
fn starts(scene: &mut Scene) {
    scene.plays("", "cutover check cutover.toml", &[]);
    let run = scene.started_by("cutover run -c cutover.toml");
    scene.process = Some(Process::of(run));
    let explain = "cutover explain -c cutover.toml 'GET /api/profile/7' -H 'x-user-id: user-7'";
    scene.plays("", explain, &["profile", "old"]);
    scene.plays("", "cutover config schema", &["$schema"]);
    for verb in Commands::verbs() {
        scene.types("", &format!("{verb} --help"), 0, &[]);
    }
}

/// "Tokens": ana moves, ben looks, cy may do everything.
async fn gives_tokens(scene: &mut Scene) {
    let printed = scene.plays("", "cutover token new --name ana --role on-call", &[]);
    let mut lines = scene.has_token("ana", &printed);
    scene.keep(".cutover-token", printed.lines().find(|l| l.starts_with("cut_")).expect("a token"));
    for (who, role) in [("ben", "approver"), ("cy", "admin")] {
        let line = format!("cutover token new --name {who} --role {role}");
        let printed = scene.types("", &line, 0, &[]);
        lines += &scene.has_token(who, &printed);
    }
    scene.types("", "cutover status", 0, &["nothing is wrong"]);
    scene.configure(&lines);
    // With and without the tokens in force: the file is watched, too.
    let reload = "cutover reload --token-file ~/.cutover-token --reason 'a token for ana'";
    scene.plays("", reload, &["generation"]);
    scene.types("", "cutover status", 1, &["CUTOVER_TOKEN"]);
    scene.plays("", "cutover status --token-file ~/.cutover-token", &["nothing is wrong"]);
    scene.plays("ana", "cutover reload --dry-run --reason 'a test'", &["would be installed"]);
    scene.plays("ana", "cutover reload --reason 'a test'", &["is in force"]);
    scene.stands("off").await;
}

const BEGIN: &str = "cutover promote profile --reason 'begin'";

async fn begins(scene: &mut Scene) {
    scene.evidence().await;
    scene.plays("ana", "cutover plan profile", &["profile: off", "mirror 1%", "nothing was done"]);
    scene.plays("ana", BEGIN, &["off -> shadow", "in force"]);
    let mirror = "cutover mirror-traffic profile --percent 10 --reason 'a tenth first'";
    scene.plays("ana", mirror, &["mirror 10%"]);
    let copied = |shown: &serde_json::Value| shown["mirrorPercent"] == "10%";
    scene.until("the tenth", copied).await;
    assert_eq!(scene.by_new().await, 0, "reads are only copied");
}

/// "What differs": the field is found, left out, and counts again.
async fn compares(scene: &mut Scene) {
    let mut diff = scene.plays("ana", "cutover diff profile", &["profile: "]);
    while !diff.contains("/joined") {
        scene.crowd_asks(100).await;
        diff = scene.types("ana", "cutover diff profile", 0, &[]);
    }
    assert!(!diff.contains("02.01"), "values are digests: {diff}");
    let ignore = "cutover ignore profile /joined --reason 'the new format is meant'";
    scene.plays("ana", ignore, &["begins anew"]);
    scene.types("ana", "cutover diff profile", 0, &["left out by people", "/joined"]);
    let unignore = "cutover unignore profile /joined --reason 'it was a mistake'";
    scene.plays("ana", unignore, &["in force"]);
    let diff = scene.types("ana", "cutover diff profile", 0, &[]);
    assert!(!diff.contains("left out by people"), "{diff}");
}

/// "Move a migration": step by step, held once, until a drill has shown the way back.
async fn goes_forward(scene: &mut Scene) {
    let step = "cutover promote profile --reason 'all gates pass'";
    let mut before = 0;
    for percent in [1, 5, 20, 50, 100] {
        scene.evidence().await;
        let to = format!("canary {percent}%");
        scene.plays("ana", step, &[&to, "in force"]);
        let now = scene.by_new().await;
        assert!(now >= before, "nobody who is on new moves back: {before}, {now} at {percent}%");
        before = now;
        if percent == 20 {
            is_held(scene, step);
        }
    }
    assert_eq!(before, USERS);
    scene.plays("ana", "cutover drill profile --reason 'weekly'", &["drilling"]);
    assert_eq!(scene.by_new().await, 0, "everybody is on old meanwhile");
    scene.until("a good drill", |shown| shown["drill"]["outcome"] == "good").await;
    assert_eq!(scene.by_new().await, USERS, "reads are restored");
}

/// "Hold".
fn is_held(scene: &mut Scene, step: &str) {
    scene.plays("ana", "cutover pause profile --reason 'lunch'", &["paused"]);
    scene.ends("ana", step, 2, &["lunch"]);
    scene.plays("ana", "cutover freeze profile --reason 'change freeze'", &["frozen"]);
    let held = ["held: ", "lunch", "change freeze"];
    scene.ends("ana", "cutover status profile", 2, &held);
    scene.plays("ana", "cutover resume profile --reason 'back'", &["in force"]);
    scene.types("ana", "cutover status profile", 0, &["nothing is wrong"]);
}

const FULL: &str = "cutover promote profile --full --reason 'approved by ben'";
const APPROVE: &str =
    "cutover approve profile --full --evidence 9f86d081884c --reason 'read the differences'";
const LESS: &str = "cutover set-weight profile --percent 5 --reason 'smaller for the weekend'";

/// "Two people".
async fn needs_two_people(scene: &mut Scene) {
    scene.plays("ana", LESS, &["canary 5%"]);
    scene.stands("canary 5%").await;
    assert!((1..USERS / 4).contains(&scene.by_new().await));
    scene.evidence().await;
    scene.ends(
        "ana",
        "cutover plan profile --full",
        2,
        &["evidence ", "approv", "nothing was done"],
    );
    let reject =
        "cutover reject profile --full --evidence 9f86d081884c --reason 'payments look odd'";
    scene.judges("ben", reject);
    scene.ends("ana", FULL, 1, &["payments look odd"]);
    everybody(scene).await;
}

/// Ben approves, and ana moves everybody to new.
async fn everybody(scene: &mut Scene) {
    scene.evidence().await;
    scene.judges("ben", APPROVE);
    scene.plays("ana", FULL, &["canary 100%"]);
    assert_eq!(scene.by_new().await, USERS);
}

/// "Back, at any time", which somebody watches.
async fn goes_back(scene: &mut Scene) {
    let back = "cutover rollback profile --reason 'errors on checkout'";
    let retry = "cutover retry profile --reason 'mended in 4.2.1'";
    scene.plays("ana", back, &["rolled-back", "in force after"]);
    assert_eq!(scene.by_new().await, 0, "it is in force for the next request");
    scene.types("ana", "cutover status profile", 1, &["rolled back by", "errors on checkout"]);
    scene.plays("ana", retry, &["-> shadow"]);
    everybody(scene).await;

    let graded = "cutover rollback profile --graded 30s --reason 'old is cold'";
    scene.plays("ana", graded, &["10 parts", "going-back"]);
    assert_ne!(scene.by_new().await, 0, "not all at once");
    scene.until("the first part", |shown| shown["readPercent"] != "100%").await;
    assert!((1..USERS).contains(&scene.by_new().await), "some are back, and some are not");
    scene.plays("ana", "cutover rollback profile --reason 'a test'", &["rolled-back"]);
    assert_eq!(scene.by_new().await, 0);
    scene.plays("ana", "cutover retry profile --reason 'a test'", &["-> shadow"]);
    everybody(scene).await;

    let partly = "cutover rollback profile --to 5 --reason 'only a little too much'";
    scene.plays("ana", partly, &["canary 5%"]);
    assert!((1..USERS / 4).contains(&scene.by_new().await));
    scene.plays("ana", "cutover abort profile --reason 'not this year'", &["-> off"]);
    assert_eq!(scene.by_new().await, 0);
    scene.evidence().await;
    scene.plays("ana", BEGIN, &["off -> shadow"]);
    everybody(scene).await;
    scene.plays("ana", back, &["rolled-back"]);
}

/// Everybody, for good. The answer is the last order's receipt.
async fn ends(scene: &mut Scene) -> String {
    scene.plays("ana", "cutover retry profile --reason 'mended in 4.2.1'", &["-> shadow"]);
    everybody(scene).await;
    scene.evidence().await;
    let switch = "cutover switch-traffic profile --reads --reason 'everybody, for good'";
    scene.plays("ana", switch, &["canary 100%", "-> reads-new"]);
    scene.evidence().await;
    let complete = "cutover complete profile --confirm profile --reason 'old is off'";
    scene.ends("cy", complete, 2, &["approv"]);
    let approve = APPROVE.replace(" --full", "");
    let shown = scene.shown().await["evidence"].as_str().expect("a hash")[..12].to_owned();
    scene.types("ben", &approve.replace("9f86d081884c", &shown), 0, &[]);
    let done = scene.plays("cy", complete, &["-> complete"]);
    assert_eq!(scene.by_new().await, USERS);
    scene.types("ana", "cutover rollback profile --reason 'too late'", 1, &["no way back"]);
    let receipt = done.split_whitespace().skip_while(|word| *word != "audit").nth(1);
    receipt.unwrap_or_else(|| panic!("no receipt: {done}")).to_owned()
}

/// "Who did what", and the export of it.
fn is_written_down(scene: &mut Scene, receipt: &str) {
    let audit = scene.plays("ana", "cutover audit profile --last 50", &["why: errors on checkout"]);
    assert!(audit.contains("complete profile") && audit.contains("cy (admin)"), "{audit}");
    scene.plays("ana", "cutover audit profile", &["complete profile"]);
    scene.plays("ana", "cutover audit --verify", &["the audit log is whole"]);
    scene.plays("ana", "cutover list", &["profile", "complete"]);
    scene.plays("ana", "cutover audit export > export.jsonl", &[]);
    let verify = "cutover audit verify export.jsonl --receipt 12:9f86d081884c7d65";
    scene.plays_with("", verify, [RECEIPT, receipt]);
    let whole = scene.kept("export.jsonl");
    scene.keep("export.jsonl", &whole.replacen("errors on checkout", "nothing at all", 1));
    scene.ends("", verify, 1, &["altered"]);
}

/// "Upgrade the binary without losing a request".
async fn is_upgraded(scene: &mut Scene) {
    let next = scene.started_by("cutover run -c cutover.toml --upgrade &");
    let next = tokio::task::spawn_blocking(move || Process::of(next));
    scene.plays("", "kill -QUIT \"$(cat cutover.state/cutover.pid)\"", &[]);
    let next = next.await.expect("it starts");
    let mut before = scene.process.replace(next).expect("it runs");
    assert_eq!(before.wait(), Some(0), "it has drained");
    scene.crowd_asks(400).await;
    scene.crowd_leaves().await;
    scene.stands("complete").await;
    let mut last = scene.process.take().expect("it runs");
    last.signal("TERM");
    assert_eq!(last.wait(), Some(0));
}
