//! A new configuration for a running server: checked completely first, then installed whole, or not at all.

use crate::head_guard::Guard;
use crate::plane::InstallError;
use crate::proxy::Proxy;
use crate::server::{guard_settings, put_in_force};
use crate::surroundings::Source;
use cutover::config::{AdminToken, Config, Finding, Motion, Report};
use cutover::{Conductor, Engine, Generation, charges};
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Reloads the configuration, one at a time.
pub struct Reloader {
    source: Source,
    proxy: Proxy,
    engine: Arc<Engine>,
    conductor: Arc<Conductor>,
    guard: Arc<Guard>,
    /// The configuration in force. Held while another is prepared, so reloads queue.
    present: Mutex<Config>,
    /// What is shown; never held for long.
    shown: Mutex<Shown>,
}

#[derive(Clone, Debug)]
struct Shown {
    warnings: Vec<Finding>,
    tokens: Arc<[AdminToken]>,
    last: Option<LastReload>,
    /// Of the file's content that was last tried, good or bad.
    tried: u64,
}

/// How the last reload went.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastReload {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What asked for it: file, signal or api.
    pub trigger: &'static str,
    /// Who asked, if it was somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in the words of who asked.
    pub reason: String,
    /// `installed` or `refused`.
    pub outcome: &'static str,
    /// The generation in force afterwards.
    pub generation: u64,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Who asks for a reload, and why.
#[derive(Clone, Debug)]
pub struct Request {
    /// What asks.
    pub trigger: Trigger,
    /// Who asks, if it is somebody.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// Only check.
    pub dry_run: bool,
    /// Only if this generation is in force.
    pub only_if: Option<Generation>,
}

/// What asks for a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The file changed.
    File,
    /// SIGHUP.
    Signal,
    /// The admin API.
    Api,
}

impl Trigger {
    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Signal => "signal",
            Self::Api => "api",
        }
    }
}

/// A reload that went well.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// The generation in force now.
    pub generation: Generation,
    /// Warnings of the new configuration.
    pub warnings: Vec<Finding>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration has errors, or cannot follow the present one.
    #[error("{0}")]
    Config(Report),
    /// A plugin or a backend cannot be used.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// Another generation is in force than the one that was expected.
    #[error("generation {present} is in force, not {expected}: look again before you change it")]
    Moved {
        /// The one in force.
        present: Generation,
        /// The one expected.
        expected: Generation,
    },
}

impl Reloader {
    pub(crate) fn new(
        source: Source,
        (proxy, conductor, guard): (Proxy, Arc<Conductor>, Arc<Guard>),
        config: Config,
        text: &str,
    ) -> Self {
        // Of what was read, not of what the file says by now: starting takes its time.
        let tried = fingerprint(text);
        let tokens = config.admin.tokens.as_slice().into();
        let shown = Shown { warnings: config.warnings.clone(), tokens, last: None, tried };
        let (present, shown) = (Mutex::new(config), Mutex::new(shown));
        let engine = Arc::clone(proxy.plane().engine());
        Self { source, proxy, engine, conductor, guard, present, shown }
    }

