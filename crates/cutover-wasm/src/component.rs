//! Components: compiled, checked for what they import, and asked which hooks they export.

use crate::bindings::{fallback, lifecycle, normalise, rewrite, split};
use crate::error::LoadError;
use crate::host::Shared;
use crate::instance::Context;
use crate::said::printable;
use crate::{edits, said};
use std::fmt;
use std::sync::Arc;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{InstancePre, Linker};

/// Interfaces whose functions plugins are given, without the patch version, which WIT lets differ.
const GIVEN: [(&str, &[&str]); 2] = [
    ("cutover:plugin/log@0.1.", &["say"]),
    ("cutover:plugin/edits@0.1.", &["set", "append", "remove"]),
];

/// A compiled plugin, not yet configured. Cheap to clone.
#[derive(Clone)]
pub struct Component(Arc<Parts>);

struct Parts {
    host: Arc<Shared>,
    pre: InstancePre<Context>,
    exports: Exports,
}

/// The interfaces a component exports, by name; types are checked when an instance is made.
pub(crate) struct Exports {
    pub(crate) lifecycle: lifecycle::GuestIndices,
    pub(crate) split: Option<split::GuestIndices>,
    pub(crate) rewrite: Option<rewrite::GuestIndices>,
    pub(crate) fallback: Option<fallback::GuestIndices>,
    pub(crate) normalise: Option<normalise::GuestIndices>,
}

/// Which hooks a component has, or a place of use needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HookSet {
    /// Chooses backends.
    pub split: bool,
    /// Edits headers.
    pub rewrite: bool,
    /// Decides about failed attempts.
    pub fallback: bool,
    /// Makes replies comparable.
    pub normalise: bool,
}

impl HookSet {
    /// Are all of these in `other`?
    pub fn is_subset(self, other: Self) -> bool {
        (!self.split || other.split)
            && (!self.rewrite || other.rewrite)
            && (!self.fallback || other.fallback)
            && (!self.normalise || other.normalise)
    }

    /// No hook at all?
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for HookSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            (self.split, "split"),
            (self.rewrite, "rewrite"),
            (self.fallback, "fallback"),
            (self.normalise, "normalise"),
        ];
        let mut separator = "";
        for (_, name) in named.iter().filter(|(there, _)| *there) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        if self.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

impl Component {
    /// Checks and links compiled code.
    pub(crate) fn link(
        host: Arc<Shared>,
        compiled: &wasmtime::component::Component,
    ) -> Result<Self, LoadError> {
        let foreign = foreign_imports(compiled);
        if !foreign.is_empty() {
            return Err(LoadError::Imports(foreign));
        }
        let mut linker = Linker::new(host.engine());
        let misfit = |error: wasmtime::Error| LoadError::Link(printable(&format!("{error:#}")));
        said::link(&mut linker).map_err(misfit)?;
        edits::link(&mut linker).map_err(misfit)?;
        let pre = linker.instantiate_pre(compiled).map_err(misfit)?;
        let exports = Exports {
            lifecycle: lifecycle::GuestIndices::new(&pre).map_err(|_| LoadError::NoLifecycle)?,
            split: split::GuestIndices::new(&pre).ok(),
            rewrite: rewrite::GuestIndices::new(&pre).ok(),
            fallback: fallback::GuestIndices::new(&pre).ok(),
            normalise: normalise::GuestIndices::new(&pre).ok(),
        };
        let component = Self(Arc::new(Parts { host, pre, exports }));
        if component.hooks().is_empty() { Err(LoadError::NoHook) } else { Ok(component) }
    }

    /// The hooks it exports.
    pub fn hooks(&self) -> HookSet {
        let exports = &self.0.exports;
        HookSet {
            split: exports.split.is_some(),
            rewrite: exports.rewrite.is_some(),
            fallback: exports.fallback.is_some(),
            normalise: exports.normalise.is_some(),
        }
    }

    pub(crate) fn host(&self) -> &Arc<Shared> {
        &self.0.host
    }

    pub(crate) fn pre(&self) -> &InstancePre<Context> {
        &self.0.pre
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.0.exports
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("hooks", &self.hooks()).finish_non_exhaustive()
    }
}

/// Everything a component asks for that plugins are not given. Interfaces of types alone are no request.
fn foreign_imports(compiled: &wasmtime::component::Component) -> Vec<String> {
    let engine = compiled.engine();
    let mut foreign = Vec::new();
    for (name, import) in compiled.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = &import.ty else {
            if !matches!(import.ty, ComponentItem::Type(_)) {
                foreign.push(printable(name));
            }
            continue;
        };
        let given = GIVEN.iter().find(|(prefix, _)| name.starts_with(prefix));
        for (item, export) in interface.exports(engine) {
            let allowed = match export.ty {
                ComponentItem::Type(_) => true,
                ComponentItem::ComponentFunc(_) => given.is_some_and(|(_, f)| f.contains(&item)),
                ComponentItem::CoreFunc(_)
                | ComponentItem::Module(_)
                | ComponentItem::Component(_)
                | ComponentItem::ComponentInstance(_)
                | ComponentItem::Resource(_) => false,
            };
            if !allowed {
                foreign.push(printable(&format!("{name}.{item}")));
            }
        }
    }
    foreign
}
