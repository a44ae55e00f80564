//! Component files: found, read, told apart from what they are not; and what one states without being run.

use super::violation::{BUILD_IT, Violation};
use crate::paragraph::printable;
use cutover::core::decide::OnError;
use cutover::wasm::{Component, Host, HostOptions, Isolation, PlaceOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wit_component::{ComponentEncoder, DecodedWasm, WitPrinter};

/// A component: eight bytes that every one begins with.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
/// A core module's.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// What all of WebAssembly begins with.
const MAGIC: &[u8] = b"\0asm";

/// A call that cases make may take as long as this: they ask whether an answer is right, on machines that are busy.
pub(super) const PATIENT: Duration = Duration::from_secs(1);

/// The file to look at: the one that is named, or the only one there is.
pub(super) fn chosen(named: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let here = std::fs::read_dir(".").map_err(|error| format!("this folder: {error}"))?;
    let mut found: Vec<PathBuf> = here
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    found.sort_unstable();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err("no .wasm file lies here: name one, or make one: cutover plugin build".to_owned()),
        _ => Err(format!(
            "several .wasm files lie here, name one of them: {}",
            found.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// The bytes of a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| {
        format!(
            "{} cannot be read: {error}; cutover plugin build makes a component",
            file.display()
        )
    })
}

/// Compiles a component, or says everything that is wrong with it.
pub(super) fn compile(host: &Host, bytes: &[u8]) -> Result<Component, Vec<Violation>> {
    if let Some(violation) = not_a_component(bytes) {
        return Err(vec![violation]);
    }
    host.compile(bytes).map_err(|error| Violation::of_compiling(&error, bytes))
}

/// What a file is that is no component.
fn not_a_component(bytes: &[u8]) -> Option<Violation> {
    let what = match bytes {
        _ if bytes.starts_with(COMPONENT) => return None,
        [] => "the file is empty",
        _ if bytes.starts_with(MODULE) => "it is a core module, not yet a component",
        _ if bytes.starts_with(MAGIC) => "it is WebAssembly of a version nobody here knows",
        _ => "it is not WebAssembly",
    };
    Some(Violation::new("not-a-component", what, BUILD_IT))
}

/// A host for one thread.
pub(super) fn host() -> Result<Host, String> {
    Host::new(HostOptions { workers: 1, ..HostOptions::default() }).map_err(|e| e.to_string())
}

/// A place as a migration has it, with time to answer.
pub(super) fn place(component: &Component, config: &str, memory_bytes: usize) -> PlaceOptions {
    PlaceOptions {
        name: "test".to_owned(),
        backends: vec!["old".to_owned(), "new".to_owned()],
        config: config.to_owned(),
        hooks: component.hooks(),
        on_error: OnError::Old,
        deadline: PATIENT,
        memory: memory_bytes,
        isolation: Isolation::Worker,
    }
}

/// Makes a component of a module that carries its world, as wit-bindgen leaves it.
pub(super) fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    if module.starts_with(COMPONENT) {
        return Err("it is a component already".to_owned());
    }
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.validate(true).module(module).map_err(|error| {
        format!("it is no core module that says which world it is for: {error:#}")
    })?;
    let component = encoder
        .encode()
        .map_err(|error| format!("no component can be made of the module: {error:#}"))?;
    // A module that states no world becomes a component all the same: an empty one.
    if World::of(&component).is_some_and(|world| world.exports("lifecycle")) {
        Ok(component)
    } else {
        Err(NO_WORLD.to_owned())
    }
}

/// What to do about a module that is no plugin.
const NO_WORLD: &str = "the module exports nothing of cutover:plugin: in Rust call \
                        `cutover_plugin::export!`, elsewhere compile what wit-bindgen generates \
                        from a world of wit/cutover.wit";

/// The names of the interfaces that a component imports and exports.
#[derive(Debug)]
pub(super) struct World {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl World {
    /// What a component states; `None` if that cannot be read.
    pub(super) fn of(component: &[u8]) -> Option<Self> {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(component).ok()? else {
            return None;
        };
        let package = resolve.worlds[world].package?;
        let mut printer = WitPrinter::default();
        printer.print(&resolve, package, &[]).ok()?;
        let text = printer.output.to_string();
        let named = |verb: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.trim().strip_prefix(verb));
            lines.map(|name| printable(name.trim_end_matches([';', ' ', '{']))).collect()
        };
        Some(Self { imports: named("import "), exports: named("export ") })
    }

    /// Does it export this interface of ours?
    pub(super) fn exports(&self, interface: &str) -> bool {
        let name = format!("cutover:plugin/{interface}@0.1.");
        self.exports.iter().any(|export| export.starts_with(&name))
    }

    /// What it exports, in words.
    pub(super) fn exported(&self) -> String {
        let all = self.exports.join(", ");
        if all.is_empty() { "nothing at all".to_owned() } else { all }
    }

    /// What it imports, but for interfaces of types alone.
    pub(super) fn imported(self) -> Vec<String> {
        let types = |name: &String| name.starts_with("cutover:plugin/types@");
        self.imports.into_iter().filter(|name| !types(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_components_are_called_what_they_are() {
        let what = |bytes: &[u8]| not_a_component(bytes).map(|violation| violation.what);
        assert_eq!(what(COMPONENT), None);
        for (bytes, part) in [
            (&b""[..], "empty"),
            (b"(component)", "not WebAssembly"),
            (MODULE, "core module"),
            (b"\0asm\x07\0\0\0", "version"),
        ] {
            assert!(what(bytes).is_some_and(|what| what.contains(part)), "{part}");
        }
    }

    #[test]
    fn only_a_module_that_states_its_world_becomes_a_component() {
        assert!(encode(MODULE).is_err());
        assert!(encode(COMPONENT).is_err_and(|why| why.contains("already")));
        assert!(encode(b"text").is_err());
    }
}
