//! The answer of a split plugin.

use crate::{Backend, Reason, View};

/// Where one request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// The backend that serves it.
    pub backend: Backend,
    /// Limit for the reply in milliseconds. It can only shorten the migration's own.
    pub deadline_ms: Option<u32>,
    /// Why, for logs, metrics and `cutover explain`.
    pub reason: Option<Reason>,
}

impl Decision {
    /// To this backend.
    pub const fn to(backend: Backend) -> Self {
        Self { backend, deadline_ms: None, reason: None }
    }

    /// To the system that is being replaced.
    pub const fn to_old() -> Self {
        Self::to(Backend::OLD)
    }

    /// To the system that replaces it.
    pub const fn to_new() -> Self {
        Self::to(Backend::NEW)
    }

    /// By the migration's percent, as the host itself would decide. Keeps each user on one side.
    pub fn by_share(view: &View<'_>) -> Self {
        if view.in_share(view.share()) { Self::to_new() } else { Self::to_old() }
    }

    /// Says why.
    pub const fn because(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Shortens the deadline.
    pub const fn within_ms(self, deadline_ms: u32) -> Self {
        Self { deadline_ms: Some(deadline_ms), ..self }
    }
}
