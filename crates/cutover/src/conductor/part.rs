//! One migration of the ensemble: where it stands, what it is charged with, and what was seen of it.

use super::Charge;
use super::observe::{Counted, Warmth};
use super::preflight::OldWatch;
use crate::engine::{Installed, Running};
use crate::metrics::Reading;
use crate::store::StoreError;
use cutover_core::evidence::{
    Answer, Bar, Baseline, Counts, Coverage, Evidence, Gate, Look, Reach, RouteClass, Slowness,
    Verdict, clean_needed,
};
use cutover_core::migration::{
    Effect, EvidenceHash, Group, Observation, Position, Remedy, Standing, Timestamp, Transition,
    Withdrawal, end_of,
};
use cutover_core::{Percent, Side};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Shown evidence that an approval may still name: at one look a second, several minutes of watching.
const SHOWN: usize = 512;

/// Gates that say something although nobody demands them, if they fail.
const WATCHED: [Gate; 4] = [Gate::Errors, Gate::Fallbacks, Gate::Latency, Gate::Mismatch];

/// One migration.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) charge: Charge,
    standing: Standing,
    evidence: Evidence,
    /// Counters at the last look.
    before: Counted,
    /// Times of `old` when the step began: of its users' requests, and of copies.
    step: [Reading; 2],
    warmth: Warmth,
    old: OldWatch,
    /// Classes, with what was seen and compared of each in this epoch.
    classes: BTreeMap<Box<str>, Class>,
    shown: VecDeque<EvidenceHash>,
    /// The store has refused the last change; said once.
    troubled: bool,
    /// Its counters have been looked at.
    begun: bool,
}

/// What is kept of a migration that is not in the configuration, or was stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// `None`: it has never moved.
    pub(super) standing: Option<Standing>,
    pub(super) evidence: Option<Vec<u64>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Class {
    /// The counter when the epoch began.
    seen_before: u64,
    seen: u64,
    compared: u64,
    /// As the configuration in force says.
    critical: bool,
}

impl Part {
    /// From what is known of it. One that has never moved stands where its configuration says; what is known of its
    /// `old` still counts.
    pub(super) fn new(charge: Charge, known: Known, now: Timestamp) -> Self {
        let moved = known.standing.filter(|standing| standing.generation().0 > 0);
        let has_moved = moved.is_some();
        let standing = moved.unwrap_or_else(|| charge.first_standing(now));
        let epoch = standing.progress().epoch;
        let words = known.evidence.as_deref();
        let restored = words.and_then(|words| Evidence::from_words(words, charge.limits).ok());
        let restored = restored.filter(|evidence| evidence.epoch() == epoch);
        let baseline = restored.map(|evidence| evidence.baseline());
        let baseline = baseline.filter(|baseline| baseline.about() == charge.about_old());
        let evidence = restored.filter(|_| has_moved);
        let evidence =
            evidence.unwrap_or_else(|| Evidence::new(epoch, charge.limits, now.millis()));
        Self {
            standing,
            evidence: evidence.with_baseline(baseline.unwrap_or_default()),
            charge,
            before: Counted::default(),
            step: Default::default(),
            warmth: Warmth::default(),
            old: OldWatch::default(),
            classes: BTreeMap::new(),
            shown: VecDeque::new(),
            troubled: false,
            begun: false,
        }
    }

    /// Another configuration has it too. Evidence goes on; whether it still counts, the fingerprint says at the next
    /// tick.
    pub(super) fn recharged(self, charge: Charge, now: Timestamp) -> Self {
        if !self.has_moved() && self.charge.about() != charge.about() {
            return Self { before: self.before, ..Self::new(charge, Known::default(), now) };
        }
        let standing = if self.has_moved() { self.standing } else { charge.first_standing(now) };
        let evidence = self.evidence.with_limits(charge.limits);
        if self.charge.about_old() == charge.about_old() {
            return Self { charge, standing, evidence, ..self };
        }
        // What is known of the former `old` says nothing of this one, and an order may come before the next look.
        let evidence = evidence.with_baseline(Baseline::default());
        Self { charge, standing, evidence, old: OldWatch::default(), ..self }
    }

