//! Why a store says no, in words for whoever is on call.

use super::Broken;
use crate::core::Generation;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a store says no.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it.
    #[error(
        "another cutover has the store {path} open: stop it, hand over with `run --upgrade`, or \
         give this one a folder of its own (`state.store`)"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("the store {path} cannot be opened: {error}")]
    Unopened {
        /// The file, or its folder.
        path: PathBuf,
        /// Why not.
        error: Arc<io::Error>,
    },
    /// The file is not a store, or is damaged.
    #[error(
        "the store {path} is damaged: {what}; put back a copy, or move the file away to begin \
         anew: every migration then stands as the configuration says"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: Box<str>,
    },
    /// There is no room.
    #[error(
        "no room for the store {path}: {error}; nothing was changed. Make room on the disk, then \
         give the command again"
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// It cannot be read or written.
    #[error(
        "the store {path} failed: {error}; nothing was changed. Look at the disk, then give the \
         command again"
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// The disk did not confirm that it has what was written, so that nobody knows.
    #[error(
        "the disk did not confirm a change of the store {path}: {error}. Traffic stays where it \
         is, and no changes are taken until this process is restarted: only then is it known \
         whether that change was kept. Look at the disk first"
    )]
    Unsynced {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// The store was closed for another process.
    #[error(
        "this process is handing over to another: it changes nothing any more. Give the command \
         again in a moment"
    )]
    HandingOver,
    /// A standing that does not follow the stored one.
    #[error(
        "migration {migration} is at generation {stored} in the store, which generation {given} \
         does not follow: look again, then decide"
    )]
    Stale {
        /// The migration.
        migration: Box<str>,
        /// What is stored.
        stored: Generation,
        /// What was to be written.
        given: Generation,
    },
    /// A standing and an audit entry that do not belong together; a fault of the caller.
    #[error("the state is of generation {standing}, and its audit entry of generation {entry}")]
    Mismatched {
        /// The standing's.
        standing: Generation,
        /// The entry's.
        entry: Generation,
    },
    /// Something stored is of a version that is not known here.
    #[error(
        "{what} is of version {found}, and this cutover reads version {known}: run the version \
         of cutover that wrote it, or a newer one"
    )]
    Version {
        /// What.
        what: Box<str>,
        /// Its version.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// Something stored makes no sense.
    #[error(
        "{what} makes no sense as it is stored: {why}. Put back a copy of the store; what is \
         there was left as it is"
    )]
    Nonsense {
        /// What.
        what: Box<str>,
        /// Why not.
        why: Box<str>,
    },
    /// The audit log is not as it was written.
    #[error(
        "{0}. Somebody or something has changed the audit log: keep a copy of the file as it is \
         for whoever looks into that, then put back a copy from before"
    )]
    Broken(#[from] Broken),
    /// More is waiting to be written than the store takes.
    #[error("the store is slow: what waits to be written is as much as it takes")]
    Busy,
    /// The machine has no randomness.
    #[error("a key cannot be made: {0}")]
    NoRandomness(Box<str>),
    /// The thread that writes has ended, which is a fault of cutover.
    #[error(
        "the store's writer has ended, which is a fault of cutover. Whether the last change was \
         kept is known after a restart: restart it, and tell us what its log says"
    )]
    Gone,
}
