//! Forwarding headers as a table: what a client sends, whether it is believed, what the backend gets.

use super::*;

fn network(text: &str, bits: u8) -> Network {
    Network { address: text.parse().expect("an address"), bits }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[track_caller]
fn check(
    peer: &str,
    tls: bool,
    host: &str,
    believed: bool,
    sent: &[(&'static str, &'static str)],
    expected: &[(&str, &str)],
) {
    let received = headers(sent);
    let mut out = received.clone();
    let origin = Origin { peer: peer.parse().expect("an address"), tls, host };
    apply(origin, believed, &received, &mut out);
    for (name, value) in expected {
        let found: Vec<_> = out.get_all(*name).iter().map(|v| v.to_str().expect("text")).collect();
        let wanted: Vec<&str> = if value.is_empty() { vec![] } else { vec![value] };
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn a_strangers_headers_are_replaced() {
    check(
        "192.0.2.7",
        false,
        "example.com",
        false,
        &[
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-port", "1"),
            ("x-real-ip", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
        ],
        &[
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "example.com"),
            ("x-forwarded-port", ""),
            ("x-real-ip", ""),
            ("forwarded", "for=192.0.2.7;proto=http;host=example.com"),
        ],
    );
}

#[test]
fn a_trusted_proxy_is_appended_to() {
    check(
        "10.0.0.1",
        false,
        "inner:8080",
        true,
        &[
            ("x-forwarded-for", "198.51.100.3"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            ("forwarded", "for=198.51.100.3;proto=https"),
        ],
        &[
            ("x-forwarded-for", "198.51.100.3, 10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.example"),
            (
                "forwarded",
                "for=198.51.100.3;proto=https, for=10.0.0.1;proto=http;host=\"inner:8080\"",
            ),
        ],
    );
}

#[test]
fn what_a_trusted_proxy_leaves_out_is_filled_in() {
    check(
        "10.0.0.1",
        true,
        "a.example",
        true,
        &[("x-forwarded-for", "198.51.100.3")],
        &[("x-forwarded-proto", "https"), ("x-forwarded-host", "a.example")],
    );
}

#[test]
fn ipv6_is_bracketed_and_quoted_where_the_grammar_says_so() {
    check(
        "2001:db8::1",
        true,
        "[2001:db8::2]:443",
        false,
        &[],
        &[
            ("x-forwarded-for", "2001:db8::1"),
            ("forwarded", "for=\"[2001:db8::1]\";proto=https;host=\"[2001:db8::2]:443\""),
        ],
    );
    check("::ffff:192.0.2.9", false, "", false, &[], &[("forwarded", "for=192.0.2.9;proto=http")]);
}

#[test]
fn the_client_is_the_nearest_hop_that_is_not_trusted() {
    let trusted = [network("10.0.0.0", 8), network("fd00::", 8)];
    let cases = [
        ("192.0.2.1", "6.6.6.6", "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.3", "198.51.100.3"),
        ("10.0.0.1", "198.51.100.3, 10.0.0.2", "198.51.100.3"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.3:4711", "198.51.100.3"),
        ("fd00::1", "[2001:db8::5]", "2001:db8::5"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
    ];
    for (peer, sent, expected) in cases {
        let mut received = HeaderMap::new();
        received.insert(FOR, HeaderValue::from_static(sent));
        let found = client(&trusted, peer.parse().expect("an address"), &received);
        assert_eq!(found, expected.parse::<IpAddr>().expect("an address"), "{peer} {sent}");
    }
}

#[test]
fn what_ends_a_quoted_string_is_escaped_in_it() {
    let mut line = Line::with_room(0);
    line.push_value("a\"b\\:c");
    assert_eq!(line.0, r#""a\"b\\:c""#);
}
