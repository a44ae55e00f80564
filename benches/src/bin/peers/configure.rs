//! What each program is told for a scenario: the same thing, in the words of each.

pub(crate) mod caddy;
pub(crate) mod cutover;
pub(crate) mod envoy;
pub(crate) mod haproxy;
pub(crate) mod nginx;
pub(crate) mod traefik;

use cutover_benches::e2e::edited::{EDITED, NAME};
use std::net::SocketAddr;
use std::path::Path;

/// Routes of the scenario that has many.
pub(crate) const ROUTES: usize = 1_000;
/// Time that a copy may take, everywhere.
const COPY_TIMEOUT: &str = "1s";

/// What is asked of a program besides its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Nothing.
    Usual,
    /// To change its configuration while it runs, as it does in production.
    Reloads,
    /// To hold many connections.
    ManyConnections,
}

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Places<'p> {
    pub(crate) listen: SocketAddr,
    pub(crate) old: SocketAddr,
    pub(crate) new: SocketAddr,
    pub(crate) folder: &'p Path,
}

/// The path that a route begins with; the last one is asked for.
pub(crate) fn prefix(number: usize) -> String {
    format!("/api/service-{}/resource-{number}/", number % 64)
}

/// Every route, and who serves it: the last one is the only one of new.
fn routes() -> impl Iterator<Item = (String, &'static str)> {
    let side = |number| if number + 1 == ROUTES { "new" } else { "old" };
    (0..ROUTES).map(move |number| (prefix(number), side(number)))
}

/// Puts `more` into its places, and after it what everybody has.
fn fill(template: &str, at: &Places<'_>, more: &[(&str, &str)]) -> String {
    let places = [
        ("@LISTEN@", at.listen.to_string()),
        ("@OLD@", at.old.to_string()),
        ("@NEW@", at.new.to_string()),
        ("@LISTEN_PORT@", at.listen.port().to_string()),
        ("@OLD_PORT@", at.old.port().to_string()),
        ("@NEW_PORT@", at.new.port().to_string()),
        ("@RUN@", at.folder.display().to_string()),
        ("@NAME@", NAME.to_owned()),
        ("@EDITED@", EDITED.to_owned()),
        ("@COPY_TIMEOUT@", COPY_TIMEOUT.to_owned()),
    ];
    let text = more.iter().fold(template.to_owned(), |text, (key, value)| text.replace(key, value));
    places.iter().fold(text, |text, (key, value)| text.replace(key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn no_configuration_has_a_gap() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let at = Places { listen: address, old: address, new: address, folder: Path::new("/run") };
        for scenario in Scenario::ALL {
            for setting in [Setting::Usual, Setting::Reloads, Setting::ManyConnections] {
                let files = [
                    cutover::files(&at, scenario),
                    nginx::files(&at, scenario, setting),
                    haproxy::files(&at, scenario, setting),
                    envoy::files(&at, scenario, setting, envoy::Script::Lua),
                    envoy::files(&at, scenario, setting, envoy::Script::Wasm),
                    caddy::files(&at, scenario),
                    traefik::files(&at, scenario),
                ];
                for (name, text) in files.concat() {
                    let mut words = text.split(|char: char| char.is_whitespace() || char == '"');
                    // Comments speak of @…@, and protobuf calls a type @type.
                    let known = |word: &str| word.starts_with("@…") || word.starts_with("@type");
                    let gap =
                        words.find(|word| word.starts_with('@') && word.len() > 1 && !known(word));
                    assert_eq!(gap, None, "{name}: {text}");
                }
            }
        }
    }
}
