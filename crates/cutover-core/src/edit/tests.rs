//! Header and path edits.

use super::*;
use http::HeaderMap;

fn pair(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect()
}

#[test]
fn headers_are_removed_then_set_then_appended() {
    let edits = HeaderEdits {
        remove: [HeaderName::from_static("x-internal"), HeaderName::from_static("x-both")].into(),
        set: [pair("x-served-by", "new"), pair("x-both", "set")].into(),
        append: [pair("via", "1.1 cutover"), pair("x-both", "appended")].into(),
    };
    assert!(!edits.is_empty() && HeaderEdits::default().is_empty());
    let mut headers: HeaderMap = [
        pair("x-internal", "1"),
        pair("x-internal", "2"),
        pair("x-served-by", "old"),
        pair("x-served-by", "older"),
        pair("via", "1.0 edge"),
        pair("x-both", "received"),
        pair("accept", "*/*"),
    ]
    .into_iter()
    .collect();
    edits.apply(&mut headers);
    assert_eq!(values(&headers, "x-internal"), Vec::<&str>::new());
    assert_eq!(values(&headers, "x-served-by"), ["new"]);
    assert_eq!(values(&headers, "via"), ["1.0 edge", "1.1 cutover"]);
    assert_eq!(values(&headers, "x-both"), ["set", "appended"]);
    assert_eq!(values(&headers, "accept"), ["*/*"]);
}

#[test]
fn path_prefixes_are_stripped_at_segment_boundaries_and_added() {
    for (strip, add, path, expected) in [
        (None, None, "/a", "/a"),
        (Some("/api"), None, "/api/x", "/x"),
        (Some("/api"), None, "/api", "/"),
        (Some("/api"), None, "/api/", "/"),
        (Some("/api"), None, "/api//x", "//x"),
        (Some("/api"), None, "/apix", "/apix"),
        (Some("/api"), None, "/x/api", "/x/api"),
        (Some("/api/v1"), None, "/api/v1/x/", "/x/"),
        (None, Some("/v2"), "/x", "/v2/x"),
        (None, Some("/v2"), "/", "/v2/"),
        (Some("/api"), Some("/v2"), "/api/x", "/v2/x"),
        (Some("/api"), Some("/v2"), "/api", "/v2/"),
        (Some("/api"), Some("/v2"), "/other", "/v2/other"),
    ] {
        let edit =
            PathEdit { strip_prefix: strip.map(Into::into), add_prefix: add.map(Into::into) };
        assert_eq!(edit.apply(path), expected, "{strip:?} {add:?} {path}");
        assert_eq!(edit.is_empty(), strip.is_none() && add.is_none());
        assert_eq!(
            matches!(edit.apply(path), Cow::Borrowed(_)),
            add.is_none(),
            "borrowed if it can"
        );
    }
}
