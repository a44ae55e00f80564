//! The conductor: moves migrations under live traffic. One for a process, beside the [`Engine`].
//!
//! What to do is decided by the state machine of [`core::migration`](crate::core::migration), which is pure. Here it
//! is fed and obeyed. For one migration at a time, under one mutex that no request ever takes:
//!
//! ```text
//! observe -> step, or apply an order -> commit to the store -> put in force
//! ```
//!
//! Call [`Conductor::tick`] once a second, also when nothing happens: silence is an observation too. People's orders go
//! to [`Conductor::order`]. What is not written in the store has not happened: if a commit fails, traffic stays as it
//! is.
//!
//! A configuration says how migrations move ([`Charge`]); where they stand is the store's to say, once they have moved.
//! [`Conductor::adopt`] brings both together whenever a configuration is installed.

mod charge;
mod measured;
mod observe;
mod part;
mod preflight;
mod view;

pub use charge::{Charge, charges};
pub use view::{Done, Happened, OrderError, View};

use crate::engine::{Engine, Installed};
use crate::store::{AuditRecord, Commit, Receipt, Store, StoreError, Verified};
use crate::{Clock, Migration};
use cutover_core::evidence::Reach;
use cutover_core::migration::{
    Actor, Cause, Effect, Event, Group, Moment, Order, Plan, Step, Timestamp, Transition,
    Withdrawal, apply, plan, step,
};
use part::{Known, Part};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ticks between two saves of the evidence.
const SAVE_EVERY: u64 = 10;

/// Changes of one migration that follow one another without a pause at most; more wait for the next tick.
const STEPS_AT_ONCE: usize = 8;

/// Where standings are put in force: an [`Engine`], or what a gateway builds around it.
pub trait Stage: fmt::Debug + Send + Sync {
    /// The generation in force.
    fn current(&self) -> Arc<Installed>;

    /// Puts the generation in force once more, with migrations that stand elsewhere.
    fn restate(&self, restate: &mut dyn FnMut(&mut Migration));

    /// How a backend of the generation in force can be reached, by its name; `None`: that is not known here.
    fn reach(&self, _backend: &str) -> Option<Reach> {
        None
    }
}

impl Stage for Engine {
    fn current(&self) -> Arc<Installed> {
        Self::current(self)
    }

    fn restate(&self, restate: &mut dyn FnMut(&mut Migration)) {
        Self::restate(self, restate);
    }
}

/// Moves migrations. Share it in an [`Arc`].
#[derive(Debug)]
pub struct Conductor {
    stage: Arc<dyn Stage>,
    /// Exchanged only when it is opened again.
    store: Mutex<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    ensemble: Mutex<Ensemble>,
    listeners: Mutex<Listeners>,
    /// Changes since the process began, by migration and event.
    counted: Mutex<BTreeMap<(Box<str>, &'static str), u64>>,
}

/// All migrations of the configuration, and what the store knows of others.
#[derive(Debug, Default)]
struct Ensemble {
    parts: Vec<Part>,
    /// Not in the configuration, or not yet.
    absent: BTreeMap<Box<str>, Known>,
    ticks: u64,
}

type Listener = Box<dyn Fn(&Happened) + Send + Sync>;

#[derive(Default)]
struct Listeners(Vec<Listener>);

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

impl Conductor {
    /// With what the store knows, and nothing in force yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn new(
        stage: Arc<dyn Stage>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let loaded = store.load()?;
        let mut absent: BTreeMap<_, Known> = BTreeMap::new();
        for (name, standing) in loaded.standings {
            absent.entry(name).or_default().standing = Some(standing);
        }
        for (name, words) in loaded.evidence {
            absent.entry(name).or_default().evidence = Some(words);
        }
        let ensemble = Ensemble { absent, ..Ensemble::default() };
        Ok(Self {
            stage,
            store: Mutex::new(store),
            clock,
            ensemble: Mutex::new(ensemble),
            listeners: Mutex::default(),
            counted: Mutex::default(),
        })
    }

