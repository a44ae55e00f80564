//! `cargo xtask plugins`: builds the guests of `plugins/` and keeps the components in `plugins/dist/`.
//!
//! The components are committed, so that the proxy, its tests and the demo need no guest toolchain.
//! `SOURCES.json` beside them says which sources each was built from; `--check` holds them to it. So it does with Envoy's
//! guest, which lies with the comparison's other files.

mod component;
mod guests;
mod native;
mod record;
mod toolchain;
mod trial;

use crate::process::root;
use anyhow::{Context, Result, bail, ensure};
use guests::{Builders, Guest};
use record::{Entry, Record};
use std::path::Path;

/// What the arguments ask for.
#[derive(Default)]
struct Options {
    /// Compare with what is committed, write nothing.
    check: bool,
    /// Install Debian's guest toolchain if none is here.
    install: bool,
    /// Only these guests; all if empty.
    names: Vec<String>,
}

/// Builds the components, or checks the committed ones.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = options(args)?;
    let plugins = root().join("plugins");
    let guests = chosen(&plugins, &options.names)?;
    if options.check {
        check(&plugins, &guests, &options)
    } else {
        build(&plugins, &guests, &options)
    }
}

fn options(args: &[String]) -> Result<Options> {
    let mut options = Options { install: toolchain::may_install(), ..Options::default() };
    for arg in args {
        match arg.as_str() {
            "--check" => options.check = true,
            "--install" => options.install = true,
            flag if flag.starts_with('-') => {
                bail!(
                    "unknown argument `{flag}`; there are --check, --install and names of plugins"
                )
            }
            name => options.names.push(name.replace('-', "_")),
        }
    }
    Ok(options)
}

fn chosen(plugins: &Path, names: &[String]) -> Result<Vec<Guest>> {
    let mut guests = guests::find(plugins)?;
    for name in names {
        let known: Vec<&str> = guests.iter().map(|guest| guest.name.as_str()).collect();
        ensure!(
            known.contains(&name.as_str()),
            "no plugin is called `{name}`; {}",
            known.join(", ")
        );
    }
    guests.retain(|guest| names.is_empty() || names.contains(&guest.name));
    Ok(guests)
}

/// Builds what can be built here into `dist/`; the others keep their components.
fn build(plugins: &Path, guests: &[Guest], options: &Options) -> Result<()> {
    let dist = plugins.join("dist");
    let target = guests::target_folder(plugins);
    std::fs::create_dir_all(&dist)?;
    std::fs::create_dir_all(&target)?;
    let mut record = Record::load(&dist)?;
    if options.names.is_empty() {
        record.keep_only(&guests.iter().map(|guest| guest.name.as_str()).collect::<Vec<_>>());
    }
    let mut builders = Builders::new(plugins, options.install);
    for guest in guests {
        let built = match builders.build(guest)? {
            Ok(built) => built,
            Err(why) => {
                println!("SKIPPED  {}: {why}", guest.name);
                continue;
            }
        };
        let file = guest.file(if guest.is_committed() { &dist } else { &target });
        std::fs::write(&file, &built.component)
            .with_context(|| format!("write {}", file.display()))?;
        let size = built.component.len().div_ceil(1024);
        println!("built    {} ({size} KiB, {})", file.display(), built.toolchain);
        if !guest.is_committed() {
            if let Err(problem) = prove(guest, &file, &built.component)? {
                bail!("{}: {problem}", guest.name);
            }
            println!("         imports nothing but cutover:plugin, and passes its cases");
            continue;
        }
        record.set(&guest.name, Entry::new(guests::source_hash(plugins, guest)?, &built));
    }
    record.save(&dist)
}

