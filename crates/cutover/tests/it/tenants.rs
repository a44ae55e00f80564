//! The same plugin in Rust and in C: one decides as the other does, for the same reason.

use crate::scene::{Scene, profile_config};
use cutover::{Outcome, Side};
use http::{Method, StatusCode};

const OK: Outcome = Outcome::Replied(StatusCode::OK);

fn scene(component: &str, percent: &str, config: &str) -> Scene {
    let scene = Scene::empty();
    scene.reload(&profile_config(
        percent,
        &format!(
            r#"
[migrations.profile.plugins]
split = "tenants"
[plugins.tenants]
component = "plugins/dist/{component}"
config = {config}
deadline = "500ms"
"#
        ),
    ));
    scene
}

/// The side, and the plugin's own word for it.
fn decided(scene: &Scene, sent: &[(&'static str, &str)]) -> (Option<Side>, Option<String>) {
    scene.request_with(&Method::GET, sent, |exchange, _| {
        let exchange = exchange.expect("not refused");
        let decided = (exchange.side(), exchange.plugin_reason().map(str::to_owned));
        exchange.finish(OK);
        decided
    })
}

#[test]
fn c_decides_as_rust_does() {
    let many: Vec<_> = (0..256).map(|n| format!("\"tenant-{n}\"")).collect();
    let many = format!("{{ tenants = [{}] }}", many.join(", "));
    let configs = [
        r#"{ tenants = ["acme"] }"#,
        r#"{ tenants = [] }"#,
        r#"{ tenants = ["zeta", "acme", "acme", "ümlaut"], others = "old" }"#,
        r#"{ tenants = ["acme"], header = "X-Org", others = "percent" }"#,
        &many,
    ];
    let tenants = ["", "acme", "ACME", "acm", "acme ", "zeta", "ümlaut", "tenant-255", "a,b", "é"];
    let mut seen = std::collections::BTreeSet::new();
    for config in configs {
        for percent in ["0%", "30%", "100%"] {
            let [rust, c] = ["tenant_split.wasm", "tenant_split_c.wasm"]
                .map(|component| scene(component, percent, config));
            for tenant in tenants {
                for user in ["", "user-1", "user-2", "user-3", "user-4"] {
                    for header in ["x-tenant", "x-org"] {
                        let sent = [("x-user-id", user), (header, tenant)];
                        // The first alone is a request without a tenant.
                        let sent = if tenant.is_empty() { &sent[..1] } else { &sent[..] };
                        let in_rust = decided(&rust, sent);
                        assert_eq!(decided(&c, sent), in_rust, "{config} {percent} {sent:?}");
                        seen.insert(format!("{in_rust:?}"));
                    }
                }
            }
            let faults = |scene: &Scene| scene.engine.current().plugins()[0].faults;
            assert_eq!((faults(&rust), faults(&c)), (0, 0), "{config} {percent}");
        }
    }
    // Listed, not listed and told to stay, and both answers of the percent.
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn c_refuses_what_rust_refuses() {
    for config in [
        "{}",
        r#"{ tenant = ["acme"] }"#,
        r#"{ tenants = "acme" }"#,
        r#"{ tenants = [""] }"#,
        r#"{ tenants = [7] }"#,
        r#"{ tenants = ["acme"], header = "" }"#,
        r#"{ tenants = ["acme"], header = "not a name" }"#,
        r#"{ tenants = ["acme"], header = 7 }"#,
        r#"{ tenants = ["acme"], others = "new" }"#,
        r#"{ tenants = ["acme"], more = true }"#,
    ] {
        for component in ["tenant_split.wasm", "tenant_split_c.wasm"] {
            let text = profile_config(
                "5%",
                &format!(
                    "\n[migrations.profile.plugins]\nsplit = \"tenants\"\n[plugins.tenants]\n\
                     component = \"plugins/dist/{component}\"\nconfig = {config}\n"
                ),
            );
            let refused = Scene::empty().try_reload(&text);
            assert!(refused.is_err(), "{component} takes {config}");
        }
    }
}
