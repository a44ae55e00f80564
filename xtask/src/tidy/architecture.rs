//! What ARCHITECTURE.md names in backticks exists: paths, files, packages and symbols. In other pages: paths that begin
//! with a folder of ours. Records of decisions and of changes speak of their day, and may name what is gone.

use super::Finding;
use super::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";
/// Words before the name in a definition.
const DEFINERS: &[&str] =
    &["struct", "enum", "trait", "fn", "type", "mod", "const", "static", "macro_rules!"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    if tree.text(PAGE).is_none() {
        findings.push(Finding::new(PAGE, 0, "is not there"));
    }
    let of_its_day = |page: &str| page == "CHANGELOG.md" || page.starts_with("docs/decisions/");
    for (page, text) in tree.ending(".md").filter(|(page, _)| !of_its_day(page)) {
        for (line, name) in names(text) {
            let concerns_us =
                page == PAGE || matches!(kind(name), Kind::Path) && is_ours(tree, name);
            let wrong = concerns_us.then(|| missing(tree, name)).flatten();
            findings.extend(wrong.map(|what| Finding::new(page, line, what)));
        }
    }
    findings
}

/// What stands in backticks outside of code blocks, with its line.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let prose = text.lines().enumerate().filter(move |(_, line)| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced
    });
    prose.flat_map(|(at, line)| line.split('`').skip(1).step_by(2).map(move |name| (at + 1, name)))
}

/// Does the path begin with one of our folders?
fn is_ours(tree: &Tree, path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| {
        let inside = format!("{folder}/");
        tree.paths().any(|known| known.starts_with(&inside))
    })
}

/// What is wrong with a name, if it is one that must exist.
fn missing(tree: &Tree, name: &str) -> Option<String> {
    match kind(name) {
        Kind::Path => {
            let exists = tree.has(name.trim_end_matches('*'));
            (!exists).then(|| format!("there is no `{name}` in the project"))
        }
        Kind::File => {
            let inside = format!("/{name}");
            let exists = tree.paths().any(|path| path == name || path.ends_with(&inside));
            (!exists).then(|| format!("no file is called `{name}`"))
        }
        Kind::Package => {
            let line = format!("name = \"{name}\"");
            let mut manifests = tree.ending("Cargo.toml");
            let exists = manifests.any(|(_, text)| text.lines().any(|found| found == line));
            (!exists).then(|| format!("no package is called `{name}`"))
        }
        Kind::Symbol => {
            let name = name.trim_end_matches("()").trim_end_matches('!');
            let mut parts = name.split("::");
            let undefined = parts.find(|part| !defined(tree, part))?;
            Some(format!("nothing defines `{undefined}`"))
        }
        Kind::Other => None,
    }
}

enum Kind {
    Path,
    File,
    Package,
    Symbol,
    Other,
}

fn kind(name: &str) -> Kind {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '*');
    if name.starts_with("cutover-") && name.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
        Kind::Package
    } else if name.contains('/') && !name.starts_with('/') && name.chars().all(plain) {
        Kind::Path
    } else if name != "cutover.toml"
        && [".rs", ".toml", ".md", ".wit"].iter().any(|end| name.ends_with(end))
        && name.chars().all(plain)
    {
        Kind::File
    } else if is_symbol(name) {
        Kind::Symbol
    } else {
        Kind::Other
    }
}

/// `Type`, `module::Type`, `Type::method`, `function()`; plain lower-case words are prose.
fn is_symbol(name: &str) -> bool {
    let bare = name.trim_end_matches("()");
    let identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let camel = bare.starts_with(|c: char| c.is_ascii_uppercase())
        && bare.chars().any(|c| c.is_ascii_lowercase());
    bare.split("::").all(identifier) && (camel || bare != name || bare.contains("::"))
}

/// Does a Rust file define the name: as an item, or as a variant of an enum?
fn defined(tree: &Tree, name: &str) -> bool {
    let module = format!("/{name}.rs");
    let package = format!("name = \"{}\"", name.replace('_', "-"));
    tree.paths().any(|path| path.ends_with(&module))
        || tree.ending("Cargo.toml").any(|(_, text)| text.lines().any(|line| line == package))
        || tree.ending(".rs").any(|(_, text)| text.lines().any(|line| defines(line, name)))
}

fn defines(line: &str, name: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with("//") {
        return false;
    }
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    // A variant stands at the beginning of its line.
    let variant = code.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with([',', '(']) || rest.starts_with(" {")
    });
    variant && name.starts_with(|c: char| c.is_ascii_uppercase())
        || DEFINERS.iter().any(|definer| {
            code.match_indices(definer).any(|(at, _)| {
                let rest = code[at + definer.len()..].strip_prefix(' ');
                rest.and_then(|rest| rest.strip_prefix(name)).is_some_and(ends)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Vec<String> {
        findings_of(&[(PAGE, page)])
    }

    fn findings_of(pages: &[(&str, &str)]) -> Vec<String> {
        let mut files = pages.to_vec();
        files.extend([
            ("crates/cutover-core/Cargo.toml", "[package]\nname = \"cutover-core\"\n"),
            (
                "crates/cutover-core/src/route.rs",
                "pub struct RouteTable;\nimpl RouteTable {\n    pub fn find(&self) {}\n}\n\
                 pub enum Refusal {\n    NoRoute,\n}\n",
            ),
        ]);
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn other_pages_name_paths_of_ours_that_exist() {
        let text = "`crates/gone/x.rs`, but `their/own.rs`, `Gone` and `gone.rs` are theirs\n";
        let pages = [(PAGE, ""), ("README.md", text), ("docs/decisions/0001-a.md", text)];
        assert_eq!(
            findings_of(&pages),
            ["README.md:1: there is no `crates/gone/x.rs` in the project"]
        );
    }

    #[test]
    fn what_exists_is_fine() {
        let good = "`crates/cutover-core` has `route.rs` with `RouteTable::find`, `route::RouteTable` and \
                    `Refusal::NoRoute`; `find()` too.\nNot names of ours: `old`, `GET /x`, `/livez`, `a = 1`, \
                    `cutover.toml`, `HTTP`.\nPackage `cutover-core`, folder `crates/*`.\n```\n`Gone`\n```\n";
        assert_eq!(findings(good), Vec::<String>::new());
    }

    #[test]
    fn what_is_gone_is_found() {
        let names = [
            "`crates/cutover-gone`",
            "`crates/cutover-core/src/gone.rs`",
            "`gone.rs`",
            "`cutover-gone`",
            "`RouteTables`",
            "`RouteTable::lookup`",
            "`lookup()`",
            "`Refusal::NoRout`",
        ];
        for name in names {
            assert_eq!(findings(name).len(), 1, "{name}: {:?}", findings(name));
        }
    }

    #[test]
    fn the_page_itself_must_be_there() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
    }
}
