//! The breaker of one migration.

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Reads of the cohort go to `new`.
    Closed,
    /// One read at a time tries `new`; the others are served by `old`.
    HalfOpen,
    /// The cohort's reads are served by `old`.
    Open,
}
