//! `scripts/setup.sh` installs what is missing when it may, and says exactly what to install when it may not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What the script itself is written with.
const REAL: &[&str] = &["awk", "bash", "cat", "env", "head", "mktemp", "rm", "sort", "tail"];
/// What it looks for; each is a stub that does nothing and succeeds.
const STUBS: &[&str] =
    &["cc", "c++", "cmake", "curl", "git", "clang", "wasm-ld", "python3", "cargo"];

/// A folder of commands: a machine, as far as the script can see.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// With everything but `lacking`.
    fn new(name: &str, lacking: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("sysroot/lib/rustlib/wasm32-unknown-unknown"))
            .expect("the target folder can be written");
        let machine = Self { folder };
        for name in REAL {
            let path = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
            let path = path.iter().find(|path| path.exists()).expect("a system has it");
            symlink(path, machine.folder.join(name)).expect("the folder is new");
        }
        for name in STUBS {
            machine.add(name, "exit 0");
        }
        let sysroot = machine.folder.join("sysroot");
        let version = "case $1 in --version) echo 'rustc 1.95.0 (x)';; *) echo";
        machine.add("rustc", &format!("{version} '{}';; esac", sysroot.display()));
        machine.add("id", "echo 1000");
        for name in lacking {
            fs::remove_file(machine.folder.join(name)).expect("it was there");
        }
        machine
    }

    /// Adds a command, or replaces it.
    fn add(&self, name: &str, script: &str) -> &Self {
        let path = self.folder.join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).expect("the folder can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        self
    }

    fn set_up(&self, want: &str) -> Output {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/setup.sh");
        let mut command = Command::new("/bin/bash");
        command.args([script, want]).env_clear().env("PATH", &self.folder).stdin(Stdio::null());
        command.output().expect("bash is there")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_machine_with_everything_is_left_alone() {
    for want in ["demo", "test"] {
        let done = Machine::new(&format!("whole-{want}"), &[]).set_up(want);
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert!(text(&done.stdout).contains(&format!("everything that make {want} needs is here")));
    }
}

#[test]
fn a_machine_without_apt_is_told_what_to_install() {
    let refused = Machine::new("no-apt", &["cmake", "clang"]).set_up("test");
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("no apt-get, so nothing was installed"), "{said}");
    assert!(said.contains("cmake (") && said.contains("clang ("), "{said}");
    assert!(said.contains("apt-get install --no-install-recommends clang cmake\n"), "{said}");
}

#[test]
fn a_user_who_is_not_root_is_told_and_nothing_is_installed() {
    let machine = Machine::new("not-root", &["cmake"]);
    machine.add("apt-get", "echo called > \"${0%/*}/called\"");
    let refused = machine.set_up("demo");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("not running as root"), "{}", text(&refused.stderr));
    assert!(!machine.folder.join("called").exists());
}

#[test]
fn root_gets_what_is_missing_and_is_told_its_name() {
    let machine = Machine::new("root", &["cmake", "wasm-ld"]);
    fs::remove_dir_all(machine.folder.join("sysroot")).expect("it was made");
    machine.add("id", "echo 0").add("apt-get", "echo \"$*\" >> \"${0%/*}/called\"");
    let done = machine.set_up("test");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let called = fs::read_to_string(machine.folder.join("called")).expect("apt-get was called");
    let packages = "cargo-web cmake lld rust-web-src rustc-web";
    let install = format!("install -y --no-install-recommends {packages}");
    // What only some steps use comes one by one: one that cannot be had skips its own step.
    let alone = ["wrk", "nghttp2-client", "openssl", "chromium", "nodejs", "npm", "valgrind"]
        .map(|package| format!("install -y --no-install-recommends {package}\n"));
    assert_eq!(called, format!("update\n{install}\n{}", alone.concat()));
    assert!(
        text(&done.stdout).contains(&format!("installed {packages}")),
        "{}",
        text(&done.stdout)
    );
}

#[test]
fn what_is_missing_and_not_needed_is_named_to_those_who_may_not_install() {
    let done = Machine::new("wanting", &[]).set_up("test");
    let said = text(&done.stdout);
    assert!(done.status.success(), "{said}");
    let skipped =
        "not needed: valgrind: counting instructions is skipped (Debian package: valgrind)";
    assert!(said.contains(skipped), "{said}");
}

#[test]
fn an_install_that_fails_says_so() {
    let machine = Machine::new("broken", &["cmake"]);
    machine.add("id", "echo 0").add("apt-get", "echo no network >&2; exit 100");
    let refused = machine.set_up("demo");
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("no network") && said.contains("apt-get failed"), "{said}");
}

#[test]
fn an_old_rust_is_refused() {
    let machine = Machine::new("old", &[]);
    machine.add("rustc", "echo 'rustc 1.70.0 (x)'");
    let refused = machine.set_up("demo");
    assert!(text(&refused.stderr).contains("1.70.0 is too old, 1.95"), "{}", text(&refused.stderr));
    assert!(!refused.status.success());
}
