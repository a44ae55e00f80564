//! Why a request would go where it goes, step by step.

use crate::RequestView;
use crate::engine::Installed;
use serde::Serialize;
use std::fmt;

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
    /// `old` or `new`.
    pub side: Option<&'static str>,
    /// Why that side.
    pub reason: Option<&'static str>,
    /// Name of the backend; `None` if the gateway itself answers.
    pub backend: Option<String>,
    /// Status the gateway answers with, if no backend does.
    pub refused: Option<u16>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedStep {
    /// One word: route, passed-over, migration, phase, key, bucket, list, plugin, breaker, decision, backend.
    pub step: &'static str,
    /// A sentence.
    pub text: String,
}

impl Explanation {
    pub(crate) fn of(installed: &Installed, request: &RequestView<'_>) -> Self {
        Self {
            generation: installed.generation().0,
            request: format!("{} {}{}", request.method, request.host, request.path),
            steps: Vec::new(),
            route: None,
            migration: None,
            side: None,
            reason: None,
            backend: None,
            refused: None,
        }
    }

    /// The same with the values of keys left out, for people who may not see them.
    #[must_use]
    pub fn redacted(self) -> Self {
        self
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request)
    }
}
