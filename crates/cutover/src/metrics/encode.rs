//! Writes the book down at a scrape.

use super::book::{Book, Meters, REFUSALS};
use super::histogram::Histogram;
use super::meter::{Answerer, CAUSES, CODE_CLASSES, FAULTS, HOOKS};
use super::*;
use crate::engine::Installed;
use crate::mirror::{CLASSES, RESULTS, SHEDS};
use crate::{BreakerState, Side};
use cutover_core::{Percent, Phase};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static SECONDS: Unit = Unit::Seconds;

const PHASES: [Phase; 9] = [
    Phase::Off,
    Phase::Sync,
    Phase::Shadow,
    Phase::Canary,
    Phase::ReadsNew,
    Phase::Cutover,
    Phase::NewPrimary,
    Phase::Complete,
    Phase::Retired,
];

impl Collector for Book {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        {
            let meters = self.meters();
            migrations(&mut encoder, &meters)?;
            shadows(&mut encoder, &meters)?;
            routes(&mut encoder, &meters)?;
            plugins(&mut encoder, &meters)?;
        }
        let mut refused = Family::open(&mut encoder, REFUSED)?;
        for (reason, count) in REFUSALS.iter().zip(&self.refused) {
            refused.counter(&[reason], count)?;
        }
        self.reloads(&mut encoder, current.as_deref())?;
        if let Some(current) = current.as_deref() {
            migration_gauges(&mut encoder, current)?;
            let mut quarantined = Family::open(&mut encoder, PLUGIN_QUARANTINED)?;
            for plugin in current.plugins() {
                let left_alone = f64::from(plugin.state != "serving");
                quarantined.gauge(&[&plugin.migration, &plugin.plugin], left_alone)?;
            }
        }
        let mut instances = Family::open(&mut encoder, PLUGIN_INSTANCES)?;
        for (number, plugins) in &generations {
            let live = plugins.upgrade().map_or(0, |plugins| plugins.live());
            instances.gauge(&[&number.to_string()], live as f64)?;
        }
        Family::open(&mut encoder, PLUGIN_INSTANCES_LIVE)?.single(self.host.live() as f64)
    }
}

impl Book {
    fn reloads(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        current: Option<&Installed>,
    ) -> fmt::Result {
        let generation = current.map_or(0, |current| current.generation().0);
        Family::open(encoder, CONFIG_GENERATION)?.single(generation as f64)?;
        let succeeded = f64::from(self.last_reload_succeeded.load(Relaxed));
        Family::open(encoder, CONFIG_LAST_RELOAD_SUCCESS)?.single(succeeded)?;
        let at_s = self.last_install_s.load(Relaxed) as f64;
        Family::open(encoder, CONFIG_LAST_RELOAD)?.single(at_s)?;
        let mut reloads = Family::open(encoder, CONFIG_RELOADS)?;
        reloads.counter(&["installed"], &self.installs)?;
        reloads.counter(&["refused"], &self.refusals)
    }
}

fn migrations(encoder: &mut DescriptorEncoder<'_>, meters: &Meters) -> fmt::Result {
    let mut family = Family::open(encoder, REQUESTS)?;
    for (name, meter) in &meters.migrations {
        for answerer in Answerer::ALL {
            let (side, role) = answerer.labels();
            for (class, count) in CODE_CLASSES.iter().zip(meter.ends(answerer)) {
                family.count(&[name, side, role, class], count)?;
            }
        }
    }
    let mut family = Family::open(encoder, REQUEST_DURATION)?;
    for (name, meter) in &meters.migrations {
        for answerer in Answerer::ALL {
            let (side, role) = answerer.labels();
            family.histogram(&[name, side, role], &meter.durations[answerer as usize])?;
        }
    }
    let mut family = Family::open(encoder, FAILED_ATTEMPTS)?;
    for (name, meter) in &meters.migrations {
        for side in [Side::Old, Side::New] {
            for (cause, count) in CAUSES.iter().zip(&meter.failed_attempts[side as usize]).take(4) {
                family.counter(&[name, side.name(), cause.name()], count)?;
            }
        }
    }
    let mut family = Family::open(encoder, FALLBACK)?;
    for (name, meter) in &meters.migrations {
        for (cause, count) in CAUSES.iter().zip(&meter.fallbacks) {
            family.counter(&[name, cause.name()], count)?;
        }
    }
    let mut family = Family::open(encoder, BREAKER_OPENED)?;
    for (name, meter) in &meters.migrations {
        family.counter(&[name], &meter.breaker_opened)?;
    }
    Ok(())
}

