//! What a person reads, whatever happened.

use super::*;

/// A proxy in trouble: breaker open, plugin at rest, an address gone, a reload refused.
fn troubled() -> Value {
    json!({
        "version": "0.1.0", "generation": 3, "file": "cutover.toml", "ready": true,
        "nowMs": 1_000_000, "warnings": 0,
        "lastReload": { "atMs": 700_000, "trigger": "file", "reason": "cutover.toml changed",
                        "outcome": "refused", "generation": 3, "error": "…" },
        "migrations": [{
            "name": "profile", "phase": "canary", "old": "monolith", "new": "profile-service",
            "readPercent": "5%", "writeOwner": "old", "disabled": false, "rolledBack": false,
            "breaker": "open", "breakerOpened": 1,
            "lastMinute": {
                "overMs": 61_000, "fallbacks": 60,
                "old": { "requests": 4_700, "errors": 0, "p50Ms": 2.4, "p99Ms": 22.0 },
                "new": { "requests": 240, "errors": 60, "p50Ms": 3.1, "p99Ms": 812.0 },
                "newCopies": { "requests": 0, "errors": 0, "p50Ms": null, "p99Ms": null },
            },
            "answered": [
                { "side": "old", "role": "served", "requests": 1_902_337, "errors": 12, "p50Ms": 2.41, "p99Ms": 24.0 },
                { "side": "new", "role": "served", "requests": 98_700, "errors": 3, "p50Ms": 3.1, "p99Ms": 10_000.0 },
                { "side": "old", "role": "fallback", "requests": 2_100, "errors": 0, "p50Ms": 1_502.0, "p99Ms": 1_900.0 },
                { "side": "old", "role": "breaker", "requests": 0, "errors": 0, "p50Ms": null, "p99Ms": null },
            ],
            "failedAttempts": [{ "side": "new", "cause": "timeout", "count": 2_100 }],
            "plugins": [{ "name": "tenant-split", "state": "quarantined", "instances": 0, "calls": 12_345, "faults": 40 }],
        }],
        "backends": [
            { "backend": "monolith", "addresses": [{ "address": "127.0.0.1:9001", "usable": true, "inFlight": 3, "connectFailures": 0 }] },
            { "backend": "profile-service", "addresses": [{ "address": "profile-1.internal.example:9002", "usable": false, "inFlight": 0, "connectFailures": 7 }] },
        ],
    })
}

