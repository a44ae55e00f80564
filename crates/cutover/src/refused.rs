//! Why a request is not forwarded, and why a configuration is not installed.

use http::StatusCode;
use std::fmt;

/// The request is answered by the gateway itself, with [`Refused::status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No route matches: 404.
    NoRoute,
    /// A plugin failed and its `on-error` is `reject`: 503.
    Plugin {
        /// The migration that uses it.
        migration: Box<str>,
        /// Its name in the configuration.
        plugin: Box<str>,
    },
    /// The breaker is open, and the migration's fallback plugin answers with this status.
    Breaker {
        /// The migration.
        migration: Box<str>,
        /// The plugin's answer.
        status: StatusCode,
    },
}

impl Refused {
    /// What the client gets.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Plugin { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Breaker { status, .. } => *status,
        }
    }

    /// The name used in logs and in `cutover_refused_total`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoRoute => "no-route",
            Self::Plugin { .. } => "plugin",
            Self::Breaker { .. } => "breaker",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoute => f.write_str("no route matches this request"),
            Self::Plugin { migration, plugin } => {
                write!(f, "plugin {plugin} of migration {migration} failed, and refuses then")
            }
            Self::Breaker { migration, status } => {
                write!(f, "the new side of migration {migration} is failing ({status})")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Why a snapshot cannot be installed: everything that is wrong with its plugins, at once.
#[derive(Debug, PartialEq, Eq)]
pub struct PrepareError {
    /// At least one.
    pub problems: Vec<PluginProblem>,
}

/// One plugin that cannot be used where a migration wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginProblem {
    /// The migration that uses it.
    pub migration: String,
    /// Its name in the configuration.
    pub plugin: String,
    /// The component's file.
    pub file: String,
    /// What is wrong.
    pub kind: ProblemKind,
    /// The same, in words.
    pub what: String,
    /// How to mend it.
    pub help: String,
}

/// Kinds of plugin problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Built without the feature `wasm`.
    NoPluginSupport,
    /// The snapshot and the list of plugins do not belong together.
    Mismatch,
    /// The file cannot be read.
    Unreadable,
    /// Not a component, or one of another world.
    Invalid,
    /// Lacks a hook the migration expects.
    MissingHook,
    /// Refuses its configuration, or fails while reading it.
    Refuses,
}

impl fmt::Display for PluginProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { migration, plugin, file, what, help, .. } = self;
        write!(f, "migration {migration}, plugin {plugin} ({file}): {what}\n  help: {help}")
    }
}

impl fmt::Display for PrepareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PrepareError {}
