//! The access log: one line per exchange, JSON or text, to standard output or a file.
//!
//! A worker formats its line into a buffer of its own thread and copies it into a bounded queue; one writer thread does
//! all I/O. A full disk, a slow pipe or a missing folder therefore costs lines, which are counted, and never a request.

mod line;
mod time;
mod writer;

pub use line::{Decided, Record};

use cutover::config::{AccessLog as Settings, LogFormat};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::Second;

/// Bytes that may wait for the writer.
pub const QUEUE_BYTES: usize = 4 << 20;
/// Longest wait of [`AccessLog::flush`]; longer than any test takes, so that a test sees who waits.
const FLUSH_AT_MOST: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 2 });

/// A running access log. Its writer ends when it is dropped, after it has written what it was given. Nobody waits for
/// that: the last exchange of a generation drops its log, on a worker.
#[derive(Debug)]
pub struct AccessLog {
    settings: Settings,
    queue: Arc<Queue>,
}

/// What a log still has to write when it is not in force any more, and after it is dropped.
#[derive(Debug)]
pub struct Rest(Arc<Queue>);

/// What waits to be written.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// The writer waits here for lines, and `flush` for the writer.
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: u64,
    writing: bool,
    reopen: bool,
    closed: bool,
}

impl AccessLog {
    /// Starts the writer; `None` if the log is off, or no thread can be had.
    pub fn start(settings: &Settings) -> Option<Self> {
        if settings.format == LogFormat::Off {
            return None;
        }
        let queue = Arc::new(Queue::default());
        let (theirs, path) = (Arc::clone(&queue), settings.path.clone());
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || writer::run(&theirs, path))
            .inspect_err(|error| tracing::error!(%error, "no thread for the access log: it is off"))
            .ok()?;
        Some(Self { settings: settings.clone(), queue })
    }

    /// What it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Queues one line. Never waits for the writer: a line that finds no room is counted and lost.
    pub fn write(&self, record: &Record<'_>) {
        thread_local! {
            static LINE: RefCell<(Vec<u8>, Second)> = const { RefCell::new((Vec::new(), Second::BEGIN)) };
        }
        LINE.with_borrow_mut(|(line, second)| {
            line.clear();
            match self.settings.format {
                LogFormat::Json => record.json(line, second),
                LogFormat::Text => record.text(line, second),
                LogFormat::Off => return,
            }
            self.queue.push(line);
        });
    }

    /// Lines lost so far.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped.load(Relaxed)
    }

    /// Opens the file again before the next line.
    pub fn reopen(&self) {
        self.queue.lock().reopen = true;
    }

    /// Waits until everything queued is written or lost, at most two seconds.
    pub fn flush(&self) {
        self.queue.flush();
    }

    /// What outlives it.
    pub fn rest(&self) -> Rest {
        Rest(Arc::clone(&self.queue))
    }
}

impl Rest {
    /// Waits until everything queued is written or lost, at most two seconds.
    pub fn flush(&self) {
        self.0.flush();
    }

    /// Is its log dropped, and its writer gone?
    pub fn is_written(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Waiting {
    /// Is it so much that it is to be written at once?
    fn is_much(&self) -> bool {
        self.bytes.len() > QUEUE_BYTES / 4
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self) {
        let busy = |waiting: &mut Waiting| waiting.lines > 0 || waiting.writing;
        drop(self.changed.wait_timeout_while(self.lock(), FLUSH_AT_MOST, busy));
    }

    fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.bytes.len() + line.len() > QUEUE_BYTES {
            drop(waiting);
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        let (first, little) = (waiting.lines == 0, !waiting.is_much());
        waiting.bytes.extend_from_slice(line);
        waiting.lines += 1;
        let wake = first || (little && waiting.is_much());
        drop(waiting);
        if wake {
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
