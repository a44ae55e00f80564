//! The comparison with peers as a command: what it says of itself, and of words it does not know. What it does is a step
//! of the gate, which needs the binary that this test has cargo build.
#![cfg(feature = "e2e")]

use std::process::{Command, Output};

fn peers(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peers"));
    command.args(words).output().expect("it was built")
}

#[test]
fn help_fits_a_terminal() {
    let done = peers(&["--help"]);
    let said = String::from_utf8(done.stdout).expect("text");
    assert!(done.status.success() && said.contains("usage: peers"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
}

#[test]
fn a_word_it_does_not_know_ends_it() {
    let done = peers(&["--paris"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("unknown option --paris"), "{said}");
}