#[test]
fn trouble_is_told_with_what_to_do() {
    let status = troubled();
    let told = shown(&status, &wrong::of(&status), "http://127.0.0.1:8081");
    for part in [
        "cutover 0.1.0 takes traffic, generation 3",
        "last reload refused 5 min ago by file: cutover.toml changed",
        "profile: canary, 5% of users read from new, old takes writes, breaker open",
        "  IN THE LAST MINUTE                 REQUESTS         ERRORS      P50      P99",
        "  old (monolith)                        4,700              0   2.4 ms    22 ms",
        "  new (profile-service)                   240    60 (25.00%)   3.1 ms   812 ms",
        "  of old's, 60 after new had failed",
        "  old (monolith)                    1,902,337     12 (0.00%)   2.4 ms    24 ms",
        "  new (profile-service)                98,700      3 (0.00%)   3.1 ms    >10 s",
        "  old, after new had failed             2,100              0    1.5 s    1.9 s",
        "attempts that failed at new: 2,100 timeout",
        "plugin tenant-split: quarantined, 12,345 calls in this generation, 40 failed",
        "profile-1.internal.exam… left out",
        "wrong: profile: the breaker is open",
        "wrong: profile: of what new was asked since the process began 2.1 % failed",
        "wrong: profile: plugin tenant-split is quarantined",
        "wrong: profile-service: its address is left out",
        "wrong: the last reload was refused 5 min ago: generation 3 stays in force",
        "next:  cutover check cutover.toml",
        "--admin http://127.0.0.1:8081",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(!told.contains("while the breaker was open"), "what never happened\n{told}");
    assert!(!told.contains("asked by copies"), "nor this\n{told}");
    let wide = told.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{told}");
}

#[test]
fn a_migration_that_was_stopped_is_not_wrong() {
    let mut status = troubled();
    status["migrations"][0]["disabled"] = json!(true);
    status["migrations"][0]["plugins"] = json!([]);
    status["backends"] = json!([]);
    status["lastReload"] = Value::Null;
    assert_eq!(wrong::of(&status), []);
    let told = shown(&status, &[], "URL");
    assert!(told.contains("profile: disabled: everything goes to old"), "{told}");
    assert!(told.contains("nothing is wrong\nnext: cutover explain"), "{told}");
}

#[test]
fn one_migration_may_be_asked_for() {
    assert!(only(troubled(), Some("orders")).is_err());
    let mut status = troubled();
    status["backends"][0]["backend"] = json!("search");
    let one = only(status, Some("profile")).expect("it is there");
    assert_eq!(one["backends"].as_array().map(Vec::len), Some(1), "{one}");
}

#[test]
fn names_and_times_are_readable() {
    assert_eq!((cut("abcd", 4).as_str(), cut("abcde", 4).as_str()), ("abcd", "abc…"));
    assert_eq!(took(&Value::Null), "-");
}

/// A migration that waits, is held, and has gone back: what stands above is not said twice.
#[test]
fn a_migration_says_what_it_waits_for_and_what_comes_next() {
    let mut migration = troubled()["migrations"][0].clone();
    let gate = |name: &str, verdict: &str, required: bool| {
        let text = format!("{name}: 0 in 2,000 requests, needs 1,556 more clean");
        json!({ "gate": name, "verdict": verdict, "required": required, "text": text })
    };
    let more = json!({
        "generation": 12, "position": "canary 5%", "health": "held", "mirrorPercent": "10%",
        "evidence": "9f86d081884c7d659a2f", "nowMs": 10_000_000, "enteredMs": 9_280_000,
        "step": { "at": 2, "of": 5, "dwellMs": 3_600_000 },
        "held": ["paused by ana (on-call): lunch\u{1b}[2J"],
        "gates": [gate("errors", "inconclusive", true), gate("fallbacks", "pass", false)],
        "approvals": [{ "by": "ben", "approves": true, "to": "canary 20%", "reason": "looks good",
                        "atMs": 9_990_000 }],
        "next": {
            "to": "canary 20%", "command": "resume profile", "because": "held by ana",
            "missing": [
                { "name": "paused", "text": "paused by ana (on-call): lunch" },
                { "name": "gate", "text": "errors (inconclusive): 0 in 2,000" },
                { "name": "dwell", "text": "48m left of 1h here" },
            ],
        },
        "history": [{ "at_ms": 9_280_000, "by": "ana", "event": "promote", "why": "all pass",
                      "from": { "text": "canary 1%" }, "to": { "text": "canary 5%" } }],
    });
    let members = migration.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    let told = moving::lines(&migration).join("\n");
    expect_lines(
        &told,
        &[
            "  generation 12, mirror 10%, evidence 9f86d081884c, step 2 of 5, here for 12m of",
            "  60m at least",
            "  held: paused by ana (on-call): lunch [2J",
            "  inconclusive errors: 0 in 2,000 requests, needs 1,556 more clean",
            "  pass         fallbacks: 0 in 2,000 requests, needs 1,556 more clean (not",
            "               required)",
            "  approved: canary 20% by ben, 10s ago: looks good",
            "  missing for canary 20%: 1 required gate, above",
            "    - 48m left of 1h here",
            "  next: cutover resume profile --reason '…'",
            "        (held by ana)",
            "  12m ago: canary 1% -> canary 5%, promote by ana: all pass",
        ],
    );
}

fn expect_lines(told: &str, expected: &[&str]) {
    assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{told}");
}
