//! What can be asked of `cutover plugin`.

use crate::args::Output;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginVerb {
    /// Make a folder for a new plugin, with its tests
    New(New),
    /// Make a component of a plugin's folder, or of a core module
    Build(Build),
    /// Say everything that is wrong with a component, and what it declares
    Check(Check),
    /// Run cases against a component
    Test(Test),
    /// Measure what a call of a component costs
    Bench(Bench),
}

/// A hook, as an author names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hook {
    /// Which side serves a request.
    Split,
    /// Which headers change on the way in and out.
    Rewrite,
    /// What becomes of a failed attempt.
    Fallback,
    /// What is compared of two replies.
    Normalise,
}

impl Hook {
    /// As it is spelt everywhere.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Rewrite => "rewrite",
            Self::Fallback => "fallback",
            Self::Normalise => "normalise",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder to make; its last part is the plugin's name
    #[arg(value_name = "NAME")]
    pub(crate) folder: PathBuf,
    /// split, rewrite, fallback, normalise
    #[arg(long, default_value = "split", hide_possible_values = true)]
    pub(crate) hook: Hook,
    /// Use the SDK in this folder, not a copy of it
    #[arg(long, value_name = "DIR")]
    pub(crate) sdk_path: Option<PathBuf>,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The plugin's folder, or a core module with its world
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) source: PathBuf,
    /// Where to put it [default: NAME.wasm in the folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
    /// Passed on to cargo: `-- --offline`
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) cargo: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The component [default: the only .wasm file here]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The configuration to start it with
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = json)]
    pub(crate) config: String,
    /// Its limit for memory
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY_MIB,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) memory_mib: u32,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) subject: Subject,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// The configuration, if there are no cases that say it
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(crate) config: Option<String>,
}

/// A component and the cases to run it with.
#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// The component [default: the only .wasm file here]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Requests and expectations [default: tests/cases.toml]
    #[arg(value_name = "CASES")]
    pub(crate) cases: Vec<PathBuf>,
    /// Its limit for memory
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY_MIB,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) memory_mib: u32,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

/// What a plugin gets unless `memory` in the configuration says otherwise.
const DEFAULT_MEMORY_MIB: u32 = 16;

fn json(text: &str) -> Result<String, String> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if value.is_object() {
        Ok(value.to_string())
    } else {
        Err("a configuration is a JSON object: {\"tenants\": [\"acme\"]}".to_owned())
    }
}
