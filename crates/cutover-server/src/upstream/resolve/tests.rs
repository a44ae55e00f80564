//! Configured addresses as a table, and names that cannot be looked up.

use super::*;
use cutover::Snapshot;
use cutover::core::backend::{Backend, Balance, Protocol};

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

struct NoFiles;

impl cutover::Surroundings for NoFiles {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

#[test]
fn a_reload_while_names_cannot_be_looked_up_keeps_their_addresses() {
    // Longer than a label may be: no name server is asked.
    let gone = "x".repeat(64);
    let mut builder = Snapshot::builder();
    builder.backend(Backend {
        name: "one".into(),
        addresses: Box::new([format!("{gone}:80").into(), "127.0.0.1:81".into()]),
        tls: None,
        protocol: Protocol::Http1,
        host: None,
        balance: Balance::RoundRobin,
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: None,
    });
    let snapshot = builder.finish();
    let book = AddressBook::new(cutover::Clock::now(&cutover::SystemClock));
    let build = |known| Backends::build(&snapshot, &book, &NoFiles, known).expect("built");
    let sockets = |backends: &Backends| {
        let endpoints = backends.pools()[0].endpoints();
        endpoints.iter().map(|each| each.address.text().to_owned()).collect::<Vec<_>>()
    };
    let before = build(None);
    assert_eq!(sockets(&before), ["127.0.0.1:81"]);
    let socket = |text: &str| text.parse::<SocketAddr>().expect("an address");
    let found = [(socket("127.0.0.2:80"), &*gone), (socket("127.0.0.1:81"), "127.0.0.1")];
    before.pools()[0].put(&book, found.to_vec());
    let after = build(Some(&before));
    assert_eq!(sockets(&after), ["127.0.0.2:80", "127.0.0.1:81"]);
}
