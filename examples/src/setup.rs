//! From a configuration's text to a running engine: what every embedder does once, at start.

use anyhow::Context as _;
use cutover::{Engine, EngineOptions, Surroundings};
use std::path::PathBuf;

/// The real environment, and files relative to the configuration's folder.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Surroundings for Folder {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }
}

/// An engine with this configuration in force.
///
/// # Errors
/// With every finding, if the configuration or a plugin of it cannot be used.
pub fn engine(text: &str, folder: impl Into<PathBuf>) -> anyhow::Result<Engine> {
    let around = Folder(folder.into());
    let config = cutover::config::load(text, "cutover.toml", &around)?;
    let engine = Engine::new(EngineOptions::default())?;
    let prepared = engine.prepare(config.snapshot, &config.plugins, &around).context("plugins")?;
    engine.install(prepared);
    Ok(engine)
}
