//! The command line: verbs at top level. Nothing wraps the help, so its texts are short: a test holds it to 80 columns.

use crate::plugin_author::args::PluginVerb;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Moves live HTTP traffic from an old system to a new one.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, propagate_version = true)]
pub(crate) struct Cli {
    /// What to log: error to trace, or a RUST_LOG filter
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// One variant for each verb. Whoever adds a verb adds it here and in `main.rs`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the proxy
    Run(Run),
    /// Check a configuration without running it
    Check(Check),
    /// Say why a request would go where it goes, step by step
    Explain(Explain),
    /// Print what a configuration may say
    Config {
        #[command(subcommand)]
        what: ConfigVerb,
    },
    /// Make a running proxy read its configuration again
    Reload(Reload),
    /// Show the migrations of a running proxy
    #[command(alias = "list")]
    Status(Status),
    /// Look into the log of who moved what, and why
    Audit {
        #[command(subcommand)]
        what: AuditVerb,
    },
    /// Make, build, check, test and measure plugins
    Plugin {
        #[command(subcommand)]
        what: PluginVerb,
    },
    /// Show the main job with two live services and 2,000 users
    Demo(Demo),
    /// A service of the demo
    #[command(hide = true)]
    DemoService(DemoService),
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "cutover.toml")]
    pub(crate) config: PathBuf,
    /// Take over from the running process (send it SIGQUIT)
    #[arg(long)]
    pub(crate) upgrade: bool,
    /// Only check the configuration
    #[arg(long)]
    pub(crate) check: bool,
    /// Do not reload when the file changes
    #[arg(long)]
    pub(crate) no_watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration
    #[arg(value_name = "FILE", default_value = "cutover.toml")]
    pub(crate) file: PathBuf,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The request: 'GET /x', or 'GET http://host/x?y=z'
    pub(crate) request: String,
    /// A header of the request: 'name: value'
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Ask this configuration
    #[arg(short, long, value_name = "FILE", conflicts_with = "admin")]
    pub(crate) config: Option<PathBuf>,
    /// Ask the proxy whose admin API is here
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<String>,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// The JSON Schema, for editors
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Reload {
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Only check, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only if this generation is in force
    #[arg(long, value_name = "N")]
    pub(crate) generation: Option<u64>,
    /// The admin API
    #[arg(long, value_name = "URL", default_value = DEFAULT_ADMIN)]
    pub(crate) admin: String,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Only this migration
    pub(crate) name: Option<String>,
    /// The admin API
    #[arg(long, value_name = "URL", default_value = DEFAULT_ADMIN)]
    pub(crate) admin: String,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Is a log as it was written?
    Verify(VerifyAudit),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyAudit {
    /// A store nobody has open, its folder, or an export
    pub(crate) file: PathBuf,
    /// A record that must be in it: 12:9f86d081884c7d65
    #[arg(long = "receipt", value_name = "RECEIPT")]
    pub(crate) receipts: Vec<crate::audit::Wanted>,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Only one of the two stories
    pub(crate) story: Option<Story>,
    /// Stay up afterwards for curl, until Ctrl-C
    #[arg(long)]
    pub(crate) keep: bool,
    /// Number of users
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub(crate) users: u32,
}

/// What the demo tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Story {
    /// Who is served by whom; half a minute.
    Routing,
    /// A whole migration of reads; two minutes.
    Migration,
}

#[derive(Debug, Args)]
pub(crate) struct DemoService {
    /// Which of the two
    pub(crate) which: crate::demo::service::Which,
    /// Where
    #[arg(long)]
    pub(crate) listen: std::net::SocketAddr,
}

/// Where the admin API is unless the configuration says otherwise.
const DEFAULT_ADMIN: &str = "http://127.0.0.1:8081";
