//! The programs: how each is configured for a scenario, and started.

use crate::measure::Stage;
use crate::scenario::Scenario;
use cutover_benches::e2e::process::{Pinned, free_address};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// One program.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Cutover,
    Nginx,
    Haproxy,
    Envoy,
}

/// The component as the project ships it, so that what is measured is what is committed.
const COMPONENT: &[u8] = include_bytes!("../../../../plugins/dist/tenant_split.wasm");
const NGINX: &str = include_str!("../../../peers/nginx.conf");
const HAPROXY: &str = include_str!("../../../peers/haproxy.cfg");
const HAPROXY_LUA: &str = include_str!("../../../peers/haproxy-split.lua");
const ENVOY: &str = include_str!("../../../peers/envoy.yaml");

impl Product {
    /// A pass-through of Pingora's, with our profile and allocator: this program itself.
    pub(crate) fn bare(us: &Path) -> Self {
        let (version, program) = ("pingora 0.9.1".to_owned(), us.to_owned());
        Self { name: "bare Pingora", version, kind: Kind::Bare, program }
    }

    /// Starts it; `None` if it does not know this scenario.
    pub(crate) fn start(
        &self,
        stage: &Stage,
        scenario: Scenario,
    ) -> anyhow::Result<Option<Pinned>> {
        let listen = free_address()?;
        let folder = stage.folder.join(listen.port().to_string());
        std::fs::create_dir_all(&folder)?;
        let write = |name: &str, text: &str| -> anyhow::Result<String> {
            let file = folder.join(name);
            std::fs::write(&file, text)?;
            Ok(file.display().to_string())
        };
        let at = Places { listen, old: stage.old, new: stage.new, folder: &folder };
        let run = |args: &[&str]| Pinned::start(0, &self.program, args, listen).map(Some);
        match self.kind {
            Kind::Bare if scenario != Scenario::Pass => Ok(None),
            Kind::Bare => run(&["bare", &listen.to_string(), &stage.old.to_string()]),
            Kind::Cutover => {
                std::fs::write(folder.join("tenant_split.wasm"), COMPONENT)?;
                run(&["run", "-c", &write("cutover.toml", &cutover(&at, scenario))?])
            }
            Kind::Nginx => {
                let file = write("nginx.conf", &nginx(&at, scenario))?;
                run(&["-e", "stderr", "-p", &folder.display().to_string(), "-c", &file])
            }
            Kind::Haproxy => {
                write("split.lua", HAPROXY_LUA)?;
                run(&["-db", "-f", &write("haproxy.cfg", &haproxy(&at, scenario))?])
            }
            Kind::Envoy => {
                let file = write("envoy.yaml", &envoy(&at, scenario))?;
                let quiet = ["--log-level", "error", "--concurrency", "1", "--disable-hot-restart"];
                run(&[&quiet[..], &["-c", &file]].concat())
            }
        }
    }
}

/// Where things are.
struct Places<'p> {
    listen: SocketAddr,
    old: SocketAddr,
    new: SocketAddr,
    folder: &'p Path,
}

fn fill(template: &str, at: &Places<'_>, more: &[(&str, &str)]) -> String {
    let places = [
        ("@LISTEN@", at.listen.to_string()),
        ("@OLD@", at.old.to_string()),
        ("@NEW@", at.new.to_string()),
        ("@LISTEN_PORT@", at.listen.port().to_string()),
        ("@OLD_PORT@", at.old.port().to_string()),
        ("@NEW_PORT@", at.new.port().to_string()),
        ("@RUN@", at.folder.display().to_string()),
    ];
    let text = more.iter().fold(template.to_owned(), |text, (key, value)| text.replace(key, value));
    places.iter().fold(text, |text, (key, value)| text.replace(key, value))
}

fn cutover(at: &Places<'_>, scenario: Scenario) -> String {
    let split = "[migrations.profile]\nold = \"old\"\nnew = \"new\"\nowner = \"bench\"\n\
                 expires = 2099-01-01\ndata = \"shared\"\nkey = [{ header = \"x-user-id\" }]\n\
                 routes = [{ path = \"/api/profile/{id}\" }]\ngates.rollback = false\n\
                 read-percent = 5\n";
    let migration = match scenario {
        Scenario::Pass => String::new(),
        Scenario::Sticky => split.to_owned(),
        Scenario::Script => format!(
            "{split}plugins = {{ split = \"tenants\" }}\n[plugins.tenants]\n\
             component = \"tenant_split.wasm\"\nconfig = {{ tenants = [\"acme\"] }}\n"
        ),
    };
    fill(
        "[server]\nlisten = [\"@LISTEN@\"]\nthreads = 1\naccess-log = \"off\"\n\
         [admin]\nlisten = \"off\"\n[state]\nstore = \"@RUN@/state\"\n\
         [backends.old]\naddresses = [\"@OLD@\"]\n[backends.new]\naddresses = [\"@NEW@\"]\n\
         [[routes]]\npath = \"/{*rest}\"\nbackend = \"old\"\n@MIGRATION@",
        at,
        &[("@MIGRATION@", &migration)],
    )
}

