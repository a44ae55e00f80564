//! The Caddyfile.

use super::{Places, fill, routes};
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// The file it is started with.
pub(crate) const FILE: &str = "Caddyfile";

const TEMPLATE: &str = include_str!("../../../../peers/Caddyfile");

const ALL_TO_OLD: &str = "\treverse_proxy @OLD@ {\n\t\timport proxy\n\t}";
const EDITS: &str = "\treverse_proxy @OLD@ {\n\t\timport proxy\n\t\theader_up @NAME@ \"@EDITED@\"\n\
                     \t\theader_down @NAME@ \"@EDITED@\"\n\t}";

pub(crate) fn files(at: &Places<'_>, scenario: Scenario) -> Vec<(&'static str, String)> {
    let site = match scenario {
        // What it cannot do is said by `Product::cannot`, and nobody starts it with that.
        Scenario::Pass
        | Scenario::Sticky
        | Scenario::Script
        | Scenario::EditsByScript
        | Scenario::Mirror
        | Scenario::MirrorHung => ALL_TO_OLD.to_owned(),
        Scenario::Edits => EDITS.to_owned(),
        Scenario::Routes => by_path(),
    };
    vec![(FILE, fill(TEMPLATE, at, &[("@SITE@", &site)]))]
}

fn by_path() -> String {
    routes().fold(String::new(), |mut text, (prefix, side)| {
        let to = if side == "new" { "@NEW@" } else { "@OLD@" };
        let _ = writeln!(
            text,
            "\thandle {prefix}* {{\n\t\treverse_proxy {to} {{\n\t\t\timport proxy\n\t\t}}\n\t}}"
        );
        text
    })
}
