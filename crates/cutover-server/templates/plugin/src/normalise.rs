//! Lines of text are compared without the spaces at their ends, and in any order.

use cutover_plugin::{Comparable, Environment, Manifest, Normalise, Plugin, Reply, View};

struct Rules;

impl Plugin for Rules {
    fn configure(_: &Environment, _: &mut Manifest) -> Result<Self, String> {
        Ok(Self)
    }
}

impl Normalise for Rules {
    fn make_comparable(&self, _: &View<'_>, reply: &Reply<'_>) -> Comparable {
        if !reply.content_type.starts_with("text/plain") {
            return Comparable::Unchanged;
        }
        let Ok(text) = std::str::from_utf8(reply.body) else {
            return Comparable::Unchanged;
        };
        let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.sort_unstable();
        Comparable::body(lines.join("\n"))
    }
}

cutover_plugin::export!(Rules: normalise);

#[cfg(test)]
mod tests {
    use super::Rules;
    use cutover_plugin::testing::{Place, Request};
    use cutover_plugin::{Backend, Comparable};

    #[test]
    fn the_order_of_lines_does_not_count() {
        let place = Place::<Rules>::configure("{}").unwrap();
        let request = Request::get("/").reply_header("content-type", "text/plain; charset=utf-8");
        let compared = |backend, body: &str| place.make_comparable(&request, (backend, 200), body);
        let old = compared(Backend::OLD, "a\nb\n");
        assert_eq!(old, compared(Backend::NEW, "b \r\na"));
        assert_ne!(old, compared(Backend::NEW, "b\nc"));
        let page = Request::get("/").reply_header("content-type", "text/html");
        let answer = place.make_comparable(&page, (Backend::NEW, 200), "b\na");
        assert_eq!(answer, Comparable::Unchanged);
    }
}
