//! What the configuration says about a migration's mirror, ready for use in one generation.

use crate::config::MigrationPlan;
use crate::config::plan::MirrorSample;
use cutover_core::compare::{IgnoreRule, Redaction, RuleFinding, RuleSpec, Rules};
use cutover_core::{Migration, Percent, Salt};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Bytes of a reply that are read at most, whatever is kept of them: a body without an end must end somewhere.
const REPLY_BYTES: u64 = 8 * 1024 * 1024;

/// How one migration is mirrored and compared, in one generation.
#[derive(Clone, Debug)]
pub(crate) struct Mirroring {
    pub(super) sample: MirrorSample,
    /// Apart from the cohort's, so that the users who are mirrored are not those who read from `new`.
    pub(super) salt: Salt,
    pub(super) concurrency: usize,
    pub(super) memory_bytes: usize,
    pub(super) noise: Percent,
    pub(super) limits: MirrorLimits,
    /// What the configuration says.
    configured: RuleSpec,
    /// What people said beside it.
    added: Arc<[IgnoreRule]>,
    /// Both.
    pub(super) rules: Rules,
    pub(super) redaction: Redaction,
    pub(super) recheck: Duration,
}

/// What a gateway has to keep to when it sends a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorLimits {
    /// Largest body of a request that is copied, in bytes.
    pub request_body: usize,
    /// Bytes of a reply's body that are kept to be compared; beyond them a digest is.
    pub kept_body: usize,
    /// Bytes of a copy's reply that are read at most.
    pub read_body: u64,
    /// Time for the whole copy, from connecting to the last byte.
    pub timeout: Duration,
}

/// A rule that cannot be compiled, in a plan that [`config::load`](crate::config::load) did not make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("migrations.{migration}.compare: {finding}")]
pub struct RulesError {
    /// The migration.
    pub migration: String,
    /// What is wrong.
    pub finding: RuleFinding,
}

impl Mirroring {
    pub(crate) fn new(migration: &Migration, plan: &MigrationPlan) -> Result<Self, RulesError> {
        let wrong = |findings: Vec<RuleFinding>| RulesError {
            migration: plan.migration.clone(),
            finding: findings.into_iter().next().expect("an error has a finding"),
        };
        let (mirror, compare) = (&plan.mirror, &plan.compare);
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(Self {
            sample: mirror.sample,
            salt: Salt::new(&format!("mirror:{}", migration.salt.text())),
            concurrency: mirror.concurrency,
            memory_bytes: bytes(mirror.max_memory),
            noise: compare.noise,
            limits: MirrorLimits {
                request_body: bytes(mirror.max_body),
                kept_body: bytes(compare.max_body),
                read_body: REPLY_BYTES.max(compare.max_body),
                timeout: mirror.timeout,
            },
            rules: Rules::compile(&compare.rules).map_err(wrong)?,
            configured: compare.rules.clone(),
            added: Arc::default(),
            redaction: Redaction::new(digest_key(), &compare.show).map_err(wrong)?,
            recheck: compare.recheck,
        })
    }

    /// The same with the rules that people have added; what it is already is kept as it is.
    pub(crate) fn following(self: &Arc<Self>, added: &Arc<[IgnoreRule]>) -> Arc<Self> {
        if self.added == *added {
            return Arc::clone(self);
        }
        // The parts of it compile, and what contradicts them is left out.
        let rules = Rules::compile(&self.configured.with(added.iter()));
        let rules = rules.unwrap_or_else(|_| self.rules.clone());
        Arc::new(Self { rules, added: Arc::clone(added), ..Self::clone(self) })
    }
}

/// The key of all digests that this process makes: random, so that nobody can try values against them.
fn digest_key() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| {
        // Keyed by the operating system's randomness.
        let random = RandomState::new();
        let mut key = [0; 32];
        for (at, part) in key.chunks_exact_mut(8).enumerate() {
            part.copy_from_slice(&random.hash_one(at).to_le_bytes());
        }
        key
    })
}