    /// Reloads. Blocks while plugins compile, and while another reload runs.
    ///
    /// # Errors
    /// If the configuration cannot be used. What was in force stays in force.
    pub fn reload(&self, request: &Request) -> Result<Reloaded, ReloadError> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.try_reload(&mut present, request);
        drop(present);
        self.record(request, &outcome);
        outcome
    }

    fn try_reload(&self, present: &mut Config, request: &Request) -> Result<Reloaded, ReloadError> {
        let generation = self.engine.current().generation();
        if let Some(expected) = request.only_if
            && expected != generation
        {
            return Err(ReloadError::Moved { present: generation, expected });
        }
        let refused = |report: Report| {
            self.engine.metrics().reload_refused();
            ReloadError::Config(report)
        };
        let text = self.source.text().map_err(refused)?;
        if !request.dry_run {
            self.shown().tried = fingerprint(&text);
        }
        let config = self.source.check(&text).map_err(refused)?;
        let file = self.source.file().display().to_string();
        let motion = |name: &str| Motion {
            moving: self.conductor.is_moving(name),
            moved: self.conductor.has_moved(name),
        };
        let change = cutover::config::change(present, &config, &motion);
        if !change.refused.is_empty() {
            return Err(refused(Report { file, findings: change.refused }));
        }
        let ready = self.proxy.plane().prepare(
            config.snapshot.clone(),
            &config.plugins,
            &config.plans,
            (&config.server, config.telemetry.as_ref()),
            &self.source,
        )?;
        let mut warnings = config.warnings.clone();
        warnings.extend(change.ignored);
        if request.dry_run {
            return Ok(Reloaded { generation, warnings });
        }
        self.guard.change(guard_settings(&config.server));
        let charges = charges(&config, &self.source);
        let generation = put_in_force(&self.conductor, self.proxy.plane(), charges, ready);
        *present = config;
        let mut shown = self.shown();
        shown.warnings = warnings.clone();
        shown.tokens = present.admin.tokens.as_slice().into();
        drop(shown);
        for warning in &warnings {
            tracing::warn!(key = warning.key, "{}", warning.what);
        }
        Ok(Reloaded { generation, warnings })
    }

    fn record(&self, request: &Request, outcome: &Result<Reloaded, ReloadError>) {
        let Request { trigger, by, reason, dry_run, .. } = request;
        let (trigger, generation) = (trigger.name(), self.engine.current().generation());
        match outcome {
            Ok(_) if *dry_run => {
                tracing::info!(trigger, by, reason, %generation, "configuration checked, nothing changed");
                return;
            }
            Ok(reloaded) => {
                let warnings = reloaded.warnings.len();
                tracing::info!(trigger, by, reason, %generation, warnings, "configuration reloaded");
            }
            Err(error) => {
                tracing::error!(trigger, by, reason, %generation, "configuration refused, nothing changed:\n{error}");
            }
        }
        // Who expected another generation tried nothing.
        if *dry_run || matches!(outcome, Err(ReloadError::Moved { .. })) {
            return;
        }
        let last = LastReload {
            at_ms: self.engine.clock().unix_ms(),
            trigger,
            by: by.clone(),
            reason: reason.clone(),
            outcome: if outcome.is_ok() { "installed" } else { "refused" },
            generation: generation.0,
            error: outcome.as_ref().err().map(ToString::to_string),
        };
        self.shown().last = Some(last);
    }

    /// The configuration file.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Warnings of the configuration in force.
    pub fn warnings(&self) -> Vec<Finding> {
        self.shown().warnings.clone()
    }

    /// Tokens of the configuration in force. Does not wait for a reload.
    pub fn tokens(&self) -> Arc<[AdminToken]> {
        Arc::clone(&self.shown().tokens)
    }

    /// How the last reload went; `None` before the first.
    pub fn last(&self) -> Option<LastReload> {
        self.shown().last.clone()
    }

    /// Shows the configuration in force. Waits while a reload runs.
    pub fn with_present<T>(&self, show: impl FnOnce(&Config) -> T) -> T {
        show(&self.present.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reloads whenever the file's content has changed and is the same at two looks, so that a half-written file is
    /// not tried. Looks at the path again each time: renames and swapped symbolic links are seen.
    pub async fn watch_file(self: Arc<Self>) {
        let mut changing = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // A file that is away for a moment is being replaced.
            let Ok(text) = tokio::fs::read_to_string(self.source.file()).await else { continue };
            let found = fingerprint(&text);
            if found == self.shown().tried {
                changing = None;
            } else if changing != Some(found) {
                changing = Some(found);
            } else {
                changing = None;
                let reason = format!("{} changed", self.source.file().display());
                Arc::clone(&self).reload_aside(Trigger::File, reason).await;
            }
        }
    }

    /// Reloads on a thread where that may take its time. The outcome is in the log.
    pub async fn reload_aside(self: Arc<Self>, trigger: Trigger, reason: String) {
        let request = Request { trigger, by: None, reason, dry_run: false, only_if: None };
        let _ = tokio::task::spawn_blocking(move || self.reload(&request)).await;
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader").field("source", &self.source).finish_non_exhaustive()
    }
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
