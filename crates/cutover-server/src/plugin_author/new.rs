//! `cutover plugin new`: a folder that compiles, with a test of each kind, and with a copy of the SDK that this binary
//! carries, so that it needs no checkout and no registry that has the SDK.

use super::args::{Hook, New};
use super::{refuse, show};
use crate::exit::{Exit, say};
use cutover_plugin::source;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Folder of the copy of the SDK.
const COPY: &str = "sdk";
/// Names that cargo or the language refuses for a package with a library, or that would clash with the SDK's.
const TAKEN: &[&str] =
    &["alloc", "build", "core", "cutover-plugin", "deps", "examples", "proc-macro", "std", "test"];
/// Words that no Rust library can be called.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while",
];

pub(crate) fn new(args: &New) -> Exit {
    let name = match name(&args.folder) {
        Ok(name) => name,
        Err(what) => {
            say(crate::paragraph::labelled("error: ", &what));
            return Exit::Usage;
        }
    };
    match make(args, &name) {
        Ok(made) => {
            show(args.output, &made, || made.text());
            Exit::Done
        }
        Err(what) => refuse(what),
    }
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    folder: PathBuf,
    hook: &'static str,
    files: Vec<String>,
    /// Where the SDK is.
    sdk: PathBuf,
}

impl Made {
    fn text(&self) -> String {
        let folder = self.folder.display();
        let mut lines = vec![format!("{folder}: a plugin with the hook {}", self.hook)];
        let own = self.files.iter().filter(|file| !file.starts_with("sdk/"));
        lines.extend(own.map(|file| format!("  {file}")));
        let sdk = self.sdk.display();
        lines.push(format!("  the SDK, version {}: {sdk}", env!("CARGO_PKG_VERSION")));
        lines.push(format!("next: cd {folder} && cargo test && cutover plugin build"));
        lines.join("\n")
    }
}

/// The plugin's name, from the last part of the folder.
fn name(folder: &Path) -> Result<String, String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    let spelt = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let spelt = begins && spelt && !name.ends_with('-') && name.len() <= 64;
    if !spelt {
        return Err(format!(
            "`{name}` is not the name of a plugin: use up to 64 lower-case letters, digits and \
             hyphens, a letter first: tenant-split"
        ));
    }
    if TAKEN.contains(&name) || KEYWORDS.contains(&name) {
        return Err(format!("a plugin cannot be called `{name}`: Rust has another use for it"));
    }
    Ok(name.to_owned())
}

fn make(args: &New, name: &str) -> Result<Made, String> {
    let folder = &args.folder;
    if folder.symlink_metadata().is_ok() {
        return Err(format!("{} exists already; nothing was changed", folder.display()));
    }
    let (sdk_folder, sdk) = sdk(args.sdk_path.as_deref())?;
    let fill = |template: &str| {
        let filled = template.replace("@NAME@", name).replace("@FILE@", &name.replace('-', "_"));
        filled.replace("@HOOK@", args.hook.name()).replace("@SDK@", &sdk)
    };
    let (rules, cases) = match args.hook {
        Hook::Split => (
            include_str!("../../templates/plugin/src/split.rs"),
            include_str!("../../templates/plugin/tests/split.toml"),
        ),
        Hook::Rewrite => (
            include_str!("../../templates/plugin/src/rewrite.rs"),
            include_str!("../../templates/plugin/tests/rewrite.toml"),
        ),
        Hook::Fallback => (
            include_str!("../../templates/plugin/src/fallback.rs"),
            include_str!("../../templates/plugin/tests/fallback.toml"),
        ),
        Hook::Normalise => (
            include_str!("../../templates/plugin/src/normalise.rs"),
            include_str!("../../templates/plugin/tests/normalise.toml"),
        ),
    };
    let mut files = vec![
        ("Cargo.toml".to_owned(), fill(include_str!("../../templates/plugin/Cargo.toml.in"))),
        ("README.md".to_owned(), fill(include_str!("../../templates/plugin/README.md.in"))),
        (".gitignore".to_owned(), "/target\n".to_owned()),
        ("src/lib.rs".to_owned(), rules.to_owned()),
        ("tests/cases.toml".to_owned(), cases.to_owned()),
    ];
    if args.sdk_path.is_none() {
        let copy = source::FILES.iter();
        files.extend(copy.map(|(file, text)| (format!("{COPY}/{file}"), (*text).to_owned())));
    }
    for (file, text) in &files {
        let path = folder.join(file);
        let written = std::fs::create_dir_all(path.parent().unwrap_or(folder))
            .and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    let files = files.into_iter().map(|(file, _)| file).collect();
    Ok(Made { folder: folder.clone(), hook: args.hook.name(), files, sdk: sdk_folder })
}

/// Where the SDK lies and how the manifest names it: a copy beside the plugin, or a folder.
fn sdk(path: Option<&Path>) -> Result<(PathBuf, String), String> {
    let Some(path) = path else {
        return Ok((PathBuf::from(COPY), format!("{{ path = \"{COPY}\" }}")));
    };
    let shown = path.display();
    let whole = path.canonicalize().map_err(|error| format!("--sdk-path {shown}: {error}"))?;
    let manifest = std::fs::read_to_string(whole.join("Cargo.toml")).unwrap_or_default();
    if !manifest.lines().any(|line| line.trim() == "name = \"cutover-plugin\"") {
        return Err(format!(
            "--sdk-path {shown} is not the SDK's folder: in a checkout that is \
             crates/cutover-plugin"
        ));
    }
    let text = whole.to_str().ok_or_else(|| format!("--sdk-path {shown} is not Unicode"))?;
    // The escapes of JSON are escapes of TOML, too.
    let named = format!("{{ path = {} }}", serde_json::Value::from(text));
    Ok((whole, named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_packages_with_libraries() {
        for good in ["tenant-split", "a", "x2", "some/where/beta"] {
            assert!(name(Path::new(good)).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "Beta", "2x", "a b", "a_b", "-a", "a-", "test", "match", "use"] {
            assert!(name(Path::new(bad)).is_err(), "{bad}");
        }
        assert!(name(Path::new(&"x".repeat(65))).is_err());
    }

    #[test]
    fn the_sdk_is_a_copy_or_the_folder_that_is_named() {
        assert_eq!(sdk(None).map(|(_, named)| named).as_deref(), Ok("{ path = \"sdk\" }"));
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let named = sdk(Some(&crates.join("cutover-plugin"))).expect("it is the SDK").1;
        assert!(named.starts_with("{ path = \"/"), "{named}");
        assert!(sdk(Some(&crates.join("cutover-core"))).is_err());
        assert!(sdk(Some(Path::new("/nowhere"))).is_err());
    }
}
