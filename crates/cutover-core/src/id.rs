//! Ids: small, `Copy`, one type per thing, minted only by
//! [`SnapshotBuilder`](crate::SnapshotBuilder).

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) $inner);

        impl $name {
            /// Position in its table of the snapshot that minted it; stable within one generation
            /// only.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A backend of one snapshot.
    BackendId(u16)
);
id!(
    /// A route of one snapshot, in the order of insertion.
    RouteId(u32)
);
id!(
    /// A migration of one snapshot.
    MigrationId(u16)
);
id!(
    /// One place where a plugin is used: a plugin, configured for one migration and one or more
    /// hooks.
    PlaceId(u16)
);

/// Number of an installed snapshot. Grows by one with every install; a request sees exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl std::fmt::Display for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
