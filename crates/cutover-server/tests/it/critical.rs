//! A route that is declared critical: the step waits for its comparison, however rare it is, and says so everywhere.

use crate::scene::Scene;
use serde_json::json;

/// A migration that waits for coverage and nothing else.
fn scene() -> Scene {
    let lines = "routes = [\n  { path = \"/api/{id}\", methods = [\"GET\"] },\n  \
         { path = \"/refunds/{id}\", methods = [\"GET\"], critical = true },\n  \
         { path = \"/search\", methods = [\"POST\"], mirror = true },\n]\n\
         preflight.required = []\ngates.required = [\"coverage\"]";
    Scene::new(lines, "")
}

/// Waits until the gate says this.
fn until(scene: &Scene, part: &str) {
    scene.until(|| scene.told("coverage").contains(part), || {});
}

#[test]
fn a_critical_route_that_was_never_compared_blocks_the_step_and_is_named() {
    let scene = scene();
    let missing = "critical and never compared: GET /refunds/{id}";
    assert_eq!(scene.promote().0, 200, "shadow is where it is compared");
    (0..20).for_each(|_| assert_eq!(scene.asks("GET", "/api/7"), 200));
    until(&scene, "100% of the traffic compared (1 of 2 route classes)");
    assert!(scene.told("coverage").contains(missing), "{}", scene.told("coverage"));

    let (status, refused) = scene.promote();
    assert_eq!((status, &refused["title"]), (409, &"Not yet".into()), "{refused:#}");
    let told = refused["missing"].to_string();
    assert!(told.contains(missing), "{refused:#}");
    for arguments in [&["plan", "profile"][..], &["promote", "profile", "--reason", "x"]] {
        let said = scene.says(arguments, 2);
        assert!(said.contains(missing), "{arguments:?}: {said}");
    }
    let said = scene.says(&["status", "profile"], 0);
    assert!(said.contains(missing), "{said}");

    assert_eq!(scene.asks("GET", "/refunds/7"), 200);
    until(&scene, "(2 of 2 route classes)");
    let told = scene.told("coverage");
    assert!(!told.contains("never compared"), "{told}");
    assert_eq!(scene.get()["next"]["missing"], json!([]));
    let (status, done) = scene.promote();
    assert_eq!((status, &done["to"]), (200, &"canary 1%, mirror 100%".into()), "{done:#}");
}

/// What a route declares to read only is copied, so that its traffic counts as reads' does.
#[test]
fn requests_that_are_declared_to_read_count_too() {
    let scene = scene();
    assert_eq!(scene.promote().0, 200);
    assert_eq!((scene.asks("GET", "/refunds/7"), scene.asks("POST", "/search")), (200, 200));
    until(&scene, "100% of the traffic compared (2 of 2 route classes)");
}

/// Whatever becomes critical while it moves is waited for from then on.
#[test]
fn a_reload_can_make_a_route_critical() {
    let scene = scene();
    assert_eq!(scene.promote().0, 200);
    assert_eq!(scene.asks("GET", "/refunds/7"), 200);
    until(&scene, "(1 of 1 route classes)");
    let before = scene.get()["evidence"].clone();
    let route = "path = \"/api/{id}\", methods = [\"GET\"]";
    scene.proxy.reload(route, &format!("{route}, critical = true"));
    until(&scene, "critical and never compared: GET /api/{id}");
    let shown = scene.get();
    assert_ne!(shown["evidence"], before, "it names what the gates look at");
    assert_eq!(shown["epoch"], 0, "what was compared still counts");
    scene.proxy.reload(&format!("{route}, critical = true"), route);
    until(&scene, "(1 of 1 route classes)");
}
