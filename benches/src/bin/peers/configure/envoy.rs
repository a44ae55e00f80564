//! envoy.yaml.

use super::{Places, Setting, fill, routes};
use crate::scenario::Scenario;

/// The file it is started with.
pub(crate) const FILE: &str = "envoy.yaml";
/// The file it watches when its routes are to change.
pub(crate) const WATCHED: &str = "routes.yaml";

/// The guest of its Wasm, as `cargo xtask plugins` builds it.
pub(crate) const GUEST: &[u8] = include_bytes!("../../../../peers/envoy-wasm/envoy_filter.wasm");
/// Where it looks for that.
pub(crate) const GUEST_FILE: &str = "envoy_filter.wasm";

/// What its scripts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Text that LuaJIT compiles.
    Lua,
    /// A module that V8 compiles.
    Wasm,
}

const TEMPLATE: &str = include_str!("../../../../peers/envoy.yaml");
const ROUTES: &str = include_str!("../../../../peers/envoy-routes.yaml");
const SPLIT_LUA: &str = include_str!("../../../../peers/envoy-split.lua");
const EDIT_LUA: &str = include_str!("../../../../peers/envoy-edit.lua");

const INLINE: &str = "route_config:
            virtual_hosts:
            - name: v
              domains: [\"*\"]
              routes:
              @ROUTES@";
const BY_FILE: &str = "rds: {route_config_name: watched, config_source: {path_config_source: {path: \"@RUN@/routes.yaml\"}}}";

const TO_OLD: &str = r#"- {match: {prefix: "/"}, route: {cluster: old}}"#;
const WEIGHTED: &str = r#"- match: {prefix: "/"}
                route:
                  hash_policy: [{header: {header_name: x-user-id}}]
                  weighted_clusters: {use_hash_policy: true, clusters: [{name: old, weight: 95}, {name: new, weight: 5}]}"#;
const BY_HEADER: &str = r#"- {match: {prefix: "/", headers: [{name: x-side, string_match: {exact: new}}]}, route: {cluster: new}}
              - {match: {prefix: "/"}, route: {cluster: old}}"#;
const EDITED: &str = r#"- match: {prefix: "/"}
                route: {cluster: old}
                request_headers_to_add: [{header: {key: @NAME@, value: "@EDITED@"}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]
                response_headers_to_add: [{header: {key: @NAME@, value: "@EDITED@"}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]"#;
/// A copy has the time of its route.
const MIRRORED: &str = r#"- match: {prefix: "/"}
                route: {cluster: old, timeout: @COPY_TIMEOUT@, request_mirror_policies: [{cluster: new, runtime_fraction: {default_value: {numerator: 100}}}]}"#;

pub(crate) fn files(
    at: &Places<'_>,
    scenario: Scenario,
    setting: Setting,
    script: Script,
) -> Vec<(&'static str, String)> {
    let many = || {
        let routes = routes().map(|(prefix, side)| {
            format!("- {{match: {{prefix: \"{prefix}\"}}, route: {{cluster: {side}}}}}")
        });
        let routes: Vec<String> = routes.chain([TO_OLD.to_owned()]).collect();
        routes.join("\n              ")
    };
    let routes = match scenario {
        Scenario::Pass | Scenario::EditsByScript => TO_OLD.to_owned(),
        Scenario::Sticky => WEIGHTED.to_owned(),
        Scenario::Script => BY_HEADER.to_owned(),
        Scenario::Routes => many(),
        Scenario::Edits => EDITED.to_owned(),
        Scenario::Mirror | Scenario::MirrorHung => MIRRORED.to_owned(),
    };
    let filters = match (scenario, script) {
        (Scenario::Script, Script::Lua) => lua(SPLIT_LUA),
        (Scenario::Script, Script::Wasm) => wasm("split"),
        (Scenario::EditsByScript, Script::Lua) => lua(EDIT_LUA),
        (Scenario::EditsByScript, Script::Wasm) => wasm("edit"),
        (
            Scenario::Pass
            | Scenario::Sticky
            | Scenario::Routes
            | Scenario::Edits
            | Scenario::Mirror
            | Scenario::MirrorHung,
            _,
        ) => String::new(),
    };
    let routing = if setting == Setting::Reloads { BY_FILE } else { INLINE };
    let more = [("@ROUTING@", routing), ("@ROUTES@", &routes), ("@FILTERS@", &filters)];
    vec![(FILE, fill(TEMPLATE, at, &more)), (WATCHED, watched(at, "old"))]
}

/// The routes that it watches, to one of its clusters.
pub(crate) fn watched(at: &Places<'_>, cluster: &str) -> String {
    fill(ROUTES, at, &[("@CLUSTER@", cluster)])
}

/// A filter that runs this script.
fn lua(script: &str) -> String {
    let head = r#"- name: envoy.filters.http.lua
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
              default_source_code:
                inline_string: |"#;
    let lines = script.lines().map(|line| format!("\n                  {line}"));
    lines.fold(head.to_owned(), |text, line| text + &line)
}

/// A filter that is our guest, at one of its two jobs.
fn wasm(job: &str) -> String {
    r#"- name: envoy.filters.http.wasm
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, value: @JOB@}
                vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: "@RUN@/@GUEST@"}}}"#
        .replace("@JOB@", job)
        .replace("@GUEST@", GUEST_FILE)
}
