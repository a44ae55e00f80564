//! Where a configuration comes from: its file, the files beside it, and the environment.

use cutover::config::{Config, Finding, Report, Severity};
use std::io;
use std::path::{Path, PathBuf};

/// A configuration file and its folder.
#[derive(Clone, Debug)]
pub struct Source {
    file: PathBuf,
    folder: PathBuf,
}

impl Source {
    /// The configuration in `file`. The file is not read yet.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        let folder = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            Some(_) | None => PathBuf::from("."),
        };
        Self { file, folder }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A path of the configuration: relative ones start at its folder.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The file's text.
    ///
    /// # Errors
    /// A report with one finding, if it cannot be read.
    pub fn text(&self) -> Result<String, Report> {
        std::fs::read_to_string(&self.file).map_err(|error| {
            let what = format!("cannot read the configuration: {error}");
            let help = "give the path of a cutover.toml with -c; `cutover config schema` \
                        describes what it may say";
            Report {
                file: self.file.display().to_string(),
                findings: vec![Finding::whole(Severity::Error, "", &what, Some(help))],
            }
        })
    }

    /// Reads and checks a text as this file's content. Files of listeners are looked for beside the file.
    ///
    /// # Errors
    /// All findings at once.
    pub fn check(&self, text: &str) -> Result<Config, Report> {
        let mut config = cutover::config::load(text, &self.file.display().to_string(), self)?;
        for listen in &mut config.server.listen {
            if let Some(tls) = &mut listen.tls {
                tls.cert = self.resolve(&tls.cert);
                tls.key = self.resolve(&tls.key);
            }
        }
        if let Some(path) = &mut config.server.access_log.path {
            *path = self.resolve(path);
        }
        Ok(config)
    }
}

impl cutover::Surroundings for Source {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.resolve(Path::new(path)))
    }
}
