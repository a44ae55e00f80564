//! The writer thread: takes what waits, writes it in one go, and copes with files that fail or are rotated away.

use super::Queue;
use cutover::{Clock, SystemClock};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Lines that come within this time of the first are written together: every write wakes this thread twice.
const GATHER: Duration = Duration::from_millis(50);
/// Time between two looks at whether the file was rotated away.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time between two reports that the log cannot be written.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Runs until the queue is closed and empty.
pub(super) fn run(queue: &Queue, path: Option<PathBuf>) {
    let mut sink = Sink::new(path);
    let mut batch = Vec::new();
    while let Some(lines) = take(queue, &mut batch, &mut sink) {
        if let Err(error) = sink.write(&batch) {
            queue.dropped.fetch_add(lines, Relaxed);
            sink.report(&error);
        }
        batch.clear();
        queue.lock().writing = false;
        queue.changed.notify_all();
    }
}

/// Waits for lines and swaps them into `batch`; `None` when there will be no more.
fn take(queue: &Queue, batch: &mut Vec<u8>, sink: &mut Sink) -> Option<u64> {
    let waiting = queue.lock();
    let mut waiting = queue
        .changed
        .wait_while(waiting, |waiting| waiting.lines == 0 && !waiting.closed)
        .unwrap_or_else(PoisonError::into_inner);
    if waiting.lines == 0 {
        return None;
    }
    if !waiting.closed {
        (waiting, _) = queue
            .changed
            .wait_timeout_while(waiting, GATHER, |waiting| !waiting.closed && !waiting.is_much())
            .unwrap_or_else(PoisonError::into_inner);
    }
    std::mem::swap(batch, &mut waiting.bytes);
    if std::mem::take(&mut waiting.reopen) {
        sink.close();
    }
    waiting.writing = true;
    Some(std::mem::take(&mut waiting.lines))
}

/// Where lines go: standard output, or a file that may come and go.
struct Sink {
    path: Option<PathBuf>,
    file: Option<File>,
    looked: Option<Instant>,
    reported: Option<Instant>,
    /// The last write broke off inside a line.
    torn: bool,
}

impl Sink {
    fn new(path: Option<PathBuf>) -> Self {
        Self { path, file: None, looked: None, reported: None, torn: false }
    }

    fn close(&mut self) {
        self.file = None;
    }

    fn write(&mut self, batch: &[u8]) -> io::Result<()> {
        let torn = self.torn;
        let written = match self.path.clone() {
            None => whole(&mut io::stdout().lock(), torn, batch),
            Some(path) => {
                let file = self.open(&path)?;
                whole(file, torn, batch)
            }
        };
        self.torn = written.is_err();
        if written.is_err() {
            self.close();
        } else if self.reported.take().is_some() {
            tracing::info!("the access log can be written again");
        }
        written
    }

    /// The open file; opened again if it was rotated away.
    fn open(&mut self, path: &Path) -> io::Result<&mut File> {
        let now = SystemClock.now();
        if self.looked.is_none_or(|looked| now.saturating_duration_since(looked) >= LOOK_EVERY) {
            self.looked = Some(now);
            if self.file.as_ref().is_some_and(|file| was_rotated(file, path)) {
                self.close();
            }
        }
        if self.file.is_none() {
            self.file = Some(File::options().create(true).append(true).open(path)?);
        }
        Ok(self.file.as_mut().expect("it was opened just now"))
    }

    fn report(&mut self, error: &io::Error) {
        let now = SystemClock.now();
        let due = self.reported.is_none_or(|last| now.duration_since(last) >= REPORT_EVERY);
        if due {
            self.reported = Some(now);
            let path = self.path.as_deref().unwrap_or_else(|| Path::new("standard output"));
            tracing::error!(
                path = %path.display(), %error,
                "the access log cannot be written: lines are lost, traffic is not; make room or fix the path"
            );
        }
    }
}

/// Writes the batch, on a line of its own.
fn whole(to: &mut impl Write, torn: bool, batch: &[u8]) -> io::Result<()> {
    if torn {
        to.write_all(b"\n")?;
    }
    to.write_all(batch)?;
    to.flush()
}

/// Does the path lead to another file, or to none?
fn was_rotated(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) != (there.dev(), there.ino()),
        (_, Err(_)) => true,
        (Err(_), Ok(_)) => false,
    }
}
