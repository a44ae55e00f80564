//! What is wrong with a component: every violation by itself, with how to mend it.

use super::component::{PATIENT, World};
use crate::paragraph::{labelled, size};
use cutover::wasm::{Fault, LoadError, START_DEADLINE, UNDECLARED_WRITE};
use serde::Serialize;

/// One rule that a component breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Violation {
    /// Which rule, for programs.
    pub(super) kind: &'static str,
    /// What is wrong.
    pub(super) what: String,
    /// How to mend it.
    pub(super) help: String,
}

impl Violation {
    pub(super) fn new(
        kind: &'static str,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { kind, what: what.into(), help: help.into() }
    }

    /// What kept a component from being compiled and linked. The host stops at the first thing; the world that the
    /// component states tells of the others.
    pub(super) fn of_compiling(error: &LoadError, bytes: &[u8]) -> Vec<Self> {
        let stated = World::of(bytes);
        match (error, stated) {
            (LoadError::NoLifecycle | LoadError::NoHook, Some(world)) => Self::of_exports(&world),
            (LoadError::Imports(_) | LoadError::Link(_), Some(world)) => {
                let mut violations = Self::of_loading(error, 0);
                violations.extend(Self::of_exports(&world));
                violations
            }
            _ => Self::of_loading(error, 0),
        }
    }

    /// What the host says, one violation a thing.
    pub(super) fn of_loading(error: &LoadError, memory_bytes: usize) -> Vec<Self> {
        match error {
            LoadError::Imports(names) => names.iter().map(|name| Self::import(name)).collect(),
            LoadError::Manifest(wrong) => {
                let help = "mend what `configure` declares; docs/plugins.md, \"Declared inputs\"";
                wrong.iter().map(|what| Self::new("manifest", what, help)).collect()
            }
            LoadError::Compile(what) => vec![Self::new(
                "not-a-component",
                format!("it cannot be compiled: {what}"),
                BUILD_IT,
            )],
            LoadError::NoLifecycle => vec![Self::no_lifecycle()],
            LoadError::NoHook => vec![Self::no_hook("nothing else")],
            LoadError::Link(_) => vec![Self::new("wrong-imports", error.to_string(), SAME_WIT)],
            LoadError::Export(_) | LoadError::MissingHook { .. } => {
                vec![Self::new("wrong-exports", error.to_string(), SAME_WIT)]
            }
            LoadError::Refused(why) => vec![Self::new(
                "refused",
                format!("`configure` refuses this configuration: {why}"),
                "give the one it wants: --config '{\"key\": \"value\"}'",
            )],
            LoadError::Start(fault) => vec![Self::of_starting(fault, memory_bytes)],
            _ => vec![Self::new("unusable", error.to_string(), SAME_WIT)],
        }
    }

    fn of_starting(fault: &Fault, memory_bytes: usize) -> Self {
        let limit_ms = START_DEADLINE.as_millis();
        match fault {
            Fault::Deadline => Self::new(
                "too-slow",
                format!(
                    "it was stopped: starting it, or its `configure`, took more than {limit_ms} ms"
                ),
                "do less in `configure`: what depends on requests belongs into the hooks",
            ),
            Fault::Memory => Self::new(
                "memory",
                format!("it wants more memory than {} to start", size(memory_bytes)),
                "allocate less; or `memory` in the configuration, here --memory-mib, allows more",
            ),
            Fault::Trap(_)
            | Fault::BadAnswer(_)
            | Fault::Start(_)
            | Fault::Quarantined
            | Fault::NoHook
            | _ => Self::new(
                "start",
                format!("it fails when it is started with this configuration: {fault}"),
                "`cargo test` runs `configure` natively, with a backtrace",
            ),
        }
    }

