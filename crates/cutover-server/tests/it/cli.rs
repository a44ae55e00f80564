//! The command line: exit codes, and what people and programs read.

use crate::process::{Process, Setup, cutover, stderr, stdout};
use cutover_test::Upstream;
use serde_json::Value;

const GOOD: &str = "[server]\nlisten = [\"127.0.0.1:0\"]\n[backends.monolith]\n\
                    addresses = [\"127.0.0.1:9001\"]\n[[routes]]\npath = \"/{*rest}\"\n\
                    backend = \"monolith\"\n";

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cutover.toml"), config).expect("written");
    folder
}

#[test]
fn usage_errors_are_64_and_help_is_not_an_error() {
    let here = folder(GOOD);
    for wrong in
        [&["nonsense"][..], &[], &["reload"], &["run", "--nonsense"], &["explain", "x y z"]]
    {
        let output = cutover(here.path(), wrong);
        assert_eq!(output.status.code(), Some(64), "{wrong:?}: {}", stderr(&output));
    }
    for right in [&["--help"][..], &["--version"], &["run", "--help"]] {
        assert_eq!(cutover(here.path(), right).status.code(), Some(0), "{right:?}");
    }
}

/// The help of these verbs and of those below them; every line that is too long.
fn wide_help(verbs: &[String], wide: &mut Vec<String>) -> usize {
    let here = folder(GOOD);
    let mut arguments: Vec<&str> = verbs.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = cutover(here.path(), &arguments);
    assert_eq!(help.status.code(), Some(0), "{verbs:?}: {}", stderr(&help));
    let text = stdout(&help);
    arguments.pop();
    arguments.push("-h");
    let short = stdout(&cutover(here.path(), &arguments));
    let lines = text.lines().chain(short.lines()).filter(|line| line.chars().count() > 80);
    wide.extend(lines.map(|line| format!("{verbs:?}: {line}")));
    let mut pages = 1;
    let commands = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in commands.take_while(|line| line.starts_with("  ")) {
        let Some(verb) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else {
            continue;
        };
        let verb = verb.split_whitespace().next().unwrap_or_default();
        if verb != "help" {
            pages += wide_help(&[verbs, &[verb.to_owned()]].concat(), wide);
        }
    }
    pages
}

#[test]
fn every_page_of_help_fits_80_columns() {
    let mut wide = Vec::new();
    let pages = wide_help(&[], &mut wide);
    assert!(pages >= 15, "only {pages} pages were found");
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

#[test]
fn check_says_what_is_wrong_and_what_comes_next() {
    let here = folder(GOOD);
    let good = cutover(here.path(), &["check"]);
    assert_eq!(good.status.code(), Some(0), "{}", stdout(&good));
    assert!(stdout(&good).contains("next: cutover run -c cutover.toml"), "{}", stdout(&good));
    let here = folder(&GOOD.replace("backend = \"monolith\"", "backend = \"monolit\""));
    let bad = cutover(here.path(), &["check", "cutover.toml"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stdout(&bad).contains("monolith"), "{}", stdout(&bad));
    assert!(stdout(&bad).lines().all(|line| line.chars().count() <= 80), "{}", stdout(&bad));
    let machine = cutover(here.path(), &["check", "-o", "json"]);
    assert_eq!(machine.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&machine.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    assert!(findings.iter().any(|finding| finding["severity"] == "error"), "{report}");
    let missing = cutover(here.path(), &["check", "nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stdout(&missing).contains("nowhere.toml"), "{}", stdout(&missing));
}

#[test]
fn explain_asks_a_file() {
    let here = folder(GOOD);
    let output = cutover(here.path(), &["explain", "GET /x", "-H", "x-user-id: 7"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("monolith"), "{}", stdout(&output));
    let machine = cutover(here.path(), &["explain", "/x", "-o", "json"]);
    let explained: Value = serde_json::from_slice(&machine.stdout).expect("JSON");
    assert_eq!(explained["backend"], "monolith", "{explained}");
}

#[test]
fn the_schema_is_json() {
    let here = folder(GOOD);
    let output = cutover(here.path(), &["config", "schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(schema["properties"]["server"].is_object(), "{schema}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_proxy_is_asked_over_its_admin_api() {
    let upstream = Upstream::named("b").await;
    let setup = Setup::new("", upstream.address());
    let process = Process::start(&setup.file, &["--no-watch"]);
    let admin = format!("http://{}", process.admin);
    let ask = |verb: &[&str]| cutover(setup.folder.path(), &[verb, &["--admin", &admin]].concat());
    let explained = ask(&["explain", "GET /x"]);
    assert!(stdout(&explained).contains("backend"), "{}", stdout(&explained));
    let reloaded = ask(&["reload", "--reason", "test"]);
    assert_eq!(reloaded.status.code(), Some(0), "{}", stderr(&reloaded));
    assert!(stdout(&reloaded).contains("generation 2"), "{}", stdout(&reloaded));
    let stale = ask(&["reload", "--reason", "test", "--generation", "1"]);
    assert_eq!(stale.status.code(), Some(1));
    let status = ask(&["status"]);
    assert_eq!(status.status.code(), Some(0), "{}", stderr(&status));
    assert!(stdout(&status).contains("no migrations"), "{}", stdout(&status));
    assert!(stdout(&status).contains("nothing is wrong"), "{}", stdout(&status));
    let unknown = ask(&["status", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
    drop(process);
    let gone = ask(&["status"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("cutover run"), "{}", stderr(&gone));
}
