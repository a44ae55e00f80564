//! Traefik's file of routers and services; what else it is told are words of its command line.

use super::{Places, fill, routes};
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// The file that it is pointed to.
pub(crate) const FILE: &str = "dynamic.yml";

const TEMPLATE: &str = include_str!("../../../../peers/traefik-dynamic.yml");

/// Its command line, with nothing on that is not needed.
pub(crate) fn words(at: &Places<'_>) -> Vec<String> {
    vec![
        format!("--entryPoints.web.address={}", at.listen),
        format!("--providers.file.filename={}", at.folder.join(FILE).display()),
        "--providers.file.watch=false".to_owned(),
        "--global.checkNewVersion=false".to_owned(),
        "--global.sendAnonymousUsage=false".to_owned(),
        "--log.level=ERROR".to_owned(),
    ]
}

pub(crate) fn files(at: &Places<'_>, scenario: Scenario) -> Vec<(&'static str, String)> {
    let all = |service: &str, more: &str| {
        format!("    all: {{rule: \"PathPrefix(`/`)\", service: {service}{more}}}")
    };
    let routers = match scenario {
        // What it cannot do is said by `Product::cannot`, and nobody starts it with that.
        Scenario::Pass | Scenario::Sticky | Scenario::Script | Scenario::EditsByScript => {
            all("old", "")
        }
        Scenario::Edits => all("old", ", middlewares: [edit]"),
        Scenario::Mirror | Scenario::MirrorHung => all("copied", ""),
        Scenario::Routes => by_path(),
    };
    vec![(FILE, fill(TEMPLATE, at, &[("@ROUTERS@", &routers)]))]
}

fn by_path() -> String {
    routes().enumerate().fold(String::new(), |mut text, (number, (prefix, side))| {
        let _ =
            writeln!(text, "    r{number}: {{rule: \"PathPrefix(`{prefix}`)\", service: {side}}}");
        text
    })
}
