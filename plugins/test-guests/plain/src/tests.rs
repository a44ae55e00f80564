//! It does what it is told, no more and no less.

use super::Plain;
use cutover_plugin::Backend;
use cutover_plugin::testing::{Place, Request};

#[test]
fn it_does_as_much_as_it_is_told() {
    for (config, reads, edits) in [("{}", 0, 0), (r#"{"reads": 6, "edits": 8}"#, 6, 8)] {
        let place = Place::<Plain>::configure(config).expect("accepted");
        assert_eq!(place.manifest().reads().len(), reads);
        assert_eq!(place.on_request(&Request::get("/"), Backend::NEW).len(), edits);
    }
    assert!(Place::<Plain>::configure(r#"{"reads": 7}"#).is_err());
    let place = Place::<Plain>::configure(r#"{"edits": 1, "reply-edits": 2}"#).expect("accepted");
    assert_eq!(place.on_request(&Request::get("/"), Backend::NEW).len(), 1);
    assert_eq!(place.on_response(&Request::get("/"), Backend::NEW, 200).len(), 2);
}
