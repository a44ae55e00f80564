//! Generations: both halves go together, and what is known about addresses survives.

use super::*;
use cutover::EngineOptions;
use cutover::config::{AccessLog, LogFormat};
use cutover::core::backend::{Backend, BackendTls, Balance, Protocol};
use std::time::Duration;

struct NoFiles;

impl Surroundings for NoFiles {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        match path {
            "empty.pem" => Ok(Vec::new()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

fn settings() -> ServerSettings {
    ServerSettings {
        listen: Vec::new(),
        threads: 1,
        header_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        max_header_bytes: 1 << 16,
        max_headers: 100,
        drain: Duration::from_secs(1),
        debug_headers: false,
        access_log: AccessLog { format: LogFormat::Off, path: None },
        trusted_proxies: Vec::new(),
    }
}

fn snapshot(address: &str, ca: Option<&str>) -> Snapshot {
    let mut builder = Snapshot::builder();
    builder.backend(Backend {
        name: "one".into(),
        addresses: Box::new([address.into()]),
        tls: ca.map(|ca| BackendTls { server_name: None, ca: Some(ca.into()), verify: true }),
        protocol: Protocol::Http1,
        host: None,
        balance: Balance::RoundRobin,
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        health: None,
    });
    builder.finish()
}

fn plane() -> Plane {
    let engine = Engine::new(EngineOptions { workers: 1, ..EngineOptions::default() });
    Plane::new(Arc::new(engine.expect("it starts")), &settings())
}

fn install(plane: &Plane, address: &str) -> Generation {
    let ready = plane.prepare(snapshot(address, None), &[], &[], (&settings(), None), &NoFiles);
    plane.install(ready.expect("prepared"))
}

#[test]
fn both_halves_are_of_one_generation() {
    let plane = plane();
    assert!(plane.newest().is_none());
    for port in 1..4 {
        let generation = install(&plane, &format!("127.0.0.1:{port}"));
        let serving = plane.newest().expect("installed");
        assert_eq!(serving.installed().generation(), generation);
        assert_eq!(plane.engine().current().generation(), generation);
        let endpoints = serving.backends().pools()[0].endpoints();
        assert_eq!(endpoints[0].address.socket().port(), port);
    }
}

#[test]
fn an_ejected_address_stays_ejected_over_a_reload() {
    let plane = plane();
    install(&plane, "127.0.0.1:1");
    let serving = plane.newest().expect("installed");
    let address = Arc::clone(&serving.backends().pools()[0].endpoints()[0].address);
    address.checked(false, 1, 1);
    install(&plane, "127.0.0.1:1");
    let serving = plane.newest().expect("installed");
    assert!(!serving.backends().pools()[0].endpoints()[0].address.is_clean());
    let mut metrics = String::new();
    plane.encode_metrics(&mut metrics);
    let row = "cutover_backend_address_clean{backend=\"one\",address=\"127.0.0.1:1\"} 0\n";
    assert!(metrics.contains(row), "{metrics}");
}

#[test]
fn logs_that_are_replaced_are_written_to_their_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let log_to = |name: &str| {
        let path = Some(folder.path().join(name));
        ServerSettings { access_log: AccessLog { format: LogFormat::Text, path }, ..settings() }
    };
    let plane = plane();
    let install = |name: &str| {
        let ready =
            plane.prepare(snapshot("127.0.0.1:1", None), &[], &[], (&log_to(name), None), &NoFiles);
        plane.install(ready.expect("prepared"));
        plane.newest().expect("installed")
    };
    let first = install("first");
    install("first");
    assert_eq!(plane.left.lock().expect("whole").len(), 0, "the same log goes on");
    install("second");
    assert_eq!(plane.left.lock().expect("whole").len(), 1);
    let log = first.log().expect("on");
    log.write(&crate::access_log::tests::record());
    plane.flush();
    let lines = std::fs::read_to_string(folder.path().join("first")).expect("written");
    assert_eq!(lines.lines().count(), 1, "an exchange of the generation before");
}

#[test]
fn what_cannot_be_used_is_refused_and_changes_nothing() {
    let plane = plane();
    let before = install(&plane, "127.0.0.1:1");
    for (ca, expected) in
        [("gone.pem", "gone.pem: entity not found"), ("empty.pem", "no certificate")]
    {
        let refused = plane.prepare(
            snapshot("127.0.0.1:1", Some(ca)),
            &[],
            &[],
            (&settings(), None),
            &NoFiles,
        );
        let error = refused.expect_err("refused").to_string();
        assert!(error.starts_with("backends.one.tls.ca: ") && error.contains(expected), "{error}");
    }
    let refused = plane.prepare(snapshot("nowhere", None), &[], &[], (&settings(), None), &NoFiles);
    assert!(refused.expect_err("refused").to_string().contains("\"nowhere\" is not host:port"));
    assert_eq!(plane.newest().expect("installed").installed().generation(), before);
}
