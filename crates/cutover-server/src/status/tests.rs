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
        "  old (monolith)                       1,902,337        12    2.4 ms     24 ms",
        "  new (profile-service)                   98,700         3    3.1 ms     >10 s",
        "  old, after new had failed                2,100         0     1.5 s     1.9 s",
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
