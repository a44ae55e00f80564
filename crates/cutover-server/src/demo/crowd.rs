//! Users who ask all the time while a migration goes on, and what each of them met, counted at the clients.

use super::traffic::{Answered, Ask, Seen, Traffic};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Users who ask at the same time.
const AT_ONCE: usize = 32;

/// Each of them rests as long between two requests: some thousand requests a second at most.
const REST: Duration = Duration::from_millis(25);

/// Users at work.
#[derive(Debug)]
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    users: Vec<JoinHandle<Vec<Seen>>>,
}

impl Crowd {
    /// They begin.
    pub(crate) fn start(traffic: &Traffic) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let one = |first: usize| {
            let (traffic, stop, asked) = (traffic.clone(), Arc::clone(&stop), Arc::clone(&asked));
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut mine = (first..traffic.users()).step_by(AT_ONCE).cycle();
                while let Some(user) = mine.next().filter(|_| !stop.load(Ordering::Relaxed)) {
                    seen.push(traffic.one(Ask::Profile, user).await);
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(REST).await;
                }
                seen
            })
        };
        let users = (0..AT_ONCE).map(one).collect();
        Self { stop, asked, users }
    }

    /// Requests so far.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// They stop; everything they saw, in the order of each user.
    pub(crate) async fn end(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for user in self.users {
            all.extend(user.await.unwrap_or_default());
        }
        all
    }
}

/// Users who met one side and then the other although no transition lies between. What `old` answers because `new`
/// failed is no change of sides. A transition lasts from when it was decided until it was in force.
pub(crate) fn strayed(seen: &[Seen], transitions_ms: &[RangeInclusive<u64>]) -> usize {
    let mut last: BTreeMap<usize, Seen> = BTreeMap::new();
    let mut strayed = 0;
    for now in seen.iter().filter(|seen| seen.answered != Answered::Failed && !seen.stand_in) {
        let Some(before) = last.insert(now.user, *now) else { continue };
        let between = |transition: &RangeInclusive<u64>| {
            *transition.start() <= now.ended_ms && *transition.end() >= before.began_ms
        };
        if before.answered != now.answered && !transitions_ms.iter().any(between) {
            strayed += 1;
        }
    }
    strayed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(user: usize, answered: Answered, began_ms: u64) -> Seen {
        let took = Duration::from_millis(5);
        Seen { user, answered, took, stand_in: false, began_ms, ended_ms: began_ms + 5 }
    }

    #[test]
    fn a_side_changes_with_a_transition_or_not_at_all() {
        let there = [seen(1, Answered::Old, 100), seen(1, Answered::New, 200)];
        assert_eq!(strayed(&there, &[150..=160]), 0);
        assert_eq!(strayed(&there, &[]), 1);
        assert_eq!(strayed(&there, &[250..=260]), 1);
    }

    #[test]
    fn who_is_answered_by_old_for_once_has_not_strayed() {
        let mut fallback = seen(1, Answered::Old, 200);
        fallback.stand_in = true;
        let seen = [seen(1, Answered::New, 100), fallback, seen(1, Answered::New, 300)];
        assert_eq!(strayed(&seen, &[]), 0);
    }

    #[test]
    fn users_do_not_stray_into_one_another() {
        let seen = [seen(1, Answered::New, 100), seen(2, Answered::Old, 101)];
        assert_eq!(strayed(&seen, &[]), 0);
    }
}
