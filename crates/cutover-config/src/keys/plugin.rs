//! Keys of `[plugins.NAME]`.

use super::Presence::{Default, Required};
use super::{Key, Kind, Section};

pub(crate) static PLUGIN: Section = Section {
    meaning: "A WebAssembly component. Each migration that uses it has instances of its own.",
    keys: &[
        Key {
            name: "component",
            kind: Kind::Text,
            presence: Required("add component = \"plugins/dist/NAME.wasm\""),
            meaning: "File of the component, relative to this file's folder.",
        },
        Key {
            name: "config",
            kind: Kind::Free,
            presence: Default("{}"),
            meaning: "What the plugin is configured with; it gets this table as JSON.",
        },
        Key {
            name: "on-error",
            kind: Kind::Word(&["old", "reject", "percent"]),
            presence: Default("old"),
            meaning: "What a request gets when it fails. A split: `old` serves, `reject` refuses \
                      with 503, or the native rule decides by `percent`. The plugin guide has the \
                      table for every hook.",
        },
        Key {
            name: "deadline",
            kind: Kind::Duration,
            presence: Default("5ms"),
            meaning: "Limit for one call, at most 1s. A busy machine may hold up a good call for some milliseconds: a limit that is too tight costs users their side.",
        },
        Key {
            name: "normalise-deadline",
            kind: Kind::Duration,
            presence: Default("50ms"),
            meaning: "The same for a call of the hook normalise, at most 1s: no request waits for \
                      it, other comparisons do.",
        },
        Key {
            name: "memory",
            kind: Kind::Size,
            presence: Default("16MiB"),
            meaning: "Limit for its linear memory, 64KiB to 1GiB.",
        },
        Key {
            name: "isolation",
            kind: Kind::Word(&["worker", "request"]),
            presence: Default("worker"),
            meaning: "`worker`: one instance per worker, reused; `request`: a fresh one for every \
                      request, about 26 µs.",
        },
    ],
    elsewhere: &[
        ("split", "hooks are chosen by the migration: [migrations.NAME.plugins]"),
        ("rewrite", "hooks are chosen by the migration: [migrations.NAME.plugins]"),
        ("fallback", "hooks are chosen by the migration: [migrations.NAME.plugins]"),
        ("normalise", "hooks are chosen by the migration: [migrations.NAME.plugins]"),
        ("timeout", "it is called deadline"),
    ],
};
