//! What all measurements share: the backends, a folder, the rate.

use crate::scenario::Scenario;
use cutover_benches::e2e::process::{Pinned, free_address};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) us: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) seconds: u32,
    pub(crate) rate: u32,
    pub(crate) old: SocketAddr,
    pub(crate) new: SocketAddr,
    /// Says whether requests were edited.
    edited: SocketAddr,
    /// Takes connections, and never answers.
    hung: SocketAddr,
    _backends: [Pinned; 4],
    /// It is the last to go, after the programs that write into it, and it goes after an error, too.
    _folder: Throwaway,
}

impl Stage {
    pub(crate) fn set(us: &Path, rate: u32, seconds: u32) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("cutover-peers-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let thrown = Throwaway(folder.clone());
        let serve = |what: &str| -> anyhow::Result<Pinned> {
            let at = free_address()?;
            Pinned::start(1, us, &["backend", &at.to_string(), what], at)
        };
        let backends = [serve("old")?, serve("new")?, serve("edited")?, serve("hung")?];
        let [old, new, edited, hung] = backends.each_ref().map(Pinned::address);
        Ok(Self {
            us: us.to_owned(),
            folder,
            seconds,
            rate,
            old,
            new,
            edited,
            hung,
            _backends: backends,
            _folder: thrown,
        })
    }

    /// What old and new are in a scenario.
    pub(crate) fn backends(&self, scenario: Scenario) -> (SocketAddr, SocketAddr) {
        match scenario {
            Scenario::Edits | Scenario::EditsByScript => (self.edited, self.edited),
            Scenario::MirrorHung => (self.old, self.hung),
            Scenario::Pass
            | Scenario::Sticky
            | Scenario::Script
            | Scenario::Routes
            | Scenario::Mirror => (self.old, self.new),
        }
    }
}

/// A folder that is removed when this is dropped.
#[derive(Debug)]
struct Throwaway(PathBuf);

impl Drop for Throwaway {
    fn drop(&mut self) {
        // It is in the system's place for temporary files: if it stays, that is nobody's harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
