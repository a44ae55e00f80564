//! Configured addresses as a table.

use super::*;

#[test]
fn an_address_is_a_host_and_a_port() {
    let ip = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
    let cases = [
        ("127.0.0.1:9001", Some(("127.0.0.1", 9001, ip("127.0.0.1")))),
        ("[::1]:80", Some(("::1", 80, ip("::1")))),
        ("api.internal:443", Some(("api.internal", 443, None))),
        ("localhost", None),
        ("::1:80", None),
        (":80", None),
        ("http://x:80", None),
        ("x:99999", None),
    ];
    for (text, expected) in cases {
        let found = Name::parse(text);
        let expected =
            expected.map(|(host, port, ip): (&str, u16, _)| Name { host: host.into(), port, ip });
        assert_eq!(found, expected, "{text}");
    }
}
