//! Arguments of the verbs that move migrations.

use super::{AuditVerb, Target};
use clap::Args;

/// What every change says.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Why; goes to the audit log
    #[arg(long, required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// Say what it would do, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// A change that needs nothing but the migration's name.
#[derive(Debug, Args)]
pub(crate) struct Plain {
    /// The migration
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Goal {
    /// A percent, reads-new or complete; else the next step
    #[arg(long, conflicts_with = "full")]
    pub(crate) to: Option<String>,
    /// Everybody, skipping steps: needs an approval
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The migration
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) goal: Goal,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The migration
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) goal: Goal,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct Share {
    /// The migration
    pub(crate) name: String,
    /// The share, like 5 or 2.5
    #[arg(long)]
    pub(crate) percent: String,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The migration
    pub(crate) name: String,
    /// All reads at once (as without it)
    #[arg(long, conflicts_with_all = ["graded", "to"])]
    pub(crate) now: bool,
    /// All reads, over this time, for a cold old: 30s
    #[arg(long, value_name = "TIME", conflicts_with = "to")]
    pub(crate) graded: Option<String>,
    /// Only down to this percent
    #[arg(long, value_name = "PERCENT")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Opinion {
    /// The migration
    pub(crate) name: String,
    /// The evidence you saw, as status shows it
    #[arg(long, value_name = "HASH")]
    pub(crate) evidence: String,
    #[command(flatten)]
    pub(crate) goal: Goal,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Traffic {
    /// The migration
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) what: ReadsOrWrites,
    #[command(flatten)]
    pub(crate) change: Change,
}

/// Never both, and never by default.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ReadsOrWrites {
    /// Reads
    #[arg(long)]
    pub(crate) reads: bool,
    /// Writes (not in this version)
    #[arg(long)]
    pub(crate) writes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Complete {
    /// The migration
    pub(crate) name: String,
    /// The migration's name once more: there is no way back
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: String,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub(crate) what: Option<AuditVerb>,
    /// Only this migration
    pub(crate) name: Option<String>,
    /// Hold the whole log against its hashes
    #[arg(long, conflicts_with_all = ["name", "last"])]
    pub(crate) verify: bool,
    /// So many of the last records
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) last: u16,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct Rule {
    /// The migration
    pub(crate) name: String,
    /// What is left out: /items/*/etag, or header:date
    pub(crate) rule: String,
    /// Only the order of what is there is left out
    #[arg(long)]
    pub(crate) unordered: bool,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The migration
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) target: Target,
}
