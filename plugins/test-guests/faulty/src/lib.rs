//! A plugin that misbehaves on demand, for the tests of the plugin host.
//!
//! The configuration `{"fault": "…"}` says what goes wrong; the request header `x-fault`, if it is there, says it for
//! one call. Every fault has its own arm below. Without a fault it decides by the percent, writes three headers,
//! retries what can be retried, and makes replies comparable by taking all digits out of them.

use std::cell::{Cell, RefCell};

// Private, so that the generated code's names stay out of the way.
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "full-plugin" });
}

use bindings::cutover::plugin::types::{Traits, View};
use bindings::cutover::plugin::{edits, log};
use bindings::exports::cutover::plugin::fallback::{Action, Facts, Failure};
use bindings::exports::cutover::plugin::lifecycle::{Environment, Field, Manifest};
use bindings::exports::cutover::plugin::normalise::{Outcome, Reply};
use bindings::exports::cutover::plugin::split::Decision;
use bindings::exports::cutover::plugin::{fallback, lifecycle, normalise, rewrite, split};

/// Position of `x-fault` among the reads.
const FAULT: usize = 0;

/// Position of the reply's `x-echo` among the reads.
const ECHO: usize = 2;

/// Position of the path among the reads.
const PATH: usize = 3;

thread_local! {
    static CONFIGURED: RefCell<String> = const { RefCell::new(String::new()) };
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

struct Faulty;

impl lifecycle::Guest for Faulty {
    fn configure(environment: Environment) -> Result<Manifest, String> {
        std::panic::set_hook(Box::new(|panic| log::say(&panic.to_string())));
        let fault = environment.config.split('"').nth(3).unwrap_or_default().to_owned();
        let mut writes = vec!["x-served-by".to_owned(), "x-added".into(), "x-removed".into()];
        match fault.as_str() {
            "configure-refuse" => return Err("tenants is missing\n".into()),
            "manifest-many" => writes = vec!["x-name".into(); 1_000],
            "manifest-bytes" => writes = vec!["x".repeat(4 * 1024 * 1024)],
            "manifest-framing" => writes.push("Transfer-Encoding".into()),
            "manifest-name" => writes.push("no name".into()),
            _ => misbehave(fault.strip_prefix("configure-").unwrap_or_default()),
        }
        CONFIGURED.set(fault);
        Ok(Manifest {
            reads: vec![
                Field::Header("X-Fault".into()),
                Field::Header("x-side".into()),
                Field::ReplyHeader("x-echo".into()),
                Field::Path,
                Field::Cookie("sid".into()),
                Field::QueryParam("q".into()),
            ],
            writes,
            reasons: vec!["first".into(), "second".into()],
        })
    }
}

impl split::Guest for Faulty {
    fn decide(req: View) -> Decision {
        let calls = CALLS.get() + 1;
        CALLS.set(calls);
        let mut decision = Decision {
            backend: u16::from(req.bucket < req.share),
            deadline_ms: None,
            reason: None,
        };
        match fault(&req).as_str() {
            "side" => decision.backend = 9,
            "reason" => decision.reason = Some(7),
            "edit" => edits::remove(0),
            "count" => decision.deadline_ms = Some(calls),
            "size" => decision.deadline_ms = Some(req.data.len() as u32),
            "truncated" => decision.backend = u16::from(req.traits.contains(Traits::TRUNCATED)),
            // Is there anything in the view that nobody declared?
            "secret" => {
                let seen = req.data.windows(7).any(|window| window == b"hunter2");
                decision.backend = u16::from(seen);
            }
            other => misbehave(other),
        }
        decision
    }
}

impl rewrite::Guest for Faulty {
    fn on_request(req: View, backend: u16) {
        let fault = fault(&req);
        if fault == "silent" {
            return;
        }
        edits::set(0, if backend == 0 { b"old" } else { b"new" });
        edits::append(1, b"one");
        edits::remove(2);
        match fault.as_str() {
            "index" => edits::set(99, b"x"),
            "bytes" => edits::set(0, b"a\r\nx-smuggled: b"),
            "big" => edits::set(0, &[b'x'; 8 * 1024 + 1]),
            "many" => (0..100).for_each(|_| edits::append(1, b"more")),
            other => misbehave(other),
        }
    }

    fn on_response(req: View, _: u16, status: u16) {
        edits::set(0, status.to_string().as_bytes());
        if let Some(echo) = value(&req, ECHO) {
            edits::set(1, echo.replace('\n', "|").as_bytes());
        }
        match fault(&req).as_str() {
            // On the way out alone.
            "reply" => misbehave("panic"),
            other => misbehave(other),
        }
    }
}

impl fallback::Guest for Faulty {
    fn on_failure(req: View, failed: Failure) -> Action {
        match fault(&req).as_str() {
            "side" => Action::Retry(9),
            "status" => Action::Respond(99),
            "respond" => Action::Respond(failed.status),
            other => {
                misbehave(other);
                let repeatable = Facts::IDEMPOTENT | Facts::REPLAYABLE;
                if failed.facts.contains(repeatable) { Action::Retry(0) } else { Action::Propagate }
            }
        }
    }
}

impl normalise::Guest for Faulty {
    fn make_comparable(req: View, reply: Reply) -> Outcome {
        match fault(&req).as_str() {
            "edit" => edits::remove(0),
            "cannot" => return Outcome::Cannot("on purpose\n".repeat(1_000)),
            "same" => return Outcome::Unchanged,
            "double" => return Outcome::Body([&reply.body[..], &reply.body].concat()),
            // All that it can see, for tests of what it can.
            "tell" => {
                let echo = value(&req, ECHO);
                let Reply { backend, status, content_type, body } = reply;
                let told = format!(
                    "{:?} {} {} {:?} {echo:?} {backend} {status} {content_type} {}",
                    req.method,
                    req.bucket,
                    req.share,
                    value(&req, PATH),
                    body.len()
                );
                return Outcome::Body(told.into_bytes());
            }
            // A new side that breaks, beside an old one that does not.
            "new" if reply.backend == 1 => misbehave("panic"),
            other => misbehave(other),
        }
        Outcome::Body(reply.body.into_iter().filter(|byte| !byte.is_ascii_digit()).collect())
    }
}

/// What this call shall do wrong.
fn fault(req: &View) -> String {
    value(req, FAULT).unwrap_or_else(|| CONFIGURED.with_borrow(Clone::clone))
}

fn value(req: &View, at: usize) -> Option<String> {
    let (start, end) = (req.spans[2 * at] as usize, req.spans[2 * at + 1] as usize);
    req.data.get(start..end).map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The faults that can happen anywhere.
fn misbehave(fault: &str) {
    match fault {
        "panic" => panic!("faulty on purpose\n\u{1b}[2J"),
        "loop" => loop {
            CALLS.set(CALLS.get().wrapping_add(1));
        },
        "memory" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1u8; 64 * 1024]);
            }
        }
        "stack" => {
            CALLS.set(descend(1));
        }
        "chatter" => (0..100).for_each(|_| log::say(&"x".repeat(10_000))),
        _ => {}
    }
}

#[expect(unconditional_recursion, reason = "it shall overflow")]
#[inline(never)]
fn descend(depth: u32) -> u32 {
    let frame = std::hint::black_box([depth; 64]);
    descend(depth + 1) + frame[(depth % 64) as usize]
}

bindings::export!(Faulty with_types_in bindings);
