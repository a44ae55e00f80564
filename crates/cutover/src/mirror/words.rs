//! What is counted about copies, word by word: these are labels of metrics.

use http::StatusCode;

/// Why a copy that was picked was not sent, or was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shed {
    /// As many copies as may be are in flight.
    Concurrency,
    /// As many bytes as may be are held.
    Memory,
    /// The request's body is larger than `mirror.max-body`.
    Oversize,
    /// The request's body did not come whole.
    Incomplete,
    /// The rewrite plugin that guards the copy's headers failed.
    Plugin,
    /// The request cannot be sent to the other side: its path or host do not fit there.
    Unfit,
    /// The process ends.
    Closing,
}

/// Words of [`Shed`], in its order.
pub(crate) const SHEDS: [&str; 7] =
    ["concurrency", "memory", "oversize", "incomplete", "plugin", "unfit", "closing"];

/// How a copy that was sent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A reply came with this status, whole or more than is read of it.
    Replied(StatusCode),
    /// A time limit passed, before the reply or within it.
    Timeout,
    /// There was no connection.
    Connect,
    /// The connection broke, or what came was no reply.
    Broken,
}

/// Words of [`Ended`]: classes of statuses, then the others.
pub(crate) const CLASSES: [&str; 8] =
    ["1xx", "2xx", "3xx", "4xx", "5xx", "timeout", "connect", "broken"];

impl Ended {
    /// Its place in [`CLASSES`].
    pub(crate) fn class(self) -> usize {
        match self {
            Self::Replied(status) => usize::from(status.as_u16() / 100).clamp(1, 5) - 1,
            Self::Timeout => 5,
            Self::Connect => 6,
            Self::Broken => 7,
        }
    }
}

/// Where failures begin in [`CLASSES`].
pub(crate) const FIRST_FAILURE: usize = 4;

/// Why two replies were not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skipped {
    /// The client left before its reply was whole.
    ClientGone,
    /// The side that was to serve gave no whole reply at its first attempt.
    NotWhole,
    /// The copy had no whole reply.
    NoCopy,
    /// One of them is a failure (5xx): an error, not a mismatch.
    Failed,
    /// A body is longer than is read; or than is kept, where a plugin has to make it comparable.
    TooLong,
    /// There was no room to keep a reply.
    Memory,
    /// A precondition, such as `If-None-Match`, held on one side only.
    Conditional,
    /// One side sent a range, the other did not.
    Range,
    /// Too many differences wait to be asked about again.
    Busy,
    /// One of them came too late for the other.
    Late,
    /// What they would have counted for has begun anew.
    Restarted,
    /// The plugin that makes replies comparable failed, or is left alone after it failed often.
    Plugin,
    /// The plugin says that it cannot make one of them comparable, or its body has an encoding that is not known here.
    NotComparable,
    /// As many requests as may be are under way that ask `old` a second time, to compare it with itself.
    NoiseBusy,
}

/// What comparisons come to, in the order of their counters; those that were skipped as of [`SKIPPED`].
pub(crate) const RESULTS: [&str; 19] = [
    "match",
    "mismatch",
    "transient",
    "unresolved",
    "noise",
    "skipped-client-gone",
    "skipped-not-whole",
    "skipped-no-copy",
    "skipped-failed",
    "skipped-too-long",
    "skipped-memory",
    "skipped-conditional",
    "skipped-range",
    "skipped-busy",
    "skipped-late",
    "skipped-restarted",
    "skipped-plugin",
    "skipped-not-comparable",
    "skipped-noise-busy",
];

pub(super) const MATCH: usize = 0;
pub(super) const MISMATCH: usize = 1;
pub(super) const TRANSIENT: usize = 2;
pub(super) const UNRESOLVED: usize = 3;
pub(super) const NOISE: usize = 4;
pub(super) const SKIPPED: usize = 5;
