//! A disk that fails on demand, for tests of what is built on a store.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a store does with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Reads from it.
    Read,
    /// Writes to it.
    Write,
    /// Makes it longer or shorter.
    Resize,
    /// Waits until the disk has what was written.
    Sync,
}

/// Makes operations on the file of a [`Redb`](super::Redb) fail, below the database: the system's
/// errors come from where the system's errors come from.
#[derive(Debug, Default)]
pub struct Failing(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    faults: Vec<Fault>,
    tears: bool,
    done: [u64; 4],
}

#[derive(Debug)]
struct Fault {
    operation: Operation,
    /// So many more succeed.
    after: u64,
    errno: i32,
}

impl Failing {
    /// From now on, and after so many more that succeed, an operation fails with this error number.
    pub fn fail(&self, operation: Operation, after: u64, errno: i32) {
        self.script().faults.push(Fault { operation, after, errno });
    }

    /// From now on, a write that fails has written half of its bytes.
    pub fn tear(&self) {
        self.script().tears = true;
    }

    /// Everything succeeds again.
    pub fn mend(&self) {
        self.script().faults.clear();
    }

    /// How often it was done with success.
    pub fn done(&self, operation: Operation) -> u64 {
        self.script().done[operation as usize]
    }

    /// Whether an operation may be done.
    pub(super) fn may(&self, operation: Operation) -> io::Result<()> {
        let mut script = self.script();
        for fault in script.faults.iter_mut().filter(|fault| fault.operation == operation) {
            let Some(after) = fault.after.checked_sub(1) else {
                return Err(io::Error::from_raw_os_error(fault.errno));
            };
            fault.after = after;
        }
        script.done[operation as usize] += 1;
        Ok(())
    }

    /// Whether writes that fail leave half of their bytes behind.
    pub(super) fn tears(&self) -> bool {
        self.script().tears
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
