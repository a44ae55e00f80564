//! The guests: one folder each, in Rust, C or JavaScript, and how each becomes a component; and Envoy's, which stays a
//! module.

mod c;
mod javascript;

use super::component;
use super::record::sha256;
use super::toolchain::Toolchain;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// One plugin's sources.
#[derive(Debug)]
pub(super) struct Guest {
    /// The name of its component.
    pub(super) name: String,
    folder: PathBuf,
    language: Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    /// A `Cargo.toml`: a member of the workspace.
    Rust,
    /// A `plugin.c` beside what wit-bindgen has generated.
    C,
    /// A `plugin.js`.
    JavaScript,
    /// For Envoy's Wasm, with which we are compared: in Rust, in a workspace of its own.
    Envoy,
}

impl Guest {
    /// Is the component small enough to be kept in the repository? A JavaScript engine is not.
    pub(super) fn is_committed(&self) -> bool {
        self.language != Language::JavaScript
    }

    /// Does it become a component? Envoy takes a module as the compiler leaves it, whose interface its sources settle.
    pub(super) fn is_component(&self) -> bool {
        self.language != Language::Envoy
    }

    /// Where its component is kept: in that folder, but Envoy's beside its sources, with the other peers' files.
    pub(super) fn file(&self, folder: &Path) -> PathBuf {
        let folder = if self.is_component() { folder } else { &self.folder };
        folder.join(format!("{}.wasm", self.name))
    }

    /// Requests, and what it must answer.
    pub(super) fn cases(&self) -> PathBuf {
        self.folder.join("tests/cases.toml")
    }
}

/// A component, fresh from its sources.
pub(super) struct Built {
    pub(super) component: Vec<u8>,
    /// What built it.
    pub(super) toolchain: String,
    /// Does the same toolchain always build the same bytes?
    pub(super) reproducible: bool,
}

/// All guests, by name.
pub(super) fn find(plugins: &Path) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for place in [plugins.to_owned(), plugins.join("test-guests")] {
        let Ok(entries) = std::fs::read_dir(&place) else { continue };
        for entry in entries {
            let folder = entry?.path();
            let has = |file: &str| folder.join(file).exists();
            let language = match () {
                () if has("Cargo.toml") => Language::Rust,
                () if has("plugin.c") => Language::C,
                () if has("plugin.js") => Language::JavaScript,
                () => continue,
            };
            guests.push(Guest { name: name(&folder, language)?, folder, language });
        }
    }
    ensure!(!guests.is_empty(), "{} has no plugins", plugins.display());
    let folder = envoy_filter(plugins)?;
    guests.push(Guest { name: name(&folder, Language::Envoy)?, folder, language: Language::Envoy });
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// The workspace of Envoy's guest.
pub(super) fn envoy_filter(plugins: &Path) -> Result<PathBuf> {
    Ok(plugins.parent().context("plugins has a parent")?.join("benches/peers/envoy-wasm"))
}

/// The name of its component: the crate's, or the folder's.
fn name(folder: &Path, language: Language) -> Result<String> {
    let name = folder.file_name().context("a folder has a name")?.to_string_lossy();
    if !matches!(language, Language::Rust | Language::Envoy) {
        return Ok(name.replace('-', "_"));
    }
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
    let stated = manifest.lines().find_map(|line| line.strip_prefix("name = \""));
    let stated = stated.with_context(|| format!("{name}/Cargo.toml states no name"))?;
    Ok(stated.trim_end_matches('"').replace('-', "_"))
}

/// Where guests are built: never among the tools, whose cargo would wait for theirs.
pub(super) fn target_folder(plugins: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => Path::new(&folder).join("guests"),
        None => plugins.join("target"),
    }
}

/// SHA-256 over all that decides what a component does: its own folder, the SDK, the interface, the
/// versions of other crates, and the build's settings.
pub(super) fn source_hash(plugins: &Path, guest: &Guest) -> Result<String> {
    let mut files = Vec::new();
    add_folder(&guest.folder, &mut files)?;
    let repository = plugins.parent().context("plugins has a parent")?;
    if guest.is_component() {
        files.push(repository.join("wit/cutover.wit"));
    }
    if guest.language == Language::Rust {
        files.push(repository.join("crates/cutover-plugin/Cargo.toml"));
        add_folder(&repository.join("crates/cutover-plugin/src"), &mut files)?;
    }
    files.sort_unstable();
    let mut text = String::new();
    for file in &files {
        let name = file.strip_prefix(repository)?.display();
        let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
        text.push_str(&format!("{} {name}\n", sha256(&bytes)));
    }
    if guest.language == Language::Rust {
        text.push_str(&build_settings(&std::fs::read_to_string(plugins.join("Cargo.toml"))?));
        text.push_str(&locked(&std::fs::read_to_string(plugins.join("Cargo.lock"))?));
    }
    Ok(sha256(text.as_bytes()))
}