/// Fails if a committed component is not what its sources build, as far as can be told here.
fn check(plugins: &Path, guests: &[Guest], options: &Options) -> Result<()> {
    native::test(plugins)?;
    let dist = plugins.join("dist");
    let record = Record::load(&dist)?;
    let mut builders = Builders::new(plugins, options.install);
    let mut problems = Vec::new();
    for guest in guests {
        let verdict = match record.get(&guest.name) {
            _ if !guest.is_committed() => check_uncommitted(plugins, guest, &mut builders)?,
            None => Err("it has no entry in dist/SOURCES.json".to_owned()),
            Some(entry) => check_one(plugins, &dist, guest, entry, &mut builders)?,
        };
        match verdict {
            Ok(words) => println!("{words}"),
            Err(problem) => {
                println!("WRONG    {}: {problem}", guest.name);
                problems.push(guest.name.as_str());
            }
        }
    }
    let left_over = record.others(guests);
    if options.names.is_empty() && !left_over.is_empty() {
        bail!("dist/SOURCES.json names plugins without sources: {}", left_over.join(", "));
    }
    ensure!(
        problems.is_empty(),
        "{}: not what their sources build, or not what they should be, as said above; \
         `cargo xtask plugins` builds them, and what it builds is committed",
        problems.join(", ")
    );
    Ok(())
}

/// A line about a guest that is built anew by everybody, or what is wrong with what was built.
fn check_uncommitted(
    plugins: &Path,
    guest: &Guest,
    builders: &mut Builders<'_>,
) -> Result<Result<String, String>> {
    let name = &guest.name;
    let built = match builders.build(guest)? {
        Ok(built) => built,
        Err(why) => return Ok(Ok(format!("SKIPPED  {name}: {why}"))),
    };
    let target = guests::target_folder(plugins);
    std::fs::create_dir_all(&target)?;
    let file = target.join(format!("{name}.wasm"));
    std::fs::write(&file, &built.component).with_context(|| format!("write {}", file.display()))?;
    let size = built.component.len();
    Ok(prove(guest, &file, &built.component)?
        .map(|()| format!("ok       {name}: {size} bytes, and it passes its cases")))
}

/// Holds a component that nobody has committed, and so nobody else has tried, to the rules and to its cases.
fn prove(guest: &Guest, file: &Path, component: &[u8]) -> Result<Result<(), String>> {
    let foreign = component::foreign_imports(component)?;
    if !foreign.is_empty() {
        return Ok(Err(format!("it also imports {}", foreign.join(" "))));
    }
    trial::run(file, &guest.cases())
}

/// A line about the guest, or what is wrong with its committed component.
fn check_one(
    plugins: &Path,
    dist: &Path,
    guest: &Guest,
    entry: &Entry,
    builders: &mut Builders<'_>,
) -> Result<Result<String, String>> {
    let name = &guest.name;
    let Ok(committed) = std::fs::read(guest.file(dist)) else {
        return Ok(Err(format!("{name}.wasm is missing")));
    };
    if record::sha256(&committed) != entry.component {
        return Ok(Err(format!("{name}.wasm is not the file that SOURCES.json records")));
    }
    if guests::source_hash(plugins, guest)? != entry.source {
        return Ok(Err("its sources have changed since it was built".to_owned()));
    }
    let built = match builders.build(guest)? {
        Ok(built) => built,
        Err(why) => {
            return Ok(Ok(format!("SKIPPED  {name}: sources unchanged, not rebuilt: {why}")));
        }
    };
    let interface = |bytes: &[u8]| {
        if guest.is_component() { component::interface(bytes) } else { Ok(String::new()) }
    };
    let (before, now) = (interface(&committed)?, interface(&built.component)?);
    if before != now {
        return Ok(Err(format!("its interface differs:\ncommitted:\n{before}\nrebuilt:\n{now}")));
    }
    if built.component == committed {
        return Ok(Ok(format!("ok       {name}: the same to the byte")));
    }
    let difference = component::difference(&committed, &built.component)?;
    if built.toolchain == entry.toolchain && built.reproducible {
        // Cargo hashes the checkout's path into symbol names, and their order into the code: other bytes prove nothing.
        return Ok(Ok(format!(
            "ok       {name}: same sources, interface and toolchain, in another folder: {difference}"
        )));
    }
    let (theirs, ours) = (&entry.toolchain, &built.toolchain);
    Ok(Ok(format!(
        "ok       {name}: same sources and interface; built by {theirs}, here by {ours}: {difference}"
    )))
}
