//! The power fails: of what was written and not yet confirmed, a disk keeps any part, in any order.

use super::*;
use crate::store::image::Image;
use crate::store::redb::tables::Write;
use crate::store::standing;
use crate::store::testing::commit;
use ::redb::StorageBackend;
use ::redb::backends::InMemoryBackend;
use std::sync::{Mutex, PoisonError};

/// A disk writes at least this much at once.
const SECTOR: usize = 512;

/// What was done to a file, in order.
#[derive(Clone, Debug)]
enum Act {
    Resize(u64),
    Write(u64, Vec<u8>),
    Sync,
    /// Not an act: from here on, so many commits are acknowledged.
    Acknowledged(u64),
}

/// A file in memory that remembers what was done to it.
#[derive(Clone, Debug, Default)]
struct Remembering {
    file: Arc<InMemoryBackend>,
    acts: Arc<Mutex<Vec<Act>>>,
}

impl Remembering {
    fn note(&self, act: Act) {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).push(act);
    }

    fn acts(&self) -> Vec<Act> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl StorageBackend for Remembering {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(Act::Resize(len));
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(Act::Sync);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Act::Write(offset, data.to_vec()));
        self.file.write(offset, data)
    }
}

/// Does on a file what was done, or a part of it.
fn act(file: &mut Vec<u8>, act: &Act, mut keeps: impl FnMut() -> bool) {
    match act {
        Act::Resize(len) => {
            if keeps() {
                file.resize(*len as usize, 0);
            }
        }
        Act::Write(offset, data) => {
            let offset = *offset as usize;
            if file.len() < offset + data.len() {
                file.resize(offset + data.len(), 0);
            }
            for (index, sector) in data.chunks(SECTOR).enumerate() {
                if keeps() {
                    let at = offset + index * SECTOR;
                    file[at..at + sector.len()].copy_from_slice(sector);
                }
            }
        }
        Act::Sync | Act::Acknowledged(_) => {}
    }
}

/// Commits so often, on a file that remembers.
fn remember(commits: u64) -> Vec<Act> {
    let remembering = Remembering::default();
    let disk = Disk::over(Box::new(remembering.clone()), None);
    let opened = Opened::over(disk, Path::new("remembered"), true).expect("memory works");
    opened.change(tables::make).expect("memory works");
    remembering.note(Act::Acknowledged(0));
    let mut image = Image::default();
    for generation in 1..=commits {
        let mut commit = commit("profile", generation);
        // Some are so long that they have pages of their own, and the file grows.
        commit.entry.why = "why ".repeat(1 << (generation % 16)).into();
        let record = image.follow(&commit).expect("it is the next");
        image.take(&commit, &record);
        let writes = [
            Write::Standing("profile".into(), standing::encode(&commit.standing)),
            Write::Evidence("profile".into(), standing::encode_evidence(&[1, generation])),
            Write::Record(Box::new(record)),
        ];
        opened.change(|transaction| tables::write(transaction, &writes)).expect("memory works");
        remembering.note(Act::Acknowledged(generation));
    }
    remembering.acts()
}

/// Opens what the disk has kept, and holds it against what was acknowledged.
fn look_after(kept: &[u8], acknowledged: u64) {
    let file = InMemoryBackend::new();
    file.set_len(kept.len() as u64).expect("memory works");
    file.write(0, kept).expect("memory works");
    let disk = Disk::over(Box::new(file), None);
    let opened = Opened::over(disk, Path::new("kept"), false).unwrap_or_else(|e| panic!("{e}"));
    let verify = |view: &ReadTransaction| tables::verify(view, &mut |_| ());
    let verified = opened.look(verify).unwrap_or_else(|error| panic!("{error}"));
    let known = opened.look(tables::image).unwrap_or_else(|error| panic!("{error}")).0;
    let there = verified.head.seq;
    assert!((acknowledged..=acknowledged + 1).contains(&there), "{acknowledged}: {there}");
    if there > 0 {
        assert_eq!(known.standings["profile"].generation().0, there);
        assert_eq!(known.evidence["profile"], [1, there]);
    }
    // It goes on from there.
    let mut next = commit("profile", there + 1);
    next.entry.why = "after the power came back".into();
    let record = Image(known).follow(&next).expect("it is the next");
    let writes = [
        Write::Standing("profile".into(), standing::encode(&next.standing)),
        Write::Record(Box::new(record)),
    ];
    opened.change(|transaction| tables::write(transaction, &writes)).expect("memory works");
    assert_eq!(opened.look(verify).expect("it is whole").head.seq, there + 1);
}

#[test]
fn the_power_fails_at_any_moment_and_what_was_acknowledged_is_there() {
    let acts = remember(24);
    let made = acts.iter().position(|act| matches!(act, Act::Acknowledged(0)));
    let mut random = 7u64;
    let mut keeps = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random & 1 == 0
    };
    let (mut confirmed, mut pending) = (Vec::new(), Vec::new());
    let (mut acknowledged, mut cuts) = (0, 0);
    for (index, done) in acts.iter().enumerate() {
        match done {
            Act::Sync => pending.drain(..).for_each(|done| act(&mut confirmed, done, || true)),
            Act::Acknowledged(commits) => acknowledged = *commits,
            Act::Resize(_) | Act::Write(..) => pending.push(done),
        }
        // Before the tables were made there is nothing that could be lost.
        if Some(index) < made {
            continue;
        }
        for turn in 0..3 {
            let mut kept = confirmed.clone();
            // Nothing of it, all of it, and a part.
            pending.iter().for_each(|done| match turn {
                0 => {}
                1 => act(&mut kept, done, || true),
                _ => act(&mut kept, done, &mut keeps),
            });
            look_after(&kept, acknowledged);
            cuts += 1;
        }
    }
    assert_eq!(acknowledged, 24);
    assert!(cuts > 300, "{cuts} moments");
}
