//! What a configuration charges the conductor with: how each of its migrations moves.

use crate::config::{Config, Surroundings};
use cutover_core::Percent;
use cutover_core::evidence::Limits;
use cutover_core::migration::{Course, Fingerprint, Standing, Timestamp};
use sha2::{Digest as _, Sha256};

/// How one migration moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Its steps, times and people.
    pub course: Course,
    /// What its gates hold evidence against.
    pub limits: Limits,
    /// A gate that fails takes reads back; else it only stops the migration.
    pub rollback: bool,
    /// Share of users who read from `new` before it has ever moved; `None`: it begins in `off`.
    pub first: Option<Percent>,
    /// Share of requests mirrored before it has ever moved.
    pub mirror: Percent,
    /// Its group.
    pub group: Option<Box<str>>,
    /// Digest of what evidence is about, but for what is ignored, which the course has: backends, rules, plugins.
    pub fingerprint: Fingerprint,
}

impl Charge {
    /// What evidence is about as long as nobody has added a rule.
    pub(super) fn about(&self) -> Fingerprint {
        self.course.about(self.fingerprint, &[])
    }

    /// The same in one number, by which a baseline is known.
    pub(super) fn about_old(&self) -> u64 {
        let Fingerprint(digest) = self.about();
        digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    /// Where it stands as long as it has never moved.
    pub(super) fn first_standing(&self, now: Timestamp) -> Standing {
        let salt = self.course.salt.clone();
        Standing::first(salt, self.first, self.mirror, self.about(), now)
    }
}

/// The charges of a configuration. Reads the components of plugins, whose bytes are part of what evidence is about; one
/// that cannot be read has been refused before.
pub fn charges(config: &Config, around: &dyn Surroundings) -> Vec<Charge> {
    let charge = |plan: &crate::config::MigrationPlan| {
        let mut digest = Sha256::new();
        digest.update(config.identity(&plan.migration));
        for used in config.plugins.iter().filter(|used| used.migration == plan.migration) {
            let bytes = used.component.to_str().and_then(|file| around.file(file).ok());
            digest.update(Sha256::digest(bytes.unwrap_or_default()));
        }
        Charge {
            course: plan.course.clone(),
            limits: plan.limits,
            rollback: plan.rollback,
            first: plan.first,
            mirror: plan.mirror.percent,
            group: plan.group.as_deref().map(Into::into),
            fingerprint: Fingerprint(digest.finalize().into()),
        }
    };
    config.plans.iter().map(charge).collect()
}