    /// Counts from now on: before, its counters may have been those of somebody else.
    pub(super) fn begin(&mut self, current: &Installed) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let Some(running) = running(current, &self.charge.course.name) else { return };
        self.before = Counted::read(running);
        self.standing.counts_from(self.before.served);
        self.step_begins();
        self.count_classes(running, true);
    }

    /// Stands where another process has brought it.
    pub(super) fn restored(&mut self, standing: Standing, words: Option<Vec<u64>>, now: Timestamp) {
        if standing == self.standing {
            return;
        }
        let known = Known { standing: Some(standing), evidence: words };
        let Self { standing, evidence, .. } = Self::new(self.charge.clone(), known, now);
        (self.standing, self.evidence, self.begun) = (standing, evidence, false);
        // The other process counted for itself.
        self.standing.counts_from(self.before.served);
        self.shown.clear();
    }

    fn step_begins(&mut self) {
        let old = Side::Old as usize;
        self.step = [self.before.times[old].clone(), self.before.copied_times[old].clone()];
    }

    /// As it is kept while the configuration does not have it.
    pub(super) fn stored(self) -> Known {
        Known { evidence: Some(self.evidence.words()), standing: Some(self.standing) }
    }

    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The backend that has to be watched, because nothing goes forward without it.
    pub(super) fn watched<'i>(&self, current: &'i Installed) -> Option<&'i str> {
        let snapshot = current.snapshot();
        let mut all = snapshot.migrations().iter().filter(|_| self.position() == Position::Off);
        let migration = all.find(|known| *known.name == *self.charge.course.name)?;
        Some(&snapshot.backend(migration.old).name)
    }

    /// Records what has happened since the last look; and how its `old` can be reached, if that is known.
    pub(super) fn look(&mut self, current: &Arc<Installed>, reach: Option<Reach>, now: Timestamp) {
        let Some(running) = running(current, &self.charge.course.name) else { return };
        let counted = Counted::read(running);
        let on_trial = self.position().is_on_trial();
        self.evidence.record(&counted.since(&self.before, on_trial), now.millis());
        self.look_at_times(&counted, now);
        self.warmth.look(&counted, &self.before);
        let asked = counted.asked_of_old_since(&self.before);
        self.old.look(asked, reach, now.millis());
        if self.position() == Position::Off {
            self.evidence.record_old(self.charge.about_old(), asked, now.millis());
        }
        self.count_classes(running, false);
        self.before = counted;
    }

    /// The control are requests that `old` answers meanwhile: those of its users, or copies where it has none.
    fn look_at_times(&mut self, counted: &Counted, now: Timestamp) {
        let (old, new) = (Side::Old as usize, Side::New as usize);
        let share = self.standing.traffic().read_percent;
        let times = |copied: bool| if copied { &counted.copied_times } else { &counted.times };
        let before = |copied: bool| {
            if copied { &self.before.copied_times } else { &self.before.times }
        };
        let copied = share == Percent::FULL;
        if self.evidence.bar().is_none() {
            let control: Vec<_> =
                times(copied)[old].since(&self.step[usize::from(copied)]).collect();
            // It says itself how many it lacks.
            let _ = self.evidence.set_bar(&control);
        }
        let Some(bar) = self.evidence.bar() else { return };
        let copied = share == Percent::ZERO;
        let slowness = held(&bar, times(copied)[new].since(&before(copied)[new]));
        self.evidence.record_times(&bar, slowness, now.millis());
    }

    /// What users asked for and what was compared. `anew`: it counts from now on.
    fn count_classes(&mut self, running: &Running, anew: bool) {
        let compared = running.shadow.compared_classes();
        self.classes.values_mut().for_each(|known| known.critical = false);
        for class in running.classes.iter() {
            let seen = class.meter.seen();
            let known = self.classes.entry(class.name.clone()).or_default();
            // What was compared begins anew by itself.
            let found = compared.iter().find(|known| known.name == class.name);
            known.compared = found.map_or(0, |known| known.compared);
            known.seen = seen;
            // Routes that differ in headers only are one class.
            known.critical |= class.critical;
            if anew {
                known.seen_before = seen;
            }
        }
    }

    /// Another generation is in force: who still waits for `new`?
    pub(super) fn in_force(&mut self, current: &Installed) {
        if let Some(running) = running(current, &self.charge.course.name) {
            self.before.open_on_new = running.meter.open_on_new.load(Relaxed);
        }
    }

    /// The evidence after a transition.
    pub(super) fn evidence_after(&self, transition: &Transition, now: Timestamp) -> Evidence {
        let mut evidence = self.evidence;
        for effect in &transition.effects {
            match effect {
                Effect::RestartEvidence(epoch) => {
                    evidence = Evidence::new(*epoch, self.charge.limits, now.millis());
                }
                Effect::BeginStep => evidence.begin_step(),
                Effect::Record
                | Effect::Install(_)
                | Effect::AwaitInForce(_)
                | Effect::Alert(_)
                | _ => {}
            }
        }
        evidence
    }

    /// A transition has been written.
    pub(super) fn stands(&mut self, standing: Standing, evidence: Evidence) {
        let new_step = self.evidence.bar().is_some() && evidence.bar().is_none();
        (self.standing, self.evidence, self.troubled) = (standing, evidence, false);
        if new_step {
            self.step_begins();
        }
    }

    /// Evidence begins anew, once what it is about is in force: whatever was under way before, or was counted since the
    /// last look, does not belong to it.
    pub(super) fn begins_anew(&mut self, current: &Installed) {
        self.shown.clear();
        if let Some(running) = running(current, &self.charge.course.name) {
            running.shadow.restart();
            self.before = Counted::read(running);
            self.count_classes(running, true);
        }
        self.step_begins();
    }

    /// Everything the state machine may look at.
    pub(super) fn observation(&self, group: Group, now: Timestamp) -> Observation {
        let epoch = self.standing.progress().epoch;
        let readings = self.answers(now).into_iter().filter_map(|answer| {
            let demanded = self.demands(answer.gate);
            let counts = demanded || answer.verdict() == Verdict::Fail;
            let mut reading = cutover_core::migration::Reading::of(&answer, epoch)?;
            if reading.remedy == Remedy::RollBack && !self.charge.rollback {
                reading.remedy = Remedy::Latch;
            }
            counts.then_some(reading)
        });
        let stopped = self.evidence.hard_stop().filter(|_| self.charge.rollback);
        // Where something has failed, prudence has nothing to add.
        let failed = self.evidence.failed().next().is_some();
        let precaution = self.evidence.precautions(now.millis()).next().filter(|_| !failed);
        Observation {
            gates: readings.collect(),
            kill: stopped.map(|seen| {
                let (bad, all) = (seen.bad(), seen.n());
                format!("{bad} of {all} requests on new failed within five seconds").into()
            }),
            precaution: precaution.map(|gate| {
                let look = Look { now_ms: now.millis(), ..Look::default() };
                self.evidence.answer(gate, &look).to_string().into()
            }),
            evidence: self.hash(),
            shown: self.shown.iter().copied().collect(),
            heard: self.evidence.observed_ms().map(Timestamp::from_millis),
            begun: Timestamp::from_millis(self.evidence.since_ms()),
            comparisons_needed: self
                .demands(Gate::Mismatch)
                .then(|| clean_needed(Counts::NONE, self.charge.limits.mismatch))
                .flatten(),
            in_force: self.standing.generation(),
            open_on_new: self.before.open_on_new,
            old_is_cold: self.warmth.old_is_cold(),
            fingerprint: self.charge.fingerprint,
            served: self.before.served,
            group,
        }
    }

    /// Does the next move wait for it, or one after that?
    fn demands(&self, gate: Gate) -> bool {
        let course = &self.charge.course;
        let named = |gates: &[Box<str>]| gates.iter().any(|name| **name == *gate.name());
        if Gate::PREFLIGHT.contains(&gate) {
            return self.position() == Position::Off && named(&course.preflight);
        }
        named(&course.gates)
    }

    /// What the gates say: those that are demanded, and those that are always watched.
    pub(super) fn answers(&self, now: Timestamp) -> Vec<Answer> {
        let coverage = self.coverage();
        let drilled = self.standing.progress().drilled.as_ref();
        let look = Look {
            now_ms: now.millis(),
            coverage: Some(&coverage),
            drilled_ms: drilled.map(|record| record.at.millis()),
            old: self.old.now(),
        };
        let asked =
            Gate::ALL.into_iter().filter(|gate| self.demands(*gate) || WATCHED.contains(gate));
        asked.map(|gate| self.evidence.answer(gate, &look)).collect()
    }

    /// Slower than this counts against `new`.
    pub(super) fn slow(&self) -> Option<Duration> {
        self.evidence.bar().map(|bar| Duration::from_micros(bar.slow_us()))
    }

    /// What the gates say, for the audit log.
    pub(super) fn sentences(&self, now: Timestamp) -> Vec<Box<str>> {
        let answers = self.answers(now);
        answers.iter().map(|answer| answer.to_string().into_boxed_str()).collect()
    }

    fn coverage(&self) -> Coverage {
        let classes = self.classes.iter().map(|(name, class)| {
            let Class { seen_before, seen, compared, critical } = *class;
            RouteClass { name, seen: seen.saturating_sub(seen_before), compared, critical }
        });
        classes.collect()
    }

    /// Digest of everything the gates look at.
    fn hash(&self) -> EvidenceHash {
        let mut digest = Sha256::new();
        self.evidence.words().iter().for_each(|word| digest.update(word.to_le_bytes()));
        digest.update(self.standing.progress().fingerprint.0);
        for (name, class) in &self.classes {
            digest.update(name.as_bytes());
            let counts = [class.seen_before, class.seen, class.compared, u64::from(class.critical)];
            counts.iter().for_each(|count| digest.update(count.to_le_bytes()));
        }
        EvidenceHash(digest.finalize().into())
    }

    /// Somebody sees the present evidence.
    pub(super) fn show(&mut self) {
        let hash = self.hash();
        if self.shown.back() != Some(&hash) {
            self.shown.push_back(hash);
        }
        if self.shown.len() > SHOWN {
            self.shown.pop_front();
        }
    }

    /// A change could not be written. Said once, and again after one that could.
    pub(super) fn troubled(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.troubled, true) {
            let migration = &*self.charge.course.name;
            tracing::error!(migration, %error, "a change could not be written, and was not made");
        }
    }

    fn position(&self) -> Position {
        self.standing.progress().position
    }

    /// Is `new` asked anything on behalf of users, or may it be at any moment?
    pub(super) fn is_moving(&self) -> bool {
        self.position().is_judged()
    }

    pub(super) fn has_moved(&self) -> bool {
        self.standing.generation().0 > 0
    }

    pub(super) fn has_canary(&self) -> bool {
        let progress = self.standing.progress();
        matches!(progress.position, Position::Canary(_))
            && !matches!(progress.withdrawal, Withdrawal::Whole(_))
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        let progress = self.standing.progress();
        let over = matches!(progress.position, Position::Complete | Position::Retired);
        !over && (progress.expired.is_some() || now >= end_of(&self.charge.course, progress))
    }
}

fn running<'i>(current: &'i Installed, migration: &str) -> Option<&'i Running> {
    let at = current.snapshot().migrations().iter().position(|known| *known.name == *migration)?;
    current.running().get(at)
}

fn held(bar: &Bar, times: impl Iterator<Item = (u64, u64)>) -> Slowness {
    let mut slowness = Slowness::default();
    for (micros, count) in times {
        slowness.n += count;
        slowness.slow += if micros > bar.slow_us() { count } else { 0 };
        slowness.very_slow += if micros > bar.very_slow_us() { count } else { 0 };
    }
    slowness
}
