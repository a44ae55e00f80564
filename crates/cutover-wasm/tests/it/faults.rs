//! Each thing a plugin can do wrong: the right fault, the right counter, a new instance, and the next call works.

use crate::rig::{
    MEMORY, PATIENT, STRICT, ask, dist, failure, faulty, host, normalise, now, options, options_for,
};
use cutover_wasm::{
    Counts, Fault, FaultKind, HookSet, HostError, HostOptions, LoadError, Place, PlaceOptions,
};
use http::HeaderMap;

fn place(options: PlaceOptions) -> Place {
    faulty().install(options).expect("it installs")
}

fn count(counts: &Counts, kind: FaultKind) -> u64 {
    let counted = [
        (FaultKind::Trap, counts.trap),
        (FaultKind::Deadline, counts.deadline),
        (FaultKind::Memory, counts.memory),
        (FaultKind::BadAnswer, counts.bad_answer),
    ];
    counted.into_iter().find(|(counted, _)| *counted == kind).expect("a fault of one call").1
}

/// Provokes a fault by a header, then calls the same place without one.
fn check(hook: &str, fault: &str, kind: FaultKind) -> Fault {
    let strict = fault == "loop";
    let place =
        place(PlaceOptions { deadline: if strict { STRICT } else { PATIENT }, ..options() });
    let call = |headers: &[(&str, &str)]| {
        ask(headers, |call| match hook {
            "split" => place.split(call, now()).map(drop),
            "request" => place.on_request(call, 1, &mut HeaderMap::new(), now()),
            "normalise" => normalise(&place, call, "{}").map(drop),
            _ => place.on_failure(call, &failure(), 1, now()).map(drop),
        })
    };
    let found = call(&[("x-fault", fault)]).expect_err("a fault");
    assert_eq!(found.kind(), kind, "{hook} {fault}: {found}");
    let counts = place.counts();
    assert_eq!((counts.calls, count(&counts, kind)), (1, 1), "{hook} {fault}: {counts:?}");
    assert_eq!(counts.live, 0, "{hook} {fault}: the instance is gone");
    // A busy machine may let a good call exceed a strict deadline; it must work soon all the same.
    let works = (0..4).any(|_| call(&[]).is_ok());
    assert!(works, "{hook} {fault}: the next call works");
    assert_eq!(place.counts().live, 1, "{hook} {fault}");
    found
}

#[test]
fn a_panic_is_a_trap_with_the_plugins_last_words() {
    for hook in ["split", "normalise"] {
        let Fault::Trap(message) = check(hook, "panic", FaultKind::Trap) else {
            unreachable!("checked");
        };
        assert!(message.contains("faulty on purpose"), "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

#[test]
fn an_endless_loop_ends_at_the_deadline() {
    for hook in ["split", "request", "failure", "normalise"] {
        check(hook, "loop", FaultKind::Deadline);
    }
}

#[test]
fn memory_beyond_the_cap_is_refused() {
    check("split", "memory", FaultKind::Memory);
    check("failure", "memory", FaultKind::Memory);
    check("normalise", "memory", FaultKind::Memory);
}

#[test]
fn a_stack_overflow_is_a_trap() {
    let fault = check("split", "stack", FaultKind::Trap);
    assert!(fault.to_string().contains("as a stack overflow does"), "{fault}");
}

#[test]
fn answers_that_make_no_sense_are_bad_answers() {
    for fault in ["side", "reason", "edit"] {
        check("split", fault, FaultKind::BadAnswer);
    }
    for fault in ["index", "bytes", "big", "many"] {
        check("request", fault, FaultKind::BadAnswer);
    }
    for fault in ["side", "status"] {
        check("failure", fault, FaultKind::BadAnswer);
    }
    check("normalise", "edit", FaultKind::BadAnswer);
}

#[test]
fn chatter_is_no_fault() {
    let place = place(options());
    ask(&[("x-fault", "chatter")], |call| place.split(call, now())).expect("it answers");
    assert_eq!(place.counts().live, 1);
}

#[test]
fn what_fails_at_load_says_why() {
    for (fault, expected) in [
        ("configure-refuse", "it refused its configuration: tenants is missing"),
        ("configure-panic", "faulty on purpose"),
        ("configure-loop", "exceeded its deadline"),
        ("configure-memory", "more memory than its cap"),
        ("configure-stack", "as a stack overflow does"),
        ("manifest-many", "1000 writes are declared, at most 64 are allowed"),
        ("manifest-framing", "header \"transfer-encoding\" cannot be written"),
        ("manifest-name", "\"no name\" is not the name of a header"),
    ] {
        let error = faulty().install(options_for(fault)).expect_err("refused").to_string();
        assert!(error.contains(expected), "{fault}: {error}");
        assert!(!error.contains(char::is_control), "{fault}: {error:?}");
    }
    let huge = PlaceOptions { memory: 16 * MEMORY, ..options_for("manifest-bytes") };
    let error = faulty().install(huge).expect_err("refused");
    assert!(matches!(error, LoadError::Start(Fault::Trap(_))), "{error}");
    let tight = PlaceOptions { memory: 64 * 1024, ..options() };
    let error = faulty().install(tight).expect_err("refused");
    assert_eq!(error, LoadError::Start(Fault::Memory));
}

#[test]
fn what_is_no_plugin_is_refused_by_name() {
    let host = host();
    let compile =
        |text: &str| host.compile(&wat::parse_str(text).expect("valid text")).expect_err("refused");
    let error = host.compile(b"\0asm\x01\0\0\0").expect_err("a module, not a component");
    assert!(matches!(error, LoadError::Compile(_)), "{error}");
    assert!(matches!(host.compile(b"?"), Err(LoadError::Compile(_))));
    assert_eq!(compile("(component)"), LoadError::NoLifecycle);
    let error = compile(
        r#"(component
            (import "wasi:clocks/wall-clock@0.2.0" (instance (export "now" (func (result u64)))))
            (import "cutover:plugin/log@0.1.0" (instance (export "shout" (func))))
            (import "host" (func)))"#,
    );
    let LoadError::Imports(names) = error else { panic!("{error}") };
    let expected = ["wasi:clocks/wall-clock@0.2.0.now", "cutover:plugin/log@0.1.0.shout", "host"];
    assert_eq!(names, expected);
    let error = compile(
        r#"(component (import "cutover:plugin/log@0.1.0" (instance (export "say" (func)))))"#,
    );
    assert!(matches!(error, LoadError::Link(_)), "{error}");
}

#[test]
fn a_hook_that_is_not_there_is_named() {
    let none = HookSet::default();
    let place = place(PlaceOptions { hooks: HookSet { split: true, ..none }, ..options() });
    let refused = ask(&[], |call| place.on_failure(call, &failure(), 1, now()));
    assert_eq!(refused, Err(Fault::NoHook));
    assert_eq!(ask(&[], |call| normalise(&place, call, "{}")), Err(Fault::NoHook));
    let found = dist("test_faulty.wasm");
    assert_eq!(
        host().compile(&found).expect("it compiles").hooks().to_string(),
        "split, rewrite, fallback, normalise"
    );
}

#[test]
fn an_unsafe_cache_folder_stops_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path(), open).expect("changed");
    let cache = Some(folder.path().to_owned());
    let error = cutover_wasm::Host::new(HostOptions { cache, ..HostOptions::default() })
        .expect_err("refused");
    assert!(matches!(error, HostError::Cache { .. }), "{error}");
    assert!(error.to_string().contains("chmod 700"), "{error}");
}
