//! What a proxy is asked to do, and how one sees that it did.

use cutover_benches::e2e::sides::Sides;

/// Share of the users that a split sends to new.
const SHARE: f64 = 0.05;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Everything to one backend.
    Pass,
    /// 5 % of the users to the other one, by a header and what the product has for it.
    Sticky,
    /// The same, decided by a script or a plugin.
    Script,
}

impl Scenario {
    pub(crate) const ALL: [Self; 3] = [Self::Pass, Self::Sticky, Self::Script];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass-through",
            Self::Sticky => "split by user, 5 %",
            Self::Script => "the same by script or plugin",
        }
    }

    /// Did everybody get what they should?
    pub(crate) fn check(self, sides: &Sides) -> anyhow::Result<()> {
        match self {
            Self::Pass => sides.all_old(),
            Self::Sticky | Self::Script => sides.split(SHARE),
        }
    }
}
