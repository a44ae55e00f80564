//! The cache of compiled components: used when it is whole, never believed when it is not.

use crate::rig::{dist, options};
use cutover_wasm::{Host, HostOptions};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn open(folder: &Path) -> Host {
    let cache = Some(folder.to_owned());
    Host::new(HostOptions { workers: 1, cache, ..HostOptions::default() }).expect("it starts")
}

/// The one file in the folder.
fn entry(folder: &Path) -> PathBuf {
    let mut files =
        fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let entry = files.next().expect("one file");
    assert_eq!(files.next(), None, "nothing else is left behind");
    entry
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_was_compiled_once_is_loaded_from_the_folder() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("made/if/missing");
    let bytes = dist("test_faulty.wasm");
    open(&folder).compile(&bytes).expect("it compiles");
    let stored = entry(&folder);
    assert_eq!(fs::metadata(&stored).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&folder).expect("it is there").permissions().mode() & 0o777, 0o700);
    // Bytes that no compiler takes, whose image is there: it can only come from the cache.
    let name = stored.file_name().and_then(|name| name.to_str()).expect("a name");
    let other = folder.join(name.replace(&hex(&bytes), &hex(b"not a component")));
    fs::rename(&stored, &other).expect("renamed");
    let cached = open(&folder).compile(b"not a component").expect("it comes from the cache");
    cached.install(options()).expect("it works");
}

#[test]
fn entries_in_doubt_are_compiled_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("changed");
    let bytes = dist("test_faulty.wasm");
    open(folder.path()).compile(&bytes).expect("it compiles");
    let path = entry(folder.path());
    let good = fs::read(&path).expect("readable");
    let image = b"another engine's image".as_slice();
    let incompatible = [Sha256::digest(image).as_slice(), image].concat();
    let mut flipped = good.clone();
    *flipped.last_mut().expect("not empty") ^= 1;
    for (what, content) in [
        ("empty", Vec::new()),
        ("cut", good[..good.len() / 2].to_vec()),
        ("flipped", flipped),
        ("incompatible", incompatible),
    ] {
        fs::write(&path, content).expect("written");
        let component = open(folder.path()).compile(&bytes).expect("it compiles");
        component.install(options()).expect("it works");
        assert_eq!(fs::read(entry(folder.path())).expect("readable"), good, "{what}: mended");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("changed");
    open(folder.path()).compile(&bytes).expect("it compiles");
    let mode = fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what others could write to is replaced");
}
