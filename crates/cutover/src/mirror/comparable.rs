//! Two replies held against each other; made comparable first, if the migration has a plugin for that.

use super::Mirrored;
use super::words::Skipped;
use crate::exchange::Timing;
use crate::plugins::{KeptView, Plugins};
use crate::{Clock, Side};
use cutover_core::PlaceId;
use cutover_core::compare::{Body, Comparison, Reply, compare};
use std::fmt;
use std::sync::Arc;

/// The plugin of one generation, and what it may know of one request.
pub(super) struct Normaliser {
    plugins: Arc<Plugins>,
    place: PlaceId,
    request: KeptView,
}

impl Normaliser {
    pub(super) fn new(plugins: &Arc<Plugins>, place: PlaceId, request: KeptView) -> Self {
        Self { plugins: Arc::clone(plugins), place, request }
    }

    /// Bytes held of the request.
    pub(super) fn held_bytes(&self) -> usize {
        self.request.held_bytes()
    }

    /// What is compared in place of a reply's body; `None`: the body as it is.
    fn body(
        &self,
        side: Side,
        reply: &Reply<'_>,
        cap_bytes: usize,
        clock: &dyn Clock,
    ) -> Result<Option<Vec<u8>>, Skipped> {
        match reply.body {
            Body::Whole([]) | Body::Digest(_) => Ok(None),
            Body::Whole(body) => {
                let (place, request) = (self.place, &self.request);
                self.plugins.make_comparable(
                    place,
                    request,
                    (side, reply, body),
                    cap_bytes,
                    Timing::untold(clock),
                )
            }
        }
    }
}

impl Mirrored {
    /// Does comparing ask a plugin, which may take milliseconds?
    pub fn asks_plugin(&self) -> bool {
        self.normaliser.is_some()
    }

    /// Compares two replies, each with the side that gave it.
    ///
    /// # Errors
    /// If they cannot be made comparable. Then nothing is known of them: neither that they match nor that they do not.
    pub(super) fn weigh(
        &self,
        [(old_side, old), (new_side, new)]: [(Side, &Reply<'_>); 2],
    ) -> Result<Comparison, Skipped> {
        let rules = &self.mirroring.rules;
        // A status that differs is found whatever a plugin makes of the bodies, and so is a failure.
        let normaliser =
            self.normaliser.as_ref().filter(|_| rules.look_at_bodies(old.status, new.status));
        let Some(normaliser) = normaliser else { return Ok(compare(old, new, rules)) };
        can_be_asked_about(old)?;
        can_be_asked_about(new)?;
        let (cap, clock) = (self.mirroring.limits.kept_body, &*self.shadow.clock);
        // Both are asked about, also if they are the same: were only those left out that differ and cannot be made
        // comparable, the rest would look like evidence that nothing differs.
        let made = [
            normaliser.body(old_side, old, cap, clock)?,
            normaliser.body(new_side, new, cap, clock)?,
        ];
        let [old_body, new_body] = &made;
        Ok(compare(&put(old, old_body.as_deref()), &put(new, new_body.as_deref()), rules))
    }
}

/// The reply with this body.
fn put<'a>(reply: &Reply<'a>, body: Option<&'a [u8]>) -> Reply<'a> {
    body.map_or(*reply, |body| Reply { body: Body::Whole(body), ..*reply })
}

/// A plugin is asked about bodies that are whole and can be read. Digests of what it was not asked about would differ
/// where it would have made the bodies equal.
fn can_be_asked_about(reply: &Reply<'_>) -> Result<(), Skipped> {
    match reply.body {
        Body::Digest(_) => Err(Skipped::TooLong),
        Body::Whole(body) if !body.is_empty() && reply.is_encoded() => Err(Skipped::NotComparable),
        Body::Whole(_) => Ok(()),
    }
}

impl fmt::Debug for Normaliser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normaliser").field("place", &self.place).finish_non_exhaustive()
    }
}
