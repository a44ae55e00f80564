//! The access log: what a line looks like, and what failing files do (nothing, but lose lines).

use super::*;
use crate::access_log::line::Decided;
use crate::problem::ReplyId;
use cutover::core::Bucket;
use cutover::{Generation, Reason, Role, Side};
use std::path::{Path, PathBuf};

pub(crate) fn record() -> Record<'static> {
    Record {
        began_ms: 1_795_357_687_042,
        id: ReplyId::fresh(),
        client: Some([192, 0, 2, 1].into()),
        method: "GET",
        host: "example.com",
        path: "/api/profile/7",
        protocol: "HTTP/1.1",
        status: 200,
        bytes_in: 0,
        bytes_out: 12,
        trace: Some(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736),
        took: Duration::from_micros(1_234),
        attempts: 2,
        decided: Some(Decided {
            migration: Some(("profile", Side::Old)),
            role: Role::Fallback,
            reason: Reason::Percent,
            cohort: Bucket::new(4_711),
            generation: Generation(3),
            backend: "monolith",
            address: Some("127.0.0.1:9001"),
        }),
        failed: Some("connect"),
        refused: None,
    }
}

fn settings(format: LogFormat, path: PathBuf) -> Settings {
    Settings { format, path: Some(path) }
}

/// Waits for the file to satisfy a condition, by asking for it in a bounded loop.
fn wait_for(path: &Path, log: &AccessLog, done: impl Fn(&str) -> bool) -> String {
    for _ in 0..1000 {
        log.flush();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if done(&text) {
            return text;
        }
        std::thread::yield_now();
    }
    panic!("the log never got there: {:?}", std::fs::read_to_string(path));
}

#[test]
fn a_json_line_is_json_with_every_fact() {
    let mut line = Vec::new();
    record().json(&mut line, &mut Second::default());
    let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
    let expected = serde_json::json!({
        "time": "2026-11-22T14:28:07.042Z", "id": value["id"], "client": "192.0.2.1",
        "method": "GET", "host": "example.com", "path": "/api/profile/7", "protocol": "HTTP/1.1",
        "status": 200, "bytes_in": 0, "bytes_out": 12, "ms": 1.234, "attempts": 2,
        "migration": "profile", "side": "old", "role": "fallback", "reason": "percent",
        "cohort": 4711, "generation": 3, "backend": "monolith", "address": "127.0.0.1:9001", "failed": "connect",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    });
    assert_eq!(value, expected);
}

#[test]
fn the_page_has_every_field_and_no_other() {
    let mut line = Vec::new();
    Record { refused: Some("timeout"), ..record() }.json(&mut line, &mut Second::default());
    let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
    let page = include_str!("../../../../docs/access-log.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut told: Vec<_> = rows.collect();
    told.sort_unstable();
    let mut fields: Vec<_> = value.as_object().expect("an object").keys().collect();
    fields.sort_unstable();
    assert_eq!(told, fields);
}

#[test]
fn a_client_cannot_forge_a_line() {
    let path = "/a\"b\\c\nd\u{1b}[31m e\u{9b}f\u{7f}ü";
    let forged = Record { path, host: "x y", ..record() };
    let mut line = Vec::new();
    forged.json(&mut line, &mut Second::default());
    let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
    assert_eq!(value["path"], path);
    let mut text = Vec::new();
    forged.text(&mut text, &mut Second::default());
    for line in [line, text] {
        let line = String::from_utf8(line).expect("UTF-8");
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.trim_end().chars().any(char::is_control), "{line}");
    }
}

#[test]
fn a_text_line_has_its_fields_in_order() {
    let mut text = Vec::new();
    record().text(&mut text, &mut Second::default());
    let text = String::from_utf8(text).expect("UTF-8");
    let start = "2026-11-22T14:28:07.042Z 192.0.2.1 GET example.com /api/profile/7 HTTP/1.1 200 0 12 \
                 1.234ms side=old role=fallback migration=profile reason=percent generation=3 \
                 cohort=4711 backend=monolith address=127.0.0.1:9001 attempts=2 failed=connect \
                 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 id=";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn lines_reach_the_file_and_a_rotated_file_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let log = AccessLog::start(&settings(LogFormat::Json, path.clone())).expect("started");
    log.write(&record());
    wait_for(&path, &log, |text| text.lines().count() == 1);
    let rotated = folder.path().join("access.log.1");
    std::fs::rename(&path, &rotated).expect("renamed");
    log.reopen();
    log.write(&record());
    wait_for(&path, &log, |text| text.lines().count() == 1);
    assert_eq!(std::fs::read_to_string(&rotated).expect("there").lines().count(), 1);
    assert_eq!(log.dropped(), 0);
}

#[test]
fn a_failing_file_costs_counted_lines_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("missing").join("access.log");
    let log = AccessLog::start(&settings(LogFormat::Text, path.clone())).expect("started");
    log.write(&record());
    log.flush();
    assert_eq!(log.dropped(), 1);
    std::fs::create_dir(path.parent().expect("it has one")).expect("created");
    log.write(&record());
    wait_for(&path, &log, |text| text.lines().count() == 1);
    assert_eq!(log.dropped(), 1);
}

#[test]
fn a_full_disk_costs_counted_lines() {
    let full = PathBuf::from("/dev/full");
    if !full.exists() {
        println!("SKIPPED: no /dev/full here");
        return;
    }
    let log = AccessLog::start(&settings(LogFormat::Json, full)).expect("started");
    for expected in 1..=3 {
        log.write(&record());
        log.flush();
        assert_eq!(log.dropped(), expected);
    }
}

#[test]
fn a_full_queue_drops_and_counts() {
    let queue = Queue::default();
    let line = vec![b'x'; QUEUE_BYTES / 4];
    for _ in 0..6 {
        queue.push(&line);
    }
    assert_eq!(queue.dropped.load(Relaxed), 2);
    assert!(queue.lock().bytes.len() <= QUEUE_BYTES);
}

/// A pipe that nobody reads holds its writer.
#[test]
fn nobody_waits_for_a_log_that_is_dropped_and_its_lines_are_written_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("SKIPPED: no mkfifo here");
        return;
    }
    let log = AccessLog::start(&settings(LogFormat::Text, path.clone())).expect("started");
    log.write(&record());
    let rest = log.rest();
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        drop(log);
        let _ = tell.send(());
    });
    let dropped = told.recv_timeout(Duration::from_secs(20));
    assert!(!rest.is_written(), "the writer waits for a reader");
    assert_eq!(std::fs::read_to_string(&path).expect("a pipe").lines().count(), 1);
    rest.flush();
    dropped.expect("dropped while its writer was stuck");
}

#[test]
fn what_is_left_of_a_dropped_log_can_be_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let log = AccessLog::start(&settings(LogFormat::Text, path.clone())).expect("started");
    let rest = log.rest();
    log.write(&record());
    drop(log);
    rest.flush();
    assert_eq!(std::fs::read_to_string(&path).expect("written").lines().count(), 1);
}
