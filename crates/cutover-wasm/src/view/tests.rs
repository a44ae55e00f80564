//! What is packed, byte for byte.

use super::*;
use cutover_core::route::{RouteSpec, RouteTable};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Packs one request; gives each value (`None` if absent) and the traits.
fn pack(
    reads: &[Read],
    change: impl FnOnce(&mut RequestView<'_>),
    headers: &HeaderMap,
) -> (Vec<Option<Vec<u8>>>, Traits) {
    let mut table = RouteTable::default();
    table.insert(RouteSpec { path: "/a".into(), ..RouteSpec::default() }).expect("valid");
    let mut request =
        RequestView::new(&http::Method::GET, "old.example:8080", "/a", headers as &dyn Headers);
    let matched = table.find(&request).expect("matches");
    change(&mut request);
    let params = table.params(&matched);
    let call = CallView { request: &request, params: &params, bucket: None, share: Percent::FULL };
    let mut reply = HeaderMap::new();
    for cookie in ["a=1, 2", "b=3"] {
        reply.append("set-cookie", HeaderValue::from_static(cookie));
    }
    let mut packed = Packed::with_room(reads.len());
    let view = packed.pack(&call, Some(&reply), reads);
    assert_eq!(view.bucket, NO_BUCKET);
    let values = view
        .spans
        .chunks(2)
        .map(|span| view.data.get(span[0] as usize..span[1] as usize).map(<[u8]>::to_vec))
        .collect();
    (values, view.traits)
}

fn header(name: &'static str) -> Read {
    Read::Header(HeaderName::from_static(name))
}

#[test]
fn values_come_in_declared_order_and_absent_ones_are_marked() {
    let mut headers = HeaderMap::new();
    headers.insert("x-a", HeaderValue::from_static("1"));
    headers.append("x-a", HeaderValue::from_static("2"));
    headers.insert("x-empty", HeaderValue::from_static(""));
    headers.insert("cookie", HeaderValue::from_static("b=2; sid=s1"));
    headers.insert("x-secret", HeaderValue::from_static("hidden"));
    let reads = [
        Read::Host,
        Read::Path,
        Read::Query,
        Read::Peer,
        header("x-a"),
        header("x-empty"),
        header("x-missing"),
        Read::Cookie("sid".into()),
        Read::QueryParam("q".into()),
        Read::PathParam("id".into()),
        Read::ReplyHeader(http::header::SET_COOKIE),
        Read::ReplyHeader(http::header::LOCATION),
    ];
    let (values, traits) = pack(
        &reads,
        |request| {
            request.query = Some("p=1&q=two");
            request.peer = Some([127, 0, 0, 1].into());
            request.tls = true;
        },
        &headers,
    );
    let text: Vec<_> = values.iter().map(|value| value.as_deref()).collect();
    let expected: [Option<&[u8]>; 12] = [
        Some(b"old.example"),
        Some(b"/a"),
        Some(b"p=1&q=two"),
        Some(b"127.0.0.1"),
        Some(b"1, 2"),
        Some(b""),
        None,
        Some(b"s1"),
        Some(b"two"),
        None,
        Some(b"a=1, 2\nb=3"),
        None,
    ];
    assert_eq!(text, expected);
    assert_eq!(traits, Traits::TLS);
}

#[test]
fn a_long_value_is_cut_and_the_view_says_so() {
    let mut headers = HeaderMap::new();
    for _ in 0..3 {
        let line = HeaderValue::from_bytes(&[b'x'; MAX_VALUE_BYTES / 2]).expect("valid");
        headers.append("x-long", line);
    }
    let (values, traits) = pack(&[header("x-long"), Read::Path], |_| {}, &headers);
    assert_eq!(values[0].as_ref().map(Vec::len), Some(MAX_VALUE_BYTES));
    assert_eq!(values[1].as_deref(), Some(b"/a".as_slice()));
    assert!(traits.contains(Traits::TRUNCATED));
}

#[test]
fn a_full_view_leaves_values_out_and_says_so() {
    let mut headers = HeaderMap::new();
    headers.insert("x", HeaderValue::from_bytes(&[b'x'; MAX_VALUE_BYTES]).expect("valid"));
    let mut reads = vec![header("x"); MAX_VIEW_BYTES / MAX_VALUE_BYTES];
    reads.extend([Read::Path, Read::Peer, header("x-missing")]);
    let (values, traits) =
        pack(&reads, |request| request.peer = Some([10, 0, 0, 1].into()), &headers);
    assert!(values[..4].iter().all(|v| v.as_ref().is_some_and(|v| v.len() == MAX_VALUE_BYTES)));
    assert_eq!(values[4..], [None, None, None]);
    assert!(traits.contains(Traits::TRUNCATED));
}

#[test]
fn only_ports_are_cut_off_hosts() {
    for (host, name) in [
        ("a.example", "a.example"),
        ("a.example:80", "a.example"),
        ("a.example:", "a.example"),
        ("[::1]", "[::1]"),
        ("[::1]:8080", "[::1]"),
        ("a.example:x", "a.example:x"),
        ("", ""),
    ] {
        assert_eq!(without_port(host), name, "{host}");
    }
}

#[test]
fn the_header_host_has_the_port_and_is_there_in_http2_too() {
    let host = |headers: &HeaderMap, host: &'static str| {
        pack(&[header("host")], |request| request.host = host, headers).0.remove(0)
    };
    assert_eq!(host(&HeaderMap::new(), "a.example:8443"), Some(b"a.example:8443".to_vec()));
    assert_eq!(host(&HeaderMap::new(), ""), None);
    let mut sent = HeaderMap::new();
    sent.insert("host", HeaderValue::from_static("b.example"));
    assert_eq!(host(&sent, "b.example"), Some(b"b.example".to_vec()));
}
