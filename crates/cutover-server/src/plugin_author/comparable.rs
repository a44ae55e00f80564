//! Replies of a case that are to be made comparable, and what comes of it.

use super::ask::Facts;
use super::cases::{Case, Reply, Side};
use super::scene::header_map;
use cutover::core::compare::{self, Body, Comparison, RuleSpec, Rules};
use cutover::wasm::{Fault, KeptView, Normalised, Place, ReplyView};
use http::{HeaderMap, StatusCode};
use std::time::Instant;

/// What a body may become: `compare.max-body` unless the configuration says otherwise.
const CAP_BYTES: usize = 1024 * 1024;

/// One reply.
#[derive(Debug)]
pub(super) struct Given {
    side: Side,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Given {
    /// The replies of a case: one, or that of `old` and that of `new`.
    pub(super) fn of(case: &Case) -> Result<Vec<Self>, String> {
        let one = |side, reply: &Reply| {
            Ok(Self {
                side,
                status: StatusCode::from_u16(reply.status)
                    .map_err(|_| format!("status {}", reply.status))?,
                headers: header_map(&reply.headers)?,
                body: reply.body.clone().unwrap_or_default().into_bytes(),
            })
        };
        match (&case.replies, &case.reply) {
            (Some(pair), _) => [(Side::Old, &pair.old), (Side::New, &pair.new)]
                .into_iter()
                .map(|(side, reply)| one(side, reply))
                .collect(),
            (None, Some(reply)) => Ok(vec![one(case.backend.unwrap_or_default(), reply)?]),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// Asks once.
    pub(super) fn ask(
        &self,
        place: &Place,
        request: &KeptView,
        now: Instant,
    ) -> Result<Normalised, Fault> {
        let Self { side, status, headers, body } = self;
        let (backend, status) = (side.index(), status.as_u16());
        place.normalise(request, &ReplyView { backend, status, headers, body }, CAP_BYTES, now)
    }
}

/// What is compared in place of one reply, or whether two are the same then.
pub(super) fn answer(
    replies: &[Given],
    place: &Place,
    request: &KeptView,
    now: Instant,
) -> Result<Facts, Fault> {
    let mut made = Vec::with_capacity(replies.len());
    for given in replies {
        match given.ask(place, request, now)? {
            Normalised::Cannot(why) => return Ok(vec![("cannot", why)]),
            Normalised::Unchanged => made.push((given, given.body.clone())),
            Normalised::Body(body) => made.push((given, body)),
        }
    }
    Ok(match made.as_slice() {
        [old, new] => vec![("same", same(old, new).to_string())],
        _ => {
            let bodies = made.iter().map(|(_, body)| String::from_utf8_lossy(body));
            bodies.map(|body| ("body", body.into_owned())).collect()
        }
    })
}

/// As a migration without rules compares them.
fn same(old: &(&Given, Vec<u8>), new: &(&Given, Vec<u8>)) -> bool {
    let [old, new] = [old, new].map(|(given, body)| compare::Reply {
        status: given.status,
        headers: &given.headers,
        body: Body::Whole(body),
    });
    let rules = Rules::compile(&RuleSpec::default()).expect("no rule can be wrong");
    compare::compare(&old, &new, &rules) == Comparison::Match
}
