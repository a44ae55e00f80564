//! Named tenants are served by `new`; the others by the migration's percent, or by `old`.
//!
//! Configuration: `{"tenants": ["acme"], "header": "x-tenant", "others": "percent"}`.

use cutover_plugin::{Decision, Environment, Field, Manifest, Plugin, Reason, Split, View};
use serde::Deserialize;

/// What an operator writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Tenants that `new` serves.
    tenants: Vec<String>,
    /// The request header that names the tenant.
    #[serde(default = "default_header")]
    header: String,
    /// What happens to everybody else.
    #[serde(default)]
    others: Others,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Others {
    /// The migration's percent decides.
    #[default]
    Percent,
    /// They stay where they are.
    Old,
}

fn default_header() -> String {
    "x-tenant".to_owned()
}

struct TenantSplit {
    /// Sorted.
    tenants: Vec<String>,
    others: Others,
    tenant: Field,
    listed: Reason,
    not_listed: Reason,
}

impl Plugin for TenantSplit {
    fn configure(environment: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        let config: Config =
            serde_json::from_str(&environment.config).map_err(|e| e.to_string())?;
        let Config { mut tenants, header, others } = config;
        if tenants.iter().any(String::is_empty) {
            return Err("a tenant has no name: remove the empty string from `tenants`".to_owned());
        }
        tenants.sort_unstable();
        Ok(Self {
            tenants,
            others,
            tenant: manifest.header(header),
            listed: manifest.reason("tenant-listed"),
            not_listed: manifest.reason("tenant-not-listed"),
        })
    }
}

impl Split for TenantSplit {
    fn decide(&self, view: &View<'_>) -> Decision {
        let tenant = view.get(self.tenant).unwrap_or_default();
        if self.tenants.binary_search_by(|listed| listed.as_str().cmp(tenant)).is_ok() {
            return Decision::to_new().because(self.listed);
        }
        match self.others {
            Others::Percent => Decision::by_share(view),
            Others::Old => Decision::to_old().because(self.not_listed),
        }
    }
}

cutover_plugin::export!(TenantSplit: split);

#[cfg(test)]
mod tests;
