//! Configurations of many routes, and what they need around them.

use crate::traffic::pattern;
use cutover_config::Surroundings;
use std::fmt::Write as _;

/// A configuration that needs neither files nor variables.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Surroundings for Nothing {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// So many routes to one backend.
pub fn of_routes(routes: usize) -> String {
    let mut text = String::from(
        "[server]\nlisten = [\"127.0.0.1:8080\"]\n\
         [backends.monolith]\naddresses = [\"127.0.0.1:9001\"]\n",
    );
    for number in 0..routes {
        let _ =
            writeln!(text, "[[routes]]\npath = \"{}\"\nbackend = \"monolith\"", pattern(number));
    }
    text
}
