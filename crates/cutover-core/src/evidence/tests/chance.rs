//! Chance for simulations: a seeded generator, and the number of good observations before the next
//! bad one drawn at once, so that a run of three million requests costs as much as its bad ones.

/// SplitMix64.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Even on (0, 1).
    pub(super) fn even(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Good observations before the next bad one, if each is bad with this chance.
    pub(super) fn gap(&mut self, bad: f64) -> u64 {
        if bad <= 0.0 { u64::MAX / 4 } else { (self.even().ln() / (-bad).ln_1p()) as u64 }
    }
}
