//! `cutover plugin bench`: what a call costs, hook by hook, in about two seconds.
//!
//! One thread, one instance that is reused, as each worker of the proxy has it. Calls are timed in batches, because a
//! clock costs about as much as a call; the median over batches is what a busy machine disturbs least.

use super::args::{Bench, Subject};
use super::ask::Question;
use super::cases::{Asks, Case};
use super::component;
use super::trial::{Places, Plugin, load};
use super::{refuse, show};
use crate::exit::Exit;
use crate::paragraph::counted;
use cutover::wasm::Place;
use cutover::{Clock, SystemClock};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time for everything together.
const BUDGET: Duration = Duration::from_secs(2);
/// A batch takes at least this long, so that reading the clock does not count.
const MIN_BATCH: Duration = Duration::from_micros(500);
/// Batches of one case.
const MAX_BATCHES: usize = 2_000;
/// Calls of one batch.
const MAX_CALLS: u64 = 1 << 20;

pub(crate) fn bench(args: &Bench) -> Exit {
    let measured =
        component::chosen(args.subject.file.as_deref()).and_then(|file| Measured::run(&file, args));
    match measured {
        Ok(measured) => {
            show(args.subject.output, &measured, || measured.text());
            Exit::Done
        }
        Err(what) => refuse(what),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    component: String,
    /// Built for development: the host around the calls is slower.
    unoptimised: bool,
    hooks: Vec<Cost>,
}

/// What calls of one hook cost, in nanoseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    hook: &'static str,
    cases: usize,
    median_ns: f64,
    fastest_ns: f64,
    p90_ns: f64,
    calls: u64,
}

impl Measured {
    fn run(file: &Path, args: &Bench) -> Result<Self, String> {
        let plugin = Plugin::compile(file, &args.subject)?;
        let cases = cases(&plugin, &args.subject, args.config.as_deref())?;
        let mut places = Places::new(&plugin);
        let share = BUDGET / u32::try_from(cases.len().max(1)).unwrap_or(u32::MAX);
        let mut samples: Vec<(Asks, Samples)> = Vec::new();
        for case in &cases {
            let wrong = |what: String| format!("{}: {what}", case.name);
            let place = places.of(case.config()).map_err(|error| wrong(error.to_string()))?;
            let question = Question::new(case).map_err(wrong)?;
            let measured = measure(&question, place, share).map_err(wrong)?;
            match samples.iter_mut().find(|(asks, _)| *asks == case.asks()) {
                Some((_, known)) => known.join(measured),
                None => samples.push((case.asks(), measured)),
            }
        }
        samples.sort_by_key(|(asks, _)| *asks);
        Ok(Self {
            component: file.display().to_string(),
            unoptimised: cfg!(debug_assertions),
            hooks: samples.into_iter().map(|(asks, samples)| samples.cost(asks)).collect(),
        })
    }

    fn text(&self) -> String {
        let mut lines = vec![
            format!("{}: one instance, one thread, ns per call", self.component),
            format!(
                "  {:<12} {:>6} {:>10} {:>10} {:>10} {:>12}",
                "HOOK", "CASES", "MEDIAN", "FASTEST", "P90", "CALLS"
            ),
        ];
        for Cost { hook, cases, median_ns, fastest_ns, p90_ns, calls } in &self.hooks {
            lines.push(format!(
                "  {hook:<12} {cases:>6} {median_ns:>10.0} {fastest_ns:>10.0} {p90_ns:>10.0} \
                 {calls:>12}"
            ));
        }
        if self.unoptimised {
            lines.push("note: this cutover is a development build; a release is faster".to_owned());
        }
        lines.join("\n")
    }
}

/// The cases that ask a hook for an answer, or a plain request for each hook if there is no file of cases.
fn cases(plugin: &Plugin, subject: &Subject, config: Option<&str>) -> Result<Vec<Case>, String> {
    if subject.cases.is_empty() && (config.is_some() || !usual_cases().exists()) {
        let all =
            [Asks::Split, Asks::OnRequest, Asks::OnResponse, Asks::OnFailure, Asks::Normalise];
        let asked = all.into_iter().filter(|&asks| plugin.has(asks));
        return Ok(asked.map(|asks| Case::plain(asks, config.unwrap_or("{}"))).collect());
    }
    let all = load(subject)?.into_iter().flat_map(|(_, cases)| cases);
    let cases: Vec<Case> = all
        .filter(|case| case.expect.fault.is_none() && case.asks() != Asks::Configure)
        .filter(|case| plugin.has(case.asks()))
        .collect();
    if cases.is_empty() {
        return Err("no case asks a hook of this plugin for an answer".to_owned());
    }
    Ok(cases)
}

fn usual_cases() -> PathBuf {
    PathBuf::from(super::trial::DEFAULT_CASES)
}

/// Nanoseconds per call, batch by batch.
#[derive(Debug)]
struct Samples {
    cases: usize,
    calls: u64,
    batches: Vec<f64>,
}

impl Samples {
    fn join(&mut self, other: Self) {
        self.cases += other.cases;
        self.calls += other.calls;
        self.batches.extend(other.batches);
    }

    fn cost(mut self, asks: Asks) -> Cost {
        self.batches.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| {
            let last = self.batches.len().saturating_sub(1);
            self.batches.get(last * percent / 100).copied().unwrap_or_default()
        };
        Cost {
            hook: asks.name(),
            cases: self.cases,
            median_ns: at(50),
            fastest_ns: at(0),
            p90_ns: at(90),
            calls: self.calls,
        }
    }
}

/// Repeats a question until its time is over; at least one batch after finding the size of batches.
fn measure(question: &Question, place: &Place, time: Duration) -> Result<Samples, String> {
    let clock = SystemClock;
    let began = clock.now();
    let mut size = 1;
    // Doubling is the warm-up, too.
    while batch(question, place, size, &clock)? < MIN_BATCH && size < MAX_CALLS {
        size *= 2;
    }
    let mut samples = Samples { cases: 1, calls: 0, batches: Vec::new() };
    while samples.batches.is_empty()
        || samples.batches.len() < MAX_BATCHES && since(began, &clock) < time
    {
        let took = batch(question, place, size, &clock)?;
        samples.calls += size;
        samples.batches.push(took.as_nanos() as f64 / size as f64);
    }
    Ok(samples)
}

fn batch(
    question: &Question,
    place: &Place,
    size: u64,
    clock: &SystemClock,
) -> Result<Duration, String> {
    let began = clock.now();
    question.repeat(place, size, began).map_err(|fault| {
        format!("a call failed among {}: {fault}", counted(size as usize, "call"))
    })?;
    Ok(since(began, clock))
}

fn since(began: Instant, clock: &SystemClock) -> Duration {
    clock.now().saturating_duration_since(began)
}