/// Everything in a folder but tests, prose and what was built, which do not reach the component.
fn add_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().context("an entry has a name")?.to_string_lossy().into_owned();
        let beside = ["tests", "tests.rs", "testing", "testing.rs", "target", "node_modules"];
        if beside.contains(&name.as_str()) || ignored(&name) {
            continue;
        }
        if path.is_dir() { add_folder(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with(".md") || name.ends_with(".wasm")
}

/// The workspace's manifest without its list of members: a new plugin does not change the others.
fn build_settings(manifest: &str) -> String {
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.package]");
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The lock file's foreign packages, for the same reason.
fn locked(lock: &str) -> String {
    lock.split("[[package]]").filter(|package| package.contains("\nsource = ")).collect()
}

/// Builds guests; toolchains are looked for when the first guest needs them.
pub(super) struct Builders<'a> {
    plugins: &'a Path,
    install: bool,
    rust: Option<Result<Rust, String>>,
}

/// A whole Rust workspace, built at once.
struct Rust {
    modules: PathBuf,
    toolchain: String,
}

impl<'a> Builders<'a> {
    pub(super) fn new(plugins: &'a Path, install: bool) -> Self {
        Self { plugins, install, rust: None }
    }

    /// The component, or why it cannot be built here.
    pub(super) fn build(&mut self, guest: &Guest) -> Result<Result<Built, String>> {
        let target = target_folder(self.plugins);
        match guest.language {
            Language::Rust => self.build_rust(guest),
            Language::Envoy => self.build_envoy(guest),
            Language::C => c::build(&guest.folder, &target.join("c")),
            Language::JavaScript => {
                let wit = self.plugins.join("../wit");
                javascript::build(&guest.folder, &wit, &target.join("javascript"))
            }
        }
        .with_context(|| format!("build {}", guest.name))
    }

    fn build_rust(&mut self, guest: &Guest) -> Result<Result<Built, String>> {
        if self.rust.is_none() {
            self.rust = Some(self.build_workspace(self.plugins)?);
        }
        let rust = match self.rust.as_ref().expect("it was built just now") {
            Ok(rust) => rust,
            Err(why) => return Ok(Err(why.clone())),
        };
        let (component, toolchain) =
            (component::encode(&rust.module(guest)?)?, rust.toolchain.clone());
        Ok(Ok(Built { component, toolchain, reproducible: true }))
    }

    fn build_envoy(&self, guest: &Guest) -> Result<Result<Built, String>> {
        let rust = match self.build_workspace(&guest.folder)? {
            Ok(rust) => rust,
            Err(why) => return Ok(Err(why)),
        };
        let (component, toolchain) = (rust.module(guest)?, rust.toolchain);
        Ok(Ok(Built { component, toolchain, reproducible: true }))
    }

    fn build_workspace(&self, folder: &Path) -> Result<Result<Rust, String>> {
        let toolchain = match Toolchain::find(self.install)? {
            Ok(toolchain) => toolchain,
            Err(advice) => return Ok(Err(advice)),
        };
        let target = target_folder(self.plugins);
        println!("building Rust guests with {}", toolchain.describe());
        let mut build = toolchain.build(&folder.join("Cargo.toml"), &target);
        ensure!(build.status().context("run cargo")?.success(), "cargo could not build the guests");
        let modules = target.join("wasm32-unknown-unknown/release");
        Ok(Ok(Rust { modules, toolchain: toolchain.describe() }))
    }
}

impl Rust {
    fn module(&self, guest: &Guest) -> Result<Vec<u8>> {
        let file = self.modules.join(format!("{}.wasm", guest.name));
        std::fs::read(&file).with_context(|| format!("read {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_member_changes_no_other_plugins_hash() {
        let lock = "version = 4\n\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"theirs\"\nversion = \"1.0.0\"\nsource = \"registry\"\n";
        assert!(locked(lock).contains("theirs") && !locked(lock).contains("ours\""));
        let manifest = "[workspace]\nmembers = [\"a\"]\n\n[workspace.package]\nx = 1\n";
        assert_eq!(build_settings(manifest), "[workspace.package]\nx = 1\n");
    }

    #[test]
    fn every_plugin_of_the_project_is_found() {
        let plugins = crate::process::root().join("plugins");
        let guests = find(&plugins).unwrap();
        assert!(guests.iter().any(|guest| guest.name == "envoy_filter" && !guest.is_component()));
        let split = guests.iter().find(|guest| guest.name == "tenant_split").unwrap();
        assert_eq!(split.language, Language::Rust);
        assert_eq!(source_hash(&plugins, split).unwrap().len(), 64);
    }
}
