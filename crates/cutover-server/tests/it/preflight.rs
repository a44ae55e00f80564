//! What must be known of `old` before a migration leaves `off`: who promotes too early is told what is missing and how to
//! go on.

use crate::scene::Scene;
use serde_json::{Value, json};

const ROUTES: &str = "routes = [{ path = \"/api/{id}\", methods = [\"GET\"] }]\n";

fn names(missing: &Value) -> Vec<&str> {
    let all = missing.as_array().expect("a list").iter();
    all.map(|one| one["text"].as_str().expect("a sentence").split(' ').next().expect("a word"))
        .collect()
}

#[test]
fn shadow_waits_until_old_has_answered_users() {
    let scene =
        Scene::new(&format!("{ROUTES}preflight = {{ observe = \"2s\", requests = 20 }}"), "");
    let (status, refused) = scene.promote();
    assert_eq!((status, &refused["title"]), (409, &"Not yet".into()), "{refused:#}");
    assert_eq!(names(&refused["missing"]), ["baseline", "old"], "{refused:#}");
    let nothing =
        "baseline (inconclusive): old was asked nothing here yet; needs 20 answers over 2 s";
    for arguments in [&["plan", "profile"][..], &["promote", "profile", "--reason", "x"]] {
        let said = scene.says(arguments, 2);
        assert!(said.contains(nothing), "{arguments:?}: {said}");
        assert!(said.contains("send it requests, or give its backend a health check"), "{said}");
    }
    let said = scene.says(&["status", "profile"], 0);
    assert!(said.contains("missing for shadow: 2 required gates, above"), "{said}");
    assert!(
        !said.contains("baseline: old was asked nothing here yet; needs 20 answers over 2 s (not"),
        "{said}"
    );
    for gate in ["baseline", "old"] {
        let line = format!("cutover_gate_verdict{{migration=\"profile\",gate=\"{gate}\"}} 0.0");
        assert!(scene.metrics().lines().any(|found| found == line), "{line}");
    }

    let passes = || scene.get()["next"]["missing"] == json!([]);
    scene.until(passes, || assert_eq!(scene.asks("GET", "/api/7"), 200));
    let told = scene.gate("baseline").expect("it is asked");
    assert_eq!((&told["verdict"], &told["required"]), (&"pass".into(), &true.into()), "{told:#}");
    assert!(told["samples"].as_u64() >= Some(20), "{told:#}");
    assert_eq!(told["ifItFails"], "hold", "{told:#}");
    let told = scene.told("old");
    assert!(told.starts_with("old: 1 of 1 addresses usable, answered "), "{told}");
    let line = "cutover_gate_verdict{migration=\"profile\",gate=\"baseline\"} 1.0";
    assert!(scene.metrics().lines().any(|found| found == line), "{}", scene.metrics());
    let (status, done) = scene.promote();
    assert_eq!((status, &done["to"]), (200, &"shadow, mirror 100%".into()), "{done:#}");
    assert!(scene.gate("baseline").is_none() && scene.gate("old").is_none(), "{:#}", scene.get());
}

/// Whoever has no users yet says so in the configuration, and need not wait.
#[test]
fn who_tries_it_out_is_not_kept_waiting() {
    let scene = Scene::new(&format!("{ROUTES}preflight = {{ observe = \"24h\" }}"), "");
    assert_eq!(scene.promote().0, 409);
    scene.proxy.reload("preflight = { observe = \"24h\" }", "preflight = { required = [] }");
    let (status, done) = scene.promote();
    assert_eq!(status, 200, "{done:#}");
}

/// A health check is somebody who asks, too.
#[test]
fn old_is_known_to_be_well_by_its_health_check() {
    let lines = format!("{ROUTES}preflight.required = [\"old\"]");
    let health = "health = { path = \"/healthz\", every = \"50ms\", unhealthy-after = 1, timeout = \"30s\" }";
    let scene = Scene::new(&lines, health);
    let well = || scene.gate("old").is_some_and(|gate| gate["verdict"] == "pass");
    scene.until(well, || {});
    assert_eq!(scene.told("old"), "old: 1 of 1 addresses usable, 1 answers health checks");
    scene.old_answers(503);
    scene.until(|| !well(), || {});
    assert_eq!(scene.told("old"), "old: 0 of 1 addresses usable, nothing was heard of it yet");
    let (status, refused) = scene.promote();
    assert_eq!((status, names(&refused["missing"])), (409, vec!["old"]), "{refused:#}");
    scene.old_answers(200);
    scene.until(well, || {});
    assert_eq!(scene.promote().0, 200);
}

/// An `old` that cannot be reached is nothing to go back to.
#[test]
fn shadow_waits_for_an_old_that_fails() {
    let lines = format!("{ROUTES}preflight = {{ observe = \"0s\", requests = 1 }}");
    let scene = Scene::new(&lines, "");
    let passes = || scene.get()["next"]["missing"] == json!([]);
    scene.until(passes, || assert_eq!(scene.asks("GET", "/api/7"), 200));
    scene.old_answers(503);
    let fails = || scene.gate("old").is_some_and(|gate| gate["verdict"] == "inconclusive");
    scene.until(fails, || assert_eq!(scene.asks("GET", "/api/7"), 503));
    let (status, refused) = scene.promote();
    assert_eq!((status, names(&refused["missing"])), (409, vec!["old"]), "{refused:#}");
    assert!(refused["missing"].to_string().contains("requests of the last minute"), "{refused:#}");
}

/// What checks have found goes with them: a reload without `health` neither keeps an address out nor vouches for it.
#[test]
fn who_is_not_checked_any_more_is_neither_sick_nor_well() {
    let lines = format!("{ROUTES}preflight.required = [\"old\"]");
    let health = "health = { path = \"/healthz\", every = \"50ms\", unhealthy-after = 1, timeout = \"30s\" }";
    let scene = Scene::new(&lines, health);
    scene.old_answers(503);
    scene.until(|| scene.told("old").starts_with("old: 0 of 1"), || {});
    scene.proxy.reload(health, "");
    let unknown = "old: 1 of 1 addresses usable, nothing was heard of it yet: send it requests";
    scene.until(|| scene.told("old").starts_with(unknown), || {});
    assert_eq!(scene.promote().0, 409);
}