    /// Takes over a configuration's migrations. `install` puts the configuration in force, and is given what says to
    /// each of its migrations where it stands; nothing moves meanwhile.
    pub fn adopt<T>(
        &self,
        charges: Vec<Charge>,
        install: impl FnOnce(&mut dyn FnMut(&mut Migration)) -> T,
    ) -> T {
        let now = self.now();
        let mut ensemble = self.lock();
        let Ensemble { parts, absent, .. } = &mut *ensemble;
        let mut present: BTreeMap<Box<str>, Part> = std::mem::take(parts)
            .into_iter()
            .map(|part| (part.charge.course.name.clone(), part))
            .collect();
        for charge in charges {
            let name = &charge.course.name;
            let (part, known) = (present.remove(name), absent.remove(name));
            parts.push(match part {
                Some(part) => part.recharged(charge, now),
                None => Part::new(charge, known.unwrap_or_default(), now),
            });
        }
        absent.extend(present.into_iter().map(|(name, part)| (name, part.stored())));
        let installed = install(&mut |migration| put_in_force(parts, migration));
        let current = self.stage.current();
        parts.iter_mut().for_each(|part| part.begin(&current));
        installed
    }

    /// Observes every migration, and does what is to be done by itself.
    pub fn tick(&self) {
        let now = self.now();
        let mut ensemble = self.lock();
        let current = self.stage.current();
        for at in 0..ensemble.parts.len() {
            let watched = ensemble.parts[at].watched(&current);
            let reach = watched.and_then(|backend| self.stage.reach(backend));
            ensemble.parts[at].look(&current, reach, now);
            self.go_on(&mut ensemble, at);
        }
        ensemble.ticks += 1;
        if ensemble.ticks.is_multiple_of(SAVE_EVERY) {
            self.save(&ensemble);
        }
    }

    /// Does what a person ordered. When it returns, it is written and in force.
    ///
    /// # Errors
    /// If it is refused, or cannot be written. Nothing has changed then.
    pub fn order(&self, migration: &str, order: &Order) -> Result<Done, OrderError> {
        let began = self.clock.now();
        let mut ensemble = self.lock();
        let now = self.now();
        let at = ensemble.find(migration)?;
        let transition = ensemble.asked(at, now, |moment| apply(moment, order))?;
        let (entry, warnings) = (transition.entry.clone(), transition.warnings.clone());
        let receipt = self.carry_out(&mut ensemble, at, transition)?;
        let took = self.clock.now().saturating_duration_since(began);
        // What follows from it at once, such as that all reads of a drill are on `old`.
        self.go_on(&mut ensemble, at);
        Ok(Done { entry, warnings, receipt, took })
    }

    /// What an order would do now, without doing it.
    ///
    /// # Errors
    /// If it would be refused for more than what the plan lists as missing.
    pub fn plan(&self, migration: &str, order: &Order) -> Result<Plan, OrderError> {
        let ensemble = self.lock();
        let at = ensemble.find(migration)?;
        Ok(ensemble.asked(at, self.now(), |moment| plan(moment, order))?)
    }

    /// A migration as `person` sees it. The evidence it shows is from now on evidence that an approval may name.
    pub fn view(&self, migration: &str, person: &Actor) -> Option<View> {
        let mut ensemble = self.lock();
        let at = ensemble.find(migration).ok()?;
        Some(self.shown(&mut ensemble, at, person))
    }

    /// All migrations, in the order of the configuration.
    pub fn views(&self, person: &Actor) -> Vec<View> {
        let mut ensemble = self.lock();
        (0..ensemble.parts.len()).map(|at| self.shown(&mut ensemble, at, person)).collect()
    }

    /// All migrations as cutover itself sees them, for programs: no person has seen this evidence.
    pub fn glance(&self) -> Vec<View> {
        let ensemble = self.lock();
        let parts = 0..ensemble.parts.len();
        parts.map(|at| self.seen(&ensemble, at, &Actor::automation())).collect()
    }

