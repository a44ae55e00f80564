//! Lints the project's JavaScript. ESLint comes from npm by a lock file, into the folder of the build; the rules are in
//! `scripts/javascript`.

use super::{Outcome, Work};
use crate::process::works;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "scripts/javascript";
const CONFIG: &str = "eslint.config.mjs";
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];
/// Nothing runs on install, and a network that swallows packets is given up on within the step's limit.
const NPM: [&str; 9] = [
    "ci",
    "--ignore-scripts",
    "--engine-strict",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-timeout=30000",
];

/// All of it but what is vendored: ESLint itself finds the files.
pub(super) fn lint(work: &Work) -> Result<Outcome> {
    if !works("node", &["--version"]) || !works("npm", &["--version"]) {
        let why = "node or npm is not here (Debian packages: nodejs npm)";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    let installed = work.root.join("target/ci/javascript");
    if let Some(why) = install(work, &installed)? {
        return Ok(Outcome::Skipped(why));
    }
    // Node looks for what it imports beside the file itself.
    let config = installed.join(CONFIG);
    fs::copy(work.root.join(FOLDER).join(CONFIG), &config).context("copy ESLint's rules")?;
    let mut eslint = Command::new("node");
    eslint.arg(installed.join("node_modules/eslint/bin/eslint.js")).arg("--config").arg(config);
    work.log.run(eslint.args(["--max-warnings", "0", "."]).current_dir(&work.root))?;
    Ok(Outcome::Passed(String::new()))
}

/// Puts the packages of the lock file there, unless they are there already; or says why that cannot be done here.
fn install(work: &Work, folder: &Path) -> Result<Option<String>> {
    let mut wanted = Vec::new();
    for name in PACKAGES {
        let text = fs::read(work.root.join(FOLDER).join(name)).with_context(|| name.to_owned())?;
        wanted.extend(text);
    }
    // Within what npm throws away before it installs, and written last: it is there only if all the rest is.
    let mark = folder.join("node_modules/.whole");
    if fs::read(&mark).is_ok_and(|there| there == wanted) {
        return Ok(None);
    }
    fs::create_dir_all(folder)?;
    for name in PACKAGES {
        fs::copy(work.root.join(FOLDER).join(name), folder.join(name))?;
    }
    let Err(failed) = work.log.run(Command::new("npm").args(NPM).current_dir(folder)) else {
        fs::write(mark, wanted)?;
        return Ok(None);
    };
    match code(&work.log.text()) {
        Some(code) if is_ours(code) => Err(failed),
        Some(code) => Ok(Some(format!(
            "npm could not install ESLint: {code}; all it said is in target/ci/javascript.log"
        ))),
        None => Ok(Some(format!("npm could not install ESLint: {failed}"))),
    }
}

/// What npm calls its error; it has changed how it begins such a line.
fn code(said: &str) -> Option<&str> {
    said.lines().find_map(|line| {
        line.strip_prefix("npm error code ").or_else(|| line.strip_prefix("npm ERR! code "))
    })
}

/// Is it the files in the tree that are wrong, and not this machine or its network?
fn is_ours(code: &str) -> bool {
    matches!(code, "EUSAGE" | "EINTEGRITY" | "EJSONPARSE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_network_is_told_from_a_wrong_lock_file() {
        let cases = [
            ("npm error code ENOTFOUND\nnpm error syscall getaddrinfo", Some(("ENOTFOUND", false))),
            ("npm ERR! code EBADENGINE\nnpm ERR! engine Unsupported", Some(("EBADENGINE", false))),
            ("$ npm ci\nnpm error code EUSAGE\nnpm error", Some(("EUSAGE", true))),
            ("npm ERR! code EINTEGRITY", Some(("EINTEGRITY", true))),
            ("$ npm ci\nKilled", None),
        ];
        for (said, expected) in cases {
            assert_eq!(code(said).map(|code| (code, is_ours(code))), expected, "{said}");
        }
    }
}
