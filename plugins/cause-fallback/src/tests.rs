//! Which rule fits which failure.

use super::CauseFallback;
use cutover_plugin::testing::{Place, Request};
use cutover_plugin::{Action, Backend, Cause, Failure, Method};

const CONFIG: &str = r#"{"rules": [
    {"causes": ["connect", "circuit-open"], "then": "old"},
    {"causes": ["timeout"], "methods": ["GET"], "elapsed-ms-at-most": 500, "left-ms-at-least": 200, "then": "old"},
    {"causes": ["timeout"], "then": "respond", "status": 504}
]}"#;

fn failed(cause: Cause) -> Failure {
    Failure {
        cause,
        backend: Backend::NEW,
        attempt: 1,
        status: None,
        elapsed_ms: 500,
        left_ms: 200,
        idempotent: true,
        replayable: true,
        response_started: false,
    }
}

fn answer(request: &Request, failure: &Failure) -> Action {
    let place = Place::<CauseFallback>::configure(CONFIG).expect("a good configuration");
    place.on_failure(request, failure)
}

#[test]
fn the_first_rule_that_fits_counts() {
    let get = Request::get("/");
    assert_eq!(answer(&get, &failed(Cause::Connect)), Action::Retry(Backend::OLD));
    assert_eq!(answer(&get, &failed(Cause::Timeout)), Action::Retry(Backend::OLD));
    assert_eq!(answer(&get, &failed(Cause::Status)), Action::Propagate);
}

#[test]
fn method_and_both_times_must_fit() {
    let (get, timeout) = (Request::get("/"), failed(Cause::Timeout));
    let late = Failure { elapsed_ms: 501, ..timeout };
    let no_time_left = Failure { left_ms: 199, ..timeout };
    let post = Request::new(Method::Post, "/");
    for (request, failure) in [(&get, &late), (&get, &no_time_left), (&post, &timeout)] {
        assert_eq!(answer(request, failure), Action::Respond(504), "{request:?} {failure:?}");
    }
}

#[test]
fn a_rule_for_everything_leaves_an_open_breaker_to_old() {
    let answer = |rules: &str, cause| {
        let config = format!("{{\"rules\": [{rules}]}}");
        let place = Place::<CauseFallback>::configure(&config).expect("a good configuration");
        place.on_failure(&Request::get("/"), &Failure { attempt: 0, ..failed(cause) })
    };
    let all = r#"{"then": "respond", "status": 503}"#;
    assert_eq!(answer(all, Cause::Connect), Action::Respond(503));
    assert_eq!(answer(all, Cause::CircuitOpen), Action::Propagate);
    let named = r#"{"causes": ["circuit-open"], "then": "respond", "status": 503}"#;
    assert_eq!(answer(named, Cause::CircuitOpen), Action::Respond(503));
}

#[test]
fn a_server_error_has_the_name_that_the_migration_uses() {
    for name in ["5xx", "status"] {
        let config = format!("{{\"rules\": [{{\"causes\": [\"{name}\"], \"then\": \"old\"}}]}}");
        let place = Place::<CauseFallback>::configure(&config).expect("a good configuration");
        let answer = place.on_failure(&Request::get("/"), &failed(Cause::Status));
        assert_eq!(answer, Action::Retry(Backend::OLD), "{name}");
    }
}

#[test]
fn the_old_system_is_not_asked_again() {
    let failure = Failure { backend: Backend::OLD, ..failed(Cause::Connect) };
    assert_eq!(answer(&Request::get("/"), &failure), Action::Propagate);
}

#[test]
fn a_wrong_configuration_is_refused_with_the_reason() {
    let error = |rules: &str| {
        let config = format!("{{\"rules\": [{rules}]}}");
        Place::<CauseFallback>::configure(&config).err().unwrap_or_default()
    };
    assert!(error("").contains("empty"));
    assert!(error(r#"{"then": "respond"}"#).contains("rule 1: `respond` wants a `status`"));
    assert!(error(r#"{"then": "respond", "status": 200}"#).contains("400 to 599"));
    assert!(error(r#"{"then": "old"}, {"then": "old", "status": 503}"#).contains("rule 2"));
    assert!(error(r#"{"causes": ["conect"], "then": "old"}"#).contains("conect"));
}
