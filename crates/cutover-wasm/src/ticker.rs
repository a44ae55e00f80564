//! The thread that enforces deadlines: it moves the engine's epoch on, once per tick.
//!
//! It sleeps for good while no plugin is in use, so a proxy without plugins pays nothing for it, and it ends with the
//! last user of the engine.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::Engine;

#[derive(Debug)]
pub(crate) struct Ticker {
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

/// Keeps the ticker awake.
#[derive(Debug)]
pub(crate) struct Awake(Arc<Control>);

#[derive(Debug, Default)]
struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    users: usize,
    stop: bool,
}

impl Ticker {
    pub(crate) fn start(engine: Engine, tick: Duration) -> std::io::Result<Self> {
        let control = Arc::new(Control::default());
        let theirs = control.clone();
        let thread = std::thread::Builder::new()
            .name("plugin-deadlines".into())
            .spawn(move || theirs.run(&engine, tick))?;
        Ok(Self { control, thread: Some(thread) })
    }

    /// Ticks until the guard is dropped.
    pub(crate) fn awake(&self) -> Awake {
        self.control.change(|state| state.users += 1);
        Awake(self.control.clone())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.change(|state| state.users -= 1);
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
    fn run(&self, engine: &Engine, tick: Duration) {
        let mut state = self.lock();
        while !state.stop {
            if state.users == 0 {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (next, wait) =
                self.changed.wait_timeout(state, tick).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if wait.timed_out() {
                engine.increment_epoch();
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// The state is two plain numbers, whole at any time, so a panic elsewhere cannot spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
