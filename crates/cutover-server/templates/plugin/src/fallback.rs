//! Failed reads are served by `old`; of every other failure the client is told as it is.

use cutover_plugin::{Action, Backend, Environment, Failure, Fallback, Manifest, Plugin, View};

struct Rules;

impl Plugin for Rules {
    fn configure(_: &Environment, _: &mut Manifest) -> Result<Self, String> {
        Ok(Self)
    }
}

impl Fallback for Rules {
    fn on_failure(&self, view: &View<'_>, failure: &Failure) -> Action {
        if view.method().is_safe() && failure.can_retry() && failure.backend == Backend::NEW {
            Action::Retry(Backend::OLD)
        } else {
            Action::Propagate
        }
    }
}

cutover_plugin::export!(Rules: fallback);

#[cfg(test)]
mod tests {
    use super::Rules;
    use cutover_plugin::testing::{Place, Request};
    use cutover_plugin::{Action, Backend, Cause, Failure, Method};

    #[test]
    fn reads_are_served_by_old() {
        let place = Place::<Rules>::configure("{}").unwrap();
        let failure = Failure {
            cause: Cause::Connect,
            backend: Backend::NEW,
            attempt: 1,
            status: None,
            elapsed_ms: 3,
            left_ms: 1_997,
            idempotent: true,
            replayable: true,
            response_started: false,
        };
        let answer = place.on_failure(&Request::get("/"), &failure);
        assert_eq!(answer, Action::Retry(Backend::OLD));
        let answer = place.on_failure(&Request::new(Method::Post, "/"), &failure);
        assert_eq!(answer, Action::Propagate);
    }
}
