//! The sample configurations do what they say: each is run as a process, and the commands in their comments work.

use crate::process::{Process, cutover, stderr};
use cutover_test::{Client, Upstream};
use std::path::{Path, PathBuf};

/// A request that shows what a sample is about, and who answers it.
struct Shown {
    file: &'static str,
    http2: bool,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    by: &'static str,
}

const GET: Shown =
    Shown { file: "", http2: false, method: "GET", path: "/", headers: &[], by: "old" };

const SHOWN: [Shown; 8] = [
    Shown {
        file: "strangler.toml",
        path: "/api/profile/7",
        headers: &[("x-user-id", "user-7")],
        by: "new",
        ..GET
    },
    Shown { file: "strangler.toml", path: "/cart", ..GET },
    Shown {
        file: "plugins.toml",
        path: "/api/profile/7",
        headers: &[("x-tenant", "acme")],
        by: "new",
        ..GET
    },
    Shown { file: "plugins.toml", path: "/api/profile/7", ..GET },
    Shown { file: "websocket.toml", path: "/ws", headers: &[("cookie", "sid=1")], ..GET },
    Shown { file: "tls.toml", path: "/api/profile/7", ..GET },
    Shown {
        file: "grpc.toml",
        http2: true,
        method: "POST",
        path: "/helloworld.Greeter/SayHello",
        ..GET
    },
    Shown {
        file: "grpc.toml",
        http2: true,
        method: "POST",
        path: "/helloworld.Greeter/SayMore",
        ..GET
    },
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn samples() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(repository().join("examples/configs")).expect("the samples");
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a plain name");
        (name, std::fs::read_to_string(entry.path()).expect("text"))
    };
    let mut samples: Vec<_> = folder.map(|entry| read(entry.expect("readable"))).collect();
    samples.retain(|(name, _)| name.ends_with(".toml"));
    samples.sort();
    samples
}

/// The sample with ports of the kernel's choice, and backends that are there.
fn at_home(text: &str, [old, old_too, new]: [&Upstream; 3]) -> String {
    let mut text = text.to_owned();
    for listener in ["127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8443"] {
        text = text.replace(&format!("\"{listener}\""), "\"127.0.0.1:0\"");
    }
    for (written, upstream) in [
        ("127.0.0.1:9001", old),
        ("127.0.0.1:50051", old),
        ("127.0.0.1:50052", old_too),
        ("127.0.0.1:9002", new),
        ("profile.internal:443", new),
    ] {
        text = text.replace(&format!("\"{written}\""), &format!("\"{}\"", upstream.address()));
    }
    text.replace("../../plugins/dist", &repository().join("plugins/dist").display().to_string())
}

/// What tls.toml tells people to make with openssl.
fn certificates(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let write = |name: &str, pem: String| std::fs::write(folder.join(name), pem).expect("written");
    write("server.pem", made.cert.pem());
    write("server.key", made.signing_key.serialize_pem());
    write("internal-ca.pem", made.cert.pem());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_runs_and_serves() {
    let (old, old_too) = (Upstream::named("old").await, Upstream::named("old").await);
    let new = Upstream::named("new").await;
    for (name, text) in samples() {
        let folder = tempfile::tempdir().expect("a folder");
        certificates(folder.path());
        let file = folder.path().join(&name);
        std::fs::write(&file, at_home(&text, [&old, &old_too, &new])).expect("written");
        let mut process = Process::start(&file, &[]);
        let shown: Vec<_> = SHOWN.iter().filter(|shown| shown.file == name).collect();
        assert!(!shown.is_empty(), "{name} is run, but not shown: add it above");
        for Shown { http2, method, path, headers, by, .. } in shown {
            let client =
                if *http2 { Client::http2(process.data) } else { Client::http1(process.data) };
            let reply = client.send(method, path, headers, "").await;
            assert_eq!(
                (reply.status().as_u16(), &reply.body()[..]),
                (200, by.as_bytes()),
                "{name} {path}"
            );
        }
        process.signal("TERM");
        assert_eq!(process.wait(), Some(0), "{name}");
    }
}

/// But `run`, which the test above does with ports that are free.
#[test]
fn commands_in_the_samples_comments_work() {
    let mut tried = 0;
    for (name, text) in samples() {
        for line in text.lines() {
            let Some(command) = line.strip_prefix("#   cutover ") else { continue };
            // Two spaces end a command; what follows says what it is for.
            let command = command.split("  ").next().unwrap_or_default();
            let words: Vec<_> = command.split(' ').collect();
            if words[0] == "run" {
                assert_eq!(words[1..], ["-c", &format!("examples/configs/{name}")], "{name}");
                continue;
            }
            let output = cutover(&repository(), &words);
            assert_eq!(output.status.code(), Some(0), "{line}: {}", stderr(&output));
            tried += 1;
        }
    }
    assert!(tried > 0, "the samples name no command any more");
}
