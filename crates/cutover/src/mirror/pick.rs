//! Is an exchange copied, and to whom? And the edits that its copy gets.

use super::budget::{COPY_BYTES, Hold, Permit};
use super::comparable::Normaliser;
use super::plan::Mirroring;
use super::words::Shed;
use super::{Mirrored, class};
use crate::config::plan::MirrorSample;
use crate::metrics::bump;
use crate::{Exchange, HeaderSink, RequestView, Role, Side};
use cutover_core::snapshot::Target;
use cutover_core::{Migration, Percent, PlaceId};
use http::Method;
use http::header::{ACCEPT, UPGRADE};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

impl Exchange {
    /// Is this exchange to be copied to the side that does not serve it? Ask once, after it has begun and before its
    /// first attempt. `None` too if it was picked and there is no room for it, which is counted.
    ///
    /// Only reads are: safe methods on routes that are not declared `write`, and what a route declares fit. Never a
    /// WebSocket or another upgrade, nor an event stream, and nothing while the migration is disabled, rolled back, or
    /// not in a phase that is judged.
    pub fn mirror(&self, request: &RequestView<'_>) -> Option<Mirrored> {
        let (id, side) = self.decision().migration?;
        let (migration, running) = self.installed().migration(id);
        let share = migration.state.mirror_percent;
        if share == Percent::ZERO || !migration.is_judged() || !self.is_fit(request) {
            return None;
        }
        let mirroring = running.mirroring.as_ref()?;
        let shadow = &running.shadow;
        let turn = shadow.turn.fetch_add(1, Relaxed);
        if !self.is_sampled(request, mirroring, migration, turn) {
            return None;
        }
        bump(&shadow.picked);
        let Some(permit) = Permit::take(shadow, mirroring.concurrency) else {
            shadow.shed(Shed::Concurrency);
            return None;
        };
        let normaliser = migration.plugins.normalise.map(|place| self.normaliser(place, request));
        let kept = normaliser.as_ref().map_or(0, Normaliser::held_bytes);
        let mut hold = Hold::none(shadow, mirroring.memory_bytes);
        if !hold.grow(COPY_BYTES + kept) {
            shadow.shed(Shed::Memory);
            return None;
        }
        let (side, backend, served) = match side {
            Side::Old => (Side::New, migration.new, migration.old),
            Side::New => (Side::Old, migration.old, migration.new),
        };
        let name = class::name(self.snapshot(), self.decision().route, request.method);
        let mirroring = Arc::clone(mirroring);
        let noise = mirroring.noise.admits(hashed(!turn));
        let to = (side, backend, served);
        let room = (permit, hold);
        Some(Mirrored::new(Arc::clone(shadow), mirroring, to, name, noise, normaliser, room))
    }

    /// The path to send with a copy; borrowed if nothing changes.
    pub fn copy_path<'p>(&self, copy: &Mirrored, path: &'p str) -> Cow<'p, str> {
        self.edits_of(copy.backend(), copy.side())
            .map_or(Cow::Borrowed(path), |edits| edits.path.apply(path))
    }

    /// Applies to a copy's headers the edits that an attempt on its side would get, those of the rewrite plugin
    /// included. On a thread that serves requests, like [`Exchange::edit_request`].
    ///
    /// # Errors
    /// If a plugin that guards these headers failed: the copy must not be sent.
    pub fn edit_copy(
        &self,
        copy: &Mirrored,
        request: &RequestView<'_>,
        headers: &mut dyn HeaderSink,
    ) -> Result<(), Shed> {
        if let Some(edits) = self.edits_of(copy.backend(), copy.side()) {
            edits.request.apply(headers);
        }
        self.rewrite_copy(copy.side(), request, headers).map_err(|_| Shed::Plugin)
    }

    /// The plugin that will make the replies comparable, with what it may know of the request.
    fn normaliser(&self, place: PlaceId, request: &RequestView<'_>) -> Normaliser {
        let plugins = &self.installed().plugins;
        self.ask(request, |asked| Normaliser::new(plugins, place, plugins.keep(place, &asked)))
    }

    /// Is it a read that a second system may be asked too, and that ends by itself?
    fn is_fit(&self, request: &RequestView<'_>) -> bool {
        if self.role() != Role::Served || self.attempt() != 1 || request.websocket {
            return false;
        }
        let declared = match self.snapshot().target(self.decision().route) {
            Target::Migration { mirror, .. } => *mirror,
            Target::Backend(..) => None,
        };
        let reads = matches!(*request.method, Method::GET | Method::HEAD | Method::OPTIONS);
        declared.unwrap_or(reads && !self.decision().write)
            && request.headers.first(&UPGRADE).is_none()
            && !asks_for_events(request)
    }

    /// Does it belong to the share?
    fn is_sampled(
        &self,
        request: &RequestView<'_>,
        mirroring: &Mirroring,
        migration: &Migration,
        turn: u64,
    ) -> bool {
        let share = migration.state.mirror_percent;
        share == Percent::FULL
            || match mirroring.sample {
                MirrorSample::Request => share.admits(hashed(turn)),
                MirrorSample::User => {
                    let params = self.params();
                    let key = migration.key.iter().find_map(|source| source.find(request, &params));
                    key.is_some_and(|key| share.admits(mirroring.salt.bucket(key)))
                }
            }
    }
}

fn asks_for_events(request: &RequestView<'_>) -> bool {
    let accept = request.headers.first(&ACCEPT).unwrap_or_default();
    accept.windows(EVENTS.len()).any(|part| part.eq_ignore_ascii_case(EVENTS))
}

const EVENTS: &[u8] = b"text/event-stream";

/// The bucket of a number: numbers that follow one another are spread evenly (SplitMix64's finaliser).
fn hashed(number: u64) -> cutover_core::Bucket {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let scaled = ((mixed >> 32) * 100_000) >> 32;
    cutover_core::Bucket::new(scaled as u32).expect("32 bits times 100,000, shifted by 32")
}
