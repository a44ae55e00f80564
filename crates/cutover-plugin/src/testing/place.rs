//! A configured plugin in a unit test, and what its hooks answer.

use crate::testing::Request;
use crate::{
    Action, Backend, Comparable, Edits, Environment, Failure, Fallback, Header, Manifest,
    Normalise, Plugin, Reply, Rewrite, Sink, Split,
};
use std::fmt;

/// A plugin configured for one migration, with the backends `old` and `new`.
#[derive(Debug)]
pub struct Place<P> {
    plugin: P,
    environment: Environment,
    manifest: Manifest,
}

/// A decision, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Name of the backend.
    pub backend: &'a str,
    /// The deadline, if the plugin shortens it.
    pub deadline_ms: Option<u32>,
    /// The reason, if the plugin gave one.
    pub reason: Option<&'a str>,
}

/// One edit. It reads `set host: profile.internal` or `remove x-debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Replaced every value.
    Set(String, Vec<u8>),
    /// Added a value.
    Append(String, Vec<u8>),
    /// Removed every value.
    Remove(String),
}

impl<P: Plugin> Place<P> {
    /// Configures the plugin with this JSON. The error is what an operator would read.
    pub fn configure(config: &str) -> Result<Self, String> {
        Self::configure_in(Environment {
            name: "test".to_owned(),
            backends: vec!["old".to_owned(), "new".to_owned()],
            config: config.to_owned(),
        })
    }

    /// Configures the plugin for another environment.
    pub fn configure_in(environment: Environment) -> Result<Self, String> {
        let mut manifest = Manifest::default();
        let plugin = P::configure(&environment, &mut manifest)?;
        Ok(Self { plugin, environment, manifest })
    }

    /// What the plugin has declared.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl<P: Split> Place<P> {
    /// Asks the split hook.
    ///
    /// # Panics
    /// If the plugin answers with a backend or reason that does not exist, which a host would count as a
    /// fault.
    pub fn decide(&self, request: &Request) -> Answer<'_> {
        let decision = request.seen(&self.manifest, false, |view| self.plugin.decide(view));
        let backend = usize::from(decision.backend.index());
        let backend = self.environment.backends.get(backend).expect("an existing backend");
        let reason = decision.reason.map(|reason| {
            let words = self.manifest.reasons().get(usize::from(reason.0));
            words.expect("a declared reason").as_str()
        });
        Answer { backend, deadline_ms: decision.deadline_ms, reason }
    }
}

impl<P: Rewrite> Place<P> {
    /// Runs the rewrite hook on a request.
    pub fn on_request(&self, request: &Request, backend: Backend) -> Vec<Edit> {
        self.recorded(|edits| {
            request.seen(&self.manifest, false, |view| {
                self.plugin.on_request(view, backend, edits);
            });
        })
    }

    /// Runs the rewrite hook on a reply; its headers are those of [`Request::reply_header`].
    pub fn on_response(&self, request: &Request, backend: Backend, status: u16) -> Vec<Edit> {
        self.recorded(|edits| {
            request.seen(&self.manifest, true, |view| {
                self.plugin.on_response(view, backend, status, edits);
            });
        })
    }

    fn recorded(&self, run: impl FnOnce(&mut Edits<'_>)) -> Vec<Edit> {
        let mut recorder = Recorder { names: self.manifest.writes(), edits: Vec::new() };
        run(&mut Edits::new(&mut recorder));
        recorder.edits
    }
}

impl<P: Fallback> Place<P> {
    /// Asks the fallback hook.
    pub fn on_failure(&self, request: &Request, failure: &Failure) -> Action {
        request.seen(&self.manifest, false, |view| self.plugin.on_failure(view, failure))
    }
}

impl<P: Normalise> Place<P> {
    /// Asks the normalise hook; headers of the reply are those of [`Request::reply_header`], from which its
    /// `content-type` is taken, too.
    pub fn make_comparable(
        &self,
        request: &Request,
        (backend, status): (Backend, u16),
        body: impl AsRef<[u8]>,
    ) -> Comparable {
        let (content_type, body) = (request.content_type(), body.as_ref());
        let reply = Reply { backend, status, content_type, body };
        request.seen(&self.manifest, true, |view| self.plugin.make_comparable(view, &reply))
    }
}

struct Recorder<'a> {
    names: &'a [String],
    edits: Vec<Edit>,
}

impl Recorder<'_> {
    fn name(&self, header: Header) -> String {
        self.names.get(usize::from(header.0)).expect("a declared header").clone()
    }
}

impl Sink for Recorder<'_> {
    fn set(&mut self, header: Header, value: &[u8]) {
        self.edits.push(Edit::Set(self.name(header), value.to_vec()));
    }

    fn append(&mut self, header: Header, value: &[u8]) {
        self.edits.push(Edit::Append(self.name(header), value.to_vec()));
    }

    fn remove(&mut self, header: Header) {
        self.edits.push(Edit::Remove(self.name(header)));
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(name, value) => write!(f, "set {name}: {}", String::from_utf8_lossy(value)),
            Self::Append(name, value) => {
                write!(f, "append {name}: {}", String::from_utf8_lossy(value))
            }
            Self::Remove(name) => write!(f, "remove {name}"),
        }
    }
}
