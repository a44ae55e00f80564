//! Each plan has a percent of its own: 20 % of the paying users, 1 % of the others.
//!
//! Configuration: `{"cookie": "plan", "percents": {"free": "1%", "pro": "20%"}, "others": "percent"}`, with
//! `"header": "x-plan"` in the place of `cookie` if a gateway names the plan. A percent may be a number: `20`.

use cutover_plugin::{
    Decision, Environment, Field, Manifest, Percent, Plugin, Reason, Split, View,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an operator writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The cookie that names the plan.
    cookie: Option<String>,
    /// The request header that names the plan.
    header: Option<String>,
    /// Percents by plan: `"20%"` or `20`.
    percents: BTreeMap<String, Value>,
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

struct PlanPercent {
    plan: Field,
    /// Sorted by name.
    percents: Vec<(String, Percent, Reason)>,
    others: Others,
}

impl Plugin for PlanPercent {
    fn configure(environment: &Environment, manifest: &mut Manifest) -> Result<Self, String> {
        let config: Config =
            serde_json::from_str(&environment.config).map_err(|e| e.to_string())?;
        let plan = match (config.cookie, config.header) {
            (Some(cookie), None) => manifest.cookie(cookie),
            (None, Some(header)) => manifest.header(header),
            _ => return Err("say where the plan stands: either `cookie` or `header`".to_owned()),
        };
        let mut percents = Vec::with_capacity(config.percents.len());
        for (name, percent) in config.percents {
            let written = percent.as_str().map_or_else(|| percent.to_string(), str::to_owned);
            let percent = written.parse().map_err(|why| format!("`percents.{name}`: {why}"))?;
            let reason = manifest.reason(format!("plan-{name}"));
            percents.push((name, percent, reason));
        }
        Ok(Self { plan, percents, others: config.others })
    }
}

impl Split for PlanPercent {
    fn decide(&self, view: &View<'_>) -> Decision {
        let plan = view.get(self.plan).unwrap_or_default();
        match self.percents.binary_search_by(|(name, ..)| name.as_str().cmp(plan)) {
            Ok(at) => {
                let (_, percent, reason) = self.percents[at];
                let side =
                    if view.in_share(percent) { Decision::to_new() } else { Decision::to_old() };
                side.because(reason)
            }
            Err(_) => match self.others {
                Others::Percent => Decision::by_share(view),
                Others::Old => Decision::to_old(),
            },
        }
    }
}

cutover_plugin::export!(PlanPercent: split);

#[cfg(test)]
mod tests;
