//! The copy of itself that the SDK carries is whole.

use cutover_plugin::source::FILES;
use std::collections::BTreeMap;
use std::path::Path;

fn add(folder: &Path, below: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        let name = format!("{below}/{}", path.file_name().expect("a name").to_string_lossy());
        match path.is_dir() {
            true => add(&path, &name, files),
            false => drop(files.insert(name, std::fs::read_to_string(&path).expect("text"))),
        }
    }
}

#[test]
fn every_file_is_carried() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    add(&root.join("src"), "src", &mut files);
    add(&root.join("wit"), "wit", &mut files);
    let carried = FILES.iter().filter(|(name, _)| *name != "Cargo.toml");
    let carried = carried.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert!(files == carried, "name every file of src in crates/cutover-plugin/src/source.rs");
}

#[test]
fn its_manifest_asks_for_what_the_workspace_has() {
    let manifest = FILES.iter().find(|(name, _)| *name == "Cargo.toml").expect("it is there").1;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let workspace = std::fs::read_to_string(workspace).expect("the workspace");
    let given = workspace.lines().find_map(|line| line.strip_prefix("wit-bindgen = {"));
    let given = given.expect("the workspace has wit-bindgen").trim_end_matches('}');
    // `version = "…", default-features = …, features = […]`, a line each in the other.
    for part in given.replace(", default", "\ndefault").replace(", features", "\nfeatures").lines()
    {
        assert!(manifest.lines().any(|line| line == part.trim()), "{part} is not in {manifest}");
    }
}
