//! Plugins in the path of a request: loaded before a generation is installed, asked during exchanges.
//!
//! Whatever a plugin does wrong ends here: a fault is counted, logged and turned into the policy the configuration
//! chose. The host keeps a plugin that fails again and again out of the way (quarantine).

use crate::engine::EngineOptions;
use crate::exchange::Timing;
use crate::metrics::Book;
use crate::metrics::meter::{Hook, PluginMeter};
use crate::mirror::Skipped;
use crate::plugin::{Asked, Guarded, PluginStatus, Wish};
use crate::refused::{PluginProblem, PrepareError, ProblemKind};
use crate::{EngineError, HeaderSink, PluginCall, PluginUse, Side, Surroundings, Timeline};
use cutover_config::Isolation;
use cutover_core::PlaceId;
use cutover_core::compare::Reply;
use cutover_core::decide::{AskSplit, OnError, SplitAnswer, SplitQuestion};
use cutover_core::fallback::Failure;
use cutover_wasm::{
    CallView, Component, Fault, Host, HostOptions, LoadError, Manifest, Normalised, Place,
    PlaceOptions, PluginAction, Read, ReplyView, SplitVerdict,
};
use http::{HeaderName, StatusCode};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use cutover_wasm::KeptView;

/// Compiles and holds plugins. Starts with the first one, so that an engine without plugins neither reserves address
/// space for them nor has a thread that watches their deadlines.
#[derive(Debug, Default)]
pub(crate) struct PluginHost {
    options: HostOptions,
    started: Mutex<Option<Host>>,
}

impl PluginHost {
    /// Starts nothing yet, but a cache folder that cannot be used is told now.
    pub(crate) fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        let default = HostOptions::default();
        let workers = if options.workers == 0 { default.workers } else { options.workers };
        let cache = options.plugin_cache.clone();
        let host = Self { options: HostOptions { workers, cache, ..default }, ..Self::default() };
        host.options.check_cache().map_err(|error| EngineError::PluginHost(error.to_string()))?;
        Ok(host)
    }

    pub(crate) fn live(&self) -> usize {
        self.started().as_ref().map_or(0, Host::live_instances)
    }

    fn running(&self) -> Result<Host, String> {
        let mut started = self.started();
        if let Some(host) = &*started {
            return Ok(host.clone());
        }
        let host = Host::new(self.options.clone()).map_err(|error| error.to_string())?;
        Ok(started.insert(host).clone())
    }

    fn started(&self) -> MutexGuard<'_, Option<Host>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads, compiles and configures the plugin of every place, or says everything that is wrong.
    pub(crate) fn load(
        &self,
        uses: &[PluginUse],
        around: &dyn Surroundings,
    ) -> Result<Loaded, PrepareError> {
        let mut components = HashMap::new();
        let (mut places, mut problems) = (Vec::new(), Vec::new());
        for used in uses {
            let component = components
                .entry(used.component.as_path())
                .or_insert_with_key(|file| self.compile(file, around));
            match component.clone().and_then(|component| configure(&component, used)) {
                Ok(place) => places.push((used.clone(), place)),
                Err(trouble) => problems.push(trouble.of(used)),
            }
        }
        if problems.is_empty() { Ok(Loaded(places)) } else { Err(PrepareError { problems }) }
    }

    fn compile(&self, file: &Path, around: &dyn Surroundings) -> Result<Component, Trouble> {
        let path = file.to_str().ok_or_else(|| Trouble {
            kind: ProblemKind::Unreadable,
            what: "the file's name is not Unicode".to_owned(),
            help: "rename it, and change `component` in the configuration".to_owned(),
        })?;
        let bytes = around.file(path).map_err(|error| Trouble {
            kind: ProblemKind::Unreadable,
            what: format!("the file cannot be read: {error}"),
            help: "`component` is a path relative to the configuration's folder; `cutover plugin \
                   build` makes the file"
                .to_owned(),
        })?;
        let host = self.running().map_err(|what| Trouble {
            kind: ProblemKind::NoPluginSupport,
            what,
            help: "remove the plugin from the migration, or run on a machine that can".to_owned(),
        })?;
        host.compile(&bytes).map_err(|error| Trouble::from(&error))
    }
}

