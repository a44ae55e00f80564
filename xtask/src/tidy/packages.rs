//! The packages that `cargo metadata` knows: ours, and everything they are built from on this machine's target.

use crate::process::output;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// All packages, ours first.
pub(super) struct Packages {
    pub(super) ours: Vec<Package>,
    pub(super) theirs: Vec<Package>,
}

/// One package.
#[derive(Default)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    /// Where it comes from; `None` is a path.
    pub(super) source: Option<String>,
    pub(super) dependencies: Vec<Dependency>,
}

/// A direct dependency.
pub(super) struct Dependency {
    pub(super) name: String,
    /// Only for tests, benches and examples.
    pub(super) dev: bool,
}

impl Packages {
    pub(super) fn read(root: &Path) -> Result<Self> {
        // Other systems' packages are not downloaded just to be looked at.
        let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?;
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform"]);
        let text = output(cargo.arg(host.trim()).current_dir(root))?;
        let metadata = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
        Ok(Self::from_metadata(&metadata))
    }

    fn from_metadata(metadata: &Value) -> Self {
        let members: Vec<&str> =
            list(metadata, "workspace_members").filter_map(Value::as_str).collect();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for package in list(metadata, "packages") {
            let ids = if members.contains(&text(package, "id").unwrap_or_default()) {
                &mut ours
            } else {
                &mut theirs
            };
            ids.push(Package::from_metadata(package));
        }
        Self { ours, theirs }
    }

    pub(super) fn count(&self) -> usize {
        self.ours.len() + self.theirs.len()
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Self {
        let dependencies = list(package, "dependencies").filter_map(|dependency| {
            let dev = text(dependency, "kind") == Some("dev");
            Some(Dependency { name: text(dependency, "name")?.to_owned(), dev })
        });
        Self {
            name: text(package, "name").unwrap_or_default().to_owned(),
            version: text(package, "version").unwrap_or_default().to_owned(),
            license: text(package, "license").map(str::to_owned),
            source: text(package, "source").map(str::to_owned),
            dependencies: dependencies.collect(),
        }
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_packages_are_told_from_theirs() {
        let packages = Packages::from_metadata(&serde_json::json!({
            "workspace_members": ["path+file:///x#ours@0.1.0"],
            "packages": [
                { "id": "path+file:///x#ours@0.1.0", "name": "ours", "version": "0.1.0",
                  "source": null, "license": "MIT", "dependencies": [
                    { "name": "theirs", "kind": null }, { "name": "tested", "kind": "dev" },
                ] },
                { "id": "registry#theirs@1.0.0", "name": "theirs", "version": "1.0.0",
                  "source": "registry+x", "license": null, "dependencies": [] },
            ],
        }));
        assert_eq!(packages.count(), 2);
        assert_eq!(packages.ours[0].name, "ours");
        let dev: Vec<bool> = packages.ours[0].dependencies.iter().map(|d| d.dev).collect();
        assert_eq!(dev, [false, true]);
        assert_eq!(packages.theirs[0].source.as_deref(), Some("registry+x"));
    }
}
