//! `cutover plugin build`: a plugin's folder, or a core module, into a component.

use super::args::Build;
use super::component;
use super::toolchain::Toolchain;
use super::{refuse, show};
use crate::exit::Exit;
use crate::paragraph::size;
use serde::Serialize;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

pub(crate) fn build(args: &Build) -> Exit {
    let built = match args.source.is_file() {
        true => of_module(&args.source, args.out.as_deref()),
        false => of_folder(&args.source, args),
    };
    match built {
        Ok(built) => {
            show(args.output, &built, || built.text());
            Exit::Done
        }
        Err(what) => refuse(what),
    }
}

/// A component that was made.
#[derive(Debug, Serialize)]
struct Built {
    file: PathBuf,
    bytes: usize,
    /// What compiled it, if something did.
    toolchain: Option<String>,
}

impl Built {
    fn text(&self) -> String {
        let file = self.file.display();
        let by = self.toolchain.as_ref().map(|toolchain| format!("\nbuilt by {toolchain}"));
        let (size, by) = (size(self.bytes), by.unwrap_or_default());
        format!("{file}: {size}{by}\nnext: cutover plugin check {file}")
    }
}

/// A module that another compiler has made.
fn of_module(module: &Path, out: Option<&Path>) -> Result<Built, String> {
    let bytes = component::read(module)?;
    let out = out.map_or_else(|| module.with_extension("component.wasm"), Path::to_owned);
    write(&bytes, out, None).map_err(|what| format!("{}: {what}", module.display()))
}

fn of_folder(folder: &Path, args: &Build) -> Result<Built, String> {
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.canonicalize().map_err(|_| {
        format!(
            "{} is not there. A Rust plugin has one: cutover plugin new NAME makes it. For \
             another language, compile a core module and give it to cutover plugin build",
            manifest.display()
        )
    })?;
    let toolchain = Toolchain::find(folder)?;
    let module = compile(&toolchain, folder, &manifest, &args.cargo)?;
    let bytes = component::read(&module)?;
    let name = module.file_name().ok_or("cargo names a module without a name")?;
    let out = args.out.clone().unwrap_or_else(|| match folder == Path::new(".") {
        true => PathBuf::from(name),
        false => folder.join(name),
    });
    write(&bytes, out, Some(toolchain.describe()))
}

fn write(module: &[u8], file: PathBuf, toolchain: Option<String>) -> Result<Built, String> {
    let component = component::encode(module)?;
    std::fs::write(&file, &component)
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    Ok(Built { file, bytes: component.len(), toolchain })
}

/// Runs cargo, whose words go to standard error, and finds the module among what it made.
fn compile(
    toolchain: &Toolchain,
    folder: &Path,
    manifest: &Path,
    more: &[String],
) -> Result<PathBuf, String> {
    let mut command = toolchain.build(folder);
    command.arg("--message-format=json-render-diagnostics").args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let failed = |error: std::io::Error| format!("cargo cannot be run: {error}");
    let mut cargo = command.spawn().map_err(failed)?;
    let said = cargo.stdout.take().into_iter().flat_map(|said| BufReader::new(said).lines());
    let mut module = None;
    for line in said.map_while(Result::ok) {
        module = made(&line, manifest).or(module);
    }
    if !cargo.wait().map_err(failed)?.success() {
        return Err(format!("cargo could not build {}; it said why above", folder.display()));
    }
    module.ok_or_else(|| {
        format!(
            "{} makes no module: it needs\n[lib]\ncrate-type = [\"cdylib\"]",
            manifest.display()
        )
    })
}

/// The module that this message of cargo's tells of, if it is this package's.
fn made(message: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let kinds = message["target"]["crate_types"].as_array()?;
    let ours = message["reason"] == "compiler-artifact"
        && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest)
        && kinds.iter().any(|kind| kind == "cdylib");
    let files = message["filenames"].as_array().filter(|_| ours)?;
    let mut files = files.iter().filter_map(Value::as_str);
    files.find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_packages_module_is_taken() {
        let message = |manifest: &str, kind: &str| {
            let target = format!("{{\"crate_types\":[\"{kind}\"]}}");
            format!(
                "{{\"reason\":\"compiler-artifact\",\"manifest_path\":\"{manifest}\",\
                 \"target\":{target},\"filenames\":[\"/t/a.d\",\"/t/a.wasm\"]}}"
            )
        };
        let made = |message: &str| made(message, Path::new("/p/Cargo.toml"));
        assert_eq!(made(&message("/p/Cargo.toml", "cdylib")), Some(PathBuf::from("/t/a.wasm")));
        assert_eq!(made(&message("/p/Cargo.toml", "lib")), None);
        assert_eq!(made(&message("/other/Cargo.toml", "cdylib")), None);
        assert_eq!(made("not JSON"), None);
    }
}
