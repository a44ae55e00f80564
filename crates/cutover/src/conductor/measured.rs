//! What a scrape is told of migrations that move: gates with their numbers, what lies over a phase, times, changes.

use super::Conductor;
use crate::metrics::*;
use cutover_core::evidence::{Answer, Verdict};
use cutover_core::migration::{Blocker, Timestamp};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use std::fmt;
use std::sync::{Arc, PoisonError, Weak};

/// All that can lie over a phase.
const OVERLAYS: [&str; 8] = [
    "drilling",
    "going-back",
    "rolled-back",
    "failed",
    "paused",
    "frozen",
    "inconclusive",
    "expired",
];

/// For [`Metrics::register`](crate::Metrics::register). A scrape waits while the conductor writes to its store.
#[derive(Debug)]
struct Measured(Weak<Conductor>);

impl Conductor {
    /// What it adds to an engine's metrics; the list is [`MOVES`]. Nothing, once the conductor is gone.
    pub fn collector(self: &Arc<Self>) -> Box<dyn Collector> {
        Box::new(Measured(Arc::downgrade(self)))
    }

    pub(super) fn count(&self, migration: &str, event: &'static str) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.entry((migration.into(), event)).or_default() += 1;
    }
}

impl Collector for Measured {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(conductor) = self.0.upgrade() else { return Ok(()) };
        let views = conductor.glance();
        let gates =
            || views.iter().flat_map(|view| view.gates.iter().map(|gate| (&*view.name, gate)));
        let mut family = Family::open(&mut encoder, GATE_VERDICT)?;
        for (name, gate) in gates() {
            family.gauge(&[name, gate.gate.name()], verdict(gate.verdict()))?;
        }
        let mut family = Family::open(&mut encoder, GATE_VALUE)?;
        for (name, gate) in gates() {
            if let Some(value) = gate.value() {
                family.gauge(&[name, gate.gate.name()], value)?;
            }
        }
        let mut family = Family::open(&mut encoder, GATE_THRESHOLD)?;
        for (name, gate) in gates() {
            family.gauge(&[name, gate.gate.name()], Answer::threshold(gate))?;
        }
        let mut family = Family::open(&mut encoder, GATE_SAMPLES)?;
        for (name, gate) in gates() {
            family.gauge(&[name, gate.gate.name()], gate.samples() as f64)?;
        }
        let mut family = Family::open(&mut encoder, OVERLAY)?;
        for view in &views {
            let over = view.standing.progress().overlays();
            for overlay in OVERLAYS {
                family.gauge(&[&view.name, overlay], f64::from(over.contains(&overlay)))?;
            }
        }
        let mut family = Family::open(&mut encoder, BLOCKERS)?;
        for view in &views {
            let people = |blocker: &&Blocker| !matches!(blocker, Blocker::Approvals { .. });
            family.gauge(&[&view.name], view.missing.iter().filter(people).count() as f64)?;
        }
        let mut family = Family::open(&mut encoder, MIGRATION_GENERATION)?;
        for view in &views {
            family.gauge(&[&view.name], view.standing.generation().0 as f64)?;
        }
        let mut family = Family::open(&mut encoder, PHASE_ENTERED)?;
        for view in &views {
            family.gauge(&[&view.name], seconds(view.standing.progress().entered))?;
        }
        let mut family = Family::open(&mut encoder, EXPIRY)?;
        for view in &views {
            family.gauge(&[&view.name], seconds(view.expires))?;
        }
        let mut family = Family::open(&mut encoder, LAST_DRILL)?;
        for view in &views {
            if let Some(drill) = &view.standing.progress().drilled {
                family.gauge(&[&view.name, drill.outcome.name()], seconds(drill.at))?;
            }
        }
        let mut family = Family::open(&mut encoder, TRANSITIONS)?;
        let counted = conductor.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for ((migration, event), count) in &*counted {
            family.count(&[migration, event], *count)?;
        }
        let writable = f64::from(conductor.store().health().is_ok());
        Family::open(&mut encoder, STORE_WRITABLE)?.single(writable)
    }
}

fn verdict(verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Pass => 1.0,
        Verdict::Inconclusive => 0.0,
        Verdict::Fail => -1.0,
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.millis() as f64 / 1e3
}
