//! The demo's stage: two services, the proxy between them, and a configuration in a folder that a person can edit.

use super::service::{Service, Which};
use anyhow::Context as _;
use std::path::PathBuf;

/// The tenant split as shipped: the demo must run on a machine without a guest toolchain.
const TENANT_SPLIT: &[u8] = include_bytes!("../../../../plugins/dist/tenant_split.wasm");

/// Everything on stage but the proxy.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The old system.
    pub(crate) old: Service,
    /// The new one.
    pub(crate) new: Service,
    folder: PathBuf,
    /// The configuration, with places for addresses and the percent.
    config: &'static str,
}

impl Stage {
    /// Starts both services and makes a folder for the configuration.
    ///
    /// # Errors
    /// If a service cannot be started or the folder not be written.
    pub(crate) async fn set(config: &'static str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("cutover-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).context("demo: cannot make its folder")?;
        std::fs::write(folder.join("tenant_split.wasm"), TENANT_SPLIT)?;
        let old = Service::start(Which::Monolith).await?;
        let new = Service::start(Which::Profile).await?;
        Ok(Self { old, new, folder, config })
    }

    /// Where the configuration lies.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("cutover.toml")
    }

    /// Writes the configuration with this share of the users reading profiles from the new service.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write_config(&self, read_percent: &str) -> anyhow::Result<()> {
        let text = self
            .config
            .replace("@OLD@", &self.old.address().to_string())
            .replace("@NEW@", &self.new.address().to_string())
            .replace("@PERCENT@", read_percent);
        // Written aside and renamed: a watcher never reads half a file.
        let aside = self.folder.join("cutover.toml.next");
        std::fs::write(&aside, text)?;
        std::fs::rename(&aside, self.config()).context("demo: cannot write its configuration")
    }

    /// Removes the folder; the services end when they are dropped.
    pub(crate) fn strike(self) {
        // A folder left in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
