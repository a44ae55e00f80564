//! Stands in for the plugins when the feature `wasm` is off: a snapshot that uses any is refused.

use crate::engine::EngineOptions;
use crate::exchange::Timing;
use crate::mirror::Skipped;
use crate::plugin::{Asked, Guarded, PluginStatus, Wish};
use crate::refused::{PluginProblem, PrepareError, ProblemKind};
use crate::{EngineError, HeaderSink, PluginUse, Side, Surroundings};
use cutover_core::PlaceId;
use cutover_core::compare::Reply;
use cutover_core::decide::{AskSplit, NoPlugins};
use cutover_core::fallback::Failure;
use http::{HeaderName, StatusCode};

#[derive(Debug, Default)]
pub(crate) struct PluginHost;

impl PluginHost {
    pub(crate) fn new(_: &EngineOptions) -> Result<Self, EngineError> {
        Ok(Self)
    }

    pub(crate) fn live(&self) -> usize {
        0
    }

    pub(crate) fn load(
        &self,
        uses: &[PluginUse],
        _: &dyn Surroundings,
    ) -> Result<Loaded, PrepareError> {
        let problems: Vec<_> = uses.iter().map(refusal).collect();
        if problems.is_empty() { Ok(Loaded) } else { Err(PrepareError { problems }) }
    }
}

fn refusal(used: &PluginUse) -> PluginProblem {
    PluginProblem {
        migration: used.migration.clone(),
        plugin: used.plugin.clone(),
        file: used.component.display().to_string(),
        kind: ProblemKind::NoPluginSupport,
        what: "this program was built without plugins".to_owned(),
        help: "build it with the feature `wasm` of the crate cutover, or remove the plugin from \
               the migration"
            .to_owned(),
    }
}

/// No plugins, loaded.
#[derive(Debug, Default)]
pub(crate) struct Loaded;

impl Loaded {
    pub(crate) fn request_headers(&self) -> impl Iterator<Item = &HeaderName> {
        std::iter::empty()
    }

    pub(crate) fn in_use(self, _: &crate::metrics::Book) -> Plugins {
        Plugins {}
    }
}

/// Of a request that no plugin asks about.
#[derive(Debug)]
pub(crate) struct KeptView;

impl KeptView {
    pub(crate) fn held_bytes(&self) -> usize {
        0
    }
}

/// No plugins.
#[derive(Debug, Default)]
pub(crate) struct Plugins {}

impl Plugins {
    pub(crate) fn asking<'a>(&'a self, _: Timing<'a>) -> impl AskSplit + 'a {
        NoPlugins
    }

    pub(crate) fn on_request(
        &self,
        _: PlaceId,
        _: &Asked<'_>,
        _: Side,
        _: &mut dyn HeaderSink,
        _: Timing<'_>,
    ) -> Result<(), Guarded> {
        Ok(())
    }

    pub(crate) fn on_response(
        &self,
        _: PlaceId,
        _: &Asked<'_>,
        _: (Side, StatusCode),
        _: &mut dyn HeaderSink,
        _: Timing<'_>,
    ) -> Result<(), Guarded> {
        Ok(())
    }

    pub(crate) fn on_failure(
        &self,
        _: PlaceId,
        _: &Asked<'_>,
        _: &Failure,
        _: Side,
        _: Timing<'_>,
    ) -> Wish {
        Wish::Native
    }

    pub(crate) fn keep(&self, _: PlaceId, _: &Asked<'_>) -> KeptView {
        KeptView
    }

    pub(crate) fn make_comparable(
        &self,
        _: PlaceId,
        _: &KeptView,
        _: (Side, &Reply<'_>, &[u8]),
        _: usize,
        _: Timing<'_>,
    ) -> Result<Option<Vec<u8>>, Skipped> {
        Ok(None)
    }

    pub(crate) fn reason(&self, _: PlaceId, _: u16) -> Option<&str> {
        None
    }

    pub(crate) fn live(&self) -> usize {
        0
    }

    pub(crate) fn status(&self) -> Vec<PluginStatus> {
        Vec::new()
    }
}
