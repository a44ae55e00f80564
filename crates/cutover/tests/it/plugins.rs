//! Plugins in the path of a request, and configurations whose plugins cannot be used. The plugin of these tests
//! misbehaves on demand: the header `x-fault` says how.

use crate::scene::{Scene, profile_config};
use cutover::{Action, Cause, Exchange, Outcome, ProblemKind, Reason, Refused, Role, Side};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

const OK: Outcome = Outcome::Replied(StatusCode::OK);

/// `faulty` for one or more hooks. The deadline is one that a busy machine keeps.
fn config(percent: &str, hooks: &[&str], on_error: &str) -> String {
    let hooks: String = hooks.iter().map(|hook| format!("{hook} = \"faulty\"\n")).collect();
    profile_config(
        percent,
        &format!(
            r#"
[migrations.profile.plugins]
{hooks}
[plugins.faulty]
component = "plugins/dist/test_faulty.wasm"
on-error = "{on_error}"
deadline = "500ms"
"#
        ),
    )
}

fn scene(percent: &str, hooks: &[&str], on_error: &str) -> Scene {
    let scene = Scene::empty();
    scene.reload(&config(percent, hooks, on_error));
    scene
}

/// Begins a read of user-1 whose plugin calls shall fail in this way.
fn begin(scene: &Scene, fault: &str) -> Result<Exchange, Refused> {
    let sent = [("x-user-id", "user-1"), ("x-fault", fault)];
    scene.request_with(&Method::GET, &sent, |exchange, _| exchange)
}

