//! `cutover plugin …` through the binary: new, build, check, test and bench, on the components of `plugins/dist`.

use crate::process::{cutover, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn dist(name: &str) -> String {
    repository().join("plugins/dist").join(name).display().to_string()
}

/// `cutover plugin …` in that folder.
fn plugin(folder: &Path, arguments: &[&str]) -> Output {
    cutover(folder, &[&["plugin"], arguments].concat())
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn fits_the_terminal(text: &str) {
    // Paths of this machine may be longer than a line.
    let wide = text.lines().find(|line| line.chars().count() > 80 && !line.contains('/'));
    assert_eq!(wide, None, "{text}");
}

/// `cutover plugin check -o json` of a component with this configuration.
fn check(file: &str, config: &str) -> (Option<i32>, Value) {
    let output = plugin(Path::new("."), &["check", file, "--config", config, "-o", "json"]);
    let verdict = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{file}: {error}: {}", stderr(&output)));
    (code(&output), verdict)
}

/// The kinds of what is wrong.
fn kinds(verdict: &Value) -> Vec<&str> {
    let violations = verdict["violations"].as_array().expect("a list");
    violations.iter().filter_map(|violation| violation["kind"].as_str()).collect()
}

#[test]
fn the_shipped_components_break_no_rule_and_say_what_they_touch() {
    for (file, config, hook, touched) in [
        ("tenant_split.wasm", r#"{"tenants": ["acme"]}"#, "split", "header x-tenant"),
        ("tenant_split_c.wasm", r#"{"tenants": ["acme"]}"#, "split", "header x-tenant"),
        ("plan_percent.wasm", r#"{"cookie": "plan", "percents": {}}"#, "split", "cookie plan"),
        ("host_rewrite.wasm", r#"{"upstream": "a"}"#, "rewrite", "reply header location"),
        ("cause_fallback.wasm", r#"{"rules": [{"then": "old"}]}"#, "fallback", ""),
        ("date_normalise.wasm", r#"{"fields": ["at"]}"#, "normalise", ""),
    ] {
        let (code, verdict) = check(&dist(file), config);
        assert_eq!((code, kinds(&verdict)), (Some(0), vec![]), "{verdict}");
        assert_eq!(verdict["hooks"], serde_json::json!([hook]), "{verdict}");
        let reads = verdict["manifest"]["reads"].as_array().expect("a list");
        assert!(touched.is_empty() || reads.iter().any(|read| read == touched), "{verdict}");
        assert!(verdict["startUpMs"].as_f64().is_some_and(|took| took > 0.0), "{verdict}");
        assert!(verdict["memoryBytes"].as_u64().is_some_and(|b| b <= 16 << 20), "{verdict}");
    }
    let arguments = ["check", &dist("tenant_split.wasm"), "--config", r#"{"tenants": []}"#];
    let text = stdout(&plugin(Path::new("."), &arguments));
    for part in
        ["for split", "header x-tenant", "tenant-listed", "at most 250 ms", "ok: no violations"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    fits_the_terminal(&text);
}

#[test]
fn each_violation_has_its_name() {
    for (config, kind, part) in [
        (r#"{"fault": "manifest-framing"}"#, "manifest", "transfer-encoding"),
        (r#"{"fault": "manifest-name"}"#, "manifest", "no name"),
        (r#"{"fault": "manifest-many"}"#, "manifest", "1000 writes"),
        (r#"{"fault": "configure-refuse"}"#, "refused", "tenants is missing"),
        (r#"{"fault": "configure-panic"}"#, "start", "faulty on purpose"),
        (r#"{"fault": "configure-loop"}"#, "too-slow", "250 ms"),
        (r#"{"fault": "configure-memory"}"#, "memory", "16 MiB"),
        // What only a call shows.
        (r#"{"fault": "index"}"#, "undeclared-write", "on-request"),
        (r#"{"fault": "bytes"}"#, "bad-answer", "bytes that no header may have"),
        (r#"{"fault": "status"}"#, "bad-answer", "on-failure"),
        (r#"{"fault": "reason"}"#, "bad-answer", "split"),
        (r#"{"fault": "reply"}"#, "trap", "on-response"),
    ] {
        let (code, verdict) = check(&dist("test_faulty.wasm"), config);
        assert_eq!((code, kinds(&verdict)), (Some(1), vec![kind]), "{config}: {verdict}");
        let what = verdict["violations"][0]["what"].as_str().unwrap_or_default();
        assert!(what.contains(part), "{config}: {what}");
    }
    let arguments = ["check", &dist("tenant_split.wasm")];
    let output = plugin(Path::new("."), &arguments);
    assert_eq!(code(&output), Some(1));
    assert!(stdout(&output).contains("--config"), "{}", stdout(&output));
    fits_the_terminal(&stdout(&output));
}

/// A component that imports a function `now` of WASI's clock, and exports nothing.
const FOREIGN: &[u8] = b"\0asm\x0d\0\x01\0\
    \x07\x10\x01\x42\x02\x01\x40\0\0\x77\x04\0\x03now\x01\0\
    \x0a\x1c\x01\0\x17wasi:clocks/clock@0.2.0\x05\0";

/// A component that imports our log, with a number where the text belongs.
const WRONG_IMPORT: &str = r#"(component
    (import "cutover:plugin/log@0.1.0" (instance (export "say" (func (param "text" u32))))))"#;

/// A component that exports a lifecycle and a split, neither of which takes or gives anything.
const WRONG_EXPORTS: &str = r#"(component
    (core module $code (func (export "nothing")))
    (core instance $instance (instantiate $code))
    (func $nothing (canon lift (core func $instance "nothing")))
    (instance $lifecycle (export "configure" (func $nothing)))
    (instance $split (export "decide" (func $nothing)))
    (export "cutover:plugin/lifecycle@0.1.0" (instance $lifecycle))
    (export "cutover:plugin/split@0.1.0" (instance $split)))"#;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}

#[test]
fn files_that_are_no_plugins_are_told_what_they_are() {
    let here = tempfile::tempdir().expect("a folder");
    for (bytes, expected) in [
        (&b""[..], &["not-a-component"][..]),
        (b"(component)", &["not-a-component"]),
        (b"\0asm\x01\0\0\0", &["not-a-component"]),
        (b"\0asm\x0d\0\x01\0rubbish", &["not-a-component"]),
        (b"\0asm\x0d\0\x01\0", &["no-lifecycle", "no-hook"]),
        (&component(WRONG_IMPORT), &["wrong-imports", "no-lifecycle", "no-hook"]),
        (&component(WRONG_EXPORTS), &["wrong-exports"]),
        (FOREIGN, &["import", "no-lifecycle", "no-hook"]),
    ] {
        let file = here.path().join("some.wasm");
        std::fs::write(&file, bytes).expect("written");
        let (exit, verdict) = check(&file.display().to_string(), "{}");
        assert_eq!((exit, kinds(&verdict)), (Some(1), expected.to_vec()), "{verdict}");
        let tested = plugin(here.path(), &["bench"]);
        assert_eq!(code(&tested), Some(1), "{}", stderr(&tested));
    }
    // The only component of a folder need not be named.
    let output = plugin(here.path(), &["check"]);
    assert!(stdout(&output).contains("wasi:clocks/clock@0.2.0.now"), "{}", stdout(&output));
    fits_the_terminal(&stdout(&output));
    for missing in ["check", "test", "bench"] {
        let output = plugin(here.path(), &[missing, "nowhere.wasm"]);
        assert_eq!(code(&output), Some(1), "{missing}");
        assert!(stderr(&output).contains("nowhere.wasm") || missing != "check");
    }
}

#[test]
fn every_shipped_plugin_passes_its_cases() {
    for (file, folder) in [
        ("tenant_split.wasm", "tenant-split"),
        ("tenant_split_c.wasm", "tenant-split"),
        ("plan_percent.wasm", "plan-percent"),
        ("host_rewrite.wasm", "host-rewrite"),
        ("cause_fallback.wasm", "cause-fallback"),
        ("date_normalise.wasm", "date-normalise"),
        ("test_faulty.wasm", "test-guests/faulty"),
        ("test_plain.wasm", "test-guests/plain"),
    ] {
        let folder = repository().join("plugins").join(folder);
        let output = plugin(&folder, &["test", &dist(file)]);
        let text = stdout(&output);
        assert_eq!(code(&output), Some(0), "{file}: {text}{}", stderr(&output));
        assert!(text.contains("cases passed"), "{file}: {text}");
        fits_the_terminal(&text);
    }
}

#[test]
fn a_failing_case_says_what_was_expected_and_what_came() {
    let here = tempfile::tempdir().expect("a folder");
    let cases = here.path().join("cases.toml");
    std::fs::write(
        &cases,
        "config = { tenants = [\"acme\"] }\n\
         [[case]]\nname = \"wrong\"\nrequest = { path = \"/\", headers = { x-tenant = \"acme\" } }\n\
         expect = { backend = \"old\", reason = \"mood\" }\n\
         [[case]]\nname = \"right\"\nexpect = { backend = \"old\" }\n\
         [[case]]\nname = \"accepted\"\nexpect = { refused = \"\" }\n",
    )
    .expect("written");
    let arguments = ["test", &dist("tenant_split.wasm"), "cases.toml"];
    let output = plugin(here.path(), &arguments);
    let text = stdout(&output);
    assert_eq!(code(&output), Some(1), "{text}{}", stderr(&output));
    for part in [
        "FAILED  wrong",
        "expected  backend old, reason mood",
        "got       backend new, reason tenant-listed",
        "ok      right",
        "FAILED  accepted",
        "1 passed, 2 failed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let machine = plugin(here.path(), &[&arguments[..], &["-o", "json"]].concat());
    let trial: Value = serde_json::from_slice(&machine.stdout).expect("JSON");
    assert_eq!((&trial["failed"], &trial["cases"][1]["ok"]), (&2.into(), &true.into()), "{trial}");

    std::fs::write(&cases, "[[case]]\nname = \"x\"\nexpect = { bakend = \"old\" }\n")
        .expect("written");
    let output = plugin(here.path(), &arguments);
    assert_eq!(code(&output), Some(1));
    assert!(stderr(&output).contains("case 1 (x): unknown field"), "{}", stderr(&output));
    std::fs::write(&cases, "[[case]]\nname = \"x\"\nreply = {}\nexpect = { edits = [] }\n")
        .expect("written");
    let output = plugin(here.path(), &arguments);
    assert!(stderr(&output).contains("has split only"), "{}", stderr(&output));
}

#[test]
fn a_bench_measures_every_hook() {
    let folder = repository().join("plugins/test-guests/faulty");
    let output = plugin(&folder, &["bench", &dist("test_faulty.wasm"), "-o", "json"]);
    let measured: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let hooks = measured["hooks"].as_array().expect("a list");
    let names: Vec<_> = hooks.iter().filter_map(|hook| hook["hook"].as_str()).collect();
    assert_eq!(names, ["split", "on-request", "on-response", "on-failure", "normalise"]);
    assert!(hooks.iter().all(|hook| hook["medianNs"].as_f64().is_some_and(|ns| ns > 0.0)));
    // Without cases, a plain request.
    let here = tempfile::tempdir().expect("a folder");
    let config = r#"{"tenants": ["acme"]}"#;
    let output = plugin(here.path(), &["bench", &dist("tenant_split.wasm"), "--config", config]);
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("MEDIAN"), "{}", stdout(&output));
    fits_the_terminal(&stdout(&output));
}

#[test]
fn wrong_usage_is_64() {
    let here = tempfile::tempdir().expect("a folder");
    for wrong in [
        &[][..],
        &["nonsense"],
        &["new"],
        &["new", "No Name"],
        &["new", "match"],
        &["new", "a", "--hook", "none"],
        &["check", "x.wasm", "--config", "{"],
        &["check", "x.wasm", "--config", "[]"],
        &["check", "x.wasm", "--memory-mib", "0"],
    ] {
        let output = plugin(here.path(), wrong);
        assert_eq!(code(&output), Some(64), "{wrong:?}: {}", stderr(&output));
    }
    assert!(std::fs::read_dir(here.path()).expect("readable").next().is_none());
}

/// One of each hook.
const NEW: [(&str, &str); 4] = [
    ("my-split", "split"),
    ("my-edits", "rewrite"),
    ("my-mend", "fallback"),
    ("my-eyes", "normalise"),
];

/// A new plugin in that folder, by nothing but the binary.
fn new_plugin(here: &Path, name: &str, hook: &str) {
    let output = plugin(here, &["new", name, "--hook", hook]);
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    fits_the_terminal(&stdout(&output));
}

#[test]
fn a_new_plugin_is_a_package_with_tests() {
    let here = tempfile::tempdir().expect("a folder");
    for (name, hook) in NEW {
        new_plugin(here.path(), name, hook);
        let read = |file: &str| {
            std::fs::read_to_string(here.path().join(name).join(file)).expect("a file")
        };
        let rules = read("src/lib.rs");
        assert!(rules.contains(&format!("export!(Rules: {hook});")), "{rules}");
        assert!(rules.contains("#[test]"), "{rules}");
        assert!(read("tests/cases.toml").contains("[[case]]"));
        assert!(read("README.md").contains(&format!("{}.wasm", name.replace('-', "_"))));
        for file in ["Cargo.toml", "README.md"] {
            assert!(!read(file).contains('@'), "{}", read(file));
        }
        let metadata = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
            .current_dir(here.path().join(name))
            .stdin(Stdio::null())
            .output()
            .expect("cargo runs");
        let metadata: Value = serde_json::from_slice(&metadata.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", stderr(&metadata)));
        let package = &metadata["packages"][0];
        assert_eq!(package["name"], name);
        assert_eq!(package["targets"][0]["crate_types"], serde_json::json!(["cdylib"]));
        assert_eq!(package["dependencies"][0]["name"], "cutover-plugin");
        assert_eq!(read("sdk/wit/cutover.wit"), read_ours("wit/cutover.wit"));
        assert_eq!(read("sdk/src/lib.rs"), read_ours("crates/cutover-plugin/src/lib.rs"));
    }
    let again = plugin(here.path(), &["new", "my-split"]);
    assert_eq!(code(&again), Some(1));
    assert!(stderr(&again).contains("exists already"), "{}", stderr(&again));
    let sdk = repository().join("crates/cutover-plugin").display().to_string();
    let other = ["new", "other", "--sdk-path", &sdk, "-o", "json"];
    let other = plugin(here.path(), &other);
    assert_eq!(code(&other), Some(0), "{}", stderr(&other));
    let manifest = std::fs::read_to_string(here.path().join("other/Cargo.toml")).expect("a file");
    assert!(manifest.contains(&format!("cutover-plugin = {{ path = {sdk:?} }}")), "{manifest}");
    assert!(!here.path().join("other/sdk").exists());
    let nowhere = plugin(here.path(), &["new", "third", "--sdk-path", "."]);
    assert_eq!(code(&nowhere), Some(1));
    assert!(!here.path().join("third").exists());
}

fn read_ours(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).expect("a file of the repository")
}

/// A program in a plugin's folder. What it builds is kept from one run of the tests to the next.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest");
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

/// The README of a new plugin, line by line, for every hook.
#[test]
fn an_author_needs_nothing_but_the_binary_and_rust() {
    let here = tempfile::tempdir().expect("a folder");
    for (name, hook) in NEW {
        new_plugin(here.path(), name, hook);
        let folder = here.path().join(name);
        // The same versions as the examples', so that nothing new is downloaded.
        std::fs::copy(repository().join("plugins/Cargo.lock"), folder.join("Cargo.lock"))
            .expect("copied");
        let native = run(&folder, env!("CARGO"), &["test"]);
        let said = format!("{}{}", stdout(&native), stderr(&native));
        assert_eq!(code(&native), Some(0), "{said}");
        assert!(said.contains("test result: ok. 1 passed"), "{said}");
        assert!(!said.contains("warning:"), "{said}");
        let output =
            run(&folder, env!("CARGO_BIN_EXE_cutover"), &["plugin", "build", "-o", "json"]);
        if stderr(&output).contains("no Rust toolchain here") {
            assert_eq!(code(&output), Some(1));
            println!("SKIPPED: {}", stderr(&output));
            return;
        }
        assert_eq!(code(&output), Some(0), "{}", stderr(&output));
        let built: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(built["file"], format!("{}.wasm", name.replace('-', "_")), "{built}");
        for verb in ["check", "test", "bench"] {
            let output = plugin(&folder, &[verb]);
            assert_eq!(code(&output), Some(0), "{verb}: {}{}", stdout(&output), stderr(&output));
            fits_the_terminal(&stdout(&output));
        }
    }
}

#[test]
fn only_what_can_be_a_component_is_built() {
    let here = tempfile::tempdir().expect("a folder");
    let empty = plugin(here.path(), &["build"]);
    assert_eq!(code(&empty), Some(1));
    assert!(stderr(&empty).contains("cutover plugin new"), "{}", stderr(&empty));
    std::fs::write(here.path().join("bare.wasm"), b"\0asm\x01\0\0\0").expect("written");
    let bare = plugin(here.path(), &["build", "bare.wasm"]);
    assert_eq!(code(&bare), Some(1));
    assert!(stderr(&bare).contains("bare.wasm"), "{}", stderr(&bare));
    let again = plugin(here.path(), &["build", &dist("tenant_split.wasm"), "--out", "x.wasm"]);
    assert_eq!(code(&again), Some(1));
    assert!(stderr(&again).contains("already"), "{}", stderr(&again));
    assert!(!here.path().join("x.wasm").exists());
}
