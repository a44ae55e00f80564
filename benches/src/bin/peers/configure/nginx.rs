//! nginx.conf.

use super::{Places, Setting, fill, routes};
use crate::scenario::Scenario;

/// The file it is started with.
pub(crate) const FILE: &str = "nginx.conf";
/// Without it there are no scripts.
pub(crate) const LUA: &str = "/usr/lib/nginx/modules/ngx_http_lua_module.so";

const TEMPLATE: &str = include_str!("../../../../peers/nginx.conf");

const MODULES: &str = "load_module /usr/lib/nginx/modules/ndk_http_module.so;\n\
                       load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;";
const LIBRARY: &str = "lua_package_path \"/usr/share/lua/5.1/?.lua;;\";";

const SPLIT_CLIENTS: &str = "split_clients \"mig1${http_x_user_id}\" $side { 5% new; * old; }";

const LUA_SPLIT: &str = r#"set $side old;
    rewrite_by_lua_block {
      local user = ngx.var.http_x_user_id
      if ngx.crc32_short("mig1" .. user) % 10000 < 500 then ngx.var.side = "new" end
    }
    proxy_pass http://$side;"#;

/// A directive of this kind here replaces all those of the levels above.
const EDITS: &str = r#"proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header @NAME@ "@EDITED@";
    proxy_hide_header @NAME@; add_header @NAME@ "@EDITED@";
    proxy_pass http://old;"#;

const LUA_EDITS: &str = r#"rewrite_by_lua_block { ngx.req.set_header("@NAME@", "@EDITED@") }
    header_filter_by_lua_block { ngx.header["@NAME@"] = "@EDITED@" }
    proxy_pass http://old;"#;

const COPIES: &str = "location = /copy { internal; proxy_pass http://new$request_uri; \
                      proxy_connect_timeout @COPY_TIMEOUT@; proxy_read_timeout @COPY_TIMEOUT@; }";

pub(crate) fn files(
    at: &Places<'_>,
    scenario: Scenario,
    setting: Setting,
) -> Vec<(&'static str, String)> {
    let old = "proxy_pass http://old;";
    let (http, location) = match scenario {
        Scenario::Pass | Scenario::Routes => ("", old),
        Scenario::Sticky => (SPLIT_CLIENTS, "proxy_pass http://$side;"),
        Scenario::Script => (LIBRARY, LUA_SPLIT),
        Scenario::Edits => ("", EDITS),
        Scenario::EditsByScript => (LIBRARY, LUA_EDITS),
        Scenario::Mirror | Scenario::MirrorHung => ("", "mirror /copy; proxy_pass http://old;"),
    };
    let locations = match scenario {
        Scenario::Routes => routes()
            .map(|(prefix, side)| format!("location {prefix} {{ proxy_pass http://{side}; }}\n"))
            .collect(),
        Scenario::Mirror | Scenario::MirrorHung => COPIES.to_owned(),
        Scenario::Pass
        | Scenario::Sticky
        | Scenario::Script
        | Scenario::Edits
        | Scenario::EditsByScript => String::new(),
    };
    let master = if setting == Setting::Reloads { "on" } else { "off" };
    let connections = if setting == Setting::ManyConnections { "16384" } else { "4096" };
    let more = [
        ("@MODULES@", if scenario.is_scripted() { MODULES } else { "" }),
        ("@MASTER@", master),
        ("@CONNECTIONS@", connections),
        ("@HTTP@", http),
        ("@LOCATION@", location),
        ("@LOCATIONS@", &locations),
    ];
    vec![(FILE, fill(TEMPLATE, at, &more))]
}