fn configure(component: &Component, used: &PluginUse) -> Result<Place, Trouble> {
    let options = PlaceOptions {
        name: used.migration.clone(),
        backends: vec![Side::Old.name().to_owned(), Side::New.name().to_owned()],
        config: used.config.clone(),
        hooks: cutover_wasm::HookSet {
            split: used.hooks.split,
            rewrite: used.hooks.rewrite,
            fallback: used.hooks.fallback,
            normalise: used.hooks.normalise,
        },
        on_error: used.on_error,
        deadline: used.deadline,
        memory: used.memory,
        isolation: match used.isolation {
            Isolation::Worker => cutover_wasm::Isolation::Worker,
            Isolation::Request => cutover_wasm::Isolation::Request,
        },
    };
    component.install(options).map_err(|error| Trouble::from(&error))
}

/// What is wrong with a component, before it is known who uses it.
#[derive(Clone)]
struct Trouble {
    kind: ProblemKind,
    what: String,
    help: String,
}

impl Trouble {
    fn of(self, used: &PluginUse) -> PluginProblem {
        let Self { kind, what, help } = self;
        PluginProblem {
            migration: used.migration.clone(),
            plugin: used.plugin.clone(),
            file: used.component.display().to_string(),
            kind,
            what,
            help,
        }
    }
}

impl From<&LoadError> for Trouble {
    fn from(error: &LoadError) -> Self {
        let (kind, help) = match error {
            LoadError::MissingHook { .. } => (
                ProblemKind::MissingHook,
                "name another plugin under [migrations.….plugins], or export that hook and build \
                 it again",
            ),
            LoadError::Refused(_) => {
                (ProblemKind::Refuses, "mend `config` of the plugin in the configuration")
            }
            LoadError::Start(_) => (
                ProblemKind::Refuses,
                "`cutover plugin check` shows it; if it needs more, raise `memory`",
            ),
            LoadError::Compile(_)
            | LoadError::Imports(_)
            | LoadError::Link(_)
            | LoadError::NoLifecycle
            | LoadError::NoHook
            | LoadError::Export(_)
            | LoadError::Manifest(_)
            | _ => (ProblemKind::Invalid, "`cutover plugin check` names every violation"),
        };
        Self { kind, what: error.to_string(), help: help.to_owned() }
    }
}

/// Plugins that are ready, not yet in use.
#[derive(Debug, Default)]
pub(crate) struct Loaded(Vec<(PluginUse, Place)>);

impl Loaded {
    /// Names of the request headers they may read and write.
    pub(crate) fn request_headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().flat_map(|(_, place)| {
            let Manifest { reads, writes, .. } = place.manifest();
            let reads = reads.iter().filter_map(|read| match read {
                Read::Header(name) => Some(name),
                Read::Host
                | Read::Path
                | Read::Query
                | Read::Peer
                | Read::Cookie(_)
                | Read::QueryParam(_)
                | Read::PathParam(_)
                | Read::ReplyHeader(_) => None,
            });
            reads.chain(writes)
        })
    }

    /// Puts them to use, with counters that survive them.
    pub(crate) fn in_use(self, book: &Book) -> Plugins {
        let places = self.0.into_iter().map(|(used, place)| Used {
            meter: book.plugin(&used.migration, &used.plugin),
            migration: used.migration.into(),
            plugin: used.plugin.into(),
            place,
        });
        Plugins(places.collect())
    }
}

/// The plugins of one generation, by place.
#[derive(Debug, Default)]
pub(crate) struct Plugins(Box<[Used]>);

#[derive(Debug)]
struct Used {
    migration: Box<str>,
    plugin: Box<str>,
    place: Place,
    meter: Arc<PluginMeter>,
}

