//! Replies made comparable by a plugin before they are compared. The one of these tests takes all digits out of them, or
//! misbehaves: the header `x-fault` of the request says how.

use crate::mirror::{ROUTES, config, counts, json, pick, reply, result, scene, shadow};
use crate::scene::Scene;
use cutover::config::load;
use cutover::core::compare::{Body, BodyDigest, Reply};
use cutover::mirror::{Doubt, Ended, Mirrored};
use cutover::{Reason, Surroundings, charges};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use std::io;

const ALWAYS: &str = "read-percent = 0\nmirror-percent = 100";

/// Everything is mirrored, and these hooks are the plugin's.
fn lines(hooks: &[&str]) -> String {
    let hooks: String = hooks.iter().map(|hook| format!("{hook} = \"faulty\"\n")).collect();
    // Lines of the migration first: these are tables of their own.
    format!(
        "{ALWAYS}\ncompare.noise = 100\n[migrations.profile.plugins]\n{hooks}[plugins.faulty]\n\
         component = \"plugins/dist/test_faulty.wasm\"\ndeadline = \"500ms\"\n\
         normalise-deadline = \"500ms\"\n"
    )
}

fn normalising() -> Scene {
    scene(&lines(&["normalise"]))
}

/// A copy that has ended well, of a request whose plugin calls shall fail in this way.
fn copy(scene: &Scene, fault: &str) -> Mirrored {
    let mut mirrored = pick(scene, &Method::GET, &[("x-fault", fault)]).expect("picked");
    mirrored.sent();
    mirrored.ended(Ended::Replied(StatusCode::OK));
    mirrored
}

fn compare(scene: &Scene, fault: &str, served: &str, copied: &str) -> Option<Doubt> {
    let (mirrored, headers) = (copy(scene, fault), HeaderMap::new());
    mirrored.compare(&reply(200, &headers, served), &reply(200, &headers, copied), "id-1")
}

fn plugin(scene: &Scene, series: &str, label: &str) -> f64 {
    scene.metric(&format!(
        "cutover_plugin_{series}_total{{migration=\"profile\",plugin=\"faulty\",{label}}}"
    ))
}

fn calls(scene: &Scene) -> f64 {
    plugin(scene, "calls", "hook=\"normalise\"")
}

#[test]
fn what_the_plugin_takes_out_of_both_does_not_differ_and_the_rest_does() {
    let plain = scene(ALWAYS);
    assert!(compare(&plain, "", "a1", "a2").is_some(), "without the plugin");
    let scene = normalising();
    assert!(compare(&scene, "", "a1", "a2").is_none());
    assert_eq!((result(&scene, "match"), calls(&scene)), (1, 2.0), "each reply by itself");
    let mut doubt = compare(&scene, "", "a1", "b1").expect("it differs");
    let headers = HeaderMap::new();
    assert!(doubt.settle(&reply(200, &headers, "a3"), &reply(200, &headers, "b4")));
    assert_eq!((result(&scene, "mismatch"), calls(&scene)), (1, 6.0), "asked again, too");
    let mut doubt = compare(&scene, "", "a1", "b1").expect("it differs");
    assert!(doubt.settle(&reply(200, &headers, "a3"), &reply(200, &headers, "a4")));
    assert_eq!(result(&scene, "transient"), 1);
    assert_eq!((counts(&scene).compared, counts(&scene).mismatched), (3, 1));
}

