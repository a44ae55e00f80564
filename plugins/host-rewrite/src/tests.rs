//! What the upstream and the client each get to see.

use super::HostRewrite;
use cutover_plugin::testing::{Place, Request};
use cutover_plugin::{Backend, Traits};

const CONFIG: &str =
    r#"{"upstream": "profile.internal:9002", "public": "www.example.com", "scheme": "https"}"#;

fn place(config: &str) -> Place<HostRewrite> {
    Place::configure(config).expect("a good configuration")
}

fn reply(place: &Place<HostRewrite>, request: &Request) -> Vec<String> {
    let edits = place.on_response(request, Backend::NEW, 302);
    edits.iter().map(ToString::to_string).collect()
}

#[test]
fn the_upstream_gets_its_own_host_and_the_other_side_its_own() {
    let place = place(CONFIG);
    let edits = place.on_request(&Request::get("/").host("www.example.com"), Backend::NEW);
    assert_eq!(edits[0].to_string(), "set host: profile.internal:9002");
    assert!(place.on_request(&Request::get("/"), Backend::OLD).is_empty());
    let reply = Request::get("/").reply_header("location", "http://profile.internal:9002/a");
    assert!(place.on_response(&reply, Backend::OLD, 302).is_empty());
}

#[test]
fn locations_of_the_upstream_become_public() {
    let place = place(CONFIG);
    for (location, wanted) in [
        ("http://profile.internal:9002/a?b=c", Some("https://www.example.com/a?b=c")),
        ("http://Profile.Internal:9002", Some("https://www.example.com")),
        ("http://profile.internal/a", Some("https://www.example.com/a")),
        ("//profile.internal:9002/a", Some("//www.example.com/a")),
        ("/a", None),
        ("https://elsewhere.example/a", None),
        ("https://elsewhere.example/?u=http://profile.internal:9002/", None),
        ("http://profile.internal:9002.evil.example/", None),
    ] {
        let edits = reply(&place, &Request::get("/").reply_header("location", location));
        let wanted: Vec<_> = wanted.iter().map(|url| format!("set location: {url}")).collect();
        assert_eq!(edits, wanted, "{location}");
    }
}

#[test]
fn domains_of_cookies_become_public_and_all_else_stays() {
    let request = Request::get("/")
        .reply_header("set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; domain=.internal")
        .reply_header("set-cookie", "b=domain=profile.internal; Path=/")
        .reply_header("set-cookie", "c=3; Domain=profile.internal; HttpOnly");
    assert_eq!(
        reply(&place(CONFIG), &request),
        [
            "remove set-cookie",
            "append set-cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Domain=www.example.com",
            "append set-cookie: b=domain=profile.internal; Path=/",
            "append set-cookie: c=3; Domain=www.example.com; HttpOnly",
        ]
    );
    let others = Request::get("/").reply_header("set-cookie", "a=1; Domain=l.internal");
    assert!(reply(&place(CONFIG), &others).is_empty());
}

#[test]
fn the_public_host_is_by_default_the_one_the_client_asked_for() {
    let place = place(r#"{"upstream": "profile.internal"}"#);
    let location = |request: Request| {
        let request = request.reply_header("location", "http://profile.internal/a");
        reply(&place, &request)
    };
    let asked = Request::get("/").host("shop.example");
    assert_eq!(location(asked), ["set location: http://shop.example/a"]);
    assert!(location(Request::get("/")).is_empty());
    let on_a_port = Request::get("/").host("shop.example").header("host", "shop.example:8443");
    assert_eq!(location(on_a_port), ["set location: http://shop.example:8443/a"]);
}

#[test]
fn the_usual_port_is_no_other_host() {
    for (upstream, location, ours) in [
        ("profile.internal", "http://profile.internal:80/a", true),
        ("profile.internal", "https://profile.internal:443/a", true),
        ("profile.internal:443", "https://profile.internal/a", true),
        ("profile.internal", "http://profile.internal:8080/a", false),
        ("profile.internal", "http://profile.internal:443/a", false),
    ] {
        let config = format!(r#"{{"upstream": "{upstream}", "public": "www.example.com"}}"#);
        let request = Request::get("/").reply_header("location", location);
        assert_eq!(reply(&place(&config), &request).len(), usize::from(ours), "{location}");
    }
}

#[test]
fn a_cookie_for_a_public_host_with_a_port_has_none() {
    let place = place(r#"{"upstream": "profile.internal"}"#);
    let request = Request::get("/")
        .header("host", "shop.example:8443")
        .reply_header("set-cookie", "a=1; Domain=profile.internal");
    let wanted = ["remove set-cookie", "append set-cookie: a=1; Domain=shop.example"];
    assert_eq!(reply(&place, &request), wanted);
}

#[test]
fn values_that_were_cut_are_left_alone() {
    let cut = Traits { truncated: true, ..Traits::default() };
    let request =
        Request::get("/").traits(cut).reply_header("location", "http://profile.internal/");
    assert!(reply(&place(CONFIG), &request).is_empty());
}

#[test]
fn a_wrong_configuration_is_refused_with_the_reason() {
    let error = |config| Place::<HostRewrite>::configure(config).err().unwrap_or_default();
    assert!(error(r#"{"upstream": "http://profile.internal"}"#).contains("without scheme"));
    assert!(error(r#"{"upstream": "a", "scheme": "ftp"}"#).contains("`http` or `https`"));
    assert!(error(r#"{"upstream": "a", "backend": "newer"}"#).contains("old, new"));
}
