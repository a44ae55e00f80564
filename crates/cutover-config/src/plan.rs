//! What a migration's configuration says beyond the present decision: who answers for it, and how it is to go forward.

pub use crate::units::Date;
use cutover_core::Percent;
use cutover_core::evidence::Limits;
use cutover_core::migration::Course;

/// The plan of one migration. Mirroring and comparing are checked and kept, but not active in this version; whoever sets
/// them gets a warning that says so.
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
    /// Share of requests that are copied.
    pub percent: Percent,
    /// Most copies in flight.
    pub concurrency: usize,
    /// Largest body that is copied, in bytes.
    pub max_body: u64,
}

/// Comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparePlan {
    /// JSON pointers and `header:name`.
    pub ignore: Vec<String>,
}
