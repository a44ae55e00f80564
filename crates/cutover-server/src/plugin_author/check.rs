//! `cutover plugin check`: everything that is wrong with a component, and what it declares.

use super::args::Check;
use super::component::{self, World};
use super::probe;
use super::violation::{Violation, listed};
use super::{refuse, show};
use crate::exit::Exit;
use crate::paragraph::{counted, labelled, size};
use cutover::wasm::{Component, Manifest, Read, START_DEADLINE};
use cutover::{Clock, SystemClock};
use serde::Serialize;
use std::time::Duration;

/// How often it is started to learn how long that takes.
const STARTS: usize = 5;
/// Memory comes in pieces of this size.
const PAGE_BYTES: usize = 64 * 1024;

pub(crate) fn check(args: &Check) -> Exit {
    let verdict = component::chosen(args.file.as_deref()).and_then(|file| {
        let bytes = component::read(&file)?;
        judge(file.display().to_string(), &bytes, args)
    });
    match verdict {
        Ok(verdict) => {
            show(args.output, &verdict, || verdict.text());
            if verdict.violations.is_empty() { Exit::Done } else { Exit::Failed }
        }
        Err(what) => refuse(what),
    }
}

/// What there is to say about a component. What could not be learnt is absent.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    file: String,
    bytes: usize,
    hooks: Vec<&'static str>,
    imports: Vec<String>,
    manifest: Option<Declared>,
    compile_ms: Option<f64>,
    start_up_ms: Option<f64>,
    start_up_limit_ms: u128,
    memory_bytes: Option<usize>,
    memory_limit_bytes: usize,
    violations: Vec<Violation>,
}

/// A manifest in words.
#[derive(Debug, Serialize)]
struct Declared {
    reads: Vec<String>,
    writes: Vec<String>,
    reasons: Vec<String>,
}

fn judge(file: String, bytes: &[u8], args: &Check) -> Result<Verdict, String> {
    let host = component::host()?;
    let memory_limit_bytes = args.memory_mib as usize * 1024 * 1024;
    let mut verdict = Verdict {
        file,
        bytes: bytes.len(),
        imports: World::of(bytes).map(World::imported).unwrap_or_default(),
        start_up_limit_ms: START_DEADLINE.as_millis(),
        memory_limit_bytes,
        ..Verdict::default()
    };
    let began = SystemClock.now();
    let compiled = component::compile(&host, bytes);
    let took = SystemClock.now().saturating_duration_since(began);
    match compiled {
        Ok(component) => {
            verdict.compile_ms = Some(millis(took));
            verdict.start(&component, &args.config);
        }
        Err(violations) => verdict.violations = violations,
    }
    Ok(verdict)
}

