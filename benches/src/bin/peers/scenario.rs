//! What a proxy is asked to do, and how one sees that it did.

use crate::configure::{ROUTES, prefix};
use anyhow::{Context as _, ensure};
use cutover_benches::e2e::load::{Load, Sent};
use std::net::SocketAddr;
use std::time::Duration;

/// Share of the users that a split sends to new.
const SHARE: f64 = 0.05;
/// Where nothing may be answered in time, a load waits so long after its last request was due.
const GIVES_UP: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Everything to one backend.
    Pass,
    /// 5 % of the users to the other one, by a header and what the product has for it.
    Sticky,
    /// The same, decided by a script or a plugin.
    Script,
    /// Many routes, and the last one is asked for.
    Routes,
    /// One header of the request and one of the reply set anew, by what the product has for it.
    Edits,
    /// The same, done by a script or a plugin.
    EditsByScript,
    /// Every request copied to the other backend.
    Mirror,
    /// The same, but the other backend takes connections and never answers.
    MirrorHung,
}

impl Scenario {
    pub(crate) const ALL: [Self; 8] = [
        Self::Pass,
        Self::Sticky,
        Self::Script,
        Self::Routes,
        Self::Edits,
        Self::EditsByScript,
        Self::Mirror,
        Self::MirrorHung,
    ];
    /// Those of a run that does not ask for all.
    pub(crate) const FEW: [Self; 3] = [Self::Pass, Self::Sticky, Self::Script];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass-through",
            Self::Sticky => "split by user, 5 %",
            Self::Script => "split by script or plugin",
            Self::Routes => "1,000 routes, the last one",
            Self::Edits => "two headers rewritten",
            Self::EditsByScript => "two headers by script or plugin",
            Self::Mirror => "every request mirrored",
            Self::MirrorHung => "mirrored to a side that hangs",
        }
    }

    /// Its name in the words of a command.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Sticky => "split",
            Self::Script => "split-script",
            Self::Routes => "routes",
            Self::Edits => "edits",
            Self::EditsByScript => "edits-script",
            Self::Mirror => "mirror",
            Self::MirrorHung => "mirror-hung",
        }
    }

    pub(crate) fn by_word(word: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|scenario| scenario.word() == word);
        found.with_context(|| format!("there is no scenario {word}"))
    }

    /// Does it take a script where there is no plugin?
    pub(crate) fn is_scripted(self) -> bool {
        matches!(self, Self::Script | Self::EditsByScript)
    }

    pub(crate) fn is_mirrored(self) -> bool {
        matches!(self, Self::Mirror | Self::MirrorHung)
    }

    /// What is asked for.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Routes => prefix(ROUTES - 1) + "4711",
            Self::Pass
            | Self::Sticky
            | Self::Script
            | Self::Edits
            | Self::EditsByScript
            | Self::Mirror
            | Self::MirrorHung => "/api/profile/4711".to_owned(),
        }
    }

    /// How much of the rate it is asked at. A copy is a second request, and one core does not serve two at a rate that keeps
    /// it busy with one.
    fn share_of_rate(self) -> f64 {
        if self.is_mirrored() { 0.25 } else { 1.0 }
    }

    /// The load of a block.
    pub(crate) fn load(self, to: SocketAddr, per_second: f64, lasts: Duration) -> Load {
        let mut load = Load::usual(to, per_second * self.share_of_rate(), lasts);
        load.path = self.path();
        load.wanted.edited = matches!(self, Self::Edits | Self::EditsByScript);
        load.gives_up = (self == Self::MirrorHung).then_some(GIVES_UP);
        load
    }

    /// Did everybody get what they should? Each reply's status, size and edits were looked at when it came.
    pub(crate) fn check(self, sent: &Sent) -> anyhow::Result<()> {
        ensure!(sent.latency.replies > 0, "nothing was answered");
        match self {
            Self::Pass | Self::Mirror | Self::MirrorHung => sent.sides.all_old(),
            Self::Sticky | Self::Script => sent.sides.split(SHARE),
            // Only the last route leads to new; the backend of edits is new where it saw the edit.
            Self::Routes | Self::Edits | Self::EditsByScript => sent.sides.all_new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_found_by_its_word() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::by_word(scenario.word()).ok(), Some(scenario));
        }
        assert!(Scenario::by_word("passing").is_err());
    }
}
