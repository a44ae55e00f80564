//! What an author implements: the plugin and its hooks.

use crate::{Action, Backend, Comparable, Decision, Edits, Failure, Manifest, Reply, View};

/// Where the plugin is used. One instance serves one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The migration or route that uses the plugin.
    pub name: String,
    /// Names of its backends; in a migration `["old", "new"]`.
    pub backends: Vec<String>,
    /// The plugin's configuration, as JSON; `{}` if it was given none.
    pub config: String,
}

impl Environment {
    /// The backend of that name.
    pub fn backend(&self, name: &str) -> Option<Backend> {
        let index = self.backends.iter().position(|known| known == name)?;
        u16::try_from(index).ok().map(Backend::at)
    }
}

/// A plugin: made once per instance, then asked for each request.
///
/// Hooks take `&self`: which worker's instance answers, and how often it was asked before, is nobody's
/// business, so a plugin that counts would not count what its author thinks.
pub trait Plugin: Sized + 'static {
    /// Reads the configuration and declares what will be read, written and said. Called once, before any
    /// request; an error is shown to the operator, and the plugin is not used. The same environment must
    /// give the same manifest.
    fn configure(environment: &Environment, manifest: &mut Manifest) -> Result<Self, String>;
}

/// Chooses the backend of a request.
pub trait Split: Plugin {
    /// Called once for each read in the phases that serve reads from `new`.
    fn decide(&self, view: &View<'_>) -> Decision;
}

/// Edits headers on the way in and on the way out.
pub trait Rewrite: Plugin {
    /// Called before the request is sent to `backend`; again if it is sent to another.
    fn on_request(&self, view: &View<'_>, backend: Backend, edits: &mut Edits<'_>);

    /// Called when `backend` has replied, before the client gets the reply.
    fn on_response(&self, view: &View<'_>, backend: Backend, status: u16, edits: &mut Edits<'_>);
}

/// Says what becomes of a failed attempt.
pub trait Fallback: Plugin {
    /// Called once for each failed attempt.
    fn on_failure(&self, view: &View<'_>, failure: &Failure) -> Action;
}

/// Makes the two replies to one request comparable, where no ignore rule says what may differ.
pub trait Normalise: Plugin {
    /// Called for each of the two replies by itself, beside the path of requests. What the answer keeps of
    /// the body is compared, so whatever it takes out of both can never be found to differ.
    fn make_comparable(&self, view: &View<'_>, reply: &Reply<'_>) -> Comparable;
}