fn routes(encoder: &mut DescriptorEncoder<'_>, meters: &Meters) -> fmt::Result {
    let mut family = Family::open(encoder, ROUTE_REQUESTS)?;
    for (backend, meter) in &meters.routes {
        for (class, count) in CODE_CLASSES.iter().zip(&meter.requests) {
            family.counter(&[backend, class], count)?;
        }
    }
    let mut family = Family::open(encoder, ROUTE_REQUEST_DURATION)?;
    for (backend, meter) in &meters.routes {
        family.histogram(&[backend], &meter.duration)?;
    }
    Ok(())
}

fn shadows(encoder: &mut DescriptorEncoder<'_>, meters: &Meters) -> fmt::Result {
    let mut family = Family::open(encoder, SHADOW_PICKED)?;
    for (name, shadow) in &meters.shadows {
        family.counter(&[name], &shadow.picked)?;
    }
    let mut family = Family::open(encoder, SHADOW_REQUESTS)?;
    for (name, shadow) in &meters.shadows {
        for side in [Side::Old, Side::New] {
            for (class, count) in CLASSES.iter().zip(&shadow.ended[side as usize]) {
                family.counter(&[name, side.name(), class], count)?;
            }
        }
    }
    let mut family = Family::open(encoder, SHADOW_DROPPED)?;
    for (name, shadow) in &meters.shadows {
        for (reason, count) in SHEDS.iter().zip(&shadow.shed) {
            family.counter(&[name, reason], count)?;
        }
    }
    let mut family = Family::open(encoder, SHADOW_HEADER_DURATION)?;
    for (name, shadow) in &meters.shadows {
        for side in [Side::Old, Side::New] {
            family.histogram(&[name, side.name()], &shadow.headers[side as usize])?;
        }
    }
    let mut family = Family::open(encoder, SHADOW_IN_FLIGHT)?;
    for (name, shadow) in &meters.shadows {
        family.gauge(&[name], shadow.in_flight() as f64)?;
    }
    let mut family = Family::open(encoder, SHADOW_MEMORY)?;
    for (name, shadow) in &meters.shadows {
        family.gauge(&[name], shadow.memory() as f64)?;
    }
    let mut family = Family::open(encoder, COMPARISONS)?;
    for (name, shadow) in &meters.shadows {
        for (result, count) in RESULTS.iter().zip(&shadow.results) {
            family.counter(&[name, result], count)?;
        }
    }
    Ok(())
}

fn plugins(encoder: &mut DescriptorEncoder<'_>, meters: &Meters) -> fmt::Result {
    let mut family = Family::open(encoder, PLUGIN_CALLS)?;
    for ((migration, plugin), meter) in &meters.plugins {
        for (hook, count) in HOOKS.iter().zip(&meter.calls) {
            family.counter(&[migration, plugin, hook], count)?;
        }
    }
    let mut family = Family::open(encoder, PLUGIN_FAULTS)?;
    for ((migration, plugin), meter) in &meters.plugins {
        for (kind, count) in FAULTS.iter().zip(&meter.faults) {
            family.counter(&[migration, plugin, kind], count)?;
        }
    }
    let mut family = Family::open(encoder, PLUGIN_CALL_DURATION)?;
    for ((migration, plugin), meter) in &meters.plugins {
        let hooks = HOOKS.iter().zip(&meter.durations).zip(&meter.calls);
        // A plugin has one hook or two; the others would be a dozen series each for ever.
        for ((hook, duration), _) in hooks.filter(|(_, calls)| calls.load(Relaxed) > 0) {
            family.histogram(&[migration, plugin, hook], duration)?;
        }
    }
    Ok(())
}

