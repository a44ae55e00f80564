//! `cutover plugin test`: cases against a component, as the proxy would ask it.

use super::args::{Subject, Test};
use super::ask::{self, Facts, Question};
use super::cases::{self, Asks, Case};
use super::component;
use super::violation::Violation;
use super::{refuse, show};
use crate::exit::Exit;
use crate::paragraph::{counted, labelled};
use cutover::wasm::{Component, LoadError, Place};
use cutover::{Clock, SystemClock};
use serde::Serialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where cases lie unless they are named.
pub(super) const DEFAULT_CASES: &str = "tests/cases.toml";
/// Time that seems to pass between two cases, so that the faults of many cases are no repeated failure.
const BETWEEN_CASES: Duration = Duration::from_secs(3600);

pub(crate) fn test(args: &Test) -> Exit {
    let outcome = component::chosen(args.subject.file.as_deref())
        .and_then(|file| Trial::run(&file, &args.subject));
    match outcome {
        Ok(trial) => {
            show(args.subject.output, &trial, || trial.text());
            if trial.failed == 0 { Exit::Done } else { Exit::Failed }
        }
        Err(what) => refuse(what),
    }
}

/// What came of all cases.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Trial {
    component: String,
    passed: usize,
    failed: usize,
    cases: Vec<Outcome>,
}

/// What came of one.
#[derive(Debug, Serialize)]
struct Outcome {
    file: String,
    name: String,
    hook: &'static str,
    ok: bool,
    expected: String,
    got: String,
}

impl Trial {
    fn run(file: &Path, subject: &Subject) -> Result<Self, String> {
        let groups = load(subject)?;
        let plugin = Plugin::compile(file, subject)?;
        let mut places = Places::new(&plugin);
        let mut now = SystemClock.now();
        let (mut outcomes, mut wrong) = (Vec::new(), Vec::new());
        for (from, cases) in &groups {
            for case in cases {
                now += BETWEEN_CASES;
                match places.got(case, now) {
                    Ok(got) => outcomes.push(Outcome::new(from, case, &got)),
                    Err(what) => wrong.push(format!("{}: {}: {what}", from.display(), case.name)),
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        let failed = outcomes.iter().filter(|outcome| !outcome.ok).count();
        Ok(Self {
            component: file.display().to_string(),
            passed: outcomes.len() - failed,
            failed,
            cases: outcomes,
        })
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for outcome in &self.cases {
            let verdict = if outcome.ok { "ok      " } else { "FAILED  " };
            lines.push(labelled(verdict, &outcome.name));
            if !outcome.ok {
                lines.push(labelled("          expected  ", &outcome.expected));
                lines.push(labelled("          got       ", &outcome.got));
            }
        }
        let Self { component, passed, failed, .. } = self;
        lines.push(match failed {
            0 => format!(
                "{} passed\nnext: cutover plugin bench {component}",
                counted(*passed, "case")
            ),
            _ => format!("{passed} passed, {failed} failed"),
        });
        lines.join("\n")
    }
}

impl Outcome {
    fn new(file: &Path, case: &Case, got: &Facts) -> Self {
        let expected = ask::expected(&case.expect);
        Self {
            file: file.display().to_string(),
            name: case.name.clone(),
            hook: case.asks().name(),
            ok: ask::holds(&expected, got),
            expected: ask::words(&expected),
            got: ask::words(got),
        }
    }
}

/// The cases of every file that is named, or of the usual one.
pub(super) fn load(subject: &Subject) -> Result<Vec<(PathBuf, Vec<Case>)>, String> {
    let usual = [PathBuf::from(DEFAULT_CASES)];
    let files = if subject.cases.is_empty() { &usual[..] } else { &subject.cases[..] };
    let (mut groups, mut wrong) = (Vec::new(), Vec::new());
    for file in files {
        match cases::load(file) {
            Ok(cases) => groups.push((file.clone(), cases)),
            Err(what) => wrong.push(what),
        }
    }
    if wrong.is_empty() { Ok(groups) } else { Err(wrong.join("\n")) }
}

/// A compiled plugin.
pub(super) struct Plugin {
    component: Component,
    memory_bytes: usize,
}

impl Plugin {
    /// The error is what `cutover plugin check` would say.
    pub(super) fn compile(file: &Path, subject: &Subject) -> Result<Self, String> {
        let bytes = component::read(file)?;
        let component = component::compile(&component::host()?, &bytes)
            .map_err(|violations| unusable(file, &violations))?;
        Ok(Self { component, memory_bytes: subject.memory_mib as usize * 1024 * 1024 })
    }

    pub(super) fn hooks(&self) -> cutover::wasm::HookSet {
        self.component.hooks()
    }

    pub(super) fn install(&self, config: &str) -> Result<Place, LoadError> {
        self.component.install(component::place(&self.component, config, self.memory_bytes))
    }

    /// Does it have the hook that a case asks?
    pub(super) fn has(&self, asks: Asks) -> bool {
        let hooks = self.hooks();
        match asks {
            Asks::Configure => true,
            Asks::Split => hooks.split,
            Asks::OnRequest | Asks::OnResponse => hooks.rewrite,
            Asks::OnFailure => hooks.fallback,
            Asks::Normalise => hooks.normalise,
        }
    }
}

fn unusable(file: &Path, violations: &[Violation]) -> String {
    let what = violations.first().map(|violation| violation.what.as_str()).unwrap_or_default();
    let all = match violations.len() {
        0 | 1 => String::new(),
        count => format!(" ({} in all)", counted(count, "violation")),
    };
    format!("{}: {what}{all}; cutover plugin check says more", file.display())
}

/// A plugin configured in every way that the cases want.
pub(super) struct Places<'a> {
    plugin: &'a Plugin,
    by_config: HashMap<String, Result<Place, LoadError>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(plugin: &'a Plugin) -> Self {
        Self { plugin, by_config: HashMap::new() }
    }

    pub(super) fn of(&mut self, config: String) -> Result<&Place, &LoadError> {
        let place = self.by_config.entry(config);
        place.or_insert_with_key(|config| self.plugin.install(config)).as_ref()
    }

    /// What the plugin answers to a case; the error is the case's own.
    fn got(&mut self, case: &Case, now: Instant) -> Result<Facts, String> {
        let asks = case.asks();
        if !self.plugin.has(asks) {
            let found = self.plugin.hooks();
            return Err(format!("it asks {}, but the plugin has {found} only", asks.name()));
        }
        // First, because a case that cannot be asked is wrong whatever the plugin does.
        let question = Question::new(case)?;
        let memory_bytes = self.plugin.memory_bytes;
        let place = match self.of(case.config()) {
            Ok(place) => place,
            Err(LoadError::Refused(why)) => return Ok(vec![("refused", why.clone())]),
            Err(error) => {
                let violations = Violation::of_loading(error, memory_bytes);
                let what: Vec<_> = violations.into_iter().map(|violation| violation.what).collect();
                return Ok(vec![("unusable:", what.join("; "))]);
            }
        };
        Ok(match asks {
            Asks::Configure => vec![("accepted", "the configuration".to_owned())],
            Asks::Split
            | Asks::OnRequest
            | Asks::OnResponse
            | Asks::OnFailure
            | Asks::Normalise => {
                question.ask(place, now).unwrap_or_else(|fault| ask::of_fault(&fault))
            }
        })
    }
}