impl Plugins {
    pub(crate) fn asking<'a>(&'a self, timing: Timing<'a>) -> impl AskSplit + 'a {
        Asking { plugins: self, timing }
    }

    pub(crate) fn on_request(
        &self,
        place: PlaceId,
        asked: &Asked<'_>,
        side: Side,
        headers: &mut dyn HeaderSink,
        timing: Timing<'_>,
    ) -> Result<(), Guarded> {
        let used = &self.0[place.index()];
        let edited = used.call((place, Hook::OnRequest), timing, |place, now| {
            place.on_request(&view(asked), side as u16, headers, now)
        });
        edited.or_else(unedited)
    }

    pub(crate) fn on_response(
        &self,
        place: PlaceId,
        asked: &Asked<'_>,
        (side, status): (Side, StatusCode),
        headers: &mut dyn HeaderSink,
        timing: Timing<'_>,
    ) -> Result<(), Guarded> {
        let used = &self.0[place.index()];
        let edited = used.call((place, Hook::OnResponse), timing, |place, now| {
            place.on_response(&view(asked), side as u16, status.as_u16(), headers, now)
        });
        edited.or_else(unedited)
    }

    /// What becomes of a failed attempt. A plugin that fails leaves it to the native rule, unless its policy is
    /// `reject`: then the client gets the failure.
    pub(crate) fn on_failure(
        &self,
        place: PlaceId,
        asked: &Asked<'_>,
        failed: &Failure,
        side: Side,
        timing: Timing<'_>,
    ) -> Wish {
        let used = &self.0[place.index()];
        let action = used.call((place, Hook::OnFailure), timing, |place, now| {
            place.on_failure(&view(asked), failed, side as u16, now)
        });
        match action {
            Ok(PluginAction::Propagate) | Err(OnError::Reject) => Wish::Propagate,
            Ok(PluginAction::Retry(backend)) => Wish::Retry(side_of(backend)),
            Ok(PluginAction::Respond(status)) => {
                StatusCode::from_u16(status).map_or(Wish::Native, Wish::Respond)
            }
            Err(OnError::Old | OnError::Percent) => Wish::Native,
        }
    }

    /// What a plugin may know of a request when its replies are there.
    pub(crate) fn keep(&self, place: PlaceId, asked: &Asked<'_>) -> KeptView {
        self.0[place.index()].place.keep(&view(asked))
    }

    /// What is compared in place of a reply's body, of at most `cap_bytes`; `None`: the body as it is. Whatever else the
    /// plugin does, the comparison is left out.
    pub(crate) fn make_comparable(
        &self,
        place: PlaceId,
        request: &KeptView,
        (side, reply, body): (Side, &Reply<'_>, &[u8]),
        cap_bytes: usize,
        timing: Timing<'_>,
    ) -> Result<Option<Vec<u8>>, Skipped> {
        let used = &self.0[place.index()];
        let (backend, status, headers) = (side as u16, reply.status.as_u16(), reply.headers);
        let reply = ReplyView { backend, status, headers, body };
        let answer = used.call((place, Hook::Normalise), timing, |place, now| {
            place.normalise(request, &reply, cap_bytes, now)
        });
        match answer {
            Ok(Normalised::Unchanged) => Ok(None),
            Ok(Normalised::Body(body)) => Ok(Some(body)),
            Ok(Normalised::Cannot(why)) => {
                let (migration, plugin) = (&*used.migration, &*used.plugin);
                tracing::debug!(migration, plugin, side = side.name(), "cannot compare: {why}");
                Err(Skipped::NotComparable)
            }
            Err(_) => Err(Skipped::Plugin),
        }
    }

    /// A plugin's own word for why it chose a side.
    pub(crate) fn reason(&self, place: PlaceId, reason: u16) -> Option<&str> {
        let manifest = self.0.get(place.index())?.place.manifest();
        manifest.reasons.get(usize::from(reason)).map(|reason| &**reason)
    }

    pub(crate) fn live(&self) -> usize {
        self.0.iter().map(|used| used.place.counts().live).sum()
    }

    /// Each plugin of each migration once, also if it has a place beside the path and one in it.
    pub(crate) fn status(&self) -> Vec<PluginStatus> {
        let mut all: Vec<PluginStatus> = Vec::with_capacity(self.0.len());
        for one in self.0.iter().map(Used::status) {
            let same = |known: &&mut PluginStatus| {
                (&known.plugin, &known.migration) == (&one.plugin, &one.migration)
            };
            match all.iter_mut().find(same) {
                Some(known) => known.join(&one),
                None => all.push(one),
            }
        }
        all
    }
}

/// Asks split plugins on behalf of a decision.
struct Asking<'a> {
    plugins: &'a Plugins,
    timing: Timing<'a>,
}

