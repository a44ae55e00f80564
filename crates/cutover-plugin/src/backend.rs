//! Backends, by the index they have in the environment.

/// One of the backends of the place where the plugin is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backend(u16);

impl Backend {
    /// The system that is being replaced, in a migration.
    pub const OLD: Self = Self(0);
    /// The system that replaces it, in a migration.
    pub const NEW: Self = Self(1);

    /// The backend at this index of [`Environment::backends`](crate::Environment::backends).
    pub const fn at(index: u16) -> Self {
        Self(index)
    }

    /// Its index in the environment.
    pub const fn index(self) -> u16 {
        self.0
    }
}
