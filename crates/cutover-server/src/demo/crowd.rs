//! Users who ask all the time while a migration goes on, and what each of them met, counted at the clients.

use super::traffic::{Ask, Seen, Traffic};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Users who ask at the same time.
const AT_ONCE: usize = 32;

/// Each of them rests as long between two requests: some thousand requests a second at most.
const REST: Duration = Duration::from_millis(25);

/// All users have asked once within this time, on any machine that can run the demo.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at what they saw.
const GLANCE: Duration = Duration::from_millis(20);

/// Users at work.
#[derive(Debug)]
pub(crate) struct Crowd {
    users: usize,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
    asking: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// They begin.
    pub(crate) fn start(traffic: &Traffic) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let one = |first: usize| {
            let (traffic, stop, seen) = (traffic.clone(), Arc::clone(&stop), Arc::clone(&seen));
            tokio::spawn(async move {
                let mut mine = (first..traffic.users()).step_by(AT_ONCE).cycle();
                while let Some(user) = mine.next().filter(|_| !stop.load(Ordering::Relaxed)) {
                    let met = traffic.one(Ask::Profile, user).await;
                    lock(&seen).push(met);
                    tokio::time::sleep(REST).await;
                }
            })
        };
        let asking = (0..AT_ONCE).map(one).collect();
        Self { users: traffic.users(), stop, seen, asking }
    }

    /// How many they are.
    pub(crate) fn users(&self) -> usize {
        self.users
    }

    /// What they have seen of requests that began later than that, which is Unix time in milliseconds; each user's in
    /// their order.
    pub(crate) fn since(&self, ms: u64) -> Vec<Seen> {
        lock(&self.seen).iter().filter(|seen| seen.began_ms > ms).copied().collect()
    }

    /// Waits until every user has seen how a request ended that began later than that, and answers with all such.
    ///
    /// # Errors
    /// If somebody waits for ever.
    #[expect(clippy::disallowed_methods, reason = "the demo shows real time to a person")]
    pub(crate) async fn round(&self, ms: u64) -> anyhow::Result<Vec<Seen>> {
        let began = Instant::now();
        loop {
            let seen = self.since(ms);
            let have: BTreeSet<usize> = seen.iter().map(|seen| seen.user).collect();
            if have.len() == self.users {
                return Ok(seen);
            }
            let waits = self.users - have.len();
            anyhow::ensure!(began.elapsed() < PATIENCE, "demo: {waits} users wait for ever");
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// They stop; everything they saw, each user's in their order.
    pub(crate) async fn end(&mut self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        for asking in self.asking.drain(..) {
            // What it had seen before it failed counts.
            let _ = asking.await;
        }
        self.since(0)
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
