//! cutover.toml.

use super::{Places, fill, routes};
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// The file it is started with.
pub(crate) const FILE: &str = "cutover.toml";

/// The components as the project ships them, so that what is measured is what is committed.
pub(crate) const COMPONENTS: [(&str, &[u8]); 2] = [
    ("tenant_split.wasm", include_bytes!("../../../../../plugins/dist/tenant_split.wasm")),
    ("test_plain.wasm", include_bytes!("../../../../../plugins/dist/test_plain.wasm")),
];

const COMMON: &str = r#"[server]
listen = ["@LISTEN@"]
threads = 1
access-log = "off"
[admin]
listen = "off"
[state]
store = "@RUN@/state"
[backends.old]
addresses = ["@OLD@"]
[backends.new]
addresses = ["@NEW@"]
[[routes]]
path = "/{*rest}"
backend = "old"
"#;

/// Of every migration here: no evidence may move it while it is measured.
const MIGRATION: &str = r#"[migrations.profile]
old = "old"
new = "new"
owner = "bench"
expires = 2099-01-01
data = "shared"
key = [{ header = "x-user-id" }]
routes = [{ path = "/api/profile/{id}" }]
gates.rollback = false
"#;

const SPLIT: &str = "read-percent = 5\n";

const BY_PLUGIN: &str = r#"plugins = { split = "tenants" }
[plugins.tenants]
component = "tenant_split.wasm"
config = { tenants = ["acme"] }
"#;

const EDITS: &str = r#"read-percent = 100
headers.request.set = { @NAME@ = "@EDITED@" }
headers.response.set = { @NAME@ = "@EDITED@" }
"#;

const EDITS_BY_PLUGIN: &str = r#"read-percent = 100
plugins = { rewrite = "plain" }
[plugins.plain]
component = "test_plain.wasm"
config = { edits = 1, reply-edits = 1 }
"#;

/// The sides answer with different bodies here, so that one sees who did; peers do not compare them at all.
const MIRROR: &str = r#"read-percent = 0
mirror-percent = 100
mirror.timeout = "@COPY_TIMEOUT@"
compare.ignore = [""]
"#;

pub(crate) fn files(at: &Places<'_>, scenario: Scenario) -> Vec<(&'static str, String)> {
    let more = match scenario {
        Scenario::Pass => String::new(),
        Scenario::Sticky => [MIGRATION, SPLIT].concat(),
        Scenario::Script => [MIGRATION, SPLIT, BY_PLUGIN].concat(),
        Scenario::Routes => routes().fold(String::new(), |mut text, (prefix, side)| {
            let _ =
                writeln!(text, "[[routes]]\npath = \"{prefix}{{*rest}}\"\nbackend = \"{side}\"");
            text
        }),
        Scenario::Edits => [MIGRATION, EDITS].concat(),
        Scenario::EditsByScript => [MIGRATION, EDITS_BY_PLUGIN].concat(),
        Scenario::Mirror | Scenario::MirrorHung => [MIGRATION, MIRROR].concat(),
    };
    vec![(FILE, fill(&[COMMON, &more].concat(), at, &[]))]
}
