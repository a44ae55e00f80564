//! The snapshot: everything a request can see, compiled and immutable; replaced whole, never
//! edited.

use crate::backend::Backend;
use crate::decide::{AskSplit, Decision, Reason, Refusal, Side, Step, Unwatched, Witness, choose};
use crate::edit::Edits;
use crate::fallback::is_safe;
use crate::route::{Match, RouteError, RouteSpec, RouteTable, RouteTableBuilder};
use crate::{BackendId, Migration, MigrationId, PlaceId, RequestView, RouteId};
use http::HeaderName;
use std::sync::Arc;

/// Everything a request can see. Built by [`SnapshotBuilder`].
#[derive(Clone, Debug)]
pub struct Snapshot {
    map: Arc<Map>,
    migrations: Box<[Migration]>,
}

/// What stays when a migration moves; shared by all snapshots of one configuration.
#[derive(Debug)]
struct Map {
    routes: RouteTable,
    /// What a decision needs of each target, kept small: with 100,000 routes the targets themselves
    /// fit no cache.
    leads: Box<[Lead]>,
    targets: Box<[Target]>,
    backends: Box<[Backend]>,
    places: Box<[Place]>,
}

/// What happens to a request that a route matched.
#[derive(Clone, Debug)]
pub enum Target {
    /// It goes to a backend.
    Backend(BackendId, Edits),
    /// It belongs to a migration; `write` makes safe methods count as writes too.
    Migration {
        /// Which.
        id: MigrationId,
        /// Declared as a write.
        write: bool,
        /// Declared fit to be copied to the other side, or unfit; `None`: safe methods are.
        mirror: Option<bool>,
        /// Its reads must have been compared before users read from `new`, however rare they are.
        critical: bool,
    },
}

/// A [`Target`] without its edits.
#[derive(Clone, Copy, Debug)]
enum Lead {
    Backend(BackendId),
    Migration(MigrationId, bool),
}

impl From<&Target> for Lead {
    fn from(target: &Target) -> Self {
        match target {
            Target::Backend(backend, _) => Self::Backend(*backend),
            Target::Migration { id, write, .. } => Self::Migration(*id, *write),
        }
    }
}

/// One place where a plugin is used: which plugin, and by which migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the plugin in the configuration.
    pub plugin: Box<str>,
    /// Name of the migration that uses it.
    pub migration: Box<str>,
}

impl Snapshot {
    /// Starts an empty snapshot.
    pub fn builder() -> SnapshotBuilder {
        SnapshotBuilder::default()
    }

    /// The same, but for where its migrations stand: nothing else is built anew, however large.
    #[must_use]
    pub fn restated(&self, restate: impl FnMut(&mut Migration)) -> Self {
        let mut migrations = self.migrations.clone();
        migrations.iter_mut().for_each(restate);
        Self { map: Arc::clone(&self.map), migrations }
    }

    /// Decides one request. Allocates nothing, locks nothing, reads no clock.
    pub fn decide(
        &self,
        request: &RequestView<'_>,
        plugins: &mut impl AskSplit,
    ) -> Result<Decision, Refusal> {
        let mut matched = Match::NONE;
        if !self.map.routes.find_into(request, &mut matched) {
            return Err(Refusal::NoRoute);
        }
        self.decide_matched(request, &matched, plugins, &mut Unwatched)
    }

    /// Finds the route; for callers that need its parameters after the decision.
    pub fn find(&self, request: &RequestView<'_>) -> Option<Match> {
        self.map.routes.find(request)
    }

    /// Decides a request whose route is known, with a witness to every step.
    pub fn decide_matched(
        &self,
        request: &RequestView<'_>,
        matched: &Match,
        plugins: &mut impl AskSplit,
        witness: &mut impl Witness,
    ) -> Result<Decision, Refusal> {
        let route = matched.route;
        witness.step(Step::Matched(route));
        let (id, declared_write) = match self.map.leads[route.index()] {
            Lead::Migration(id, write) => (id, write),
            Lead::Backend(backend) => {
                return Ok(Decision {
                    route,
                    backend,
                    migration: None,
                    write: !is_safe(request.method),
                    reason: Reason::Route,
                    bucket: None,
                    deadline: None,
                });
            }
        };
        witness.step(Step::InMigration(id));
        let migration = &self.migrations[id.index()];
        let write = declared_write || !is_safe(request.method);
        let params = self.map.routes.params(matched);
        let choice = choose(migration, write, request, &params, plugins, witness)
            .map_err(|place| Refusal::PluginRejected(id, place))?;
        witness.step(Step::Decided(choice.side, choice.reason));
        let backend = match choice.side {
            Side::Old => migration.old,
            Side::New => migration.new,
        };
        Ok(Decision {
            route,
            backend,
            migration: Some((id, choice.side)),
            write,
            reason: choice.reason,
            bucket: choice.bucket,
            deadline: choice.deadline,
        })
    }