    fn shown(&self, ensemble: &mut Ensemble, at: usize, person: &Actor) -> View {
        ensemble.parts[at].show();
        self.seen(ensemble, at, person)
    }

    fn seen(&self, ensemble: &Ensemble, at: usize, person: &Actor) -> View {
        let part = &ensemble.parts[at];
        let view = ensemble.asked(at, self.now(), |moment| View::of(part, moment, person));
        View { trouble: self.store().health().err().map(|error| error.to_string()), ..view }
    }

    /// May its users, key, salt and backends not be exchanged, because reads may be on `new`?
    pub fn is_moving(&self, migration: &str) -> bool {
        let ensemble = self.lock();
        ensemble.find(migration).is_ok_and(|at| ensemble.parts[at].is_moving())
    }

    /// Has it moved, so that the configuration's first state counts no more?
    pub fn has_moved(&self, migration: &str) -> bool {
        let ensemble = self.lock();
        ensemble.find(migration).is_ok_and(|at| ensemble.parts[at].has_moved())
    }

    /// Tells of every transition from now on, after it is in force. Called with the conductor's mutex held: pass it on,
    /// and come back.
    pub fn listen(&self, listener: impl Fn(&Happened) + Send + Sync + 'static) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.0.push(Box::new(listener));
    }

    /// Records of the audit log from a number on, of all migrations or of one.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn audit(
        &self,
        from: u64,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.store().audit(from, limit, migration)
    }

    /// The last records of the audit log, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn recent(
        &self,
        limit: usize,
        migration: Option<&str>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.store().recent(limit, migration)
    }

    /// Reads the whole audit log and holds it against its hashes.
    ///
    /// # Errors
    /// If it is broken, with the first record that is wrong, or cannot be read.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        self.store().verify()
    }

    /// Writes what is not written yet and lets go of the store, so that another process can have it. Orders and steps
    /// are refused from now on; traffic stays as it is.
    ///
    /// # Errors
    /// If something could not be written.
    pub fn close(&self) -> Result<(), StoreError> {
        let ensemble = self.lock();
        self.save(&ensemble);
        self.store().close()
    }

    /// Goes on with the store of another process that had it meanwhile, and puts in force what that one has done.
    ///
    /// # Errors
    /// If the store cannot be read; everything stays as it is then.
    pub fn reopen(&self, store: Arc<dyn Store>) -> Result<(), StoreError> {
        let mut loaded = store.load()?;
        let mut ensemble = self.lock();
        for part in &mut ensemble.parts {
            let name = &part.charge.course.name;
            if let Some(standing) = loaded.standings.remove(name) {
                let words = loaded.evidence.remove(name);
                part.restored(standing, words, self.now());
            }
        }
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = store;
        self.stage.restate(&mut |migration| put_in_force(&ensemble.parts, migration));
        Ok(())
    }

    /// Does what a migration is to do by itself now.
    fn go_on(&self, ensemble: &mut Ensemble, at: usize) {
        for _ in 0..STEPS_AT_ONCE {
            let Some(transition) = due(ensemble, at, self.now()) else { break };
            if let Err(error) = self.carry_out(ensemble, at, transition) {
                ensemble.parts[at].troubled(&error);
                break;
            }
        }
    }

    /// Commits a transition, and only then does it.
    fn carry_out(
        &self,
        ensemble: &mut Ensemble,
        at: usize,
        transition: Transition,
    ) -> Result<Receipt, StoreError> {
        let now = self.now();
        let part = &mut ensemble.parts[at];
        let evidence = part.evidence_after(&transition, now);
        let commit = Commit::of(&transition, part.sentences(now), Some(evidence.words()));
        let receipt = self.store().commit(&commit)?;
        let Transition { entry, standing, effects, .. } = transition;
        part.stands(standing, evidence);
        for effect in effects {
            match effect {
                Effect::Install(_) => {
                    self.stage.restate(&mut |migration| put_in_force(&ensemble.parts, migration));
                    ensemble.parts[at].in_force(&self.stage.current());
                }
                Effect::Alert(what) => tracing::warn!(migration = &*entry.migration, "{what}"),
                Effect::RestartEvidence(_) => {
                    ensemble.parts[at].begins_anew(&self.stage.current());
                }
                // Done above, or true as soon as it is in force: there is one process.
                Effect::Record | Effect::BeginStep | Effect::AwaitInForce(_) | _ => {}
            }
        }
        tracing::info!(
            migration = &*entry.migration, event = entry.event.name(), by = %entry.by,
            from = %entry.from, to = %entry.to, generation = %entry.generation, audit = %receipt,
            "migration moved: {}", entry.why,
        );
        self.count(&entry.migration, entry.event.name());
        let happened = Happened { entry, receipt };
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.0.iter().for_each(|listener| listener(&happened));
        Ok(receipt)
    }

    fn save(&self, ensemble: &Ensemble) {
        let words = |part: &Part| (part.charge.course.name.clone(), part.evidence().words());
        let all: Vec<_> = ensemble.parts.iter().map(words).collect();
        if let Err(error) = self.store().save_evidence(&all) {
            tracing::debug!(%error, "evidence not saved");
        }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.unix_ms())
    }

    fn lock(&self) -> MutexGuard<'_, Ensemble> {
        self.ensemble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put_in_force(parts: &[Part], migration: &mut Migration) {
    let mut parts = parts.iter();
    if let Some(part) = parts.find(|part| part.charge.course.name == migration.name) {
        part.standing().put_in_force(migration);
    }
}

