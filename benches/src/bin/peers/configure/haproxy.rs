//! haproxy.cfg, its map of routes, its scripts.

use super::{Places, Setting, fill, routes};
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// The file it is started with.
pub(crate) const FILE: &str = "haproxy.cfg";

const TEMPLATE: &str = include_str!("../../../../peers/haproxy.cfg");
const SPLIT_LUA: &str = include_str!("../../../../peers/haproxy-split.lua");
const EDIT_LUA: &str = include_str!("../../../../peers/haproxy-edit.lua");

const SPLIT: &str = "http-request set-var(txn.b) req.hdr(x-user-id),xxh32(7),mod(10000)
  use_backend new if { var(txn.b) -m int lt 500 }";
const SPLIT_BY_LUA: &str = "http-request lua.split
  use_backend new if { var(txn.side) -m str new }";
const BY_MAP: &str = "use_backend %[path,map_beg(@RUN@/routes.map,old)]";
const EDITS: &str = r#"http-request set-header @NAME@ "@EDITED@"
  http-response set-header @NAME@ "@EDITED@""#;
const EDITS_BY_LUA: &str = "http-request lua.edit_request
  http-response lua.edit_reply";

pub(crate) fn files(
    at: &Places<'_>,
    scenario: Scenario,
    setting: Setting,
) -> Vec<(&'static str, String)> {
    let (global, frontend) = match scenario {
        // It has no mirroring: `Product::cannot` says so, and nobody starts it with this.
        Scenario::Pass | Scenario::Mirror | Scenario::MirrorHung => ("", ""),
        Scenario::Sticky => ("", SPLIT),
        Scenario::Script => ("lua-load @RUN@/split.lua", SPLIT_BY_LUA),
        Scenario::Routes => ("", BY_MAP),
        Scenario::Edits => ("", EDITS),
        Scenario::EditsByScript => ("lua-load @RUN@/edit.lua", EDITS_BY_LUA),
    };
    // A new process takes the listening sockets over, so that none is closed between the two.
    let global = if setting == Setting::Reloads {
        "stats socket @RUN@/haproxy.sock mode 600 level admin expose-fd listeners"
    } else {
        global
    };
    let map = routes().fold(String::new(), |mut text, (prefix, side)| {
        let _ = writeln!(text, "{prefix} {side}");
        text
    });
    vec![
        (FILE, fill(TEMPLATE, at, &[("@GLOBAL@", global), ("@FRONTEND@", frontend)])),
        ("split.lua", SPLIT_LUA.to_owned()),
        ("edit.lua", fill(EDIT_LUA, at, &[])),
        ("routes.map", map),
    ]
}
