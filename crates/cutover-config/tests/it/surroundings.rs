//! Surroundings that a test can say everything about.

use cutover_config::{Config, Surroundings, load};
use std::collections::HashMap;

/// Variables, files and a date.
#[derive(Default)]
pub(crate) struct Fixed {
    pub(crate) variables: HashMap<&'static str, &'static str>,
    pub(crate) files: HashMap<&'static str, &'static str>,
    pub(crate) today: Option<(u16, u8, u8)>,
}

/// What most tests need: one good secret and one day.
pub(crate) fn usual() -> Fixed {
    Fixed {
        variables: [("CUTOVER_QA_SECRET", "0123456789abcdef0123456789abcdef")].into(),
        files: HashMap::new(),
        today: Some((2026, 11, 22)),
    }
}

impl Surroundings for Fixed {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let content = self.files.get(path).map(|content| content.as_bytes().to_vec());
        content.ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn today(&self) -> Option<(u16, u8, u8)> {
        self.today
    }
}

/// Loads a text that is right.
pub(crate) fn loaded(text: &str) -> Config {
    load(text, "cutover.toml", &usual()).unwrap_or_else(|report| panic!("{report}"))
}
