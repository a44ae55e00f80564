//! What goes wrong: starting the host, loading a component, and calling a plugin.

use std::path::PathBuf;

/// The host cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The WebAssembly engine refuses its configuration.
    #[error("the WebAssembly engine cannot start on this machine: {0}")]
    Engine(String),
    /// The thread that enforces deadlines cannot start.
    #[error("the thread that enforces plugin deadlines cannot start: {0}")]
    Ticker(String),
    /// The folder for compiled components cannot be used.
    #[error(
        "the folder for compiled plugins, {path}, cannot be used: {why}. Give a folder that only this \
         user can write to, or none",
        path = .path.display()
    )]
    Cache {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// A component cannot be used as a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not a component, or not one this engine can compile.
    #[error(
        "not a WebAssembly component that can be compiled: {0}. `cutover plugin build` makes one"
    )]
    Compile(String),
    /// It asks for functions that plugins are not given.
    #[error(
        "it imports functions that plugins are not given: {}. A plugin may import \
         cutover:plugin/log and cutover:plugin/edits only; build it without WASI",
        .0.join(", ")
    )]
    Imports(Vec<String>),
    /// It imports the right functions with wrong types.
    #[error("its imports do not fit package cutover:plugin@0.1.0: {0}")]
    Link(String),
    /// It does not export the interface every plugin needs.
    #[error("it does not export cutover:plugin/lifecycle@0.1.0, as every plugin must")]
    NoLifecycle,
    /// It has no hook at all.
    #[error(
        "it exports none of the hooks split, rewrite, fallback and normalise of cutover:plugin@0.1.0"
    )]
    NoHook,
    /// It lacks a hook that the place of use expects.
    #[error("it is used for {wanted}, but exports {found} only")]
    MissingHook {
        /// Hooks that are expected.
        wanted: crate::HookSet,
        /// Hooks that are there.
        found: crate::HookSet,
    },
    /// An export has the right name and the wrong type.
    #[error("its exports do not fit package cutover:plugin@0.1.0: {0}")]
    Export(String),
    /// It refused its configuration.
    #[error("it refused its configuration: {0}")]
    Refused(String),
    /// Its manifest is not acceptable; with everything that is wrong.
    #[error("its manifest is not acceptable: {}", .0.join("; "))]
    Manifest(Vec<String>),
    /// It failed while it was started or configured.
    #[error("it failed while it was configured: {0}")]
    Start(Fault),
}

/// A call did not give a usable answer. The instance that gave it is gone already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The plugin crashed; with its last words, or the engine's.
    #[error("the plugin crashed: {0}")]
    Trap(String),
    /// It took too long.
    #[error("the plugin exceeded its deadline")]
    Deadline,
    /// It asked for more memory than it may have.
    #[error("the plugin asked for more memory than its cap")]
    Memory,
    /// It answered something that makes no sense.
    #[error("the plugin gave a bad answer: {0}")]
    BadAnswer(&'static str),
    /// No fresh instance could be made.
    #[error("no fresh instance of the plugin could be started: {0}")]
    Start(String),
    /// It failed often lately and was not asked.
    #[error("the plugin is quarantined after repeated failures")]
    Quarantined,
    /// The component does not have the hook that was called.
    #[error("the plugin has no such hook")]
    NoHook,
}

impl Fault {
    /// Which kind.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Trap(_) => FaultKind::Trap,
            Self::Deadline => FaultKind::Deadline,
            Self::Memory => FaultKind::Memory,
            Self::BadAnswer(_) => FaultKind::BadAnswer,
            Self::Start(_) => FaultKind::Start,
            Self::Quarantined => FaultKind::Quarantined,
            Self::NoHook => FaultKind::NoHook,
        }
    }
}

/// A kind of [`Fault`], for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// [`Fault::Trap`].
    Trap,
    /// [`Fault::Deadline`].
    Deadline,
    /// [`Fault::Memory`].
    Memory,
    /// [`Fault::BadAnswer`].
    BadAnswer,
    /// [`Fault::Start`].
    Start,
    /// [`Fault::Quarantined`].
    Quarantined,
    /// [`Fault::NoHook`].
    NoHook,
}

impl FaultKind {
    /// The name used in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::BadAnswer => "bad-answer",
            Self::Start => "start",
            Self::Quarantined => "quarantined",
            Self::NoHook => "no-hook",
        }
    }
}
