//! How `old` is, as long as nothing is asked of `new`: what users get of it, and whether it can be reached.

use cutover_core::evidence::{Counts, OldNow, Reach};
use std::collections::VecDeque;

/// Looks that are looked back upon: a minute.
const LOOKS: usize = 60;

/// What was seen of `old` lately.
#[derive(Clone, Debug, Default)]
pub(super) struct OldWatch {
    asked: VecDeque<Counts>,
    answered_ms: Option<u64>,
    reach: Option<Reach>,
}

impl OldWatch {
    /// Requests since the last look; bad: failed. And its addresses, if they are known here.
    pub(super) fn look(&mut self, asked: Counts, reach: Option<Reach>, now_ms: u64) {
        if asked.good() > 0 {
            self.answered_ms = Some(now_ms);
        }
        self.reach = reach;
        self.asked.push_back(asked);
        if self.asked.len() > LOOKS {
            self.asked.pop_front();
        }
    }

    pub(super) fn now(&self) -> OldNow {
        let lately = self.asked.iter().fold(Counts::NONE, |sum, asked| sum + *asked);
        OldNow { reach: self.reach, lately, answered_ms: self.answered_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_looked_back_upon_and_the_last_answer_is_remembered() {
        let mut watch = OldWatch::default();
        assert_eq!(watch.now(), OldNow::default());
        watch.look(Counts::new(5, 1), Some(Reach::default()), 1_000);
        (2..=60).for_each(|second| watch.look(Counts::new(1, 1), None, second * 1_000));
        let lately = Counts::new(64, 60);
        assert_eq!(watch.now(), OldNow { reach: None, lately, answered_ms: Some(1_000) });
        watch.look(Counts::NONE, None, 61_000);
        assert_eq!(watch.now().lately, Counts::new(59, 59));
    }
}
