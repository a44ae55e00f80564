//! One exchange that is copied: the right to send a copy, and the words for what became of it.

use super::budget::{Hold, Permit};
use super::comparable::Normaliser;
use super::plan::{MirrorLimits, Mirroring};
use super::words::*;
use super::{Doubt, Shadow};
use crate::metrics::bump;
use crate::{BackendId, Side};
use cutover_core::compare::{Comparison, Held, Reply};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// The right to send one copy of an exchange. It counts as in flight until [`Mirrored::ended`].
///
/// Dropped before it was sent, it counts as [`Shed::Incomplete`]; dropped before it ended, as [`Shed::Closing`].
#[derive(Debug)]
pub struct Mirrored {
    pub(super) shadow: Arc<Shadow>,
    pub(super) mirroring: Arc<Mirroring>,
    pub(super) side: Side,
    backend: BackendId,
    served: BackendId,
    /// The name of its class.
    pub(super) class: Box<str>,
    pub(super) epoch: u64,
    noise: bool,
    pub(super) normaliser: Option<Normaliser>,
    permit: Option<Permit>,
    hold: Hold,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Picked,
    Sent,
    Ended,
}

impl Mirrored {
    pub(super) fn new(
        shadow: Arc<Shadow>,
        mirroring: Arc<Mirroring>,
        (side, backend, served): (Side, BackendId, BackendId),
        class: Box<str>,
        noise: bool,
        normaliser: Option<Normaliser>,
        (permit, hold): (Permit, Hold),
    ) -> Self {
        let epoch = shadow.epoch();
        let (permit, stage) = (Some(permit), Stage::Picked);
        Self {
            shadow,
            mirroring,
            side,
            backend,
            served,
            class,
            epoch,
            noise,
            normaliser,
            permit,
            hold,
            stage,
        }
    }

    /// The side the copy goes to.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The backend the copy goes to.
    pub fn backend(&self) -> BackendId {
        self.backend
    }

    /// The backend that serves the exchange.
    pub fn served(&self) -> BackendId {
        self.served
    }

    /// What to keep to.
    pub fn limits(&self) -> &MirrorLimits {
        &self.mirroring.limits
    }

    /// Charges bytes that are kept of the request. `false`: there is no room.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        self.hold.grow(bytes)
    }

    /// Where bytes are charged that are kept of a reply.
    pub fn hold(&self) -> Hold {
        Hold::none(&self.shadow, self.mirroring.memory_bytes)
    }

    /// It is given up.
    pub fn shed(mut self, why: Shed) {
        self.shadow.shed(why);
        self.stage = Stage::Ended;
    }

    /// It is being sent.
    pub fn sent(&mut self) {
        self.stage = Stage::Sent;
    }

    /// The header of its reply came after this time.
    pub fn header_came(&self, after: Duration) {
        self.shadow.header_came(self.side, after);
    }

    /// It has ended: another copy may be sent.
    pub fn ended(&mut self, how: Ended) {
        bump(&self.shadow.ended[self.side as usize][how.class()]);
        self.permit = None;
        self.stage = Stage::Ended;
    }

    /// Is `old` to be asked a second time, and compared with itself? Then tell [`Mirrored::noise`].
    pub fn wants_noise(&self) -> bool {
        self.noise
    }

    /// Counts two replies of `old` to this request; not if nothing can be known of them.
    pub fn noise(&self, first: &Reply<'_>, second: &Reply<'_>) {
        if one_sided(first.status, second.status).is_some() {
            return;
        }
        let weighed = self.weigh([(Side::Old, first), (Side::Old, second)]);
        let Ok(comparison @ (Comparison::Match | Comparison::Differs(_))) = weighed else { return };
        self.shadow.note(self.epoch, NOISE, |ledger, _| {
            ledger.noise.count_noise(&self.class, &comparison);
        });
    }

    /// There is no room to ask `old` a second time. Its reply is still compared with that of `new`.
    pub fn skip_noise(&self) {
        self.shadow.skipped(Skipped::NoiseBusy);
    }

    /// The replies are not compared.
    pub fn skip(self, why: Skipped) {
        self.shadow.skipped(why);
    }

    /// Compares what the side that serves replied with what the copy got. `exchange` is the id that the access log has.
    /// A difference is not counted yet: wait for [`Doubt::wait`], ask both sides again, and tell [`Doubt::settle`].
    pub fn compare(self, served: &Reply<'_>, copied: &Reply<'_>, exchange: &str) -> Option<Doubt> {
        if let Some(why) = one_sided(served.status, copied.status) {
            self.skip(why);
            return None;
        }
        // Before anybody knows what they say: what is left out must not depend on it.
        let Some(place) = super::doubt::Place::take(&self.shadow) else {
            self.skip(Skipped::Busy);
            return None;
        };
        match self.weigh(self.sides(served, copied)) {
            Err(why) => self.skip(why),
            Ok(Comparison::Failed { .. }) => self.skip(Skipped::Failed),
            Ok(Comparison::Match) => self.shadow.note(self.epoch, MATCH, |ledger, _| {
                ledger.noise.count_raw(&self.class, &Comparison::Match);
                ledger.compared(&self.class);
            }),
            Ok(Comparison::Differs(first)) => {
                let held = Held::new(first, self.shadow.clock.unix_ms());
                return Some(Doubt::new(self, held, exchange, place));
            }
        }
        None
    }

    /// The reply of `old`, then that of `new`.
    pub(super) fn sides<'r, 'b>(
        &self,
        served: &'r Reply<'b>,
        copied: &'r Reply<'b>,
    ) -> [(Side, &'r Reply<'b>); 2] {
        let (old, new) = match self.side {
            Side::Old => (copied, served),
            Side::New => (served, copied),
        };
        [(Side::Old, old), (Side::New, new)]
    }
}

impl Drop for Mirrored {
    fn drop(&mut self) {
        match self.stage {
            Stage::Picked => self.shadow.shed(Shed::Incomplete),
            Stage::Sent => self.shadow.shed(Shed::Closing),
            Stage::Ended => {}
        }
    }
}

/// Preconditions and ranges are a matter of each side's validators and abilities: where only one of them honours one,
/// there are not two replies to the same question.
pub(super) fn one_sided(one: StatusCode, other: StatusCode) -> Option<Skipped> {
    let whole = |status: StatusCode| status.is_success() && status != StatusCode::PARTIAL_CONTENT;
    let only =
        |a: StatusCode, b: StatusCode, codes: [StatusCode; 2]| codes.contains(&a) && whole(b);
    let either = |codes| only(one, other, codes) || only(other, one, codes);
    if either([StatusCode::NOT_MODIFIED, StatusCode::PRECONDITION_FAILED]) {
        Some(Skipped::Conditional)
    } else if either([StatusCode::PARTIAL_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE]) {
        Some(Skipped::Range)
    } else {
        None
    }
}
