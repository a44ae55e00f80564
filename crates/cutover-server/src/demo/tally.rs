//! What the clients saw, added up.

use super::traffic::{Answered, Seen};
use std::time::Duration;

/// The account of one act.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// By the monolith.
    pub(crate) old: SideTally,
    /// By the new service.
    pub(crate) new: SideTally,
    /// Requests without a whole reply of status 200.
    pub(crate) failed: usize,
    /// Users answered by both sides.
    pub(crate) moved: usize,
}

/// One side's part of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SideTally {
    /// Requests answered.
    pub(crate) requests: usize,
    /// Users it answered at least once.
    pub(crate) users: usize,
    /// Half of the requests took at most this.
    pub(crate) p50: Duration,
    /// 99 of 100 requests took at most this.
    pub(crate) p99: Duration,
}

/// Which sides a user has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// The monolith.
    pub(crate) old: bool,
    /// The new service.
    pub(crate) new: bool,
}

impl Tally {
    /// Adds requests up.
    pub(crate) fn of(seen: &[Seen]) -> Self {
        let met = met(seen);
        let side = |answered: Answered, has: fn(&Met) -> bool| {
            let mut took: Vec<Duration> =
                seen.iter().filter(|s| s.answered == answered).map(|s| s.took).collect();
            took.sort_unstable();
            SideTally {
                requests: took.len(),
                users: met.iter().filter(|met| has(met)).count(),
                p50: quantile(&took, 50),
                p99: quantile(&took, 99),
            }
        };
        Self {
            old: side(Answered::Old, |met| met.old),
            new: side(Answered::New, |met| met.new),
            failed: seen.iter().filter(|s| s.answered == Answered::Failed).count(),
            moved: met.iter().filter(|&&m| m == Met { old: true, new: true }).count(),
        }
    }
}

/// Which sides each user has met, by number.
pub(crate) fn met(seen: &[Seen]) -> Vec<Met> {
    let users = seen.iter().map(|s| s.user + 1).max().unwrap_or(0);
    let mut met = vec![Met::default(); users];
    for each in seen {
        match each.answered {
            Answered::Old => met[each.user].old = true,
            Answered::New => met[each.user].new = true,
            Answered::Failed => {}
        }
    }
    met
}

/// The nearest-rank quantile of a sorted list; zero if it is empty.
fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(user: usize, answered: Answered, ms: u64) -> Seen {
        let took = Duration::from_millis(ms);
        Seen { user, answered, took, stand_in: false, began_ms: 0, ended_ms: ms }
    }

    #[test]
    fn a_user_on_both_sides_has_moved_and_a_failure_is_no_side() {
        let tally = Tally::of(&[
            seen(0, Answered::Old, 3),
            seen(0, Answered::New, 1),
            seen(1, Answered::New, 2),
            seen(1, Answered::Failed, 9),
            seen(2, Answered::Old, 5),
        ]);
        assert_eq!((tally.moved, tally.failed), (1, 1));
        assert_eq!((tally.old.users, tally.new.users), (2, 2));
        assert_eq!((tally.old.requests, tally.new.requests), (2, 2));
        assert_eq!(tally.new.p50, Duration::from_millis(1));
        assert_eq!(tally.new.p99, Duration::from_millis(2));
    }

    #[test]
    fn nothing_seen_is_all_zero() {
        let tally = Tally::of(&[]);
        assert_eq!((tally.old.requests, tally.moved, tally.failed), (0, 0, 0));
        assert_eq!(tally.old.p99, Duration::ZERO);
    }
}
