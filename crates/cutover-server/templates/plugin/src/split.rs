//! Beta users are served by `new`, everybody else by the migration's percent.

use cutover_plugin::{Decision, Environment, Field, Manifest, Plugin, Reason, Split, View};

struct Rules {
    beta: Field,
    opted_in: Reason,
}

impl Plugin for Rules {
    fn configure(_: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        Ok(Self { beta: manifest.header("x-beta"), opted_in: manifest.reason("opted-in") })
    }
}

impl Split for Rules {
    fn decide(&self, view: &View<'_>) -> Decision {
        match view.get(self.beta) {
            Some("yes") => Decision::to_new().because(self.opted_in),
            _ => Decision::by_share(view),
        }
    }
}

cutover_plugin::export!(Rules: split);

#[cfg(test)]
mod tests {
    use super::Rules;
    use cutover_plugin::testing::{Place, Request};

    #[test]
    fn beta_users_are_served_by_new() {
        let place = Place::<Rules>::configure("{}").unwrap();
        assert_eq!(place.decide(&Request::get("/").header("x-beta", "yes")).backend, "new");
        assert_eq!(place.decide(&Request::get("/")).backend, "old");
    }
}
