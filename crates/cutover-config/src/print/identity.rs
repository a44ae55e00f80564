//! What evidence about a migration is about, as text: if it is equal, what was observed before still counts.

use super::{Table, backend, migration, plugin, text};
use crate::document::{Document, MigrationDocument};

/// Parts of a migration that change what its two sides answer, or what counts as the same answer. Percents, gates,
/// steps and lists of users say who is asked and what is enough; evidence outlives them.
const PARTS: [&str; 4] = ["fallback", "headers", "path", "compare"];

/// Names of backends and plugins are left out: another name is not another service.
pub(crate) fn identity(document: &Document, about: &MigrationDocument) -> String {
    let mut identity = Table::default();
    for (side, name) in [("old", &about.old), ("new", &about.new)] {
        let found = document.backends.iter().find(|backend| backend.name == *name);
        identity.put_some(side, found.map(|found| backend(&found.backend)));
    }
    // What is ignored is compared as a set, together with what people added: see `Course::about`.
    let mut rest = about.clone();
    let rules = &mut rest.plan.compare.rules;
    (rules.ignore, rules.unordered) = Default::default();
    let parts = migration(&rest).0.into_iter();
    identity.0.extend(parts.filter(|(name, _)| PARTS.contains(&&**name)));
    let mut plugins = Table::default();
    for (hook, name) in about.plugins.given() {
        let found = document.plugins.iter().find(|plugin| plugin.name == *name);
        plugins.put_some(hook, found.map(plugin));
    }
    identity.put_filled("plugins", plugins);
    text(&identity)
}
