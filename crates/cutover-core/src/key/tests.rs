//! Where keys are found, who is on a list, and which signed headers count.

use super::*;
use http::{HeaderMap, HeaderValue, Method};

const USER: HeaderName = HeaderName::from_static("x-user-id");
const QA: HeaderName = HeaderName::from_static("x-cutover-qa");

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let value = |value: &str| HeaderValue::from_str(value).expect("a header value");
    list.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
}

fn check_cookie(lines: &[&str], expected: Option<&str>) {
    let lines: Vec<_> = lines.iter().map(|line| ("cookie", *line)).collect();
    let headers = headers(&lines);
    let request = RequestView::new(&Method::GET, "h", "/", &headers);
    assert_eq!(cookie(&request, "sid"), expected.map(str::as_bytes), "{lines:?}");
}

#[test]
fn cookies_are_found_wherever_they_stand() {
    check_cookie(&[], None);
    check_cookie(&["sid=7"], Some("7"));
    check_cookie(&["a=1; sid=7; b=2"], Some("7"));
    check_cookie(&["a=1;sid=7;b=2"], Some("7"));
    check_cookie(&["a=1;  sid=7  ;b=2"], Some("7"));
    check_cookie(&["a=1", "b=2; sid=7"], Some("7"));
    check_cookie(&["a=1", "sid=7", "sid=8"], Some("7"));
    check_cookie(&["xsid=1; sidx=2; SID=3; sid"], None);
    check_cookie(&["x=sid=1"], None);
    check_cookie(&["sid=a=b"], Some("a=b"));
    check_cookie(&["sid=\"7\""], Some("\"7\""));
    check_cookie(&["sid="], Some(""));
    check_cookie(&["", ";;", "=; =x; sid=7"], Some("7"));
}

#[test]
fn query_parameters_count_as_they_stand_and_the_first_wins() {
    for (query, expected) in [
        (None, None),
        (Some(""), None),
        (Some("u=7"), Some("7")),
        (Some("a=1&u=7&u=8"), Some("7")),
        (Some("u=&u=8"), Some("")),
        (Some("u"), Some("")),
        (Some("uu=1&U=2"), None),
        (Some("u=a%20b+c"), Some("a%20b+c")),
        (Some("u=a=b"), Some("a=b")),
        (Some("a;u=7"), None),
    ] {
        assert_eq!(query_param(query, "u"), expected.map(str::as_bytes), "{query:?}");
    }
}

#[test]
fn sources_without_a_value_leave_the_word_to_the_next() {
    let mut table = crate::route::RouteTable::builder();
    let spec = crate::route::RouteSpec { path: "/u/{id}/{*rest}".into(), ..Default::default() };
    table.insert(spec).expect("valid");
    let table = table.finish();
    let sources = [
        KeySource::Header(USER),
        KeySource::Cookie("sid".into()),
        KeySource::Query("u".into()),
        KeySource::Path("rest".into()),
        KeySource::Path("nobody".into()),
        KeySource::Path("id".into()),
    ];
    for (given, query, path, expected) in [
        (&[("x-user-id", "h"), ("cookie", "sid=c")][..], Some("u=q"), "/u/7/r", "h"),
        (&[("x-user-id", ""), ("cookie", "sid=c")][..], Some("u=q"), "/u/7/r", "c"),
        (
            &[("x-user-id", ""), ("x-user-id", "second"), ("cookie", "sid=")][..],
            Some("u=q"),
            "/u/7/r",
            "q",
        ),
        (&[("cookie", "sid=")][..], Some("u="), "/u/7/r", "r"),
        (&[][..], None, "/u/7/", "7"),
    ] {
        let headers = headers(given);
        let mut request = RequestView::new(&Method::GET, "h", path, &headers);
        request.query = query;
        let found = table.find(&request).expect("the route matches");
        let params = table.params(&found);
        let key = sources.iter().find_map(|source| source.find(&request, &params));
        assert_eq!(key, Some(expected.as_bytes()), "{given:?} {query:?} {path}");
    }
}

#[test]
fn lists_hold_exactly_their_users() {
    let users: Vec<String> = (0..5_000).map(|n| format!("user-{n}")).collect();
    let list: UserList = users.iter().map(String::as_str).chain(["user-1", "Zoë"]).collect();
    assert_eq!(list.len(), 5_001);
    assert!(users.iter().all(|user| list.contains(user.as_bytes())));
    assert!(list.contains("Zoë".as_bytes()));
    for stranger in ["user-5000", "User-1", "user-1 ", ""] {
        assert!(!list.contains(stranger.as_bytes()), "{stranger}");
    }
    assert!(!UserList::default().contains(b""));
    let reversed: UserList = users.iter().rev().map(String::as_str).chain(["Zoë"]).collect();
    assert_eq!(list, reversed);
}

#[test]
fn only_a_signed_header_in_time_counts() {
    let qa = QaHeader { name: QA, secret: (*b"top secret").into() };
    let signed = qa.sign("profile", Side::New, 2_000);
    // From Python's hmac module.
    let hex = "359a5c489040185467b0c9dbb60fdb8ae19407d8842a229eb13d09a03386ac4a";
    let claim = "new;2000";
    assert_eq!(signed, format!("{claim};{hex}"));
    let ask = |value: &str, migration: &str, now_ms: u64| {
        let headers = headers(&[("x-cutover-qa", value)]);
        let mut request = RequestView::new(&Method::GET, "h", "/", &headers);
        request.now_ms = now_ms;
        qa.side(migration, &request)
    };
    assert_eq!(ask(&signed, "profile", 1_999_999), Some(Side::New));
    assert_eq!(ask(&qa.sign("profile", Side::Old, u64::MAX), "profile", 0), Some(Side::Old));
    assert_eq!(ask(&signed, "profile", 2_000_000), None, "expired");
    assert_eq!(ask(&signed, "basket", 0), None, "another migration");
    assert_eq!(ask(&signed.replace("new", "old"), "profile", 0), None, "tampered side");
    assert_eq!(ask(&signed.replace("2000", "3000"), "profile", 0), None, "tampered expiry");
    let upper = format!("{claim};{}", hex.to_uppercase());
    assert_eq!(ask(&upper, "profile", 0), None, "upper-case hex is not what was signed");
    for other in
        ["", "new", "new;2000", "new;2000;", "new;2000;zz", "New;2000;0", ";;", "new;-1;00"]
    {
        assert_eq!(ask(other, "profile", 0), None, "{other}");
    }
    assert_eq!(ask(&format!("{signed}0"), "profile", 0), None, "too long");
    let other = QaHeader { name: QA, secret: (*b"another secret").into() };
    assert_eq!(ask(&other.sign("profile", Side::New, 2_000), "profile", 0), None, "another secret");
    let absent = HeaderMap::new();
    assert_eq!(qa.side("profile", &RequestView::new(&Method::GET, "h", "/", &absent)), None);
    assert!(!format!("{qa:?}").contains("secret:"), "the secret is not shown");
}