/// What a migration is to do by itself now.
fn due(ensemble: &Ensemble, at: usize, now: Timestamp) -> Option<Transition> {
    match ensemble.asked(at, now, step) {
        Step::Go(transition) => {
            let moved = ensemble.parts[at].has_moved();
            (moved || protects(&transition)).then_some(*transition)
        }
        Step::Stay(_) => None,
    }
}

/// Until a migration has moved, the configuration says where it stands: cutover then only takes reads back, or takes the
/// steps it was told to take. Whatever else there is to notice holds people up anyway as long as it is so.
fn protects(transition: &Transition) -> bool {
    let withdraws = transition.standing.progress().withdrawal != Withdrawal::None;
    withdraws || matches!(transition.entry.event, Event::Noticed(Cause::Due))
}

impl Ensemble {
    fn find(&self, migration: &str) -> Result<usize, OrderError> {
        let at = self.parts.iter().position(|part| *part.charge.course.name == *migration);
        at.ok_or_else(|| OrderError::Unknown {
            asked: migration.into(),
            known: self.parts.iter().map(|part| part.charge.course.name.clone()).collect(),
        })
    }

    /// Puts a question about a migration to the state machine.
    fn asked<T>(&self, at: usize, now: Timestamp, ask: impl FnOnce(&Moment<'_>) -> T) -> T {
        let part = &self.parts[at];
        let seen = part.observation(self.group_of(at, now), now);
        ask(&Moment { course: &part.charge.course, standing: part.standing(), seen: &seen, now })
    }

    /// What the others of its group do.
    fn group_of(&self, at: usize, now: Timestamp) -> Group {
        let Some(group) = &self.parts[at].charge.group else { return Group::default() };
        let others = self.parts.iter().enumerate();
        let others = others
            .filter(|(other, part)| *other != at && part.charge.group.as_ref() == Some(group));
        let mut found = Group::default();
        for (_, part) in others {
            let name = || Some(part.charge.course.name.clone());
            if part.has_canary() {
                found.canary = found.canary.or_else(name);
            }
            if part.is_expired(now) {
                found.expired = found.expired.or_else(name);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
