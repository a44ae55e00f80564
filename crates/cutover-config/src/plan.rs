//! What a migration's configuration says beyond the present decision: who answers for it, and how it is to go forward.

pub use crate::units::Date;
use cutover_core::Percent;
use cutover_core::compare::RuleSpec;
use cutover_core::evidence::Limits;
use cutover_core::migration::Course;
use std::time::Duration;

/// The plan of one migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationPlan {
    /// Name of the migration.
    pub migration: String,
    /// Who answers for it.
    pub owner: String,
    /// Day by which the flag should be gone.
    pub expires: Date,
    /// No two migrations of a group are in canary at once.
    pub group: Option<String>,
    /// Mirroring.
    pub mirror: MirrorPlan,
    /// Comparing.
    pub compare: ComparePlan,
    /// How it moves.
    pub course: Course,
    /// What evidence is held against.
    pub limits: Limits,
    /// A gate that fails takes reads back; `false`: it only stops the migration.
    pub rollback: bool,
    /// `read-percent`: where it stands if nobody has moved it yet.
    pub first: Option<Percent>,
}

/// Mirroring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorPlan {
    /// Share of reads that are copied.
    pub percent: Percent,
    /// A share of what.
    pub sample: MirrorSample,
    /// Most copies in flight.
    pub concurrency: usize,
    /// Largest body of a request that is copied, in bytes.
    pub max_body: u64,
    /// Most that is held of requests and replies, in bytes.
    pub max_memory: u64,
    /// Time for a whole copy.
    pub timeout: Duration,
}

/// What the mirror's percent is a share of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MirrorSample {
    /// Requests, whoever sends them.
    #[default]
    Request,
    /// Users: always the same ones.
    User,
}

/// Comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparePlan {
    /// What does not count. It has been compiled once, so that it can be again.
    pub rules: RuleSpec,
    /// Paths and `header:NAME` that samples may show in clear.
    pub show: Vec<String>,
    /// Bodies beyond it are compared by digest.
    pub max_body: u64,
    /// Wait before both sides are asked again about a difference.
    pub recheck: Duration,
    /// Share of the copied reads for which `old` is compared with itself.
    pub noise: Percent,
}
