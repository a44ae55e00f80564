//! Asks a plugin what a case asks, and compares the answer with what the case expects.

use super::cases::{Asks, Case, Expect, Reply};
use super::comparable::{self, Given};
use super::scene::{Scene, header_map};
use crate::paragraph::printable;
use cutover::wasm::{CallView, Fault, Place, PluginAction, SplitVerdict};
use cutover::{HeaderSink, core};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Instant;

/// What was answered, or expected: names and values, in the words of the file.
pub(super) type Facts = Vec<(&'static str, String)>;

/// A case ready to be asked, again and again.
#[derive(Debug)]
pub(super) struct Question {
    scene: Scene,
    what: What,
}

#[derive(Debug)]
enum What {
    InPath(Call),
    /// Beside the path of requests: one reply, or both.
    Beside(Vec<Given>),
}

#[derive(Debug)]
enum Call {
    Split,
    OnRequest { backend: u16 },
    OnResponse { backend: u16, status: u16, headers: HeaderMap },
    OnFailure { backend: u16, failure: Box<core::fallback::Failure> },
}

/// A plugin's answer.
#[derive(Debug)]
pub(super) enum Answer {
    Chosen(SplitVerdict),
    Edited,
    Wished(PluginAction),
}

impl Question {
    /// Of a case that asks a hook. The error says what cannot be asked so.
    pub(super) fn new(case: &Case) -> Result<Self, String> {
        let scene = Scene::new(case)?;
        let backend = case.backend.unwrap_or_default().index();
        if case.asks() == Asks::Normalise {
            return Ok(Self { scene, what: What::Beside(Given::of(case)?) });
        }
        let call = match (case.asks(), &case.reply, &case.failure) {
            (Asks::OnResponse, Some(Reply { status, headers, .. }), _) => {
                Call::OnResponse { backend, status: *status, headers: header_map(headers)? }
            }
            (Asks::OnFailure, _, Some(failed)) => Call::OnFailure {
                backend: failed.backend.index(),
                failure: Box::new(scene.failure(failed)?),
            },
            (Asks::OnRequest, ..) => Call::OnRequest { backend },
            _ => Call::Split,
        };
        Ok(Self { scene, what: What::InPath(call) })
    }

    /// The answer in words.
    pub(super) fn ask(&self, place: &Place, now: Instant) -> Result<Facts, Fault> {
        let call = match &self.what {
            What::InPath(call) => call,
            What::Beside(replies) => {
                let request = self.scene.with(|view| place.keep(view));
                return comparable::answer(replies, place, &request, now);
            }
        };
        let mut edits = Recorder { headers: call.reply_headers(), edits: Vec::new() };
        let answer = self.scene.with(|view| call.make(place, view, &mut edits, now))?;
        Ok(match answer {
            Answer::Chosen(verdict) => of_verdict(place, &verdict),
            Answer::Edited => vec![("edits", edits.edits.join("\n"))],
            Answer::Wished(action) => vec![("action", of_action(place, action))],
        })
    }

    /// Asks so many times, and drops the answers; of two replies one after the other.
    pub(super) fn repeat(&self, place: &Place, times: u64, now: Instant) -> Result<(), Fault> {
        let call = match &self.what {
            What::InPath(call) => call,
            What::Beside(replies) => {
                let request = self.scene.with(|view| place.keep(view));
                let mut turns = (0..times).zip(replies.iter().cycle());
                return turns.try_for_each(|(_, given)| {
                    given.ask(place, &request, now).map(|made| drop(std::hint::black_box(made)))
                });
            }
        };
        let mut edits = Blind(call.reply_headers());
        self.scene.with(|view| {
            for _ in 0..times {
                std::hint::black_box(call.make(place, view, &mut edits, now)?);
            }
            Ok(())
        })
    }
}

impl Call {
    fn make(
        &self,
        place: &Place,
        view: &CallView<'_>,
        edits: &mut dyn HeaderSink,
        now: Instant,
    ) -> Result<Answer, Fault> {
        match self {
            Self::Split => place.split(view, now).map(Answer::Chosen),
            Self::OnRequest { backend } => {
                place.on_request(view, *backend, edits, now).map(|()| Answer::Edited)
            }
            Self::OnResponse { backend, status, .. } => {
                place.on_response(view, *backend, *status, edits, now).map(|()| Answer::Edited)
            }
            Self::OnFailure { backend, failure } => {
                place.on_failure(view, failure, *backend, now).map(Answer::Wished)
            }
        }
    }

    fn reply_headers(&self) -> HeaderMap {
        match self {
            Self::OnResponse { headers, .. } => headers.clone(),
            Self::Split | Self::OnRequest { .. } | Self::OnFailure { .. } => HeaderMap::new(),
        }
    }
}

/// What an expectation names, in the words of an answer.
pub(super) fn expected(expect: &Expect) -> Facts {
    let Expect { backend, reason, deadline_ms, edits, action, .. } = expect;
    let Expect { body, same, cannot, refused, fault, .. } = expect;
    let side = |index: u16| if index == 0 { "old" } else { "new" }.to_owned();
    [
        ("backend", backend.map(|backend| side(backend.index()))),
        ("reason", reason.clone()),
        ("deadline-ms", deadline_ms.map(|ms| ms.to_string())),
        ("edits", edits.as_ref().map(|edits| edits.join("\n"))),
        ("action", action.clone()),
        ("body", body.clone()),
        ("same", same.map(|same| same.to_string())),
        ("cannot", cannot.clone()),
        ("refused", refused.clone()),
        ("fault", fault.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// Does an answer hold what is expected? Messages need to contain it only.
pub(super) fn holds(expected: &Facts, got: &Facts) -> bool {
    expected.iter().all(|(name, wanted)| {
        let found = got.iter().find(|(known, _)| known == name);
        found.is_some_and(|(_, value)| match *name {
            "refused" | "fault" | "cannot" => value.contains(wanted.as_str()),
            _ => value == wanted,
        })
    })
}

/// A failed call, in words.
pub(super) fn of_fault(fault: &Fault) -> Facts {
    vec![("fault", printable(&format!("{}: {fault}", fault.kind().name())))]
}

/// For a person.
pub(super) fn words(facts: &Facts) -> String {
    let word = |(name, value): &(&str, String)| match (*name, value.as_str()) {
        ("reason" | "edits", "") => format!("no {name}"),
        ("deadline-ms", "0") => "no deadline of its own".to_owned(),
        ("edits", edits) => edits.to_owned(),
        ("same", "true") => "the same".to_owned(),
        ("same", _) => "not the same".to_owned(),
        ("body", body) => printable(&format!("body {body}")),
        ("action", action) => action.to_owned(),
        (name, value) => format!("{name} {value}"),
    };
    facts.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn of_verdict(place: &Place, verdict: &SplitVerdict) -> Facts {
    let SplitVerdict { backend, deadline, reason } = verdict;
    let reason = reason.and_then(|at| place.manifest().reasons.get(usize::from(at)));
    vec![
        ("backend", backend_name(place, *backend)),
        ("reason", reason.map(|reason| reason.to_string()).unwrap_or_default()),
        ("deadline-ms", deadline.map_or(0, |deadline| deadline.as_millis()).to_string()),
    ]
}

fn of_action(place: &Place, action: PluginAction) -> String {
    match action {
        PluginAction::Propagate => "propagate".to_owned(),
        PluginAction::Retry(backend) => format!("retry {}", backend_name(place, backend)),
        PluginAction::Respond(status) => format!("respond {status}"),
    }
}

fn backend_name(place: &Place, index: u16) -> String {
    place.backends().get(usize::from(index)).cloned().unwrap_or_else(|| index.to_string())
}

/// Notes edits in order, and shows the headers as they were.
struct Recorder {
    headers: HeaderMap,
    edits: Vec<String>,
}

/// Shows headers and lets nothing be edited, so that the thousandth call sees what the first saw.
struct Blind(HeaderMap);

fn spelt(verb: &str, name: &HeaderName, value: &HeaderValue) -> String {
    printable(&format!("{verb} {name}: {}", String::from_utf8_lossy(value.as_bytes())))
}

impl HeaderSink for Recorder {
    fn set(&mut self, name: &HeaderName, value: HeaderValue) {
        self.edits.push(spelt("set", name, &value));
    }

    fn append(&mut self, name: &HeaderName, value: HeaderValue) {
        self.edits.push(spelt("append", name, &value));
    }

    fn remove(&mut self, name: &HeaderName) {
        self.edits.push(format!("remove {name}"));
    }
}

impl HeaderSink for Blind {
    fn set(&mut self, _: &HeaderName, _: HeaderValue) {}

    fn append(&mut self, _: &HeaderName, _: HeaderValue) {}

    fn remove(&mut self, _: &HeaderName) {}
}

impl cutover::Headers for Recorder {
    fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        cutover::Headers::first(&self.headers, name)
    }

    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        cutover::Headers::each(&self.headers, name, visit);
    }
}

impl cutover::Headers for Blind {
    fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        cutover::Headers::first(&self.0, name)
    }

    fn each<'a>(&'a self, name: &HeaderName, visit: &mut dyn FnMut(&'a [u8]) -> bool) {
        cutover::Headers::each(&self.0, name, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_expected_is_compared_and_messages_by_a_part() {
        let got = vec![("backend", "new".to_owned()), ("reason", String::new())];
        let named = |name, value: &str| vec![(name, value.to_owned())];
        assert!(holds(&named("backend", "new"), &got));
        assert!(holds(&named("reason", ""), &got));
        assert!(!holds(&named("reason", "x"), &got));
        assert!(!holds(&named("fault", ""), &got), "no fault is no empty fault");
        let fault = of_fault(&Fault::Deadline);
        assert!(holds(&named("fault", "deadline"), &fault));
        assert_eq!(words(&got), "backend new, no reason");
    }
}
