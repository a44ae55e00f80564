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

/// Is this share of the users what is to be expected of a cohort of so many percent? Which users are in it is fixed by
/// their names: three standard deviations for a population of this size.
pub(crate) fn is_cohort(on_new: usize, users: usize, percent: f64) -> bool {
    let (share, expected) = (on_new as f64 / users as f64, percent / 100.0);
    (share - expected).abs() <= 3.0 * (expected * (1.0 - expected) / users as f64).sqrt()
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
        Seen { user, answered, took, stand_in: None, began_ms: 0, ended_ms: ms }
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
    fn a_cohort_may_differ_as_much_as_names_do() {
        for (on_new, fits) in [(100, true), (70, false), (72, true), (130, false), (0, false)] {
            assert_eq!(is_cohort(on_new, 2_000, 5.0), fits, "{on_new}");
        }
        assert!(is_cohort(2_000, 2_000, 100.0) && !is_cohort(1_999, 2_000, 100.0));
    }

    #[test]
    fn nothing_seen_is_all_zero() {
        let tally = Tally::of(&[]);
        assert_eq!((tally.old.requests, tally.moved, tally.failed), (0, 0, 0));
        assert_eq!(tally.old.p99, Duration::ZERO);
    }
}
