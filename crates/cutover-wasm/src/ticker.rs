//! The thread that enforces deadlines: while a call is in flight it moves the engine's epoch on, once per tick.
//!
//! Calls take less than a microsecond and are rare to be met, so while none is in flight it only looks, as seldom as
//! the shortest deadline in use allows: waking up costs a busy machine more than the calls do (decision 0033). It sleeps for
//! good while no plugin is in use, so a proxy without plugins pays nothing for it, and it ends with the last user of the
//! engine.

use crate::slots::worker;
use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest time between two looks.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Ticker {
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

/// A place whose calls are watched.
#[derive(Debug)]
pub(crate) struct Awake {
    control: Arc<Control>,
    deadline: Duration,
}

/// A call in flight.
pub(crate) struct Running<'t>(&'t AtomicUsize);

#[derive(Debug)]
struct Control {
    state: Mutex<State>,
    changed: Condvar,
    /// Calls in flight, by worker, because a number that all of them write would cost each the others' caches.
    running: Box<[CachePadded<AtomicUsize>]>,
}

#[derive(Debug, Default)]
struct State {
    /// Of the places in use.
    deadlines: Vec<Duration>,
    stop: bool,
}

impl Ticker {
    /// `advance` is what a tick does.
    pub(crate) fn start(
        workers: usize,
        tick: Duration,
        advance: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let control = Arc::new(Control {
            state: Mutex::default(),
            changed: Condvar::new(),
            running: (0..workers.max(1)).map(|_| CachePadded::default()).collect(),
        });
        let theirs = control.clone();
        let thread = std::thread::Builder::new()
            .name("plugin-deadlines".into())
            .spawn(move || theirs.run(tick, advance))?;
        Ok(Self { control, thread: Some(thread) })
    }

    /// Calls with this deadline will be watched until the guard is dropped.
    pub(crate) fn awake(&self, deadline: Duration) -> Awake {
        self.control.change(|state| state.deadlines.push(deadline));
        Awake { control: self.control.clone(), deadline }
    }

    /// A call is in flight until the guard is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        let running = &self.control.running;
        let count = &*running[worker() % running.len()];
        count.fetch_add(1, Relaxed);
        Running(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.control.change(|state| {
            let ours = state.deadlines.iter().position(|deadline| *deadline == self.deadline);
            if let Some(at) = ours {
                state.deadlines.swap_remove(at);
            }
        });
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.control.change(|state| state.stop = true);
        if let Some(thread) = self.thread.take() {
            // It cannot panic; and if it did, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl Control {
    fn run(&self, tick: Duration, advance: impl Fn()) {
        let mut state = self.lock();
        while !state.stop {
            let Some(shortest) = state.deadlines.iter().min() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let look = (*shortest).clamp(tick, LOOK_AT_LEAST_EVERY.max(tick));
            let busy = self.running.iter().any(|count| count.load(Relaxed) > 0);
            let pause = if busy { tick } else { look };
            let (next, wait) =
                self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if busy && wait.timed_out() {
                advance();
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// The state is whole at any time, so a panic elsewhere cannot spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_micros(100);

    fn ticker() -> (Ticker, Arc<AtomicUsize>) {
        let ticks = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&ticks);
        let advance = move || {
            theirs.fetch_add(1, Relaxed);
        };
        (Ticker::start(2, TICK, advance).expect("a thread"), ticks)
    }

    #[expect(clippy::disallowed_methods, reason = "waits for a thread that keeps real time")]
    fn after(ticks: &AtomicUsize, at_least: usize) -> bool {
        (0..10_000).any(|_| {
            std::thread::sleep(TICK);
            ticks.load(Relaxed) >= at_least
        })
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "waits for a thread that keeps real time")]
    fn time_passes_only_for_calls_in_flight() {
        let (ticker, ticks) = ticker();
        let place = ticker.awake(TICK);
        std::thread::sleep(100 * TICK);
        assert_eq!(ticks.load(Relaxed), 0, "nobody calls");
        let call = ticker.running();
        assert!(after(&ticks, 3), "a call is in flight");
        drop(call);
        // The tick that had begun.
        std::thread::sleep(100 * TICK);
        let at_rest = ticks.load(Relaxed);
        std::thread::sleep(100 * TICK);
        assert_eq!(ticks.load(Relaxed), at_rest, "it has ended");
        drop(place);
    }

    #[test]
    fn a_call_is_found_whatever_the_deadlines_of_other_places() {
        let (ticker, ticks) = ticker();
        let _places = [ticker.awake(Duration::from_secs(3600)), ticker.awake(Duration::MAX)];
        let _call = ticker.running();
        assert!(after(&ticks, 1));
    }
}