impl Verdict {
    /// Starts it as the proxy would.
    fn start(&mut self, component: &Component, config: &str) {
        let hooks = component.hooks();
        let named = [
            ("split", hooks.split),
            ("rewrite", hooks.rewrite),
            ("fallback", hooks.fallback),
            ("normalise", hooks.normalise),
        ];
        self.hooks = named.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        let mut took = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            let options = component::place(component, config, self.memory_limit_bytes);
            let began = SystemClock.now();
            match component.install(options) {
                Ok(place) => {
                    took.push(SystemClock.now().saturating_duration_since(began));
                    self.manifest = Some(Declared::new(place.manifest()));
                }
                Err(error) => {
                    self.violations = Violation::of_loading(&error, self.memory_limit_bytes);
                    self.also_of_each_hook(component, config);
                    return;
                }
            }
        }
        took.sort_unstable();
        self.start_up_ms = Some(millis(took[STARTS / 2]));
        self.memory_bytes = Some(least_memory(component, config, self.memory_limit_bytes));
        self.violations = probe::of_each_hook(component, config, self.memory_limit_bytes);
    }

    /// Loading stops at the first hook whose types are wrong; the others may be wrong, too.
    fn also_of_each_hook(&mut self, component: &Component, config: &str) {
        let whole = component::place(component, config, self.memory_limit_bytes);
        let all = whole.hooks;
        for (there, hook) in [
            (all.split, cutover::wasm::HookSet { split: true, ..Default::default() }),
            (all.rewrite, cutover::wasm::HookSet { rewrite: true, ..Default::default() }),
            (all.fallback, cutover::wasm::HookSet { fallback: true, ..Default::default() }),
            (all.normalise, cutover::wasm::HookSet { normalise: true, ..Default::default() }),
        ] {
            let options = cutover::wasm::PlaceOptions { hooks: hook, ..whole.clone() };
            let Some(Err(error)) = there.then(|| component.install(options)) else { continue };
            for violation in Violation::of_loading(&error, self.memory_limit_bytes) {
                if !self.violations.contains(&violation) {
                    self.violations.push(violation);
                }
            }
        }
    }

    fn text(&self) -> String {
        let Self { file, bytes, .. } = self;
        let hooks = match self.hooks[..] {
            [] => String::new(),
            _ => format!(", for {}", self.hooks.join(", ")),
        };
        let mut lines = vec![format!("{file}: {}{hooks}", size(*bytes))];
        if let Some(Declared { reads, writes, reasons }) = &self.manifest {
            lines.push(list("  reads     ", reads));
            lines.push(list("  edits     ", writes));
            lines.push(list("  reasons   ", reasons));
        }
        if !self.imports.is_empty() || self.manifest.is_some() {
            lines.push(list("  imports   ", &self.imports));
        }
        if let Some(took) = self.compile_ms {
            lines.push(format!("  compiles  in {took:.0} ms"));
        }
        if let Some(took) = self.start_up_ms {
            lines.push(format!(
                "  starts    in {took:.2} ms of at most {} ms",
                self.start_up_limit_ms
            ));
        }
        if let Some(memory) = self.memory_bytes {
            let (memory, limit) = (size(memory), size(self.memory_limit_bytes));
            lines.push(format!("  memory    {memory} of at most {limit}, when it has started"));
        }
        let count = self.violations.len();
        if count == 0 {
            lines.push(format!("ok: no violations\nnext: cutover plugin test {file}"));
        } else {
            lines.push(listed(&self.violations) + &counted(count, "violation"));
        }
        lines.join("\n")
    }
}

impl Declared {
    fn new(manifest: &Manifest) -> Self {
        Self {
            reads: manifest.reads.iter().map(words).collect(),
            writes: manifest.writes.iter().map(|name| format!("header {name}")).collect(),
            reasons: manifest.reasons.iter().map(|reason| reason.to_string()).collect(),
        }
    }
}

fn list(label: &str, items: &[String]) -> String {
    let items = if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
    labelled(label, &items)
}

fn words(read: &Read) -> String {
    match read {
        Read::Host => "host".to_owned(),
        Read::Path => "path".to_owned(),
        Read::Query => "query".to_owned(),
        Read::Peer => "peer".to_owned(),
        Read::Header(name) => format!("header {name}"),
        Read::Cookie(name) => format!("cookie {name}"),
        Read::QueryParam(name) => format!("query parameter {name}"),
        Read::PathParam(name) => format!("path parameter {name}"),
        Read::ReplyHeader(name) => format!("reply header {name}"),
    }
}

/// The least memory with which it starts, to the page.
fn least_memory(component: &Component, config: &str, limit_bytes: usize) -> usize {
    let starts =
        |pages| component.install(component::place(component, config, pages * PAGE_BYTES)).is_ok();
    let (mut too_few, mut enough) = (0, limit_bytes.div_ceil(PAGE_BYTES));
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if starts(middle) { enough = middle } else { too_few = middle }
    }
    enough * PAGE_BYTES
}

fn millis(took: Duration) -> f64 {
    // Three places: nobody wants to read nanoseconds of a start.
    (took.as_secs_f64() * 1e6).round() / 1e3
}
