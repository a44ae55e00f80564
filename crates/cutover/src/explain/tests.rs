//! What an explanation says, as the person at 3 a.m. reads it.

use crate::testing::{GET, engine, reload};
use crate::{Engine, RequestView};
use http::{HeaderMap, Method};

const CONFIG: &str = r#"
[server]
listen = ["127.0.0.1:8080"]
[backends.monolith]
addresses = ["127.0.0.1:9001"]
[backends.profile-service]
addresses = ["127.0.0.1:9002"]
[[routes]]
path = "/{*rest}"
backend = "monolith"
[migrations.profile]
old = "monolith"
new = "profile-service"
owner = "identity team"
expires = 2027-03-01
data = "shared"
key = [{ header = "x-user-id" }, { cookie = "sid" }]
allow = ["user-7"]
routes = [{ path = "/api/profile/{id}", methods = ["GET", "HEAD"] }]
read-percent = 5
"#;

fn text(engine: &Engine, method: &Method, path: &str, user: Option<&'static str>) -> String {
    let mut headers = HeaderMap::new();
    if let Some(user) = user {
        headers.insert("x-user-id", http::HeaderValue::from_static(user));
    }
    let explanation = engine.explain(&RequestView::new(method, "shop.example", path, &headers));
    let text = explanation.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

#[test]
fn a_listed_user() {
    let engine = engine();
    reload(&engine, CONFIG);
    let expected = "\
GET shop.example/api/profile/7
  route      /api/profile/{id} (GET, HEAD)
  migration  profile, from monolith (old) to profile-service (new)
  phase      canary; 5% of the users read from new, writes go to old
  key        header x-user-id: user-7
  bucket     BUCKET of 100000; new is below 5000: outside
  list       not on the deny list
  list       on the allow list
  decision   new: the user is on the allow list
  backend    profile-service at 127.0.0.1:9002
-> profile-service (generation 1)";
    let bucket = cutover_core::Salt::new("profile").bucket(b"user-7").number();
    let expected = expected.replace("BUCKET", &bucket.to_string());
    assert_eq!(text(&engine, &GET, "/api/profile/7", Some("user-7")), expected);
}

#[test]
fn a_route_that_was_passed_over_says_why() {
    let engine = engine();
    reload(&engine, CONFIG);
    let expected = "\
DELETE shop.example/api/profile/7
  passed     /api/profile/{id}: only GET, HEAD
  route      /{*rest}
  backend    monolith at 127.0.0.1:9001
-> monolith (generation 1)";
    assert_eq!(text(&engine, &Method::DELETE, "/api/profile/7", None), expected);
}

#[test]
fn keys_can_be_hidden() {
    let engine = engine();
    reload(&engine, CONFIG);
    let mut headers = HeaderMap::new();
    headers.insert("x-user-id", http::HeaderValue::from_static("secret-user"));
    let request = RequestView::new(&GET, "shop.example", "/api/profile/7", &headers);
    let explanation = engine.explain(&request).redacted();
    assert!(!explanation.to_string().contains("secret-user"));
    let json = serde_json::to_string(&explanation).expect("plain data");
    assert!(!json.contains("secret-user"));
    assert!(json.contains(r#""generation":1"#) && json.contains(r#""migration":"profile""#));
}

#[test]
fn nothing_installed_is_a_404() {
    let engine = engine();
    let text = text(&engine, &GET, "/x", None);
    assert_eq!(
        text,
        "GET shop.example/x\n  route      no route matches\n-> cutover answers 404 (generation 0)"
    );
}
