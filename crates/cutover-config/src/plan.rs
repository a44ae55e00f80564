//! What a migration's configuration says beyond the present decision: who answers for it, and how it is to go forward.

pub use crate::units::Date;
use cutover_core::Percent;
use cutover_core::compare::RuleSpec;
use std::fmt;
use std::time::Duration;

/// The plan of one migration. Gates and steps are checked and kept, but not active in this version; whoever sets them
/// gets a warning that says so.
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
    /// How `new` gets its data.
    pub data: Data,
    /// Mirroring.
    pub mirror: MirrorPlan,
    /// Comparing.
    pub compare: ComparePlan,
    /// Gates.
    pub gates: GatesPlan,
    /// Steps of the read percent.
    pub steps: StepsPlan,
}

/// How `new` gets its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Data {
    /// The same database.
    #[default]
    Shared,
    /// Somebody else synchronises it.
    External,
    /// cutover synchronises it.
    Cdc,
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

/// Limits that evidence is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatesPlan {
    /// Largest share of errors.
    pub errors: Percent,
    /// Largest p99 of `new` as a multiple of the p99 of `old`.
    pub latency: Ratio,
    /// Largest share of replies that differ.
    pub mismatch: Percent,
}

/// Steps of the read percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepsPlan {
    /// Ascending; the last one is 100 %.
    pub percents: Vec<Percent>,
    /// Shortest stay at each step.
    pub dwell: Vec<Duration>,
    /// Steps up to this may advance without a person.
    pub auto: Percent,
}

/// A factor from 1 to 1000, in thousandths: an integer, so that it is `Eq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(u32);

impl Ratio {
    /// Thousandths of the factor.
    pub fn thousandths(self) -> u32 {
        self.0
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
            return None;
        }
        let whole: u32 = whole.parse().ok()?;
        let fraction: u32 = format!("{decimals:0<3}").parse().ok()?;
        let thousandths = whole.checked_mul(1_000)?.checked_add(fraction)?;
        (1_000..=1_000_000).contains(&thousandths).then_some(Self(thousandths))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:03}", self.0 % 1_000);
        let kept = decimals.trim_end_matches('0');
        write!(f, "{}.{}", self.0 / 1_000, if kept.is_empty() { "0" } else { kept })
    }
}
