//! The cache of compiled components: a file per component and engine, in a folder that only this user can write to.
//!
//! Loading compiled code is `unsafe`, because wasmtime runs it as it finds it. What makes it sound here: the folder and
//! the file belong to this user and nobody else may write to them, so whoever could plant code could as well change the
//! program; and a digest over the image catches what disks and crashes do. Anything in doubt is compiled anew.
#![allow(unsafe_code, reason = "the one place that loads compiled code; see SAFETY below")]

use crate::error::HostError;
use sha2::{Digest, Sha256};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Length of the digest in front of an image.
const DIGEST_BYTES: usize = 32;

/// Makes the folder, or checks the one that is there.
pub(crate) fn prepare(folder: &Path) -> Result<(), HostError> {
    make_private(folder)
        .map_err(|error| HostError::Cache { path: folder.to_owned(), why: error.to_string() })
}

#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// Tells images of different engine versions, settings and processors apart.
    engine: u64,
}

impl Cache {
    /// Opens the folder, or makes it.
    pub(crate) fn open(folder: PathBuf, engine: &Engine) -> Result<Self, HostError> {
        prepare(&folder)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { folder, engine: hasher.finish() })
    }

    /// The compiled component, if it is there and beyond doubt.
    pub(crate) fn load(&self, engine: &Engine, bytes: &[u8]) -> Option<Component> {
        let path = self.path(bytes);
        owned_alone(&fs::symlink_metadata(&path).ok()?, &self.folder).ok()?;
        let stored = fs::read(&path).ok()?;
        let (digest, image) = stored.split_at_checked(DIGEST_BYTES)?;
        if digest != Sha256::digest(image).as_slice() {
            return None;
        }
        // SAFETY: `deserialize` must be given what this engine version serialised, unaltered. `store` wrote it: the file
        // and its folder belong to this user and are writable by nobody else (checked here and in `open`), the digest
        // shows that it is whole, and its name holds the hash of engine version, settings and processor, which
        // `deserialize` checks again itself.
        unsafe { Component::deserialize(engine, image) }.ok()
    }

    /// Keeps a compiled component. A cache that cannot be written only costs time, so errors end here.
    pub(crate) fn store(&self, bytes: &[u8], compiled: &Component) {
        if let Ok(image) = compiled.serialize() {
            let _ = self.write(&self.path(bytes), &image);
        }
    }

    /// Written beside its place and renamed into it, so that no reader sees a half.
    fn write(&self, path: &Path, image: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let temporary = self.folder.join(name);
        let written = create_private(&temporary).and_then(|mut file| {
            file.write_all(&Sha256::digest(image))?;
            file.write_all(image)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn path(&self, bytes: &[u8]) -> PathBuf {
        let digest: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        self.folder.join(format!("{digest}-{:016x}.cwasm", self.engine))
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Who this process is, without asking the C library: the owner of a file it makes.
    let probe = folder.join(format!("{}.probe", std::process::id()));
    let me = create_private(&probe).and_then(|file| file.metadata())?.uid();
    fs::remove_file(&probe)?;
    let found = fs::metadata(folder)?;
    if found.uid() != me {
        return Err(io::Error::other("it belongs to another user"));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::other("its group or others may write to it; run chmod 700 on it"));
    }
    Ok(())
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// A plain file of the folder's owner that nobody else may write to?
#[cfg(unix)]
fn owned_alone(file: &fs::Metadata, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let alone =
        file.is_file() && file.mode() & 0o022 == 0 && file.uid() == fs::metadata(folder)?.uid();
    if alone { Ok(()) } else { Err(io::Error::other("not a private file")) }
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Err(io::Error::other("who may write to it can be checked on Unix only"))
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::File::create(path)
}

#[cfg(not(unix))]
fn owned_alone(_: &fs::Metadata, _: &Path) -> io::Result<()> {
    Err(io::Error::other("cannot be checked on this system"))
}
