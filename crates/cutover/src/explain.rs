//! Why a request would go where it goes, step by step, in words. Runs the same code as the request, with a witness.

#[cfg(test)]
mod tests;
mod text;

use crate::engine::Installed;
use crate::exchange::Timing;
use crate::{BreakerState, Decision, Reason, RequestView, Side};
use cutover_core::decide::{OnError, Refusal, SplitAnswer, Step, Witness};
use cutover_core::key::KeySource;
use cutover_core::route::{Missed, NearMiss, Predicate, RouteSpec};
use cutover_core::{Bucket, MigrationId, Percent, PlaceId, RouteId};
use serde::Serialize;
use std::fmt::Write;

/// Passed-over routes that are named; there may be thousands.
const SHOWN_MISSES: usize = 5;

/// The steps of one decision, and its result. Prints as text of at most 80 columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The generation that decided.
    pub generation: u64,
    /// `GET api.example.com/x`.
    pub request: String,
    /// What was looked at, in order.
    pub steps: Vec<ExplainedStep>,
    /// Pattern of the route that matched.
    pub route: Option<String>,
    /// Name of the migration.
    pub migration: Option<String>,
    /// `old` or `new`: who would serve now.
    pub side: Option<&'static str>,
    /// Why that side was decided; see [`Reason`].
    pub reason: Option<&'static str>,
    /// Name of the backend that would serve now; `None` if the gateway itself answers.
    pub backend: Option<String>,
    /// Status the gateway answers with, if no backend does.
    pub refused: Option<u16>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedStep {
    /// One word: route, passed, migration, phase, write, key, bucket, list, qa, plugin, decision, breaker, backend.
    pub step: &'static str,
    /// A sentence.
    pub text: String,
    /// What the request carried there: a user's key.
    pub value: Option<String>,
}

impl Explanation {
    pub(crate) fn of(installed: &Installed, request: &RequestView<'_>) -> Self {
        let mut story = Story { installed, request, steps: Vec::new() };
        let found = installed.snapshot().find(request);
        story.passed_over(installed.snapshot().routes().near_misses(request));
        let decided = found.map(|matched| {
            let mut plugins = installed.plugins.asking(Timing::untold(installed.clock()));
            installed.snapshot().decide_matched(request, &matched, &mut plugins, &mut story)
        });
        let mut explanation = Self {
            generation: installed.generation().0,
            request: format!("{} {}{}", request.method, request.host, request.path),
            steps: Vec::new(),
            route: found.map(|m| pattern(installed.snapshot().routes().spec(m.route))),
            migration: None,
            side: None,
            reason: None,
            backend: None,
            refused: None,
        };
        match decided {
            Some(Ok(decision)) => explanation.decided(&mut story, &decision),
            Some(Err(refusal)) => {
                explanation.refused = Some(503);
                story.refused(refusal);
            }
            None => {
                explanation.refused = Some(404);
                story.tell("route", "no route matches".to_owned());
            }
        }
        explanation.steps = story.steps;
        explanation
    }

    fn decided(&mut self, story: &mut Story<'_>, decision: &Decision) {
        let snapshot = story.installed.snapshot();
        let mut backend = decision.backend;
        self.reason = Some(decision.reason.name());
        if let Some((id, side)) = decision.migration {
            let migration = snapshot.migration(id);
            self.migration = Some(migration.name.to_string());
            let state = story.installed.breaker(id);
            let diverted = side == Side::New && !decision.write && state != BreakerState::Closed;
            if diverted {
                backend = migration.old;
                let text = format!("{}: old serves until a probe of new succeeds", state.name());
                story.tell("breaker", text);
            }
            self.side = Some(if diverted { Side::Old.name() } else { side.name() });
        }
        let backend = snapshot.backend(backend);
        self.backend = Some(backend.name.to_string());
        story.tell("backend", format!("{} at {}", backend.name, backend.addresses.join(", ")));
    }

    /// The same without the values of keys, for people who may not see them.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        for step in &mut self.steps {
            if let Some(value) = &mut step.value {
                "(hidden)".clone_into(value);
            }
        }
        self
    }
}

/// A decision being told.
struct Story<'a> {
    installed: &'a Installed,
    request: &'a RequestView<'a>,
    steps: Vec<ExplainedStep>,
}

impl Witness for Story<'_> {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Matched(route) => self.matched(route),
            Step::InMigration(id) => self.in_migration(id),
            Step::Write => self.tell("write", "counts as a write: these follow their owner".into()),
            Step::Key(source, found) => self.key(source, found),
            Step::Bucketed(bucket, share) => self.bucketed(bucket, share),
            Step::Denied(listed) => self.listed("deny", listed),
            Step::Allowed(listed) => self.listed("allow", listed),
            Step::QaSide(side) => self.tell(
                "qa",
                match side {
                    Some(side) => format!("the signed header asks for {}", side.name()),
                    None => "no valid signed header".to_owned(),
                },
            ),
            Step::PluginSaid(place, answer) => self.plugin_said(place, answer),
            Step::Decided(side, reason) => {
                self.tell("decision", format!("{}: {}", side.name(), because(reason)));
            }
        }
    }
}