    /// What a hook did wrong when it was asked about a plain request.
    pub(super) fn of_call(hook: &str, fault: &Fault, memory_bytes: usize) -> Self {
        let asked = format!("{hook}, asked about a plain request,");
        match fault {
            Fault::BadAnswer(what) if *what == UNDECLARED_WRITE => Self::new(
                "undeclared-write",
                format!("{asked} edits a header that it has not declared: {what}"),
                "put its name into `writes` of what `configure` answers: an edit says the place of \
                 a name in that list",
            ),
            Fault::BadAnswer(what) => Self::new(
                "bad-answer",
                format!("{asked} gives a bad answer: {what}"),
                "docs/plugins.md, \"Declared inputs and outputs\", says what may be answered",
            ),
            Fault::Deadline => Self::new(
                "too-slow",
                format!("{asked} was stopped: it took more than {} ms", PATIENT.as_millis()),
                "do less for each request: the proxy waits for 5 ms, unless `deadline` says otherwise",
            ),
            Fault::Memory => Self::new(
                "memory",
                format!("{asked} wants more memory than {}", size(memory_bytes)),
                "allocate less; or `memory` in the configuration, here --memory-mib, allows more",
            ),
            Fault::Trap(_) | Fault::Start(_) | Fault::Quarantined | Fault::NoHook | _ => Self::new(
                "trap",
                format!("{asked} fails: {fault}"),
                "a value that is absent must not be the end: `cutover plugin test` tries more",
            ),
        }
    }

    fn of_exports(world: &World) -> Vec<Self> {
        let mut violations = Vec::new();
        if !world.exports("lifecycle") {
            violations.push(Self::no_lifecycle());
        }
        if !["split", "rewrite", "fallback", "normalise"].iter().any(|hook| world.exports(hook)) {
            violations.push(Self::no_hook(&world.exported()));
        }
        violations
    }

    fn import(name: &str) -> Self {
        Self::new(
            "import",
            format!("it imports {name}, which plugins are not given"),
            "a plugin may import cutover:plugin/log and cutover:plugin/edits, nothing else: build \
             it for wasm32-unknown-unknown, not for WASI",
        )
    }

    fn no_lifecycle() -> Self {
        Self::new(
            "no-lifecycle",
            "it does not export cutover:plugin/lifecycle@0.1.0, as every plugin must",
            "in Rust `cutover_plugin::export!` does it; elsewhere choose a world of \
             wit/cutover.wit",
        )
    }

    fn no_hook(found: &str) -> Self {
        Self::new(
            "no-hook",
            format!(
                "it exports none of the hooks split, rewrite, fallback and normalise of \
                 cutover:plugin@0.1.0; it exports {found}"
            ),
            "name the hooks: `cutover_plugin::export!(Rules: split);`",
        )
    }
}

/// How to get a component.
pub(super) const BUILD_IT: &str =
    "`cutover plugin build` makes a component of a plugin's folder, or of a core module";
/// How to get the right types.
const SAME_WIT: &str = "generate the bindings from wit/cutover.wit of this version, 0.1.0";

/// All of them for a person; what several have in common is said once.
pub(super) fn listed(violations: &[Violation]) -> String {
    let mut text = String::new();
    for (at, violation) in violations.iter().enumerate() {
        text.push_str(&labelled("error: ", &violation.what));
        text.push('\n');
        let again = violations.get(at + 1).is_some_and(|next| next.help == violation.help);
        if !again {
            text.push_str(&labelled("  help: ", &violation.help));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_import_is_named_and_the_help_is_said_once() {
        let error = LoadError::Imports(vec!["wasi:a.b".to_owned(), "wasi:c.d".to_owned()]);
        let violations = Violation::of_loading(&error, 0);
        let text = listed(&violations);
        assert_eq!(violations.len(), 2);
        assert!(text.contains("wasi:a.b") && text.contains("wasi:c.d"), "{text}");
        assert_eq!(text.matches("help:").count(), 1, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn an_empty_component_lacks_both_its_lifecycle_and_a_hook() {
        let empty = b"\0asm\x0d\0\x01\0";
        let kinds: Vec<_> = Violation::of_compiling(&LoadError::NoLifecycle, empty)
            .iter()
            .map(|violation| violation.kind)
            .collect();
        assert_eq!(kinds, ["no-lifecycle", "no-hook"]);
    }
}
