//! `cutover demo --keep` as a process: it stays up for a person to ask, and Ctrl-C is its end.
//!
//! It has a group of processes to itself, as at a terminal, where Ctrl-C reaches its services, too.

use cutover_test::Client;
use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A demo whose services end with it, whatever becomes of the test.
struct Demo {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .arg("demo")
            .args(arguments)
            .env("TMPDIR", folder.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let said = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, said, folder }
    }

    /// The lines up to one with this in it, or to the end.
    fn up_to(&mut self, part: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.said.by_ref().map_while(Result::ok) {
            let there = line.contains(part);
            lines.push(line);
            if there {
                break;
            }
        }
        lines
    }

    /// Signals all of it.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill").args([&format!("-{name}"), "--", &group]).status();
        assert!(sent.expect("kill runs").success(), "{name}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_kept_answers_and_ends_by_one_interrupt() {
    let mut demo = Demo::start(&["--keep", "--users", "100"]);
    let told = demo.up_to("Ctrl-C ends it");
    let address: SocketAddr = told
        .iter()
        .find_map(|line| line.trim().strip_prefix("proxy")?.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| panic!("no proxy in:\n{}", told.join("\n")));
    let reply = Client::http1(address).get("/api/profile/7", &[("x-user-id", "user-7")]).await;
    assert_eq!(reply.status(), 200, "{}", told.join("\n"));
    demo.signal("INT");
    // The title of the other story, which nobody wants to hear now; else the end.
    let rest = demo.up_to("A migration of reads").join("\n");
    assert!(rest.contains("claims held"), "it goes on:\n{rest}");
    assert_eq!(demo.child.wait().expect("it ends").code(), Some(0), "{rest}");
    let left = std::fs::read_dir(demo.folder.path()).expect("the folder").count();
    assert_eq!(left, 0, "it takes its folder with it");
}