impl AskSplit for Asking<'_> {
    fn split(&mut self, question: SplitQuestion<'_, '_>) -> SplitAnswer {
        let SplitQuestion { place, request, params, bucket, share } = question;
        let used = &self.plugins.0[place.index()];
        let timeline = self.timing.timeline.as_deref_mut();
        let timing = Timing { clock: self.timing.clock, timeline };
        let verdict = used.call((place, Hook::Split), timing, |place, now| {
            place.split(&CallView { request, params, bucket, share }, now)
        });
        match verdict {
            Ok(SplitVerdict { backend, deadline, reason }) => {
                SplitAnswer::Choose { side: side_of(backend), deadline, reason }
            }
            Err(policy) => SplitAnswer::Failed(policy),
        }
    }
}

impl Used {
    /// One call, counted and timed; on a fault the policy that applies.
    fn call<R>(
        &self,
        (place, hook): (PlaceId, Hook),
        timing: Timing<'_>,
        call: impl FnOnce(&Place, Instant) -> Result<R, Fault>,
    ) -> Result<R, OnError> {
        let Timing { clock, timeline } = timing;
        let began = clock.now();
        let answer = call(&self.place, began);
        let took = clock.now().saturating_duration_since(began);
        if let Some(Timeline { calls, .. }) = timeline {
            let fault = answer.as_ref().err().map(|fault| fault.kind().name());
            calls.push(PluginCall { place, hook: hook.name(), began, took, fault });
        }
        match answer {
            Ok(answer) => {
                self.meter.called(hook, took);
                Ok(answer)
            }
            Err(fault) => {
                self.failed(hook, &fault, took);
                Err(self.place.on_error())
            }
        }
    }

    #[cold]
    fn failed(&self, hook: Hook, fault: &Fault, took: Duration) {
        self.meter.failed(fault.kind().name());
        if matches!(fault, Fault::Quarantined) {
            return;
        }
        self.meter.called(hook, took);
        let policy = (hook != Hook::Normalise).then(|| self.place.on_error());
        tracing::warn!(
            migration = &*self.migration,
            plugin = &*self.plugin,
            ?hook,
            policy = ?policy,
            "plugin call failed: {fault}",
        );
    }

    fn status(&self) -> PluginStatus {
        let counts = self.place.counts();
        PluginStatus {
            plugin: self.plugin.to_string(),
            migration: self.migration.to_string(),
            state: counts.state.name(),
            live: counts.live,
            calls: counts.calls,
            faults: counts.trap
                + counts.deadline
                + counts.memory
                + counts.bad_answer
                + counts.start
                + counts.quarantined,
        }
    }
}

/// A rewrite that failed: the headers are as they were, unless that must not be.
fn unedited(policy: OnError) -> Result<(), Guarded> {
    match policy {
        OnError::Reject => Err(Guarded),
        OnError::Old | OnError::Percent => Ok(()),
    }
}

fn view<'a>(asked: &Asked<'a>) -> CallView<'a> {
    let Asked { request, params, bucket, share } = *asked;
    CallView { request, params, bucket, share }
}

/// Places are configured with `["old", "new"]`, and the host lets no other index through.
fn side_of(backend: u16) -> Side {
    if backend == 0 { Side::Old } else { Side::New }
}
