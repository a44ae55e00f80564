//! Says what becomes of a failed attempt: the first rule that fits its cause, method and times.
//!
//! Configuration: `{"rules": [{"causes": ["connect", "reset"], "then": "old"}, {"causes": ["timeout"], "methods":
//! ["GET"], "elapsed-ms-at-most": 500, "left-ms-at-least": 200, "then": "old"}, {"then": "respond", "status":
//! 503}]}`. A part that a rule leaves out fits every failure; what fits no rule is propagated.
//!
//! An open breaker is no failure: no attempt was made, and old serves without being told to. So only a rule that names
//! `circuit-open` among its causes says otherwise, for an old system that could not bear the whole load.

use cutover_plugin::{
    Action, Backend, Cause, Environment, Failure, Fallback, Manifest, Method, Plugin, View,
};
use serde::Deserialize;

/// What an operator writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The first that fits counts.
    rules: Vec<RuleConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleConfig {
    causes: Option<Vec<CauseName>>,
    methods: Option<Vec<MethodName>>,
    elapsed_ms_at_most: Option<u32>,
    left_ms_at_least: Option<u32>,
    then: Then,
    status: Option<u16>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CauseName {
    Connect,
    Reset,
    Timeout,
    /// As `fallback.on` of the migration spells it; the interface's own word is understood too.
    #[serde(rename = "5xx", alias = "status")]
    Status,
    CircuitOpen,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum MethodName {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Then {
    /// The old system answers.
    Old,
    /// The client gets the failure.
    Propagate,
    /// The client gets `status`.
    Respond,
}

struct CauseFallback {
    rules: Vec<Rule>,
}

struct Rule {
    causes: Option<Vec<Cause>>,
    methods: Option<Vec<Method>>,
    elapsed_ms_at_most: u32,
    left_ms_at_least: u32,
    action: Action,
}

impl Plugin for CauseFallback {
    fn configure(environment: &Environment, _: &mut Manifest) -> Result<Self, String> {
        let config: Config =
            serde_json::from_str(&environment.config).map_err(|e| e.to_string())?;
        if config.rules.is_empty() {
            return Err("`rules` is empty: give at least one, or do not use the plugin".to_owned());
        }
        let numbered = config.rules.into_iter().zip(1..);
        let rules = numbered.map(|(rule, number)| rule.check(number)).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }
}

impl Fallback for CauseFallback {
    fn on_failure(&self, view: &View<'_>, failure: &Failure) -> Action {
        let fitting = self.rules.iter().find(|rule| rule.fits(view.method(), failure));
        match fitting.map_or(Action::Propagate, |rule| rule.action) {
            // The old system cannot help when it is the one that failed.
            Action::Retry(backend) if backend == failure.backend => Action::Propagate,
            action => action,
        }
    }
}

impl RuleConfig {
    fn check(self, number: usize) -> Result<Rule, String> {
        let action = match (self.then, self.status) {
            (Then::Old, None) => Action::Retry(Backend::OLD),
            (Then::Propagate, None) => Action::Propagate,
            (Then::Respond, Some(status @ 400..=599)) => Action::Respond(status),
            (Then::Respond, Some(status)) => {
                return Err(format!(
                    "rule {number}: {status} is no status for a failure: 400 to 599"
                ));
            }
            (Then::Respond, None) => {
                return Err(format!("rule {number}: `respond` wants a `status`"));
            }
            (Then::Old | Then::Propagate, Some(_)) => {
                return Err(format!("rule {number}: `status` goes with `respond` alone"));
            }
        };
        Ok(Rule {
            causes: self.causes.map(|names| names.into_iter().map(Cause::from).collect()),
            methods: self.methods.map(|names| names.into_iter().map(Method::from).collect()),
            elapsed_ms_at_most: self.elapsed_ms_at_most.unwrap_or(u32::MAX),
            left_ms_at_least: self.left_ms_at_least.unwrap_or(0),
            action,
        })
    }
}

impl Rule {
    fn fits(&self, method: Method, failure: &Failure) -> bool {
        let any_failure = failure.cause != Cause::CircuitOpen;
        self.causes.as_ref().map_or(any_failure, |causes| causes.contains(&failure.cause))
            && self.methods.as_ref().is_none_or(|methods| methods.contains(&method))
            && failure.elapsed_ms <= self.elapsed_ms_at_most
            && failure.left_ms >= self.left_ms_at_least
    }
}

impl From<CauseName> for Cause {
    fn from(name: CauseName) -> Self {
        match name {
            CauseName::Connect => Self::Connect,
            CauseName::Reset => Self::Reset,
            CauseName::Timeout => Self::Timeout,
            CauseName::Status => Self::Status,
            CauseName::CircuitOpen => Self::CircuitOpen,
        }
    }
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Get => Self::Get,
            MethodName::Head => Self::Head,
            MethodName::Post => Self::Post,
            MethodName::Put => Self::Put,
            MethodName::Delete => Self::Delete,
            MethodName::Options => Self::Options,
            MethodName::Patch => Self::Patch,
        }
    }
}

cutover_plugin::export!(CauseFallback: fallback);

#[cfg(test)]
mod tests;
