//! Comparing two replies to the same request: status, headers, and bodies by their structure.
//!
//! [`compare`] answers with a [`Comparison`]. Everything counts that no rule takes out of it (see
//! [`RuleSpec`]) and that is not a matter of the connection or the moment (see [`NEVER_COMPARED`]).
//! A mismatch is [`Held`] and asked once more before it counts; what remains is [`Settled`], and
//! only that can become a sample of [`Samples`], redacted by [`Redaction`]. [`Noise`] learns where
//! old disagrees with itself, and suggests rules.
//!
//! All of it is bounded: bodies by the caller's cap, depth and number of values when a body is
//! read, steps of a comparison by the number of values, differences, samples and counters by
//! constants.

mod body;
mod difference;
mod header;
mod ignore;
mod json;
mod matching;
mod noise;
mod number;
mod pointer;
mod reader;
mod redact;
mod rules;
mod sample;
mod settle;
mod time;
mod walk;

pub use body::{Body, BodyCapture, BodyDigest, CapturedBody};
pub use difference::{
    BodyPlace, Difference, Differences, Kind, MAX_DIFFERENCES, Place, Seen, Whole,
};
pub use header::{NEVER as NEVER_COMPARED, PRESENCE as COMPARED_FOR_PRESENCE};
pub use ignore::{IgnoreList, IgnoreRule, MAX_IGNORE_RULE_BYTES};
pub use json::{Document, MAX_DEPTH, MAX_VALUES, Unreadable};
pub use noise::{FieldNoise, MAX_NOISE_FIELDS, Noise, Suggestion};
pub use number::{Numbers, Tolerance, ToleranceError};
pub use pointer::{Pointer, PointerError};
pub use redact::{Redacted, Redaction};
pub use rules::{RuleFinding, RuleSpec, Rules, Statuses};
pub use sample::{Group, GroupKey, Sample, SampleLimits, Samples};
pub use settle::{Held, Settled, Settlement};

use body::{is_encoded, says_json};
use difference::{Content, Found};
use http::{HeaderMap, StatusCode};
use walk::Walk;

/// One reply, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, as they came.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: Body<'a>,
}

impl Reply<'_> {
    /// Is its body still encoded? Then it is compared byte by byte.
    pub fn is_encoded(&self) -> bool {
        is_encoded(self.headers)
    }
}

/// Two replies to the same request, and their difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing that counts differs.
    Match,
    /// They differ. Hold it and ask once more: [`Held`].
    Differs(Differences),
    /// A side failed (5xx), so that there is nothing to compare: an error, never a mismatch.
    /// Counted as skipped.
    Failed {
        /// Old failed.
        old: bool,
        /// New failed.
        new: bool,
    },
}

/// Compares two replies to the same request.
pub fn compare(old: &Reply<'_>, new: &Reply<'_>, rules: &Rules) -> Comparison {
    let failed = [old, new].map(|reply| reply.status.is_server_error());
    if failed != [false; 2] {
        return Comparison::Failed { old: failed[0], new: failed[1] };
    }
    let mut found = Found::default();
    if rules.same_status(old.status, new.status) {
        rules.headers.compare(old.headers, new.headers, &mut found);
        bodies(old, new, rules, &mut found);
    } else {
        // The rest of another status is another reply: one cause, one difference.
        found.add(|| Difference {
            place: Place::Status,
            kind: Kind::Status,
            old: Seen(Content::Status(old.status.as_u16())),
            new: Seen(Content::Status(new.status.as_u16())),
            whole: None,
        });
    }
    found.finish().map_or(Comparison::Match, Comparison::Differs)
}

impl Rules {
    fn same_status(&self, old: StatusCode, new: StatusCode) -> bool {
        match self.status {
            Statuses::Exact => old == new,
            Statuses::Class => old.as_u16() / 100 == new.as_u16() / 100,
        }
    }
}

fn bodies(old: &Reply<'_>, new: &Reply<'_>, rules: &Rules, found: &mut Found) {
    if rules.ignores_body() {
        return;
    }
    if let (Body::Whole(old), Body::Whole(new)) = (old.body, new.body)
        && old == new
    {
        return;
    }
    let json = says_json(old.headers) || says_json(new.headers);
    let empty = [old, new].map(|reply| reply.body.is_empty());
    if empty != [false; 2] {
        if empty != [true; 2] {
            let kind = if empty[1] { Kind::Missing } else { Kind::Extra };
            found.add(|| whole_body(kind, old, new, None));
        }
        return;
    }
    let mut why = None;
    if json {
        match by_structure(old, new, rules) {
            Ok(differences) => return found.append(differences),
            Err(reason) => why = Some(reason),
        }
    }
    if old.body.digest() != new.body.digest() {
        found.add(|| whole_body(Kind::Digest, old, new, why));
    }
}

/// What differs between two bodies of JSON, or why they cannot be compared as such.
fn by_structure(old: &Reply<'_>, new: &Reply<'_>, rules: &Rules) -> Result<Found, Whole> {
    let (Body::Whole(old_body), Body::Whole(new_body)) = (old.body, new.body) else {
        return Err(Whole::BeyondCap);
    };
    if old.is_encoded() || new.is_encoded() {
        return Err(Whole::Encoded);
    }
    match (Document::parse(old_body), Document::parse(new_body)) {
        (Ok(old), Ok(new)) => Walk::compare(&old, &new, rules).ok_or(Whole::TooMuchWork),
        (old, new) => Err(Whole::Unreadable { old: old.err(), new: new.err() }),
    }
}

fn whole_body(kind: Kind, old: &Reply<'_>, new: &Reply<'_>, whole: Option<Whole>) -> Difference {
    let seen = |reply: &Reply<'_>| {
        let BodyDigest { len, sha256 } = reply.body.digest();
        if reply.body.is_empty() { Seen::NOTHING } else { Seen(Content::Bytes { len, sha256 }) }
    };
    let place = Place::Body(BodyPlace::default());
    Difference { place, kind, old: seen(old), new: seen(new), whole }
}

#[cfg(test)]
mod tests;
