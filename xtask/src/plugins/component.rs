//! Core modules into components, and what can be said of a component without running it.

use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, DecodedWasm, WitPrinter};

/// Makes a component of a module that carries its world, as wit-bindgen leaves it.
pub(super) fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("the module says nothing of its world: does it call `export!`?")?
        .encode()
        .context("make a component of the module")
}

/// What the component imports and exports, as WIT text; in the order of names, because compilers differ in theirs.
pub(super) fn interface(component: &[u8]) -> Result<String> {
    let mut printer = WitPrinter::default();
    match wit_component::decode(component)? {
        DecodedWasm::Component(mut resolve, world) => {
            let [mut imports, mut exports] = {
                let world = &mut resolve.worlds[world];
                [std::mem::take(&mut world.imports), std::mem::take(&mut world.exports)]
            };
            imports.sort_by_cached_key(|key, _| resolve.name_world_key(key));
            exports.sort_by_cached_key(|key, _| resolve.name_world_key(key));
            let sorted = &mut resolve.worlds[world];
            (sorted.imports, sorted.exports) = (imports, exports);
            let package = sorted.package.context("a world without a package")?;
            printer.print(&resolve, package, &[])?;
        }
        DecodedWasm::WitPackage(resolve, package) => printer.print(&resolve, package, &[])?,
    }
    Ok(printer.output.to_string())
}

/// What the component wants of its host beyond cutover's own interface.
pub(super) fn foreign_imports(component: &[u8]) -> Result<Vec<String>> {
    let interface = interface(component)?;
    let imports = interface.lines().filter_map(|line| line.trim().strip_prefix("import "));
    let foreign = imports.filter(|name| !name.starts_with("cutover:plugin/"));
    Ok(foreign.map(|name| name.trim_end_matches(';').to_owned()).collect())
}

/// In a few words, how two components with the same sources differ.
pub(super) fn difference(committed: &[u8], rebuilt: &[u8]) -> Result<String> {
    let (before, now) = (committed.len(), rebuilt.len());
    let same = committed.iter().zip(rebuilt).take_while(|(a, b)| a == b).count();
    Ok(format!("{before} bytes and {now} bytes, the same for the first {same}"))
}
