//! What the users' replies prove of an order, whatever the proxy says of it.

use super::traffic::{Answered, Seen};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A way back, as users met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Back {
    /// From what made it necessary to the beginning of the last request that `new` answered.
    pub(crate) after: Duration,
    /// Requests that began when it was said to be over, and that `new` answered all the same.
    pub(crate) late: usize,
}

impl Back {
    /// It became necessary at one time, and was said to be over at another: Unix time in milliseconds. `seen` goes beyond
    /// that.
    pub(crate) fn of(seen: &[Seen], necessary_ms: u64, over_ms: u64) -> Self {
        let on_new = || began_on_new(seen);
        let last_ms = on_new().max().unwrap_or_default();
        let after = Duration::from_millis(last_ms.saturating_sub(necessary_ms));
        Self { after, late: on_new().filter(|began_ms| *began_ms > over_ms).count() }
    }

    /// Was it over within this time, and when it was said to be?
    pub(crate) fn is_within(self, limit: Duration) -> bool {
        self.late == 0 && self.after < limit
    }
}

/// The longest time in which no request began that `new` answered, from then on (Unix time in milliseconds) until one did.
pub(crate) fn away(seen: &[Seen], from_ms: u64) -> Duration {
    let mut began: Vec<u64> = began_on_new(seen).filter(|ms| *ms > from_ms).collect();
    began.push(from_ms);
    began.sort_unstable();
    let longest = began.windows(2).map(|two| two[1] - two[0]).max();
    Duration::from_millis(longest.unwrap_or_default())
}

/// Does everybody read from `new`? What `old` answers because `new` failed is no change of sides.
pub(crate) fn all_on_new(seen: &[Seen]) -> bool {
    began_on_new(seen).next().is_some()
        && seen.iter().all(|seen| seen.answered == Answered::New || seen.stand_in.is_some())
}

fn began_on_new(seen: &[Seen]) -> impl Iterator<Item = u64> {
    seen.iter().filter(|seen| seen.answered == Answered::New).map(|seen| seen.began_ms)
}

/// Users who met one side and then the other although no transition lies between. What `old` answers because `new`
/// failed is no change of sides. A transition lasts from when it was decided until it was in force.
pub(crate) fn strayed(seen: &[Seen], transitions_ms: &[RangeInclusive<u64>]) -> usize {
    let mut last: BTreeMap<usize, Seen> = BTreeMap::new();
    let mut strayed = 0;
    for now in
        seen.iter().filter(|seen| seen.answered != Answered::Failed && seen.stand_in.is_none())
    {
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
    use super::super::traffic::StandIn;
    use super::*;

    fn seen(user: usize, answered: Answered, began_ms: u64) -> Seen {
        let took = Duration::from_millis(5);
        Seen { user, answered, took, stand_in: None, began_ms, ended_ms: began_ms + 5 }
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
        fallback.stand_in = Some(StandIn::Fallback);
        let seen = [seen(1, Answered::New, 100), fallback, seen(1, Answered::New, 300)];
        assert_eq!(strayed(&seen, &[]), 0);
    }

    #[test]
    fn users_do_not_stray_into_one_another() {
        let seen = [seen(1, Answered::New, 100), seen(2, Answered::Old, 101)];
        assert_eq!(strayed(&seen, &[]), 0);
    }

    #[test]
    fn a_rollback_is_over_when_the_last_request_of_new_has_begun() {
        let met = [
            seen(1, Answered::New, 90),
            seen(2, Answered::New, 107),
            seen(1, Answered::Old, 112),
            seen(2, Answered::Old, 130),
        ];
        let back = Back::of(&met, 100, 110);
        assert_eq!(back, Back { after: Duration::from_millis(7), late: 0 });
        assert!(back.is_within(Duration::from_millis(8)) && !back.is_within(back.after));
        let at_once = Back::of(&met[2..], 100, 110);
        assert_eq!(at_once, Back { after: Duration::ZERO, late: 0 });
    }

    /// Also one that is said to have been quick.
    #[test]
    fn a_rollback_that_moves_nobody_is_none() {
        let met =
            [seen(1, Answered::New, 90), seen(1, Answered::Old, 111), seen(2, Answered::New, 112)];
        let back = Back::of(&met, 100, 110);
        assert_eq!(back.late, 1);
        assert!(!back.is_within(Duration::from_secs(1)));
    }

    #[test]
    fn away_is_until_somebody_is_back() {
        let met = [
            seen(1, Answered::New, 2_130),
            seen(2, Answered::New, 100),
            seen(3, Answered::Old, 900),
            seen(4, Answered::New, 120),
        ];
        assert_eq!(away(&met, 110), Duration::from_millis(2_010));
        assert_eq!(away(&met, 130), Duration::from_millis(2_000), "nobody was sent there at once");
        assert_eq!(away(&met[1..], 130), Duration::ZERO, "nobody came back");
    }

    #[test]
    fn one_user_on_old_is_not_everybody_on_new() {
        let mut met = [seen(1, Answered::New, 1), seen(2, Answered::Old, 2)];
        assert!(!all_on_new(&met) && all_on_new(&met[..1]) && !all_on_new(&[]));
        met[1].stand_in = Some(StandIn::Breaker);
        assert!(all_on_new(&met));
        met[0].answered = Answered::Failed;
        assert!(!all_on_new(&met));
    }
}
