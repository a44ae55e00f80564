//! Tells the upstream which side was chosen, and hides from clients what serves them.

use cutover_plugin::{Backend, Edits, Environment, Header, Manifest, Plugin, Rewrite, View};

struct Rules {
    side: Header,
    server: Header,
}

impl Plugin for Rules {
    fn configure(_: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        Ok(Self { side: manifest.edits("x-side"), server: manifest.edits("server") })
    }
}

impl Rewrite for Rules {
    fn on_request(&self, _: &View<'_>, backend: Backend, edits: &mut Edits<'_>) {
        edits.set(self.side, if backend == Backend::NEW { "new" } else { "old" });
    }

    fn on_response(&self, _: &View<'_>, _: Backend, _: u16, edits: &mut Edits<'_>) {
        edits.remove(self.server);
    }
}

cutover_plugin::export!(Rules: rewrite);

#[cfg(test)]
mod tests {
    use super::Rules;
    use cutover_plugin::Backend;
    use cutover_plugin::testing::{Place, Request};

    #[test]
    fn both_ways_are_edited() {
        let place = Place::<Rules>::configure("{}").unwrap();
        let request = Request::get("/");
        assert_eq!(place.on_request(&request, Backend::NEW)[0].to_string(), "set x-side: new");
        let reply = place.on_response(&request, Backend::NEW, 200);
        assert_eq!(reply[0].to_string(), "remove server");
    }
}