fn faults(scene: &Scene, kind: &str) -> f64 {
    let labels = format!(r#"{{migration="profile",plugin="faulty",kind="{kind}"}}"#);
    scene.metric(&format!("cutover_plugin_faults_total{labels}"))
}

#[test]
fn a_split_plugin_decides_and_its_faults_follow_the_policy() {
    let scene = scene("100%", &["split"], "old");
    let served = begin(&scene, "").expect("not refused");
    assert_eq!(served.side(), Some(Side::New));
    assert!(matches!(served.decision().reason, Reason::Plugin(..)));
    served.finish(OK);
    for (fault, kind) in [("panic", "trap"), ("side", "bad-answer"), ("loop", "deadline")] {
        let served = begin(&scene, fault).expect("not refused");
        assert_eq!(served.side(), Some(Side::Old), "{fault}");
        assert!(matches!(served.decision().reason, Reason::PluginFailed(_)), "{fault}");
        assert_eq!(faults(&scene, kind), 1.0, "{fault}");
        served.finish(OK);
    }
    let served = begin(&scene, "").expect("not refused");
    assert_eq!(served.side(), Some(Side::New), "one fault is no verdict");
    let calls = r#"cutover_plugin_calls_total{migration="profile",plugin="faulty",hook="split"}"#;
    assert_eq!(scene.metric(calls), 5.0);
}

#[test]
fn a_fault_may_leave_it_to_the_percent() {
    let scene = scene("100%", &["split"], "percent");
    let served = begin(&scene, "panic").expect("not refused");
    assert_eq!((served.side(), served.decision().reason), (Some(Side::New), Reason::Percent));
}

#[test]
fn a_fault_may_refuse() {
    let scene = scene("100%", &["split"], "reject");
    let refused = begin(&scene, "panic").expect_err("its policy is reject");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(scene.metric(r#"cutover_refused_total{reason="plugin"}"#), 1.0);
    assert!(refused.to_string().contains("plugin faulty of migration profile"), "{refused}");
}

#[test]
fn a_plugin_that_fails_again_and_again_is_left_alone() {
    let scene = scene("100%", &["split"], "old");
    for _ in 0..8 {
        begin(&scene, "panic").expect("not refused").finish(OK);
    }
    assert!(faults(&scene, "quarantined") > 0.0);
    let quarantined = r#"cutover_plugin_quarantined{migration="profile",plugin="faulty"}"#;
    assert_eq!(scene.metric(quarantined), 1.0);
    assert_eq!(scene.engine.current().plugins()[0].state, "quarantined");
    scene.clock.pass(60_000);
    let served = begin(&scene, "").expect("not refused");
    assert_eq!(served.side(), Some(Side::New), "it was tried again, and works");
}

/// What an explanation says of the plugin and of the decision, and the status if no backend answers.
fn explained(scene: &Scene, sent: &[(&'static str, &str)]) -> (Vec<String>, Option<u16>) {
    let explanation = scene.request_with(&Method::GET, sent, |exchange, view| {
        drop(exchange);
        scene.engine.explain(view)
    });
    let told = explanation.steps.into_iter();
    let told = told.filter(|step| ["plugin", "decision"].contains(&step.step));
    (told.map(|step| step.text).collect(), explanation.refused)
}

#[test]
fn an_explanation_says_what_a_split_plugin_chose_and_why() {
    let tenants = r#"
[migrations.profile.plugins]
split = "tenant-split"
[plugins.tenant-split]
component = "plugins/dist/tenant_split.wasm"
config = { tenants = ["acme"] }
deadline = "500ms"
"#;
    let scene = Scene::empty();
    scene.reload(&profile_config("0%", tenants));
    let (told, refused) = explained(&scene, &[("x-tenant", "acme")]);
    let chosen = "tenant-split chooses new, because \"tenant-listed\"";
    assert_eq!(
        (&told[..], refused),
        (&[chosen.into(), "new: the plugin chose it".into()][..], None)
    );
    // A deadline of its own: the second call of this instance allows 2 ms.
    let scene = self::scene("0%", &["split"], "old");
    let (told, _) = explained(&scene, &[("x-user-id", "user-1"), ("x-fault", "count")]);
    assert_eq!(told[0], "faulty chooses old, within 2ms");
}

#[test]
fn an_explanation_says_what_becomes_of_a_split_plugin_that_fails() {
    for (on_error, then, decision, refused) in [
        ("old", "old serves", "old: the plugin failed, and its on-error is old", None),
        ("percent", "the percent decides", "new: by the user's bucket", None),
        (
            "reject",
            "the request is refused",
            "refused with 503: on-error of faulty is reject",
            Some(503),
        ),
    ] {
        let scene = scene("100%", &["split"], on_error);
        let (told, status) = explained(&scene, &[("x-user-id", "user-1"), ("x-fault", "panic")]);
        let failed = format!("faulty failed or is quarantined: {then}");
        assert_eq!((told, status), (vec![failed, decision.to_owned()], refused), "{on_error}");
    }
}

#[test]
fn writes_do_not_ask_a_split_plugin() {
    let scene = scene("100%", &["split"], "reject");
    let sent = [("x-user-id", "user-1"), ("x-fault", "panic")];
    scene.request_with(&Method::PUT, &sent, |exchange, _| {
        assert_eq!(exchange.expect("not asked").decision().reason, Reason::WriteOwner);
    });
}

/// Edits a request as `user-1` would send it; gives its headers afterwards.
fn rewritten(scene: &Scene, fault: &str) -> (Result<(), Refused>, HeaderMap) {
    let sent = [("x-user-id", "user-1"), ("x-fault", fault), ("x-removed", "still there")];
    scene.request_with(&Method::GET, &sent, |exchange, view| {
        let mut exchange = exchange.expect("not refused");
        let mut headers = HeaderMap::new();
        headers.insert("x-removed", HeaderValue::from_static("still there"));
        let edited = exchange.edit_request(view, &mut headers);
        exchange.finish(OK);
        (edited, headers)
    })
}

#[test]
fn a_rewrite_plugin_edits_or_leaves_alone() {
    let scene = scene("100%", &["rewrite"], "old");
    let (edited, headers) = rewritten(&scene, "");
    assert_eq!(edited, Ok(()));
    assert_eq!(headers.get("x-served-by"), Some(&HeaderValue::from_static("new")));
    assert_eq!(headers.get("x-removed"), None);
    for fault in ["panic", "bytes"] {
        let (edited, headers) = rewritten(&scene, fault);
        assert_eq!(edited, Ok(()), "{fault}");
        assert_eq!(headers.len(), 1, "{fault} leaves the headers untouched");
    }
}

#[test]
fn a_rewrite_plugin_that_guards_refuses() {
    let scene = scene("100%", &["rewrite"], "reject");
    let (edited, headers) = rewritten(&scene, "panic");
    assert_eq!(edited.expect_err("its policy is reject").status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers.len(), 1);
}

#[test]
fn a_rewrite_plugin_reads_the_reply() {
    let scene = scene("0%", &["rewrite"], "old");
    scene.read("user-1", |mut exchange, view| {
        assert_eq!(exchange.side(), Some(Side::Old));
        let mut reply = HeaderMap::new();
        reply.insert("x-echo", HeaderValue::from_static("hello"));
        exchange.edit_response(view, StatusCode::ACCEPTED, &mut reply).expect("it works");
        assert_eq!(reply.get("x-served-by"), Some(&HeaderValue::from_static("202")));
        assert_eq!(reply.get("x-added"), Some(&HeaderValue::from_static("hello")));
        exchange.finish(OK);
    });
}

#[test]
fn nothing_is_asked_under_the_kill_switch() {
    let scene = Scene::empty();
    let killed = config("100%", &["split", "rewrite"], "reject")
        .replace("read-percent", "disabled = true\nread-percent");
    scene.reload(&killed);
    let (edited, headers) = rewritten(&scene, "panic");
    assert_eq!((edited, headers.len()), (Ok(()), 1));
}

fn failed(scene: &Scene, fault: &str, replayable: bool) -> (Action, Role) {
    let sent = [("x-user-id", "user-1"), ("x-fault", fault)];
    scene.request_with(&Method::GET, &sent, |exchange, view| {
        let mut exchange = exchange.expect("not refused");
        let status = Some(StatusCode::BAD_GATEWAY);
        let action = exchange.failed(view, Cause::Status, status, replayable, false);
        let role = exchange.role();
        exchange.finish(OK);
        (action, role)
    })
}

#[test]
fn a_fallback_plugin_has_its_wish_within_what_may_be_done() {
    let scene = scene("100%", &["fallback"], "old");
    assert!(matches!(failed(&scene, "", true), (Action::Retry(_), Role::Fallback)));
    assert_eq!(failed(&scene, "", false), (Action::Propagate, Role::Served));
    let answer = Action::Respond(StatusCode::BAD_GATEWAY);
    assert_eq!(failed(&scene, "respond", true), (answer, Role::Served));
    for fault in ["panic", "status", "side"] {
        let (action, _) = failed(&scene, fault, true);
        assert!(matches!(action, Action::Retry(_)), "{fault}: the native rule decides");
    }
}

#[test]
fn plugins_that_cannot_be_used_are_named_and_change_nothing() {
    let fine = config("100%", &["split"], "old");
    let scene = Scene::empty();
    scene.reload(&fine);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let junk = folder.path().join("junk.wasm");
    std::fs::write(&junk, b"no component").expect("it is ours");
    let junk = junk.to_str().expect("a plain name");
    let component = "plugins/dist/test_faulty.wasm";
    let refusing = r#"config = { fault = "configure-refuse" }"#;
    let cases = [
        (fine.replace(component, "plugins/dist/no_such.wasm"), ProblemKind::Unreadable),
        (fine.replace(component, junk), ProblemKind::Invalid),
        (format!("{fine}{refusing}\n"), ProblemKind::Refuses),
    ];
    for (text, kind) in cases {
        let error = scene.try_reload(&text).expect_err("it cannot be used");
        assert_eq!(error.problems.len(), 1, "{error}");
        assert_eq!(error.problems[0].kind, kind, "{error}");
        let text = error.to_string();
        assert!(text.contains("migration profile, plugin faulty (") && text.contains("help: "));
        let served = begin(&scene, "").expect("the generation before serves");
        assert_eq!(served.generation().0, 1);
        assert!(matches!(served.decision().reason, Reason::Plugin(..)));
    }
}

#[test]
fn a_generation_takes_its_instances_with_it() {
    let scene = scene("100%", &["split"], "old");
    let instances = |generation: u64| {
        scene.metric(&format!(r#"cutover_plugin_instances{{generation="{generation}"}}"#))
    };
    let held = begin(&scene, "").expect("not refused");
    assert!(instances(1) >= 1.0);
    scene.reload(&config("50%", &["split"], "old"));
    assert!(instances(1) >= 1.0, "a request still holds it");
    held.finish(OK);
    assert_eq!(instances(1), 0.0);
    assert_eq!(scene.metric("cutover_plugin_instances_live"), instances(2));
}

#[test]
fn an_exchange_with_a_split_plugin_allocates_nothing() {
    let scene = scene("100%", &["split"], "old");
    let sent = [("x-user-id", "user-1")];
    scene.request_with(&Method::GET, &sent, |exchange, view| {
        drop(exchange);
        let one = || scene.engine.begin(view).expect("not refused").finish(OK);
        one();
        let counted = allocation_counter::measure(one);
        assert_eq!(counted.count_total, 0, "{counted:?}");
    });
}
