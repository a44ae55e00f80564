//! The native rule of fallback, as a table.

use super::*;

const OLD: BackendId = BackendId(0);
const NEW: BackendId = BackendId(1);

/// A failed read that may be sent again.
fn failed(cause: Cause) -> Failure {
    Failure {
        cause,
        backend: NEW,
        attempt: 1,
        status: None,
        elapsed: Duration::from_millis(10),
        left: Duration::from_millis(90),
        safe: true,
        replayable: true,
        response_started: false,
    }
}

#[test]
fn a_read_that_failed_on_new_goes_to_old() {
    let policy = FallbackPolicy::default();
    let all = [Cause::Connect, Cause::Reset, Cause::Timeout, Cause::Status, Cause::CircuitOpen];
    for cause in all {
        assert_eq!(policy.judge(&failed(cause), OLD), Action::Retry(OLD), "{cause:?}");
    }
}

#[test]
fn whatever_forbids_it_forbids_it_alone() {
    let policy = FallbackPolicy::default();
    let ok = failed(Cause::Connect);
    for (why, failed) in [
        ("old itself failed", Failure { backend: OLD, ..ok }),
        ("a write", Failure { safe: false, ..ok }),
        ("the body is gone", Failure { replayable: false, ..ok }),
        ("the reply has begun", Failure { response_started: true, ..ok }),
        ("no time is left", Failure { left: Duration::ZERO, ..ok }),
    ] {
        assert_eq!(policy.judge(&failed, OLD), Action::Propagate, "{why}");
    }
}

#[test]
fn only_declared_causes_count() {
    let on = Causes::default().with(Cause::Connect).with(Cause::Status);
    let policy = FallbackPolicy { on, ..FallbackPolicy::default() };
    for (cause, action) in [
        (Cause::Connect, Action::Retry(OLD)),
        (Cause::Status, Action::Retry(OLD)),
        (Cause::Reset, Action::Propagate),
        (Cause::Timeout, Action::Propagate),
        (Cause::CircuitOpen, Action::Retry(OLD)),
    ] {
        assert_eq!(policy.judge(&failed(cause), OLD), action, "{cause:?}");
    }
    assert!(Causes::default().is_empty() && !Causes::ALL.is_empty());
    let each = [Cause::Connect, Cause::Reset, Cause::Timeout, Cause::Status];
    assert_eq!(each.into_iter().fold(Causes::default(), Causes::with), Causes::ALL);
    assert_eq!(each.map(Cause::name), ["connect", "reset", "timeout", "5xx"]);
}

#[test]
fn safe_methods_are_those_of_the_rfc() {
    for (method, safe) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::OPTIONS, true),
        (Method::TRACE, true),
        (Method::POST, false),
        (Method::PUT, false),
        (Method::DELETE, false),
        (Method::PATCH, false),
        (Method::CONNECT, false),
        (Method::from_bytes(b"PURGE").expect("a token"), false),
    ] {
        assert_eq!(is_safe(&method), safe, "{method}");
    }
}
