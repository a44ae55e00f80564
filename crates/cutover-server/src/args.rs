//! The command line: verbs at top level. Nothing wraps the help, so its texts are short: a test holds it to 80 columns.

pub(crate) mod verbs;

use crate::admin_api::Admin;
use crate::plugin_author::args::PluginVerb;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cutover::core::migration::Role;
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
    /// Show the migrations of a running proxy, one line each
    List(List),
    /// Show who is served by whom, every gate, and what comes next
    Status(Status),
    /// Say what the next step would do, or what is missing
    Plan(verbs::Plan),
    /// Move reads one step forward, or to a share
    Promote(verbs::Promote),
    /// Let this share of the users read from new
    SetWeight(verbs::Share),
    /// Copy this share of the reads to the other side
    MirrorTraffic(verbs::Share),
    /// Let no weight grow until resume
    Pause(verbs::Plain),
    /// As pause, for an incident or a change freeze
    Freeze(verbs::Plain),
    /// Lift pause and freeze
    Resume(verbs::Plain),
    /// Take reads back to old, at once
    Rollback(verbs::Rollback),
    /// Give the attempt up: everything to old, phase off
    Abort(verbs::Plain),
    /// After a rollback or a failed gate: gather evidence anew
    Retry(verbs::Plain),
    /// Approve a move, having seen its evidence
    Approve(verbs::Opinion),
    /// Object to a move, having seen its evidence
    Reject(verbs::Opinion),
    /// Let everybody read from new, for good
    SwitchTraffic(verbs::Traffic),
    /// Take all reads back, as rollback does
    ReverseTraffic(verbs::Traffic),
    /// Declare the migration complete: there is no way back
    Complete(verbs::Complete),
    /// Practise a rollback on live traffic, and measure it
    Drill(verbs::Plain),
    /// Show where the two sides answer something else
    Diff(verbs::Diff),
    /// Compare without a field from now on; the evidence begins anew
    Ignore(verbs::Rule),
    /// Compare it again
    Unignore(verbs::Rule),
    /// Show who did what and why, or verify the audit log
    Audit(verbs::Audit),
    /// Make tokens for the admin API
    Token {
        #[command(subcommand)]
        what: TokenVerb,
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

/// A running proxy, and how to print what it says.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The admin API
    #[arg(long, value_name = "URL", default_value = DEFAULT_ADMIN)]
    admin: String,
    /// A file with the token (or set CUTOVER_TOKEN)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

impl Target {
    pub(crate) fn admin(&self) -> Admin<'_> {
        Admin { url: &self.admin, token_file: self.token_file.as_deref() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Make a token for one person
    New(NewToken),
}

#[derive(Debug, Args)]
pub(crate) struct NewToken {
    /// Whose it is
    #[arg(long)]
    pub(crate) name: String,
    /// What it may do: viewer, operator, on-call, …
    #[arg(long, value_parser = role)]
    pub(crate) role: Role,
    /// Format
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| {
        let names: Vec<_> = Role::ALL.into_iter().map(Role::name).collect();
        format!("a role is one of {}", names.join(", "))
    })
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
    /// A file with the token (or set CUTOVER_TOKEN)
    #[arg(long, value_name = "FILE", requires = "admin")]
    pub(crate) token_file: Option<PathBuf>,
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
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Only this migration
    pub(crate) name: Option<String>,
    /// Show it again every two seconds, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Is a log as it was written?
    Verify(VerifyAudit),
    /// Print all of it, one record a line, to keep elsewhere
    Export(ExportAudit),
}

#[derive(Debug, Args)]
pub(crate) struct ExportAudit {
    #[command(flatten)]
    pub(crate) target: Target,
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
    /// Tell one story and stay up for curl, until Ctrl-C
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