fn migration_gauges(encoder: &mut DescriptorEncoder<'_>, current: &Installed) -> fmt::Result {
    let all = current.snapshot().migrations();
    let mut family = Family::open(encoder, BREAKER_STATE)?;
    for (migration, running) in all.iter().zip(current.running()) {
        let state = match running.breaker.state() {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        };
        family.gauge(&[&migration.name], state)?;
    }
    let mut family = Family::open(encoder, READ_PERCENT)?;
    for migration in all {
        family.gauge(&[&migration.name], percent(migration.state.read_percent))?;
    }
    let mut family = Family::open(encoder, MIRROR_PERCENT)?;
    for migration in all {
        family.gauge(&[&migration.name], percent(migration.state.mirror_percent))?;
    }
    let mut family = Family::open(encoder, WRITE_OWNER)?;
    for migration in all {
        for side in [Side::Old, Side::New] {
            let owns = f64::from(migration.state.write_owner == side);
            family.gauge(&[&migration.name, side.name()], owns)?;
        }
    }
    let mut family = Family::open(encoder, PHASE)?;
    for migration in all {
        for phase in PHASES {
            let is_in = f64::from(migration.phase == phase);
            family.gauge(&[&migration.name, phase.name()], is_in)?;
        }
    }
    let mut family = Family::open(encoder, KILLED)?;
    for migration in all {
        let killed = f64::from(migration.disabled || migration.rolled_back);
        family.gauge(&[&migration.name], killed)?;
    }
    Ok(())
}

fn percent(percent: Percent) -> f64 {
    f64::from(percent.thousandths()) / 1_000.0
}

/// One metric being written.
pub(crate) struct Family<'e> {
    metric: Metric,
    encoder: MetricEncoder<'e>,
}

impl<'e> Family<'e> {
    pub(crate) fn open(
        encoder: &'e mut DescriptorEncoder<'_>,
        metric: Metric,
    ) -> Result<Self, fmt::Error> {
        let kind = match metric.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        let unit = metric.unit.map(|_| &SECONDS);
        let encoder = encoder.encode_descriptor(metric.name, metric.meaning, unit, kind)?;
        Ok(Self { metric, encoder })
    }

    /// The only sample of a metric without labels.
    pub(crate) fn single(self, value: f64) -> fmt::Result {
        ConstGauge::new(value).encode(self.encoder)
    }

    fn counter(&mut self, values: &[&str], count: &AtomicU64) -> fmt::Result {
        self.count(values, count.load(Relaxed))
    }

    pub(crate) fn count(&mut self, values: &[&str], count: u64) -> fmt::Result {
        self.sample(values, &ConstCounter::new(count))
    }

    pub(crate) fn gauge(&mut self, values: &[&str], value: f64) -> fmt::Result {
        self.sample(values, &ConstGauge::new(value))
    }

    fn sample(&mut self, values: &[&str], sample: &impl EncodeMetric) -> fmt::Result {
        let labels: Vec<_> =
            self.metric.labels.iter().copied().zip(values.iter().copied()).collect();
        sample.encode(self.encoder.encode_family(&labels)?)
    }

    fn histogram(&mut self, values: &[&str], histogram: &Histogram) -> fmt::Result {
        let labels: Vec<_> =
            self.metric.labels.iter().copied().zip(values.iter().copied()).collect();
        let reading = histogram.read();
        self.encoder.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
            reading.sum_s,
            reading.count,
            &reading.buckets,
            None,
        )
    }
}