fn nginx(at: &Places<'_>, scenario: Scenario) -> String {
    let modules = "load_module /usr/lib/nginx/modules/ndk_http_module.so;\n\
                   load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;";
    let (modules, http, location) = match scenario {
        Scenario::Pass => ("", "", "proxy_pass http://old;"),
        Scenario::Sticky => (
            "",
            "split_clients \"mig1${http_x_user_id}\" $side { 5% new; * old; }",
            "proxy_pass http://$side;",
        ),
        Scenario::Script => (
            modules,
            "lua_package_path \"/usr/share/lua/5.1/?.lua;;\";",
            "set $side old;\n\
             rewrite_by_lua_block {\n\
               local user = ngx.var.http_x_user_id\n\
               if ngx.crc32_short(\"mig1\" .. user) % 10000 < 500 then ngx.var.side = \"new\" end\n\
             }\n\
             proxy_pass http://$side;",
        ),
    };
    let more = [("@MODULES@", modules), ("@HTTP@", http), ("@LOCATION@", location)];
    fill(NGINX, at, &more)
}

fn haproxy(at: &Places<'_>, scenario: Scenario) -> String {
    let (global, frontend) = match scenario {
        Scenario::Pass => ("", ""),
        Scenario::Sticky => (
            "",
            "http-request set-var(txn.b) req.hdr(x-user-id),xxh32(7),mod(10000)\n  \
             use_backend new if { var(txn.b) -m int lt 500 }",
        ),
        Scenario::Script => (
            "lua-load @RUN@/split.lua",
            "http-request lua.split\n  use_backend new if { var(txn.side) -m str new }",
        ),
    };
    fill(HAPROXY, at, &[("@GLOBAL@", global), ("@FRONTEND@", frontend)])
}

fn envoy(at: &Places<'_>, scenario: Scenario) -> String {
    let lua = "- name: envoy.filters.http.lua\n            typed_config:\n              \
        \"@type\": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua\n              \
        default_source_code:\n                inline_string: |\n                  \
        function envoy_on_request(handle)\n                    \
          local user = handle:headers():get(\"x-user-id\")\n                    \
          local hash = 2166136261\n                    \
          for at = 1, #user do\n                      \
            hash = bit.bxor(hash, user:byte(at)) * 16777619 % 4294967296\n                    \
          end\n                    \
          if hash % 10000 < 500 then handle:headers():add(\"x-side\", \"new\") end\n                  \
        end";
    let to_old = "- match: {prefix: \"/\"}\n                route: {cluster: old}";
    let by_header = "- match: {prefix: \"/\", headers: [{name: x-side, string_match: {exact: new}}]}\n                \
        route: {cluster: new}\n              - match: {prefix: \"/\"}\n                route: {cluster: old}";
    let weighted = "- match: {prefix: \"/\"}\n                route:\n                  \
        hash_policy: [{header: {header_name: x-user-id}}]\n                  \
        weighted_clusters: {use_hash_policy: true, clusters: [{name: old, weight: 95},{name: new, weight: 5}]}";
    let (routes, filters) = match scenario {
        Scenario::Pass => (to_old, ""),
        Scenario::Sticky => (weighted, ""),
        Scenario::Script => (by_header, lua),
    };
    fill(ENVOY, at, &[("@ROUTES@", routes), ("@FILTERS@", filters)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_configuration_has_a_gap() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let at = Places { listen: address, old: address, new: address, folder: Path::new("/run") };
        for scenario in Scenario::ALL {
            for make in [cutover, nginx, haproxy, envoy] {
                let text = make(&at, scenario);
                let gap =
                    text.split_whitespace().find(|word| word.starts_with('@') && word.len() > 1);
                // Comments speak of @…@.
                let gap = gap.filter(|word| !word.starts_with("@…"));
                assert_eq!(gap, None, "{text}");
            }
        }
    }
}