impl Story<'_> {
    fn tell(&mut self, step: &'static str, text: String) {
        self.steps.push(ExplainedStep { step, text, value: None });
    }

    fn passed_over(&mut self, misses: Vec<NearMiss>) {
        let more = misses.len().saturating_sub(SHOWN_MISSES);
        for NearMiss { route, missed } in misses.into_iter().take(SHOWN_MISSES) {
            let spec = self.installed.snapshot().routes().spec(route);
            let why: Vec<_> = missed.iter().map(|missed| wanted(spec, missed)).collect();
            self.tell("passed", format!("{}: {}", pattern(spec), why.join("; ")));
        }
        if more > 0 {
            self.tell("passed", format!("and {more} more with this host and path"));
        }
    }

    fn matched(&mut self, route: RouteId) {
        let spec = self.installed.snapshot().routes().spec(route);
        let mut text = pattern(spec);
        if !spec.methods.is_empty() {
            let methods: Vec<_> = spec.methods.iter().map(|method| method.as_str()).collect();
            let _ = write!(text, " ({})", methods.join(", "));
        }
        self.tell("route", text);
    }

    fn in_migration(&mut self, id: MigrationId) {
        let snapshot = self.installed.snapshot();
        let migration = snapshot.migration(id);
        let (old, new) = (snapshot.backend(migration.old), snapshot.backend(migration.new));
        let text = format!("{}, from {} (old) to {} (new)", migration.name, old.name, new.name);
        self.tell("migration", text);
        let state = &migration.state;
        let stands = match (migration.disabled, migration.rolled_back) {
            (true, _) => ", kill switch on",
            (false, true) => ", rolled back",
            (false, false) => "",
        };
        let text = format!(
            "{}{stands}; {} of the users read from new, writes go to {}",
            migration.phase.name(),
            state.read_percent,
            state.write_owner.name(),
        );
        self.tell("phase", text);
    }

    fn key(&mut self, source: &KeySource, found: Option<&[u8]>) {
        let place = match source {
            KeySource::Header(name) => format!("header {name}"),
            KeySource::Cookie(name) => format!("cookie {name}"),
            KeySource::Query(name) => format!("query parameter {name}"),
            KeySource::Path(name) => format!("path parameter {name}"),
        };
        let text = if found.is_some() { place } else { format!("{place}: absent or empty") };
        let value = found.map(|value| String::from_utf8_lossy(value).into_owned());
        self.steps.push(ExplainedStep { step: "key", text, value });
    }

    fn bucketed(&mut self, bucket: Bucket, share: Percent) {
        let inside = if share.admits(bucket) { "inside" } else { "outside" };
        let (bucket, share) = (bucket.number(), share.thousandths());
        self.tell("bucket", format!("{bucket} of 100000; new is below {share}: {inside}"));
    }

    fn listed(&mut self, list: &str, listed: bool) {
        let not = if listed { "" } else { "not " };
        self.tell("list", format!("{not}on the {list} list"));
    }

    fn plugin_said(&mut self, place: PlaceId, answer: SplitAnswer) {
        let name = &self.installed.snapshot().place(place).plugin;
        let text = match answer {
            SplitAnswer::Choose { side, deadline, reason } => {
                let mut text = format!("{name} chooses {}", side.name());
                let reason = reason.and_then(|at| self.installed.plugin_reason(place, at));
                if let Some(reason) = reason {
                    let _ = write!(text, ", because \"{reason}\"");
                }
                if let Some(deadline) = deadline {
                    let _ = write!(text, ", within {deadline:?}");
                }
                text
            }
            SplitAnswer::Failed(policy) => {
                let then = match policy {
                    OnError::Old => "old serves",
                    OnError::Reject => "the request is refused",
                    OnError::Percent => "the percent decides",
                };
                format!("{name} failed or is quarantined: {then}")
            }
        };
        self.tell("plugin", text);
    }

    fn refused(&mut self, refusal: Refusal) {
        let text = match refusal {
            Refusal::PluginRejected(_, place) => {
                let name = &self.installed.snapshot().place(place).plugin;
                format!("refused with 503: on-error of {name} is reject")
            }
            Refusal::NoRoute | _ => {
                format!("refused: {} {}", self.request.method, self.request.path)
            }
        };
        self.tell("decision", text);
    }
}

/// Host and path of a route.
fn pattern(spec: &RouteSpec) -> String {
    format!("{}{}", spec.host.as_deref().unwrap_or_default(), spec.path)
}

/// What a route asks for that the request does not have.
fn wanted(spec: &RouteSpec, missed: &Missed) -> String {
    let value = |predicate: Option<&Predicate>| match predicate {
        Some(Predicate::Is(value)) => format!(" = {value}"),
        Some(Predicate::Present) | None => String::new(),
    };
    match missed {
        Missed::Method => {
            let methods: Vec<_> = spec.methods.iter().map(|method| method.as_str()).collect();
            format!("only {}", methods.join(", "))
        }
        Missed::Header(name) => {
            let asked = spec.headers.iter().find(|(asked, _)| asked == name);
            format!("needs header {name}{}", value(asked.map(|(_, predicate)| predicate)))
        }
        Missed::Query(name) => {
            let asked = spec.query.iter().find(|(asked, _)| asked == name);
            format!("needs query {name}{}", value(asked.map(|(_, predicate)| predicate)))
        }
    }
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Route => "the route belongs to no migration",
        Reason::KillSwitch => "the kill switch is on",
        Reason::Phase => "this phase serves no reads from new",
        Reason::RolledBack => "the migration is rolled back",
        Reason::WriteOwner => "writes follow their owner",
        Reason::Deny => "the user is on the deny list",
        Reason::Qa => "a signed header asks for it",
        Reason::Allow => "the user is on the allow list",
        Reason::Plugin(..) => "the plugin chose it",
        Reason::PluginFailed(_) => "the plugin failed, and its on-error is old",
        Reason::Percent => "by the user's bucket",
        Reason::ReadsNew => "everybody reads from new in this phase",
        Reason::NoKey => "the request has no key",
    }
}
