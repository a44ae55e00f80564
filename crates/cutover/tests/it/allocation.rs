//! The path of a request allocates nothing.

use crate::scene::{Scene, profile_config};
use cutover::{Action, Cause, Outcome, RequestView, Side};
use http::header::{HeaderMap, HeaderValue};
use http::{Method, StatusCode};

const EDITS: &str = r#"
[migrations.profile.headers.request]
set = { x-served-by = "new" }
remove = ["x-internal"]
[migrations.profile.headers.response]
set = { x-answered-by = "new" }
"#;

#[test]
fn an_exchange_allocates_nothing_from_begin_to_finish() {
    let scene = Scene::empty();
    scene.reload(&profile_config("50%", EDITS));
    for fails in [false, true] {
        for user in 0..20 {
            let mut headers = HeaderMap::new();
            let user = HeaderValue::from_str(&format!("user-{user}")).expect("a plain name");
            headers.insert("x-user-id", user);
            let view = RequestView::new(&Method::GET, "shop.example", "/api/profile/1", &headers);
            // Maps of a gateway have room already; what they would allocate is not the engine's.
            let (mut sent, mut reply) = (HeaderMap::with_capacity(8), HeaderMap::with_capacity(8));
            let mut one = || {
                sent.clear();
                reply.clear();
                let mut exchange = scene.engine.begin(&view).expect("a route matches");
                let new = exchange.side() == Some(Side::New);
                exchange.edit_request(&view, &mut sent).expect("no plugins");
                let path = exchange.request_path("/api/profile/1");
                assert_eq!(path, "/api/profile/1");
                if fails && new {
                    let action = exchange.failed(&view, Cause::Reset, None, true, false);
                    assert!(matches!(action, Action::Retry(_)));
                }
                exchange.edit_response(&view, StatusCode::OK, &mut reply).expect("no plugins");
                exchange.finish(Outcome::Replied(StatusCode::OK));
            };
            one();
            let counted = allocation_counter::measure(one);
            assert_eq!(counted.count_total, 0, "fails: {fails}, {counted:?}");
        }
        scene.clock.pass(60_000);
    }
}