    /// The edits that belong to a decision: a route's own, or the migration's if `new` serves.
    pub fn edits(&self, decision: &Decision) -> Option<&Edits> {
        match (&self.map.targets[decision.route.index()], decision.migration) {
            (Target::Backend(_, edits), _) => Some(edits),
            (Target::Migration { id, .. }, Some((_, Side::New))) => {
                Some(&self.migrations[id.index()].edits)
            }
            (Target::Migration { .. }, _) => None,
        }
    }

    /// Names of the request headers that decide, or that edits change; some of them more than once.
    pub fn request_headers(&self) -> impl Iterator<Item = &HeaderName> {
        let matched = self.map.routes.specs().iter().flat_map(|spec| &spec.headers);
        let edited = self.map.targets.iter().filter_map(|target| match target {
            Target::Backend(_, edits) => Some(edits),
            Target::Migration { .. } => None,
        });
        let migrated = self.migrations.iter().map(|migration| &migration.edits);
        let edited = edited.chain(migrated).flat_map(|edits| edits.request.names());
        let keys = self.migrations.iter().flat_map(Migration::headers);
        matched.map(|(name, _)| name).chain(edited).chain(keys)
    }

    /// The routes.
    pub fn routes(&self) -> &RouteTable {
        &self.map.routes
    }

    /// What a route leads to.
    pub fn target(&self, id: RouteId) -> &Target {
        &self.map.targets[id.index()]
    }

    /// A backend.
    pub fn backend(&self, id: BackendId) -> &Backend {
        &self.map.backends[id.index()]
    }

    /// All backends; the position is the id's index.
    pub fn backends(&self) -> &[Backend] {
        &self.map.backends
    }

    /// All backends with their ids.
    pub fn backend_ids(&self) -> impl Iterator<Item = (BackendId, &Backend)> {
        self.map.backends.iter().enumerate().map(|(at, backend)| (BackendId(at as u16), backend))
    }

    /// A migration.
    pub fn migration(&self, id: MigrationId) -> &Migration {
        &self.migrations[id.index()]
    }

    /// All migrations; the position is the id's index.
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// A place where a plugin is used.
    pub fn place(&self, id: PlaceId) -> &Place {
        &self.map.places[id.index()]
    }

    /// All places where plugins are used; the position is the id's index.
    pub fn places(&self) -> &[Place] {
        &self.map.places
    }
}

/// Collects a snapshot. The only mint of ids, so a route cannot lead to a backend that is not
/// there.
#[derive(Debug, Default)]
pub struct SnapshotBuilder {
    routes: RouteTableBuilder,
    targets: Vec<Target>,
    backends: Vec<Backend>,
    migrations: Vec<Migration>,
    places: Vec<Place>,
}

impl SnapshotBuilder {
    /// Adds a backend.
    pub fn backend(&mut self, backend: Backend) -> BackendId {
        let id = BackendId(u16::try_from(self.backends.len()).expect("at most 65,536 backends"));
        self.backends.push(backend);
        id
    }

    /// Adds a place where a plugin is used.
    pub fn place(&mut self, place: Place) -> PlaceId {
        let id = PlaceId(u16::try_from(self.places.len()).expect("at most 65,536 plugin places"));
        self.places.push(place);
        id
    }

    /// Adds a migration.
    pub fn migration(&mut self, migration: Migration) -> MigrationId {
        let id =
            MigrationId(u16::try_from(self.migrations.len()).expect("at most 65,536 migrations"));
        self.migrations.push(migration);
        id
    }

    /// Adds a route; refused if it cannot be read or has an equal.
    pub fn route(&mut self, spec: RouteSpec, target: Target) -> Result<RouteId, RouteError> {
        let id = self.routes.insert(spec)?;
        self.targets.push(target);
        Ok(id)
    }

    /// Compiles the snapshot.
    pub fn finish(self) -> Snapshot {
        let map = Map {
            routes: self.routes.finish(),
            leads: self.targets.iter().map(Lead::from).collect(),
            targets: self.targets.into(),
            backends: self.backends.into(),
            places: self.places.into(),
        };
        Snapshot { map: Arc::new(map), migrations: self.migrations.into() }
    }
}
