//! Where a request stands before its first attempt: as decided, or with `old` because the breaker is open. And the
//! small questions that an exchange puts to its generation.

use super::{Role, Timeline, Timing};
use crate::breaker::{Admission, Probe, Turn};
use crate::engine::Installed;
use crate::plugin::{Asked, Wish};
use crate::refused::Refused;
use crate::{BackendId, Cause, Decision, RequestView, Side};
use cutover_core::decide::Refusal;
use cutover_core::fallback::Failure;
use cutover_core::route::Match;
use cutover_core::{MigrationId, Percent, PlaceId};
use std::time::{Duration, Instant};

/// Who answers the present attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) backend: BackendId,
    pub(super) migration: Option<(MigrationId, Side)>,
    pub(super) role: Role,
    /// The breaker waits for the outcome of this attempt.
    pub(super) probe: Option<Probe>,
}

impl Installed {
    /// Who answers at first: as decided, or `old` if the breaker is open.
    pub(super) fn stand(
        &self,
        request: &RequestView<'_>,
        matched: &Match,
        decision: &Decision,
        (now, timeline): (Instant, Option<&mut Timeline>),
    ) -> Result<Stand, Refused> {
        let Decision { backend, migration, write, .. } = *decision;
        let mut stand = Stand { backend, migration, role: Role::Served, probe: None };
        let Some((id, side)) = migration else { return Ok(stand) };
        let (migration, running) = self.migration(id);
        running.breaker.request(now);
        // A write has no class.
        if migration.is_judged()
            && let Some(class) = running.classes.find(decision.route, request.method)
        {
            class.meter.saw();
        }
        let guarded = !migration.fallback.on.is_empty() || migration.plugins.fallback.is_some();
        if side == Side::Old || write || !guarded {
            return Ok(stand);
        }
        // A probe must have its answer soon: a body may not be sent twice, and a WebSocket ends after hours.
        let may_probe = !request.has_body && !request.websocket;
        match running.breaker.admit(may_probe, now) {
            Admission::New => {}
            Admission::Probe(probe) => stand.probe = Some(probe),
            Admission::Old => {
                self.breaker_answers((request, timeline), matched, decision, id)?;
                stand.backend = migration.old;
                stand.migration = Some((id, Side::Old));
                stand.role = Role::Breaker;
            }
        }
        Ok(stand)
    }

    /// Counts an exchange that begins on `new`; said whether it is one.
    pub(super) fn opens_on_new(&self, request: &RequestView<'_>, stand: &Stand) -> bool {
        let Some((id, Side::New)) = stand.migration else { return false };
        if !request.websocket {
            crate::metrics::bump(&self.migration(id).1.meter.open_on_new);
        }
        !request.websocket
    }

    /// The breaker is open. `old` serves, unless the fallback plugin has an answer of its own.
    #[cold]
    fn breaker_answers(
        &self,
        (request, timeline): (&RequestView<'_>, Option<&mut Timeline>),
        matched: &Match,
        decision: &Decision,
        id: MigrationId,
    ) -> Result<(), Refused> {
        let (migration, running) = self.migration(id);
        if let Some(place) = migration.plugins.fallback {
            let failed = Failure {
                cause: Cause::CircuitOpen,
                backend: migration.new,
                attempt: 0,
                status: None,
                elapsed: Duration::ZERO,
                left: migration.fallback.deadline,
                safe: true,
                replayable: true,
                response_started: false,
            };
            let wish = self.ask(request, matched, decision, |asked| {
                let timing = Timing { clock: self.clock(), timeline };
                self.plugins.on_failure(place, &asked, &failed, Side::New, timing)
            });
            if let Wish::Respond(status) = wish {
                let migration = migration.name.clone();
                return Err(self.refuse(Refused::Breaker { migration, status }));
            }
        }
        running.meter.fell_back(Cause::CircuitOpen);
        Ok(())
    }

    /// Puts a question about a request to a plugin of its migration.
    pub(super) fn ask<R>(
        &self,
        request: &RequestView<'_>,
        matched: &Match,
        decision: &Decision,
        ask: impl FnOnce(Asked<'_>) -> R,
    ) -> R {
        let params = self.snapshot().routes().params(matched);
        let share = decision
            .migration
            .map_or(Percent::ZERO, |(id, _)| self.snapshot().migration(id).state.read_percent);
        ask(Asked { request, params: &params, bucket: decision.bucket, share })
    }

    #[cold]
    pub(super) fn refused(&self, refusal: Refusal) -> Refused {
        self.refuse(match refusal {
            Refusal::PluginRejected(_, place) => self.plugin_failed(place),
            // Whatever core may add later, there is no decision.
            Refusal::NoRoute | _ => Refused::NoRoute,
        })
    }

    pub(super) fn plugin_failed(&self, place: PlaceId) -> Refused {
        let place = self.snapshot().place(place);
        Refused::Plugin { migration: place.migration.clone(), plugin: place.plugin.clone() }
    }

    /// Counts a refusal.
    pub(super) fn refuse(&self, refused: Refused) -> Refused {
        self.shared.metrics.book.refused(&refused);
        refused
    }

    /// Counts and logs what a breaker did.
    pub(super) fn turned(&self, id: MigrationId, turn: Option<Turn>) {
        let Some(turn) = turn else { return };
        let (migration, running) = self.migration(id);
        let name = &*migration.name;
        match turn {
            Turn::Opened => {
                crate::metrics::bump(&running.meter.breaker_opened);
                tracing::warn!(migration = name, "breaker open: old serves the cohort's reads");
            }
            Turn::StaysOpen => tracing::warn!(migration = name, "breaker stays open: probe failed"),
            Turn::Closed => tracing::info!(migration = name, "breaker closed: new serves again"),
        }
    }
}