#[test]
fn json_is_compared_by_structure_as_the_plugin_leaves_it() {
    let scene = normalising();
    let headers = json();
    let body = |text| reply(200, &headers, text);
    let (old, new) = (body(r#"{"a":"x1","b":"y"}"#), body(r#"{"b":"z","a":"x2"}"#));
    let mut doubt = copy(&scene, "").compare(&old, &new, "id").expect("it differs");
    assert!(doubt.settle(&old, &new));
    let found = shadow(&scene).differences();
    assert_eq!(found.iter().map(|(key, _)| &*key.path).collect::<Vec<_>>(), ["/b"]);
}

/// Also two replies that are the same: were only different ones left out, the others would be a false comfort.
#[test]
fn what_cannot_be_made_comparable_is_neither_a_match_nor_a_mismatch() {
    for (fault, name, kind) in [
        ("panic", "skipped-plugin", Some("trap")),
        ("loop", "skipped-plugin", Some("deadline")),
        ("memory", "skipped-plugin", Some("memory")),
        ("edit", "skipped-plugin", Some("bad-answer")),
        ("new", "skipped-plugin", Some("trap")),
        ("cannot", "skipped-not-comparable", None),
    ] {
        for copied in ["a", "b"] {
            let scene = normalising();
            assert!(compare(&scene, fault, "a", copied).is_none(), "{fault}");
            assert_eq!((result(&scene, name), counts(&scene).compared), (1, 0), "{fault}");
            for (counted, expected) in kind.iter().map(|kind| (kind, 1.0)) {
                let label = format!("kind=\"{counted}\"");
                assert_eq!(plugin(&scene, "faults", &label), expected, "{fault}");
            }
            assert!(compare(&scene, "", "a1", "a2").is_none(), "the next one works");
            assert_eq!(result(&scene, "match"), 1, "{fault}");
        }
    }
}

#[test]
fn a_body_that_is_not_whole_or_not_readable_is_not_asked_about() {
    let scene = normalising();
    let (plain, mut encoded) = (HeaderMap::new(), HeaderMap::new());
    encoded.insert(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    let whole = reply(200, &plain, "a");
    let beyond = Body::Digest(BodyDigest { len: 9_000_000, sha256: [7; 32] });
    for (served, copied, name) in [
        (whole, Reply { body: beyond, ..whole }, "skipped-too-long"),
        (Reply { body: beyond, ..whole }, Reply { body: beyond, ..whole }, "skipped-too-long"),
        (whole, reply(200, &encoded, "a"), "skipped-not-comparable"),
    ] {
        let before = result(&scene, name);
        assert!(copy(&scene, "").compare(&served, &copied, "id").is_none(), "{name}");
        assert_eq!((result(&scene, name), calls(&scene)), (before + 1, 0.0), "{name}");
    }
    // Nor at the second time.
    let mut doubt = compare(&scene, "", "a", "b").expect("it differs");
    assert!(doubt.settle(&whole, &Reply { body: beyond, ..whole }));
    drop(doubt);
    assert_eq!((result(&scene, "skipped-too-long"), result(&scene, "unresolved")), (3, 0));
    assert_eq!(counts(&scene).compared, 0);
}

#[test]
fn what_no_body_can_change_needs_no_plugin() {
    let scene = normalising();
    let headers = HeaderMap::new();
    let compare = |served: (u16, &str), copied: (u16, &str)| {
        let [served, copied] = [served, copied].map(|(status, body)| reply(status, &headers, body));
        copy(&scene, "panic").compare(&served, &copied, "id")
    };
    assert!(compare((200, "a"), (404, "a")).is_some(), "a status is a difference at once");
    assert!(compare((200, "a"), (500, "a")).is_none());
    assert!(compare((204, ""), (204, "")).is_none());
    assert_eq!((result(&scene, "skipped-failed"), result(&scene, "match")), (1, 1));
    assert_eq!(calls(&scene), 0.0);
    assert!(compare((200, ""), (200, "a")).is_none());
    assert_eq!((result(&scene, "skipped-plugin"), calls(&scene)), (1, 1.0));
    let ignored =
        lines(&["normalise"]).replace("compare.noise", "compare.ignore = [\"\"]\ncompare.noise");
    scene.reload(&config(&ignored, ROUTES));
    assert!(compare((200, "a"), (200, "b")).is_none());
    assert_eq!((result(&scene, "match"), calls(&scene)), (2, 1.0));
}

#[test]
fn noise_is_what_remains_of_it() {
    let scene = normalising();
    let headers = json();
    let noise = |fault: &str, first: &str, second: &str| {
        let mirrored = copy(&scene, fault);
        assert!(mirrored.wants_noise() && mirrored.asks_plugin());
        mirrored.noise(&reply(200, &headers, first), &reply(200, &headers, second));
    };
    for turn in 0..60 {
        noise("", "{\"a\":\"x1\",\"b\":\"y\"}", &format!("{{\"a\":\"x{turn}\",\"b\":\"z\"}}"));
    }
    assert_eq!(result(&scene, "noise"), 60);
    let rules: Vec<_> = shadow(&scene).suggestions().iter().map(|one| one.rule.clone()).collect();
    assert!(!rules.contains(&"/a".to_owned()), "{rules:?}");
    noise("panic", "{}", "{}");
    assert_eq!(result(&scene, "noise"), 60, "nothing is known of it");
    assert_eq!(plugin(&scene, "faults", "kind=\"trap\""), 1.0);
}

/// One component in two places: what fails beside the path costs the path nothing.
#[test]
fn a_plugin_that_fails_beside_the_path_goes_on_in_it() {
    let scene =
        scene(&lines(&["split", "normalise"]).replace("read-percent = 0", "read-percent = 1"));
    for _ in 0..8 {
        assert!(compare(&scene, "new", "a", "a").is_none());
    }
    assert_eq!(result(&scene, "skipped-plugin"), 8);
    assert!(plugin(&scene, "faults", "kind=\"quarantined\"") > 0.0);
    let reason = scene.request(&Method::GET, Some("a"), |exchange, _| {
        exchange.expect("a route matches").decision().reason
    });
    assert!(matches!(reason, Reason::Plugin(..)), "{reason:?}");
    let status = scene.engine.current().plugins();
    let [status] = status.as_slice() else { panic!("one plugin: {status:?}") };
    assert_eq!((status.state, status.live), ("quarantined", 1));
    let quarantined = "cutover_plugin_quarantined{migration=\"profile\",plugin=\"faulty\"}";
    assert_eq!(scene.metric(quarantined), 1.0);
}

/// A copy that is under way keeps the plugin of its generation, and what it declared of the request.
#[test]
fn a_reload_changes_nothing_for_copies_under_way() {
    let scene = normalising();
    let mirrored = pick(&scene, &Method::GET, &[("x-fault", "same"), ("x-secret", "s")]);
    let mut mirrored = mirrored.expect("picked");
    let held = shadow(&scene).memory();
    assert!(held > 4 * 1024 + "same/api/profile/1".len() && held < 8 * 1024, "{held}");
    mirrored.sent();
    mirrored.ended(Ended::Replied(StatusCode::OK));
    scene.reload(&config(ALWAYS, ROUTES));
    let live = || scene.metric("cutover_plugin_instances_live");
    assert_eq!(live(), 1.0);
    let headers = HeaderMap::new();
    let doubt = mirrored.compare(&reply(200, &headers, "a1"), &reply(200, &headers, "a2"), "id");
    assert!(doubt.is_some(), "told to leave the body as it is");
    assert_eq!(calls(&scene), 2.0);
    drop(doubt);
    assert_eq!((live(), shadow(&scene).memory()), (0.0, 0));
    assert!(compare(&scene, "", "a1", "a2").is_some(), "new copies know no plugin");
}

#[test]
fn a_plugin_without_the_hook_is_refused_by_name() {
    let scene = normalising();
    let lines = lines(&["normalise"]).replace("test_faulty", "tenant_split");
    let refused = scene.try_reload(&config(&lines, ROUTES)).expect_err("refused").to_string();
    assert!(refused.contains("it is used for normalise, but exports split only"), "{refused}");
    assert!(compare(&scene, "", "a1", "a2").is_none(), "the old one serves on");
}

/// Files whose bytes are these, and no variables.
struct Bytes(&'static [u8]);

impl Surroundings for Bytes {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }
}

#[test]
fn another_component_is_another_meaning_of_the_same() {
    let fingerprint = |lines: &str, bytes| {
        let around = Bytes(bytes);
        let config = load(&config(lines, ROUTES), "cutover.toml", &around).expect("a good one");
        charges(&config, &around)[0].fingerprint
    };
    let normalised = lines(&["normalise"]);
    let before = fingerprint(&normalised, b"one");
    assert_eq!(fingerprint(&normalised, b"one"), before);
    assert_ne!(fingerprint(&normalised, b"other"), before);
    assert_ne!(fingerprint(ALWAYS, b"one"), before);
}
