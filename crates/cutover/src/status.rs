//! What each migration has done since the process began, for status pages and for people. Read on request, never on the
//! path of an exchange.

use crate::engine::{Installed, Running};
use crate::metrics::{Answerer, MigrationMeter, Quantiles};
use crate::{BreakerState, Cause, Migration, Role, Side};
use std::sync::atomic::Ordering::Relaxed;

/// One migration of the generation in force. Counts survive reloads.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its name.
    pub name: Box<str>,
    /// Where its breaker stands.
    pub breaker: BreakerState,
    /// Times the breaker has opened.
    pub breaker_opened: u64,
    /// Who has answered how much: old, new, old as a fallback, old while the breaker was open.
    pub answered: Vec<Answered>,
    /// Attempts that failed, by side and cause; those that never happened are left out.
    pub failed_attempts: Vec<(Side, Cause, u64)>,
}

/// What one side has answered in one role.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answered {
    /// The side.
    pub side: Side,
    /// As what.
    pub role: Role,
    /// Exchanges that ended, those of clients that left included.
    pub requests: u64,
    /// Those that ended in a 5xx, or without a whole reply.
    pub errors: u64,
    /// Half of the exchanges took less, in milliseconds; `None` before the first. Read off a histogram whose last bound
    /// is 10 s, and never more than that.
    pub p50_ms: Option<f64>,
    /// All but a hundredth of the exchanges took less, likewise.
    pub p99_ms: Option<f64>,
}

impl Installed {
    /// What each migration has done, in the order of the snapshot.
    pub fn migration_status(&self) -> Vec<MigrationStatus> {
        let all = self.snapshot().migrations().iter().zip(self.running());
        all.map(|(migration, running)| status(migration, running)).collect()
    }
}

fn status(migration: &Migration, running: &Running) -> MigrationStatus {
    let meter = &running.meter;
    MigrationStatus {
        name: migration.name.clone(),
        breaker: running.breaker.state(),
        breaker_opened: meter.breaker_opened.load(Relaxed),
        answered: Answerer::ALL.iter().map(|answerer| answered(meter, *answerer)).collect(),
        failed_attempts: meter.failed_attempts().filter(|(.., count)| *count > 0).collect(),
    }
}

fn answered(meter: &MigrationMeter, answerer: Answerer) -> Answered {
    let (requests, errors) = meter.answered(answerer);
    let Quantiles { p50_ms, p99_ms } = meter.quantiles(answerer);
    let (side, role) = answerer.who();
    Answered { side, role, requests, errors, p50_ms, p99_ms }
}
